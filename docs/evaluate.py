"""The evaluations that are committed in docs/evaluation: made again whole, or checked.

`python docs/evaluate.py check --data FOLDER` scores the committed predictions again, asks 24 questions of every system with a
model again, prints the reports, and fails on a difference. `python docs/evaluate.py run --data FOLDER` lets every system answer
every question, goes on where it was stopped, and writes the reports. FOLDER holds `ctgov` (registry records), `ct_open` and
`clinifact`, as their authors publish them.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from deepimagine_assets import adapter

from deepimagine_tui.evaluation import interpretability, scoring_report
from deepimagine_tui.evaluation.check import system_folders
from deepimagine_tui.evaluation.intervals import Estimate
from deepimagine_tui.evaluation.metrics import Metric, Slice
from deepimagine_tui.evaluation.predictions import JOURNAL
from deepimagine_tui.evaluation.runner import RUNS
from deepimagine_tui.evaluation.scoring_report import Report

HERE = Path(__file__).parent
COMMITTED = HERE / "evaluation"
WORK = HERE.parent / "build" / "evaluation"
CORPUS = WORK / "corpus.db"
REPORT = "report.md"
CLAIMS = "--clinifact"
PAIRS = WORK / "drawn-pairs"
_DIGITS = 9
CARD = "pairs"
"""The evaluation that the shipped adapter's card is made from."""


class Run(NamedTuple):
    """One system over one set: the name of its folder, the system, its own options, and whether it learns from claims too."""

    folder: str
    system: str
    options: tuple[str, ...] = ()
    learns_claims: bool = False


class Evaluation(NamedTuple):
    """One evaluation: its folder's name, its set, the options of every run over it, the runs, whether it is committed, and the
    models that it takes, where they are not the one in force alone."""

    name: str
    questions: str
    options: tuple[str, ...]
    runs: tuple[Run, ...]
    is_committed: bool = True
    models: tuple[str, ...] = ()


CHAIN = Run("deepimagine", "deepimagine")
RAG = Run("rag", "rag")
DIRECT = Run("direct", "direct")
CLASSICAL = tuple(Run(name, name, (), True) for name in ("logistic-regression", "random-forest", "ffnn"))
CLASSICAL_OF_PAIRS = tuple(run._replace(learns_claims=False) for run in CLASSICAL)


def evaluations(data: Path) -> list[Evaluation]:
    """Everything that is evaluated, in the order of running: what the ensemble learns its weights from comes first."""
    held_out = ("--anchors", "3", "--limit", "120")
    validation = Evaluation("forecasts-validation", "forecasts", ("--side", "validation", *held_out), (CHAIN,), False)

    def whole(name: str, questions: str, options: tuple[str, ...], samples: int) -> Evaluation:
        """All systems; `samples` is how often `direct` has to ask to spend the tokens of the chain."""
        chains = tuple(word for each in (validation.name, name) for word in ("--chain", str(WORK / each / CHAIN.folder)))
        asked = (
            CHAIN,
            RAG,
            DIRECT,
            Run("direct-equal-tokens", "direct", ("--samples", str(samples))),
            Run("ensemble", "deepimagine+ensemble", chains, True),
        )
        return Evaluation(name, questions, options, (*CLASSICAL, *asked))

    pairs = f"pairs:{PAIRS}"
    models = "gemma-270m", "gemma-270m-base"
    untuned = Run("deepimagine-untuned", "deepimagine", ("--model", models[1]))
    return [
        *(
            Evaluation(f"calibration-{side}", pairs, ("--side", side, "--as-app"), (CHAIN,), False)
            for side in ("validation", "test")
        ),
        Evaluation(CARD, pairs, ("--side", "test"), (CHAIN, untuned, RAG, DIRECT, *CLASSICAL_OF_PAIRS), models=models),
        validation,
        whole("forecasts", "forecasts", ("--side", "test", *held_out), 3),
        whole("winter", str(data / "ct_open" / "Winter_2025.pickle"), (), 2),
    ]


