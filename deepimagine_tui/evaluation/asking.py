"""Asking a model a batch of prompts that end in an answer form, and reading what it filled in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui.backends.protocol import (
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, NotFoundError
from deepimagine_tui.files import make_dir, storage_error
from deepimagine_tui.reasoning.engine import ANSWER_MARGIN
from deepimagine_tui.reasoning.prompts import answer_budget_text
from deepimagine_tui.reasoning.request import ImagineSettings

ASKED = "asked.jsonl"
"""The file of prompts and answers beside the predictions."""
MAX_PROMPT_TOKENS = 400
"""What a lean prompt may take."""
LEAN = ImagineSettings(temperature=0.0, max_reasoning_tokens=64, max_steps=2, max_prompt_tokens=MAX_PROMPT_TOKENS)
"""How an evaluation asks: for the likeliest text, in short chains of short prompts."""


class AskingSettings(msgspec.Struct, frozen=True):
    """How a model is asked: the likeliest text, and reasoning as short as an evaluation's, unless said otherwise."""

    max_reasoning_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 7


LIKELIEST = AskingSettings()


class Prompt(msgspec.Struct, frozen=True):
    """Something to ask. `texts` say the same from the fullest to the shortest: the first that fits `max_tokens` and the
    context is asked, or the last, where that fits the context alone; `max_tokens` 0 leaves it to the context. `seed` is
    added to that of the settings."""

    id: str
    texts: tuple[str, ...]
    slots: tuple[Slot, ...]
    max_tokens: int = MAX_PROMPT_TOKENS
    seed: int = 0
    operator: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: the whole completion and the slots by name. `problem` says why there is no answer. `seconds` are this
    prompt's share of its batch."""

    id: str
    prompt: str = ""
    completion: str = ""
    slots: dict[str, SlotFilled] = {}
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    problem: str = ""


class _Open(msgspec.Struct):
    """An answer that is being written."""

    text: str = ""
    slots: dict[str, SlotFilled] = {}


def ask(
    prompts: Sequence[Prompt],
    backend: ModelBackend,
    cancel: Event,
    settings: AskingSettings = LIKELIEST,
    kept_in: Path | None = None,
) -> dict[str, Answer]:
    """The answers by the ids of the prompts, all decoded together; added to `kept_in` as JSON, one a line, where it is given.

    Raises:
        ModelError: the model cannot be loaded, or stopped.
        CancelledError: `cancel` was set.
        StorageError: they cannot be kept.
    """
    started = time.monotonic()
    requests = _fit(prompts, backend, settings)
    answers = {
        prompt.id: Answer(id=prompt.id, problem="too long for the model's context")
        for prompt in prompts
        if prompt.id not in requests
    }
    texts = {request_id: _Open() for request_id in requests}
    for event in backend.generate(list(requests.values()), cancel) if requests else ():
        match event:
            case TextArrived():
                texts[event.request_id].text += event.text
            case SlotFilled():
                texts[event.request_id].slots[event.slot] = event
            case GenerationFailed(restartable=True):
                raise ModelError(event.message, event.hint)
            case GenerationFailed():
                answers[event.request_id] = Answer(id=event.request_id, problem=event.message)
            case GenerationFinished(reason="answered"):
                found = texts[event.request_id]
                answers[event.request_id] = Answer(
                    id=event.request_id,
                    prompt=requests[event.request_id].prompt,
                    completion=found.text,
                    slots=found.slots,
                    prompt_tokens=event.prompt_tokens,
                    completion_tokens=event.completion_tokens,
                )
            case _:
                continue
    if cancel.is_set():
        raise CancelledError("Predicting was stopped.", "The same command goes on from there.")
    if len(answers) < len(prompts):
        raise ModelError("The model ended without finishing its answers.", "The same command goes on from there.")
    took = round((time.monotonic() - started) / max(len(prompts), 1), 3)
    told = {prompt.id: msgspec.structs.replace(answers[prompt.id], seconds=took) for prompt in prompts}
    if kept_in is not None:
        _keep(told.values(), kept_in)
    return told


def read_asked(path: Path) -> dict[str, Answer]:
    """What was asked and answered, by the ids of the prompts, from the file that `ask` kept it in; of a prompt that was asked
    again the last answer; a torn last line is left out.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is damaged.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no {path}.", "Make predictions: deepimagine evaluate run")
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        found = [msgspec.json.decode(line, type=Answer) for line in lines]
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Make the predictions again.") from error
    return {answer.id: answer for answer in found}


def _keep(answers: Iterable[Answer], path: Path) -> None:
    try:
        make_dir(path.parent)
        with path.open("ab") as stream:
            stream.write(b"".join(msgspec.json.encode(answer) + b"\n" for answer in answers))
    except OSError as error:
        raise storage_error(path, error) from error


def _fit(prompts: Sequence[Prompt], backend: ModelBackend, settings: AskingSettings) -> dict[str, GenerationRequest]:
    """The requests by id, in the order of the prompts; those that do not fit the context at all are left out."""
    chosen: dict[str, str] = {}
    for level in range(max((len(prompt.texts) for prompt in prompts), default=0)):
        left = [prompt for prompt in prompts if prompt.id not in chosen and level < len(prompt.texts)]
        if not left:
            break
        counts = backend.count_tokens([prompt.texts[level] + answer_budget_text(prompt.slots) for prompt in left])
        for prompt, count in zip(left, counts, strict=True):
            short = level == len(prompt.texts) - 1 or not prompt.max_tokens or count <= prompt.max_tokens
            if short and count + settings.max_reasoning_tokens + ANSWER_MARGIN <= backend.info.context_length:
                chosen[prompt.id] = prompt.texts[level]
    return {
        prompt.id: GenerationRequest(
            request_id=prompt.id,
            prompt=chosen[prompt.id],
            slots=prompt.slots,
            seed=(settings.seed + prompt.seed) % 2**32,
            max_reasoning_tokens=settings.max_reasoning_tokens,
            temperature=settings.temperature,
            top_p=settings.top_p,
            operator=prompt.operator,
        )
        for prompt in prompts
        if prompt.id in chosen
    }
