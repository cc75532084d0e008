"""Decoding many guided sequences in one llama.cpp batch.

The tokens that all prompts share are evaluated once, in a sequence of their own that is never decoded further; each request
branches from it. Nothing is ever rewound, so that models whose memory cannot be cut work too. The prefix is kept
for the next call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from deepimagine_tui.backends.llama_model import LlamaModel
from deepimagine_tui.backends.protocol import GenerationEvent, GenerationFailed, GenerationFinished, GenerationRequest
from deepimagine_tui.backends.sequence import GuidedSequence, common_prefix, refusal, room
from deepimagine_tui.errors import CancelledError, ModelError

_PREFIX = 0
"""The sequence that holds the shared prefix; requests use 1 and up."""

Emit = Callable[[GenerationEvent], None]


class _Running:
    """One request in the model's memory."""

    def __init__(self, request: GenerationRequest, prompt: list[int], room: int, model: LlamaModel, emit: Emit) -> None:
        self.prompt = prompt
        self.room = room
        self.guided = GuidedSequence(request, model, emit)
        self.sequence = 0
        self.position = 0
        self.ended = False


class BatchDecoder:
    """Runs batches of requests on one model, in waves that fit its context.

    Args:
        model: The loaded model.
        emit: Gets every event as it happens.
        step_done: Called after each evaluation, to hand events on.
    """

    def __init__(self, model: LlamaModel, emit: Emit, step_done: Callable[[], None]) -> None:
        self._model = model
        self._emit = emit
        self._step_done = step_done
        self._prefix: list[int] = []
        self._clean = False

    def use_adapter(self, path: str) -> None:
        """Apply another adapter (empty: none); what was evaluated under the old one is forgotten.

        Raises:
            ModelError: it cannot be used.
        """
        if self._model.use_adapter(path):
            self._prefix = []

    def run(self, requests: Sequence[GenerationRequest]) -> None:
        """Generate all of `requests`; each ends in one finishing event, also when the abort flag stops them."""
        started = time.monotonic()
        waiting = [running for request in requests if (running := self._prepare(request)) is not None]
        while waiting:
            wave, waiting = self._wave(waiting)
            try:
                self._run_wave(wave, started)
            except CancelledError:
                for running in [*wave, *waiting]:
                    self._finish(running, "cancelled", started)
                return
            except ModelError as error:
                for running in wave:
                    if not running.ended:
                        self._emit(GenerationFailed(running.guided.request.request_id, error.message, error.hint))

    def _prepare(self, request: GenerationRequest) -> _Running | None:
        prompt = self._model.prompt_tokens(request.prompt)
        refused = refusal(request, prompt, self._model, self._model.sequence_tokens)
        if refused is not None:
            self._emit(refused)
            return None
        return _Running(request, prompt, room(request, self._model), self._model, self._emit)

    def _wave(self, waiting: list[_Running]) -> tuple[list[_Running], list[_Running]]:
        """As many requests as fit the context together, at least one, and the rest."""
        shared = waiting[0].prompt[:-1]
        total = 0
        for count, running in enumerate(waiting):
            shared = common_prefix([shared, running.prompt[:-1]])
            total += len(running.prompt) + running.room
            needed = total - len(shared) * count
            if count and (count >= self._model.sequences or needed > self._model.context_tokens):
                return waiting[:count], waiting[count:]
        return waiting, []

    def _run_wave(self, wave: list[_Running], started: float) -> None:
        shared = common_prefix([running.prompt[:-1] for running in wave])
        self._hold_prefix(shared)
        for sequence, running in enumerate(wave, _PREFIX + 1):
            running.sequence, running.position = sequence, len(shared)
            if shared:
                self._model.branch(_PREFIX, sequence)
            running.guided.start(running.prompt[len(shared) :])
        active = wave
        while active:
            self._step(active)
            for running in active:
                if running.guided.finished:
                    self._model.drop(running.sequence)
                    self._finish(running, "answered", started)
            active = [running for running in active if not running.guided.finished]
            self._step_done()
        self._clean = True

    def _hold_prefix(self, shared: list[int]) -> None:
        """Make the prefix sequence hold exactly `shared`: what it holds already is kept if it is the beginning, never cut."""
        if not self._clean or shared[: len(self._prefix)] != self._prefix:
            self._model.clear()
            self._prefix = []
        self._clean = False
        size = self._model.batch_tokens
        for start in range(len(self._prefix), len(shared), size):
            chunk = shared[start : start + size]
            count = len(chunk)
            self._model.evaluate(chunk, range(start, start + count), [_PREFIX] * count, [False] * count)
        self._prefix = shared

    def _step(self, active: list[_Running]) -> None:
        """Evaluate everything pending, no more than a batch at a time, and advance each sequence from its last logits."""
        tokens: list[int] = []
        positions: list[int] = []
        sequences: list[int] = []
        wanted: dict[int, _Running] = {}
        queue = [(running, running.guided.pending) for running in active]
        for place, (running, pending) in enumerate(queue):
            start = 0
            while start < len(pending):
                part = pending[start : start + self._model.batch_tokens - len(tokens)]
                tokens += part
                positions += range(running.position, running.position + len(part))
                sequences += [running.sequence] * len(part)
                running.position += len(part)
                start += len(part)
                last = start == len(pending)
                if last:
                    wanted[len(tokens) - 1] = running
                if len(tokens) == self._model.batch_tokens or (last and place == len(queue) - 1):
                    self._evaluate(tokens, positions, sequences, wanted)
                    tokens, positions, sequences, wanted = [], [], [], {}

    def _evaluate(self, tokens: list[int], positions: list[int], sequences: list[int], wanted: dict[int, _Running]) -> None:
        self._model.evaluate(tokens, positions, sequences, [index in wanted for index in range(len(tokens))])
        for index, running in wanted.items():
            logits = self._model.logits(index)
            if not np.isfinite(logits.max()):
                raise ModelError(
                    "The model's output is no number: its file or its adapter is damaged, or they do not belong together.",
                    "`deepimagine models info` describes a file; choose another model, or the model without its adapter.",
                )
            running.guided.advance(logits)
            while not running.guided.pending and not running.guided.finished:
                running.guided.advance(logits)

    def _finish(self, running: _Running, reason: Literal["answered", "cancelled"], started: float) -> None:
        if running.ended:
            return
        running.ended = True
        self._emit(
            GenerationFinished(
                request_id=running.guided.request.request_id,
                reason="answered" if running.guided.finished else reason,
                prompt_tokens=len(running.prompt),
                completion_tokens=running.guided.completion_tokens,
                seconds=time.monotonic() - started,
                reasoning_cut=running.guided.reasoning_cut,
            )
        )
