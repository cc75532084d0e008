"""The scripted backend: no model, the same output every time.

It serves the first run without a model, demonstrations and tests. Whatever it writes by its own rule says "Demo, no model", and
its `ModelInfo.demo` is set so that every surface can say so too. It never gives probabilities unless a script states them.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Event

import msgspec

from deepimagine_tui.backends.protocol import (
    FinishReason,
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelInfo,
    Slot,
    SlotFilled,
    TextArrived,
)

DEMO_REASONING = " Demo, no model: each value is the source value moved by a fixed rule, not by reasoning about the trial."
"""What the default rule writes as its reasoning."""

_VALUE_LINE = re.compile(r"(?im)^.*\bvalues?\b[^:\n]*:\s*(.+)$")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_PIECE = re.compile(r"\s*\S+|\s+")


class ScriptedOutput(msgspec.Struct, frozen=True):
    """One scripted completion: the reasoning, the value of each slot by name, and at a slot the probabilities to report: each
    option's share of everything the model could have said there, so that together they make the slot's mass."""

    reasoning: str
    answers: Mapping[str, str] = {}
    probabilities: Mapping[str, Mapping[str, float]] = {}


Output = str | ScriptedOutput | GenerationFailed
"""A whole completion as the model wrote it (nothing is filled in), a guided one, or a failure."""


class ScriptedBackend:
    """Answers from a script, or by a fixed rule.

    Args:
        outputs: A queue consumed one request at a time, or a function of the request. Without it, the rule answers.
        answer: The values of the slots by name, instead of the rule's; the reasoning stays the demo's.
        delay: Seconds between two pieces of text.
        name: Shown as the model's name.

    `history` holds every request that was sent, oldest first.
    """

    def __init__(
        self,
        outputs: Iterable[Output] | Callable[[GenerationRequest], Output] | None = None,
        *,
        answer: Callable[[GenerationRequest], Mapping[str, str]] | None = None,
        delay: float = 0.0,
        name: str = "demo, no model",
    ) -> None:
        self.history: list[GenerationRequest] = []
        self._answer = answer or rule_answers
        self._delay = delay
        self._info = ModelInfo(name=name, backend="scripted", context_length=8192, demo=True)
        self._script: Callable[[GenerationRequest], Output]
        if outputs is None:
            self._script = lambda request: ScriptedOutput(DEMO_REASONING, self._answer(request))
        elif callable(outputs):
            self._script = outputs
        else:
            queue = deque(outputs)
            self._script = lambda request: queue.popleft() if queue else _exhausted(request)

    @property
    def info(self) -> ModelInfo:
        """The demo's description; `demo` is always set."""
        return self._info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A fixed estimate: one token per four bytes, and one for the start."""
        return [1 + (len(text.encode("utf-8")) + 3) // 4 for text in texts]

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """Stream the scripted completions of `batch`, one piece of each in turn."""
        started = time.monotonic()
        self.history.extend(batch)
        running = {request.request_id: (request, iter(self._events(request))) for request in batch}
        written = dict.fromkeys(running, 0)
        while running:
            for request_id, (request, events) in list(running.items()):
                if self._interrupted(cancel):
                    for left, _ in running.values():
                        yield self._finished(left, "cancelled", written[left.request_id], started)
                    return
                event: GenerationEvent = next(events, None) or self._finished(request, "answered", written[request_id], started)
                if isinstance(event, TextArrived):
                    written[request_id] += event.tokens
                elif not isinstance(event, SlotFilled):
                    del running[request_id]
                yield event

    def close(self) -> None:
        """Nothing to free."""

    def _interrupted(self, cancel: Event) -> bool:
        return cancel.wait(self._delay) if self._delay else cancel.is_set()

    def _finished(self, request: GenerationRequest, reason: FinishReason, tokens: int, started: float) -> GenerationFinished:
        return GenerationFinished(
            request_id=request.request_id,
            reason=reason,
            prompt_tokens=self.count_tokens([request.prompt])[0],
            completion_tokens=tokens,
            seconds=time.monotonic() - started,
        )

    def _events(self, request: GenerationRequest) -> Iterator[TextArrived | SlotFilled | GenerationFailed]:
        output = self._script(request)
        key = request.request_id
        if isinstance(output, GenerationFailed):
            yield msgspec.structs.replace(output, request_id=key)
            return
        reasoning = output if isinstance(output, str) else output.reasoning
        for piece in _PIECE.findall(reasoning):
            yield TextArrived(key, piece, "reasoning")
        if isinstance(output, str):
            return
        for slot in request.slots:
            value = output.answers.get(slot.name, slot.options[0].strip() if slot.options else "0")
            yield TextArrived(key, f"{slot.lead} {value}", "answer", tokens=2)
            stated = output.probabilities.get(slot.name, {})
            mass = sum(stated.values())
            if mass > 0:
                yield SlotFilled(key, slot.name, value, {name: share / mass for name, share in stated.items()}, mass, "logits")
            else:
                yield SlotFilled(key, slot.name, value)


def _exhausted(request: GenerationRequest) -> GenerationFailed:
    return GenerationFailed(request.request_id, "The script has no more outputs.")


def rule_answers(request: GenerationRequest) -> dict[str, str]:
    """The demo's rule: a hash of the prompt and the seed moves every number and picks every choice.

    A number slot's source value is the first number on the prompt's last line that begins with its lead; else that of one
    of the last lines of the form `... value ...: X`, in order. It is multiplied by a factor between 0.85 and 1.15; without a
    source the hash gives a number between 1 and 100. A choice between `up` and `down` says how the first number moved.
    """
    digest = hashlib.sha256(f"{request.seed}\n{request.prompt}".encode()).digest()
    numbers = [slot for slot in request.slots if slot.kind == "number"]
    answers: dict[str, str] = {}
    moved = 0.0
    for index, (slot, source) in enumerate(zip(numbers, source_values(request.prompt, numbers), strict=True)):
        answers[slot.name] = _number(source, digest[index])
        moved = moved or (float(answers[slot.name]) - float(source) if source else 0.0)
    for index, slot in enumerate(request.slots):
        if slot.kind == "choice":
            options = [option.strip() for option in slot.options]
            way = "up" if moved > 0 else "down"
            answers[slot.name] = way if moved and {"up", "down"} <= set(options) else options[digest[-1 - index] % len(options)]
    return answers


def source_values(prompt: str, slots: Sequence[Slot]) -> list[str]:
    """For each number slot the source value that the prompt states, as written; empty where it states none."""
    stated = [match[0] for line in _VALUE_LINE.findall(prompt) if (match := _NUMBER.findall(line))]
    spare = iter(stated[len(stated) - min(len(slots), len(stated)) :])
    found = []
    for slot in slots:
        own = [line for line in prompt.splitlines() if slot.lead.strip() and line.startswith(slot.lead.strip())]
        number = _NUMBER.search(own[-1], len(slot.lead.strip())) if own else None
        in_order = next(spare, "")
        found.append(number[0] if number else in_order)
    return found


def _number(source: str, byte: int) -> str:
    if not source:
        return str(1 + byte % 100)
    decimals = len(source.partition(".")[2])
    return f"{float(source) * (0.85 + 0.3 * byte / 255):.{decimals}f}"
