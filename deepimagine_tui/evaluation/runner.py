"""Running a system over a question set: in batches, into a journal, gone on with after a stop.

Questions are asked in the order of a hash of their ids, in batches of one size. So the first N of a set are the same questions
in the same batches whoever asks them, and a run over them agrees with the beginning of a run over all, where N is a multiple
of the batch: what a quantised model answers depends on the company in which it is decoded. For the same reason a batch that a
killed process left incomplete is asked again whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation import predictions
from deepimagine_tui.evaluation.predictions import JOURNAL, Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionSet
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.evaluation.system import System, SystemFacts
from deepimagine_tui.reasoning.journal import SUFFIX

RUNS = "runs"
"""The folder of the engine's journals beside the predictions."""


def in_order(questions: Sequence[Question]) -> list[Question]:
    """The questions in the order of asking: by a hash of their ids."""
    return sorted(questions, key=lambda question: (hash_share("evaluation", question.id), question.id))


def first(asked: QuestionSet, count: int) -> QuestionSet:
    """The set with the first `count` questions in the order of asking; 0 takes all."""
    return asked.take(frozenset(question.id for question in in_order(asked.questions)[:count])) if count else asked


def run(
    system: System,
    asked: QuestionSet,
    folder: Path,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Predictions:
    """The predictions of every question of the set, in the order of asking; those that `folder` holds are not made again.

    Raises:
        RefusedError: the folder holds predictions of another system, set or setting.
        BadInputError: they are damaged.
        ModelError: the model cannot be loaded, or stopped.
        CancelledError: `cancel` was set; what was answered is kept.
        StorageError: the journal cannot be written.
    """
    header = header_of(system.facts, asked)
    path = folder / JOURNAL
    found = predictions.begin(path, header)
    _forget_runs(folder / RUNS, found)
    order = in_order(asked.questions)
    size = system.batch or max(len(order), 1)
    batches = [order[at : at + size] for at in range(0, len(order), size)]
    left = [batch for batch in batches if any(question.id not in found for question in batch)]
    started, done, wanted = time.monotonic(), 0, sum(map(len, left))
    for batch in left:
        if cancel.is_set():
            raise CancelledError("Predicting was stopped.", "The same command goes on from there.")
        answers = system.predict(batch, cancel)
        predictions.append(path, answers)
        found.update((answer.question_id, answer) for answer in answers)
        done += len(batch)
        seconds = (time.monotonic() - started) / done * (wanted - done)
        told(f"{len(order) - wanted + done:,} of {len(order):,} questions, {_left_text(seconds)} left")
    return Predictions(header, {question.id: found[question.id] for question in order})


def header_of(facts: SystemFacts, asked: QuestionSet) -> Header:
    """The header of what a system says of a set."""
    said = msgspec.structs.asdict(facts)
    return Header(
        system=said.pop("name"),
        **said,
        set_name=asked.name,
        set_sha256=asked.sha256,
        questions=len(asked.questions),
    )


def _forget_runs(folder: Path, found: dict[str, Prediction]) -> None:
    """Remove the journals of runs that no prediction names: those of a batch that was stopped."""
    kept = {prediction.run_id for prediction in found.values()}
    for path in folder.glob(f"*{SUFFIX}"):
        if path.stem.partition(".")[0] not in kept:
            path.unlink()


def _left_text(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {seconds:.0f} s"
