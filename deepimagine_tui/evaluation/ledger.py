"""The ledger of every scoring of a watched question set: one line a look, with the commit and the model that was scored.

It lies in the repository and is committed. A score is entered before it is shown. Scoring the same predictions again is the
same look: it tells nothing new.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.graded import classes, grade
from deepimagine_tui.evaluation.intervals import Estimate, Rows, balanced_accuracy, estimate, macro_f1, mean
from deepimagine_tui.evaluation.predictions import Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionClass, QuestionSet
from deepimagine_tui.files import make_dir, storage_error
from deepimagine_tui.reasoning.identity import content_hash

LEDGER = Path("docs") / "winter-ledger.jsonl"
"""Where looks are entered, in a checkout of the repository."""

_FIRST = "verdicts"
"""The first lines have superiority alone, under this name."""
_SECONDS = 20.0
_WHOLE_HASH = 64


class Verdicts(msgspec.Struct, frozen=True):
    """The scores of a system on one class as the report has them (`graded`): shares in [0, 1] with 95% intervals over
    programmes; `fallbacks` of `questions` are base rates, for want of an anchor or an answer."""

    questions: int
    fallbacks: int
    macro_f1: Estimate
    balanced_accuracy: Estimate
    brier: Estimate


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `commit` is what was checked out, `changed` whether files differed from it; hashes are empty where there is no
    model or no adapter. `said` is a hash of the probabilities; `corpus` what anchors and examples came from."""

    date: str
    commit: str
    changed: bool
    deepimagine: str = __version__
    system: str
    model: str = ""
    model_sha256: str = ""
    adapter_sha256: str = ""
    set_name: str = ""
    set_sha256: str
    corpus: str = ""
    said: str = ""
    by_class: dict[QuestionClass, Verdicts]


def enter(ledger: Path, asked: QuestionSet, predictions: Predictions) -> Entry:
    """Enter a look at a watched set, and return it; where these predictions are in the ledger already, that entry.

    Raises:
        RefusedError: the ledger is in no git checkout, so that no commit can be named.
        BadInputError: a question has no prediction or no answer; or the ledger is damaged.
        StorageError: it cannot be written.
    """
    header = predictions.header
    said = content_hash(sorted((name, one.probabilities) for name, one in predictions.by_id.items()), _WHOLE_HASH)
    for before in read(ledger):
        if (before.set_sha256, before.system, before.said) == (asked.sha256, header.system, said):
            return before
    entry = Entry(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_git(ledger, "rev-parse", "HEAD"),
        changed=bool(_git(ledger, "status", "--porcelain", "--untracked-files=no")),
        system=header.system,
        model=header.model,
        model_sha256=header.model_sha256,
        adapter_sha256=header.adapter_sha256,
        set_name=asked.name,
        set_sha256=asked.sha256,
        corpus=f"{header.corpus} {header.corpus_version}".strip(),
        said=said,
        by_class=verdicts(asked, predictions),
    )
    make_dir(ledger.parent)
    try:
        with ledger.open("ab") as stream:
            stream.write(msgspec.json.encode(entry) + b"\n")
    except OSError as error:
        raise storage_error(ledger, error) from error
    return entry


def verdicts(asked: QuestionSet, predictions: Predictions) -> dict[QuestionClass, Verdicts]:
    """The scores of every class of a set.

    Raises:
        BadInputError: a question has no prediction or no answer.
    """
    by_class: dict[QuestionClass, list[Question]] = {}
    for question in asked.questions:
        by_class.setdefault(question.kind, []).append(question)
    return {kind: _verdicts(asked, questions, predictions) for kind, questions in by_class.items()}


def read(ledger: Path) -> list[Entry]:
    """Every look so far, the oldest first; none where there is no ledger.

    Raises:
        BadInputError: a line is damaged.
    """
    if not ledger.is_file():
        return []
    try:
        return [_entry(line) for line in ledger.read_bytes().splitlines()]
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{ledger} is damaged ({error}).", "Take it back from the repository.") from error


def looks(entries: Iterable[Entry], set_sha256: str) -> int:
    """How often a set was looked at."""
    return sum(entry.set_sha256 == set_sha256 for entry in entries)


def check(ledger: Path) -> None:
    """Refuse a place in no checkout, before anything is scored.

    Raises:
        RefusedError: it is in none.
    """
    _git(ledger, "rev-parse", "HEAD")


def _entry(line: bytes) -> Entry:
    fields = msgspec.json.decode(line, type=dict[str, Any])
    if _FIRST in fields:
        fields["by_class"] = {"superiority": fields.pop(_FIRST)}
    return msgspec.convert(fields, Entry)


def _verdicts(asked: QuestionSet, questions: Sequence[Question], predictions: Predictions) -> Verdicts:
    for question in questions:
        if question.id not in predictions.by_id or asked.key(question).answer is None:
            what = "answer" if question.id in predictions.by_id else "prediction"
            raise BadInputError(f"{question.id} has no {what}.", "Every question counts: predict them all.")
    found = [grade(question, asked.key(question), predictions.by_id[question.id]) for question in questions]
    truth, said = [one.truth or "" for one in found], [one.said for one in found]
    rows = Rows(tuple(one.nct_id for one in questions), tuple(one.programme for one in questions))
    return Verdicts(
        len(questions),
        sum(bool(one.fallback) for one in found),
        estimate(macro_f1(truth, said, classes(questions[0].options)), rows),
        estimate(balanced_accuracy(truth, said), rows),
        estimate(mean([one.squares for one in found if one.squares is not None]), rows),
    )


def _git(ledger: Path, *words: str) -> str:
    """What git says where the ledger is, or will be."""
    folder = next(place for place in ledger.absolute().parents if place.is_dir())
    try:
        done = subprocess.run(("git", "-C", str(folder), *words), capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RefusedError(
            f"{folder} is in no git checkout, so that no commit can be named.", "Score in a clone of the repository."
        ) from error
    return done.stdout.strip()
