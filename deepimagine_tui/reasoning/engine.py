"""The engine: requests in, events out. TUI, CLI and evaluation call `imagine` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import NamedTuple

from deepimagine_tui.backends.protocol import GenerationFailed, GenerationFinished, GenerationRequest, ModelBackend
from deepimagine_tui.errors import ModelError
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.pathway import Ask
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.records import Records
from deepimagine_tui.reasoning.request import ImagineRequest
from deepimagine_tui.reasoning.run import Run
from deepimagine_tui.reasoning.stamps import Clock, utc_now

ANSWER_MARGIN = 8
"""Tokens kept free beside the prompt, the reasoning and a longest plausible answer."""


class _Asked(NamedTuple):
    run: Run
    ask: Ask


class _Fitted(NamedTuple):
    """A question that fits the context with the first `shortened` rules applied; `None` when none does."""

    question: Question | None
    shortened: int


def imagine(
    requests: Sequence[ImagineRequest],
    backend: ModelBackend,
    anchors: AnchorSource,
    cancel: Event,
    *,
    trained_on: frozenset[str] | None = None,
    calibration: Calibration | None = None,
    records: Records | None = None,
    clock: Clock = utc_now,
) -> Iterator[ReasoningEvent]:
    """Answer `requests`, interleaving their events; each ends in exactly one `RunFinished`.

    All steps that are ready, of all pathways of all requests, go to the backend as one batch. Setting `cancel` ends every
    open run with what it has; closing the iterator early stops the model.

    Args:
        requests: The questions; run ids differ.
        backend: The model.
        anchors: Where anchors come from.
        cancel: Set from any thread to stop.
        trained_on: The trials that the model's adapter was trained on; `None` when that is not known.
        calibration: Turns raw answers into intervals and calibrated probabilities; `None` leaves them "not calibrated".
        records: How often the model was right, which is said beside each of its answers; `None` is said too.
        clock: The time of the events.

    Raises:
        ModelError: what the model is cannot be read; nothing has been yielded then. Later errors of the model end the runs
        instead.
    """
    info = backend.info
    runs = [
        Run(request, info, anchors, trained_on=trained_on, calibration=calibration, records=records, clock=clock)
        for request in requests
    ]
    for run in runs:
        yield from run.begin()
    # The boundary of the model: when it is gone, every open run ends with what it has.
    try:
        while True:
            for run in runs:
                yield from run.advance()
            ready = [_Asked(run, ask) for run in runs for ask in run.asks]
            if not ready or cancel.is_set():
                break
            yield from _ask_all(ready, backend, cancel)
    except ModelError as error:
        for run in runs:
            yield from run.fail(error)
    for run in runs:
        yield from run.cancel()


def _ask_all(ready: Sequence[_Asked], backend: ModelBackend, cancel: Event) -> Iterator[ReasoningEvent]:
    """Ask all ready steps as one batch."""
    waiting: dict[str, _Asked] = {}
    batch: list[GenerationRequest] = []
    for asked, fitted in zip(ready, _fit(ready, backend), strict=True):
        run, ask = asked
        if fitted.question is None:
            yield run.plan(ask, _question(ask, run, len(prompts.SHORTENING)), len(prompts.SHORTENING))
            yield from run.fail_step(
                ask,
                "too long",
                f"The question does not fit the model's context of {backend.info.context_length} tokens, even shortened.",
                "Use a model with a longer context, or allow less reasoning.",
            )
            continue
        yield run.plan(ask, fitted.question, fitted.shortened)
        request_id = f"{run.request.run_id}/{ask.pathway.number}/{ask.pathway.position}"
        waiting[request_id] = asked
        batch.append(_generation_request(request_id, run, ask, fitted.question))
    if not batch:
        return
    events = backend.generate(batch, cancel)
    try:
        for event in events:
            run, ask = waiting[event.request_id]
            yield from run.receive(ask, event)
            if isinstance(event, GenerationFailed) or (isinstance(event, GenerationFinished) and event.reason == "answered"):
                del waiting[event.request_id]
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
    if cancel.is_set():
        return
    for run, ask in waiting.values():
        yield from run.fail_step(ask, "model stopped", "The model ended without finishing its answer.", restartable=True)


def _fit(ready: Sequence[_Asked], backend: ModelBackend) -> list[_Fitted]:
    """For each step the least shortened question that fits the context beside reasoning and answer, as the backend counts."""
    fitted: list[_Fitted | None] = [None] * len(ready)
    for level in range(len(prompts.SHORTENING) + 1):
        open_ = [index for index, found in enumerate(fitted) if found is None]
        if not open_:
            break
        questions = [_question(ready[index].ask, ready[index].run, level) for index in open_]
        counts = backend.count_tokens([question.prompt + prompts.answer_budget_text(question.slots) for question in questions])
        for index, question, count in zip(open_, questions, counts, strict=True):
            settings = ready[index].run.request.settings
            last = level == len(prompts.SHORTENING)
            short = last or not settings.max_prompt_tokens or count <= settings.max_prompt_tokens
            if short and count + settings.max_reasoning_tokens + ANSWER_MARGIN <= backend.info.context_length:
                fitted[index] = _Fitted(question, level)
    return [found or _Fitted(None, len(prompts.SHORTENING)) for found in fitted]


def _question(ask: Ask, run: Run, shortening: int) -> Question:
    step = ask.step
    return prompts.question(step.source, step.perturbation, step.target, run.request.estimand, shortening)


def _generation_request(request_id: str, run: Run, ask: Ask, question: Question) -> GenerationRequest:
    settings = run.request.settings
    return GenerationRequest(
        request_id=request_id,
        prompt=question.prompt,
        slots=question.slots,
        seed=ask.seed,
        max_reasoning_tokens=settings.max_reasoning_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        operator=ask.step.factor,
    )
