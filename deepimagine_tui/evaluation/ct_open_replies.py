"""Predictions in the two forms that CT Open takes: replies with scores, and choices for the live challenge.

A reply is the text `DECISION: (0.3, 0.7)` with a `REASON:` after it, which nobody scores; the scores are over a question's
options and need not add up to 1. The live challenge takes one JSON object of lists of choices by question id, `["a", "b", "a"]`
for three predictions of one question, the same number for every question.
"""

from __future__ import annotations

import ast
import math
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation.ct_open import PublishedKey
from deepimagine_tui.evaluation.predictions import Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionSet
from deepimagine_tui.files import write_bytes

_Value = TypeVar("_Value")

Shares = tuple[float, ...]

LETTERS = "abc"
"""The choices, in the order of a question's options."""

LARGEST = 5 * 1024 * 1024
"""The largest file that the live challenge takes, in bytes."""

_MARKS = ("```python", "```", "*", "#")
_DECISION = "DECISION:"


def reply_of(shares: Sequence[float], reason: str = "") -> str:
    """What a system says of one question, in CT Open's words."""
    said = ", ".join(repr(float(share)) for share in shares)
    return f"{_DECISION} ({said})\nREASON: {reason or 'not given'}\n"


def parse_reply(reply: str, options: int) -> Shares:
    """The scores of a reply, one an option, as written: what stands in the first brackets after the last `DECISION:`.

    Raises:
        BadInputError: there are none, or not one an option, or none above zero: CT Open gives no partial credit.
    """
    for mark in _MARKS:
        reply = reply.replace(mark, "")
    line = reply.rpartition(_DECISION)[2].strip().partition("\n")[0]
    try:
        found = ast.literal_eval(line.partition(")")[0].strip() + ")")
        scores = tuple(float(score) for score in found)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise BadInputError(f"A reply has no decision ({reply.strip()[:60]!r}).", "Write e.g. DECISION: (0.3, 0.7)") from error
    if len(scores) != options or not all(math.isfinite(score) and score >= 0 for score in scores) or sum(scores) <= 0:
        raise BadInputError(f"A reply decides on {scores} for {options} options.", "Give one score an option, from 0.")
    return scores


def replies_of(asked: QuestionSet, predictions: Predictions) -> dict[str, str]:
    """The reply to every question, by id.

    Raises:
        BadInputError: a question has no prediction.
    """
    found = {}
    for question in asked.questions:
        prediction = predictions.by_id.get(question.id)
        if prediction is None:
            raise BadInputError(f"{question.id} has no prediction.", "Every question counts: finish the run first.")
        found[question.id] = reply_of(prediction.probabilities, prediction.problem or predictions.header.name)
    return found


def write_replies(path: Path, replies: Mapping[str, str]) -> None:
    """Write replies as one JSON object by question id.

    Raises:
        StorageError: it cannot be written.
    """
    write_bytes(path, msgspec.json.format(msgspec.json.encode(dict(replies)), indent=1) + b"\n")


def write_published(path: Path, replies: Mapping[str, str], keys: Mapping[str, PublishedKey]) -> None:
    """Write replies as CT Open's own evaluation reads them: a pickle by (NCT id, endpoint, number of the question).

    Raises:
        StorageError: it cannot be written.
    """
    write_bytes(path, pickle.dumps({tuple(keys[name]): reply for name, reply in replies.items()}))


def read_replies(path: Path, asked: QuestionSet) -> dict[str, Shares]:
    """The scores of every question of `asked`, from a file of replies.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it holds no replies, lacks a question's, or one of them has no decision.
    """
    replies = _object(path, asked, str, "reply")
    return {question.id: parse_reply(replies[question.id], len(question.options)) for question in asked.questions}


def choices_of(asked: QuestionSet, runs: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, list[str]]:
    """The likelier option of every question in every run, as letters; of equals the first."""
    return {question.id: [_letter(run[question.id]) for run in runs] for question in asked.questions}


def write_choices(path: Path, choices: Mapping[str, Sequence[str]]) -> None:
    """Write choices for the live challenge.

    Raises:
        BadInputError: the file would be larger than the challenge takes.
        StorageError: it cannot be written.
    """
    content = msgspec.json.encode({name: list(letters) for name, letters in choices.items()})
    if len(content) > LARGEST:
        raise BadInputError(f"The choices take {len(content):,} bytes.", "The challenge takes 5 MB: give fewer runs.")
    write_bytes(path, content)


def read_choices(path: Path, asked: QuestionSet) -> list[dict[str, int]]:
    """The choices of every question of `asked`, as places among its options, run by run.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it holds no choices, lacks a question, has another one, or its lists differ in length.
    """
    found = _object(path, asked, list[str], "choice")
    counts = {len(letters) for letters in found.values()}
    if len(counts) != 1 or 0 in counts:
        raise BadInputError(f"{path.name} has lists of {sorted(counts)} choices.", "Give every question the same number.")
    return [
        {question.id: _place(found[question.id][run], question, path) for question in asked.questions}
        for run in range(counts.pop())
    ]


def _object(path: Path, asked: QuestionSet, kind: type[_Value], what: str) -> dict[str, _Value]:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", "Name a file that `evaluate submit` wrote.")
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, kind])  # type: ignore[valid-type]  # a type at run time
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{path.name} holds no {what} by question id ({error}).", "Name another file.") from error
    wanted = {question.id for question in asked.questions}
    for name in sorted(wanted ^ found.keys()):
        said = f"has no {what} of" if name in wanted else "names another question,"
        raise BadInputError(f"{path.name} {said} {name}.", f"Give one {what} of every question, and of no other.")
    return found


def _letter(shares: Sequence[float]) -> str:
    return LETTERS[max(range(len(shares)), key=lambda at: shares[at])]


def _place(letter: str, question: Question, path: Path) -> int:
    at = LETTERS.find(letter.lower()) if len(letter) == 1 else -1
    if not 0 <= at < len(question.options):
        raise BadInputError(
            f"{path.name} chooses {letter!r} for {question.id}.", f"Choose among {', '.join(LETTERS[: len(question.options)])}."
        )
    return at
