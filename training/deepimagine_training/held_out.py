"""Asking a model the held-out pairs, by the engine's own question of one step, and keeping what it answers.

The journal keeps answers as they came, in batches: grades are computed when it is read, by the one grader. A batch that a
killed process left incomplete is asked again, so that every answer was decoded in the same company as in a run without a stop.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from deepimagine_training.examples import pose, states_of
from deepimagine_training.rows import PairRow
from deepimagine_tui.backends.protocol import (
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    ModelInfo,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.evaluation.sides import Side, hash_share
from deepimagine_tui.files import make_dir, storage_error, write_bytes
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.engine import ANSWER_MARGIN
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.steps import Step

FORMAT = "deepimagine held-out answers"
SCHEMA_VERSION = 1
JOURNAL = "journal.jsonl"
BATCH = 32
"""Questions asked together. Part of what an answer depends on: a batch's shape moves near-ties of a quantised model."""
ALL_OF = ("arm", "dose")
"""The factors whose pairs come first, all of them, where there is a limit."""


class Settings(msgspec.Struct, frozen=True):
    """How the model is asked: the likeliest text, and reasoning as short as an evaluation's."""

    max_reasoning_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 7
    batch: int = BATCH


DEFAULT_SETTINGS = Settings()


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a journal: who was asked what, how. Another header is another journal, but for the model's name."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    pairs_sha256: str
    side: Side
    model: str
    model_sha256: str
    adapter_sha256: str = ""
    prompt_version: str = prompts.PROMPT_VERSION
    settings: Settings = DEFAULT_SETTINGS


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one pair: the whole completion, P(met) and the mass of the two labels at the verdict slot before
    renormalising (`None` where the backend gives none). `problem` says why there is no answer."""

    pair_id: str
    completion: str = ""
    probability: float | None = None
    mass: float | None = None
    problem: str = ""
    seconds: float = 0.0


class HeldOut(NamedTuple):
    """A held-out pair as the engine asks it, with what was posted, which no model sees."""

    row: PairRow
    step: Step
    question: Question
    target: State


def questions(rows: Iterable[PairRow], side: Side, limit: int = 0) -> list[HeldOut]:
    """The natural registry pairs of a side that are one step with a posted verdict or direction, in the order of asking.

    Those of `ALL_OF` come first; then the other factors in turn, those with a verdict first, each by a hash of its id. So a
    `limit` (0: none) takes the same pairs whoever is asked, and takes none by its answer.

    Raises:
        BadInputError: there is none, or a row cannot be read.
    """
    by_factor: dict[str, list[HeldOut]] = defaultdict(list)
    for row in rows:
        if (row.side, row.kind, row.data) != (side, "natural", "registry"):
            continue
        if row.target_verdict == "undetermined" and row.direction is None:
            continue
        try:
            step, question = pose(row)
        except RefusedError:
            continue
        by_factor[row.factor].append(HeldOut(row, step, question, states_of(row)[1]))
    for found in by_factor.values():
        found.sort(key=lambda one: (one.row.target_verdict == "undetermined", hash_share("held out", one.row.id)))
    first = [one for factor in ALL_OF for one in by_factor.pop(factor, [])]
    others = [one for turn in zip_longest(*(by_factor[key] for key in sorted(by_factor))) for one in turn if one is not None]
    if not first and not others:
        raise BadInputError(f"No pair of the {side} side can be asked.", "Draw pairs of more trials.")
    return [*first, *others][: limit or None]


def header_of(info: ModelInfo, pairs_sha256: str, side: Side, settings: Settings) -> Header:
    """The header of what a model is asked.

    Raises:
        ModelError: it is the demo, which has no model.
    """
    if info.demo:
        raise ModelError("The demo has no model, so there is nothing to score.", "Name a model with --model.")
    return Header(
        pairs_sha256=pairs_sha256,
        side=side,
        model=info.name,
        model_sha256=info.sha256,
        adapter_sha256=info.adapter_sha256,
        settings=settings,
    )


def name_of(info: ModelInfo) -> str:
    """A short name for a model with its adapter, for a folder."""
    name = "".join(character if character.isalnum() else "-" for character in info.name.lower()).strip("-")
    return f"{name}-{info.adapter_sha256[:8]}" if info.adapter_sha256 else name


def ask(
    asked: Sequence[HeldOut],
    backend: ModelBackend,
    pairs_sha256: str,
    side: Side,
    folder: Path,
    cancel: Event,
    settings: Settings = DEFAULT_SETTINGS,
    told: Callable[[str], object] = lambda text: None,
) -> dict[str, Answer]:
    """Ask what the journal in `folder` does not hold yet, and return all answers by pair id.

    Raises:
        RefusedError: the journal is of another model, other pairs or other settings.
        BadInputError: it is damaged.
        ModelError: the model cannot be loaded, or stopped.
        CancelledError: `cancel` was set; what was answered is kept.
        StorageError: the journal cannot be written.
    """
    told("Loading the model")
    backend.count_tokens([""])
    header = header_of(backend.info, pairs_sha256, side, settings)
    answers = _begin(folder / JOURNAL, header)
    batches = [asked[at : at + settings.batch] for at in range(0, len(asked), settings.batch)]
    open_batches = [batch for batch in batches if any(one.row.id not in answers for one in batch)]
    started, done, wanted = time.monotonic(), 0, sum(map(len, open_batches))
    for batch in open_batches:
        found = _ask_batch(batch, backend, settings, cancel)
        _append(folder / JOURNAL, found)
        answers.update((answer.pair_id, answer) for answer in found)
        done += len(batch)
        left = (time.monotonic() - started) / done * (wanted - done) / 60
        told(f"{len(asked) - wanted + done:,} of {len(asked):,} pairs, about {left:.0f} min left")
    return {one.row.id: answers[one.row.id] for one in asked}


def read(folder: Path) -> tuple[Header, dict[str, Answer]]:
    """The journal of a folder, finished or not: its header and the answers by pair id; a torn last line is left out.

    Raises:
        NotFoundError: there is none.
        BadInputError: it is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    path = folder / JOURNAL if folder.is_dir() else folder
    if not path.is_file():
        raise NotFoundError(f"There are no held-out answers at {path}.", "Ask for some: deepimagine train score")
    lines = path.read_bytes().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith(b"\n")]
    try:
        header = msgspec.json.decode(whole[0], type=Header)
        if header.format != FORMAT:
            raise BadInputError(f"{path} holds no held-out answers.", "Name a folder that `train score` wrote.")
        if header.schema_version > SCHEMA_VERSION:
            raise NewerSchemaError(f"{path} was written by a newer DeepImagine.", "Update DeepImagine.")
        found = [msgspec.json.decode(line, type=Answer) for line in whole[1:]]
    except (msgspec.MsgspecError, IndexError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Name another folder with --out.") from error
    return header, {answer.pair_id: answer for answer in found}


def _begin(path: Path, header: Header) -> dict[str, Answer]:
    if path.exists():
        before, answers = read(path)
        if msgspec.structs.replace(before, model=header.model) != header:
            raise RefusedError(
                f"{path} holds answers of another model, other pairs or other settings.", "Name another folder with --out."
            )
        lines = path.read_bytes().splitlines(keepends=True)
        if not lines[-1].endswith(b"\n"):
            write_bytes(path, b"".join(lines[:-1]))
        return answers
    make_dir(path.parent)
    write_bytes(path, msgspec.json.encode(header) + b"\n")
    return {}


def _append(path: Path, answers: Iterable[Answer]) -> None:
    try:
        with path.open("ab") as stream:
            stream.write(b"".join(msgspec.json.encode(answer) + b"\n" for answer in answers))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise storage_error(path, error) from error


class _Open(msgspec.Struct):
    """An answer that is being written."""

    text: str = ""
    verdict: SlotFilled | None = None


def _ask_batch(batch: Sequence[HeldOut], backend: ModelBackend, settings: Settings, cancel: Event) -> list[Answer]:
    started = time.monotonic()
    requests, answers = _requests(batch, backend, settings)
    texts = {request.request_id: _Open() for request in requests}
    for event in backend.generate(requests, cancel):
        match event:
            case TextArrived():
                texts[event.request_id].text += event.text
            case SlotFilled(slot=prompts.VERDICT):
                texts[event.request_id].verdict = event
            case GenerationFailed(restartable=True):
                raise ModelError(event.message, event.hint)
            case GenerationFailed():
                answers[event.request_id] = Answer(pair_id=event.request_id, problem=event.message)
            case GenerationFinished(reason="answered"):
                answers[event.request_id] = _answer(event, texts[event.request_id])
            case _:
                continue
    if cancel.is_set():
        raise CancelledError("Scoring was stopped.", "The same command goes on from there.")
    missing = [one.row.id for one in batch if one.row.id not in answers]
    if missing:
        raise ModelError("The model ended without finishing its answers.", "The same command goes on from there.")
    took = round((time.monotonic() - started) / len(batch), 3)
    return [msgspec.structs.replace(answers[one.row.id], seconds=took) for one in batch]


def _answer(event: GenerationFinished, found: _Open) -> Answer:
    probability = found.verdict.probabilities.get(prompts.MET) if found.verdict is not None else None
    mass = found.verdict.mass if found.verdict is not None else None
    return Answer(pair_id=event.request_id, completion=found.text, probability=probability, mass=mass)


def _requests(
    batch: Sequence[HeldOut], backend: ModelBackend, settings: Settings
) -> tuple[list[GenerationRequest], dict[str, Answer]]:
    """The requests of a batch, each with the least shortened question that fits the context, as the engine has it; and the
    answers of those that do not fit at all."""
    requests: dict[str, GenerationRequest] = {}
    for level in range(len(prompts.SHORTENING) + 1):
        left = [one for one in batch if one.row.id not in requests]
        questions = [pose(one.row, level).question for one in left]
        counts = (
            backend.count_tokens([each.prompt + prompts.answer_budget_text(each.slots) for each in questions]) if left else []
        )
        for one, question, count in zip(left, questions, counts, strict=True):
            if count + settings.max_reasoning_tokens + ANSWER_MARGIN <= backend.info.context_length:
                requests[one.row.id] = GenerationRequest(
                    request_id=one.row.id,
                    prompt=question.prompt,
                    slots=question.slots,
                    seed=settings.seed,
                    max_reasoning_tokens=settings.max_reasoning_tokens,
                    temperature=settings.temperature,
                    top_p=settings.top_p,
                    operator=one.step.factor,
                )
    too_long = [one.row.id for one in batch if one.row.id not in requests]
    asked = [requests[one.row.id] for one in batch if one.row.id in requests]
    return asked, {pair_id: Answer(pair_id=pair_id, problem="too long for the model's context") for pair_id in too_long}