def deepimagine(*words: str | Path) -> None:
    """Run one command of the program.

    Raises:
        SystemExit: it failed; its own words went to standard error.
    """
    code = subprocess.run([sys.executable, "-m", "deepimagine_tui.cli", *map(str, words)], check=False).returncode
    if code:
        raise SystemExit(code)


def corpus_of(data: Path) -> None:
    """Import the records once."""
    if not CORPUS.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        deepimagine("corpus", "import", data / "ctgov", "--corpus", CORPUS)


def claims_of(data: Path) -> list[str]:
    """The options that name CliniFact's claims."""
    return [word for path in sorted((data / "clinifact").glob("*.csv")) for word in (CLAIMS, str(path))]


def pairs_of(data: Path) -> None:
    """Draw the pairs once."""
    if not PAIRS.is_dir():
        deepimagine("train", "pairs", "--corpus", CORPUS, *claims_of(data), "--out", PAIRS)


def run(data: Path, only: Sequence[str] = ()) -> None:
    """Let every system answer what it has not answered yet, and write the reports."""
    claims = claims_of(data)
    for each in evaluations(data):
        if only and each.name not in only:
            continue
        for one in each.runs:
            words = [
                each.questions,
                "--system",
                one.system,
                *each.options,
                *one.options,
                *(claims if one.learns_claims else []),
            ]
            deepimagine("evaluate", "run", *words, "--corpus", CORPUS, "--out", WORK / each.name / one.folder)
        if each.is_committed:
            commit(each)
            if each.name == CARD:
                scores_of_pairs(each)


def commit(each: Evaluation) -> None:
    """Put predictions, what was measured of the runs, and the report into the folder that is committed."""
    for kept in (COMMITTED / each.name / one.folder for one in each.runs):
        made = WORK / each.name / kept.name
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / JOURNAL, kept / JOURNAL)
        if any((made / RUNS).glob("*")):
            interpretability.write(interpretability.read_runs(made), kept / interpretability.FILE)
    folders = system_folders(COMMITTED / each.name)
    deepimagine("evaluate", "report", each.questions, *folders, "--corpus", CORPUS, "--out", COMMITTED / each.name / REPORT)


def scores_of_pairs(each: Evaluation) -> Report:
    """The committed predictions of pairs scored, kept as JSON for `train card`."""
    file = WORK / "scores.json"
    folders = system_folders(COMMITTED / each.name)
    deepimagine("evaluate", "report", each.questions, *folders, "--corpus", CORPUS, "--out", file)
    return scoring_report.read(file)


def check_card(each: Evaluation) -> None:
    """Compare the shipped card's scores of its adapter with the committed predictions.

    Raises:
        SystemExit: they differ.
    """
    card = msgspec.json.decode((adapter.FOLDER / "card.json").read_bytes(), type=_Card).report
    if _judged(card) != _judged(scores_of_pairs(each)):
        raise SystemExit("The shipped card has other scores: make it again with `deepimagine train card`.")


class _Card(msgspec.Struct):
    report: Report


def _judged(report: Report) -> list[tuple[Slice, Metric, Estimate]]:
    """Its scores of the adapter, to nine digits: the last ones go by a machine's order of adding."""
    return [(score.slice, score.metric, _rounded(score.estimate)) for score in report.scores if score.system == report.judged]


def _rounded(found: Estimate) -> Estimate:
    numbers = {name: getattr(found, name) for name in ("value", "lower", "upper")}
    return msgspec.structs.replace(
        found, **{name: number if number is None else round(number, _DIGITS) for name, number in numbers.items()}
    )


def check(data: Path, only: Sequence[str] = ()) -> None:
    """Check every committed evaluation."""
    for each in evaluations(data):
        if each.is_committed and (not only or each.name in only):
            models = [word for model in each.models for word in ("--model", model)]
            deepimagine("evaluate", "check", each.questions, COMMITTED / each.name, "--corpus", CORPUS, *models)
            if each.name == CARD:
                check_card(each)


def main(arguments: Sequence[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "run"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="This evaluation alone, e.g. pairs.")
    given = parser.parse_args(arguments)
    corpus_of(given.data)
    pairs_of(given.data)
    (check if given.what == "check" else run)(given.data, given.only)


if __name__ == "__main__":
    main(sys.argv[1:])
