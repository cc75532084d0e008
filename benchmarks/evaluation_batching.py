"""How much faster an evaluation is when the steps of many questions are decoded in one batch than question by question.

    python benchmarks/evaluation_batching.py [--repeats 3]

Both sides run the same questions end to end in the same process: retrieval, prompts, chains, journals, predictions. Questions
are forecasts of the starter corpus's own trials that have an anchor. Prints a row of markdown; the bar is 1.3 times.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

from machine import describe_machine

from deepimagine_tui.backends.catalogue import Catalogue, open_backend
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.evaluation import runner
from deepimagine_tui.evaluation.chain import BATCH, Chain
from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts
from deepimagine_tui.evaluation.questions import QuestionSet
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.anchors import CorpusAnchors

BAR = 1.3
ANCHORS = 3


def questions(corpus: Corpus) -> QuestionSet:
    """As many forecasts that have an anchor as are decoded together."""
    every = forecasts(corpus, Event())
    source, found = CorpusAnchors(corpus), set[str]()
    for question in runner.in_order(every.questions):
        if source.nearest(question.target, question.nct_id, ANCHORS, question.cutoff).anchors:
            found.add(question.id)
        if len(found) == BATCH:
            break
    return every.take(frozenset(found))


def seconds(asked: QuestionSet, backend: ModelBackend, corpus: Corpus, batch: int) -> float:
    """Of a whole run that asks `batch` questions together."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chain = Chain(backend, CorpusAnchors(corpus), Learnt(asked), ANCHORS, runs=folder / runner.RUNS)
        chain.batch = batch
        started = time.perf_counter()
        runner.run(chain, asked, folder / str(batch), Event())
        return time.perf_counter() - started


def main() -> int:
    """Measure, print, and compare with the bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    corpus = open_starter()
    asked = questions(corpus)
    backend = open_backend(Catalogue.load().default())
    seconds(asked, backend, corpus, BATCH)
    together, apart, ratios = [], [], []
    for turn in range(options.repeats):
        sides = {batch: seconds(asked, backend, corpus, batch) for batch in ((BATCH, 1) if turn % 2 else (1, BATCH))}
        together.append(sides[BATCH])
        apart.append(sides[1])
        ratios.append(sides[1] / sides[BATCH])
    backend.close()
    corpus.close()
    ratio = statistics.median(ratios)
    name = f"Evaluating {len(asked.questions)} questions by lean chains in one batch against one by one, times as fast"
    measured = f"{ratio:.2f} ({statistics.median(together):.1f} s against {statistics.median(apart):.1f} s)"
    sys.stdout.write(f"| {name} | {measured} | >= {BAR} | {'kept' if ratio >= BAR else 'missed'} |\n")
    sys.stderr.write(f"{describe_machine()}\n")
    return 0 if ratio >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
