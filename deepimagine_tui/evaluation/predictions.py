"""What a system said of each question, and the file that keeps it: a header, then one prediction a line, as they come.

Grades are computed when it is read, by the one grader: a journal holds what was said and nothing of what is right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.files import make_dir, storage_error, write_bytes
from deepimagine_tui.reasoning.state import Direction, State

FORMAT = "deepimagine predictions"
SCHEMA_VERSION = 1
JOURNAL = "predictions.jsonl"

Fallback = Literal["", "no anchor", "no answer", "not said"]
NOT_SAID: Fallback = "not said"
"""The system does not speak of the answer, and is not scored on it; nor on a direction where it gives none."""


class UsedTrial(msgspec.Struct, frozen=True):
    """A trial whose results a prediction saw: as an anchor, or retrieved into the prompt. `posted` is an ISO date."""

    nct_id: str
    posted: str
    similarity: float | None = None


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of one question.

    `probabilities` are over the question's options and sum to 1. `fallback` says that they are the base rate of training, and
    why; `problem` is the reason in words. `direction` is that of the value said, `stated` the one in words. `state` is the
    imagined state of a step, from which the grader computes e. `used` are the trials seen. `mass` is what the options had
    before renormalising. Tokens are those read and written, `seconds` this question's share of its batch; `run_id` names the
    run's journal in `runs/` beside this one, where the system is the engine. `parts` are what a combination was made of.
    """

    question_id: str
    probabilities: tuple[float, ...]
    fallback: Fallback = ""
    problem: str = ""
    direction: Direction | None = None
    stated: Direction | None = None
    state: State | None = None
    used: tuple[UsedTrial, ...] = ()
    mass: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    run_id: str = ""
    parts: dict[str, float] = {}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: which system answered which set, by what model, from what corpus, with which settings. `learnt_from` is a
    hash of what a classical system was fitted on, with `learnt_trials` trials; `base_rate` is what a fallback says;
    `prompt_version` is that of the engine's prompts, empty where the engine is not asked."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__
    system: str
    what: str
    set_name: str
    set_sha256: str
    questions: int
    model: str = ""
    model_sha256: str = ""
    adapter_sha256: str = ""
    prompt_version: str = ""
    corpus: str = ""
    corpus_version: str = ""
    learnt_from: str = ""
    learnt_trials: int = 0
    base_rate: float = 0.5
    settings: dict[str, str | int | float | bool] = {}

    @property
    def name(self) -> str:
        """The system with its model, for tables."""
        adapter = f" + adapter {self.adapter_sha256[:8]}" if self.adapter_sha256 else ""
        return f"{self.system} ({self.model}{adapter})" if self.model else self.system


class Predictions(msgspec.Struct, frozen=True):
    """A journal as read: its header, and predictions by question id, in the order given."""

    header: Header
    by_id: dict[str, Prediction]

    @property
    def is_complete(self) -> bool:
        """Whether every question of the set has one."""
        return len(self.by_id) == self.header.questions


def read(path: Path) -> Predictions:
    """The journal of a folder, or a journal by its path, finished or not; a torn last line is left out.

    Raises:
        NotFoundError: there is none.
        BadInputError: it is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    file = path / JOURNAL if path.is_dir() else path
    if not file.is_file():
        raise NotFoundError(f"There are no predictions at {path}.", "Make some: deepimagine evaluate run")
    whole = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        header = msgspec.json.decode(whole[0], type=Header)
        if header.format != FORMAT:
            raise BadInputError(f"{file} holds no predictions.", "Name a folder that `evaluate run` wrote.")
        if header.schema_version > SCHEMA_VERSION:
            raise NewerSchemaError(f"{file} was written by a newer DeepImagine.", "Update DeepImagine.")
        found = [msgspec.json.decode(line, type=Prediction) for line in whole[1:]]
    except (msgspec.MsgspecError, IndexError) as error:
        raise BadInputError(f"{file} is damaged ({error}).", "Name another folder.") from error
    return Predictions(header, {each.question_id: each for each in found})


def begin(path: Path, header: Header) -> dict[str, Prediction]:
    """Begin the journal at `path`, or go on with it: what it holds already, by question id. A torn last line is cut off.

    Raises:
        RefusedError: it is of another system, set, model, corpus or setting.
        BadInputError: it is damaged.
        StorageError: it cannot be written.
    """
    if not path.exists():
        make_dir(path.parent)
        write_bytes(path, msgspec.json.encode(header) + b"\n")
        return {}
    before = read(path)
    if msgspec.structs.replace(before.header, deepimagine=header.deepimagine) != header:
        raise RefusedError(f"{path} holds predictions of another system, set or setting.", "Name another folder with --out.")
    lines = path.read_bytes().splitlines(keepends=True)
    if not lines[-1].endswith(b"\n"):
        write_bytes(path, b"".join(lines[:-1]))
    return before.by_id


def append(path: Path, predictions: Iterable[Prediction]) -> None:
    """Add predictions to a journal, on the disk before this returns.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        with path.open("ab") as stream:
            stream.write(b"".join(msgspec.json.encode(each) + b"\n" for each in predictions))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise storage_error(path, error) from error


def fallback(
    question_id: str, options: tuple[str, ...], base_rates: Mapping[str, float], why: Fallback, problem: str
) -> Prediction:
    """The base rates of training as a prediction: what counts where a system has no answer."""
    rates = [base_rates.get(option, 0.0) for option in options]
    total = sum(rates)
    shares = tuple(rate / total for rate in rates) if total else tuple(1 / len(options) for _ in options)
    return Prediction(question_id=question_id, probabilities=shares, fallback=why, problem=problem)
