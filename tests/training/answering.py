"""Backends that answer held-out pairs from the posted result, rightly or as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event

from deepimagine_training.examples import example_of
from deepimagine_training.held_out import HeldOut

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    ModelInfo,
)
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput

REASONING = " The dose goes up, so the effect should grow."
MODEL = ModelInfo(
    name="Told", backend="llama.cpp", context_length=8192, sha256="a" * 64, adapter="a.gguf", adapter_sha256="b" * 64
)

Script = Callable[[GenerationRequest], ScriptedOutput | GenerationFailed]


class Told:
    """A model by a script; what it is asked is kept in `batches`. Ends itself before a batch of the number `stop_at`."""

    def __init__(self, script: Script, info: ModelInfo = MODEL, stop_at: int = 0) -> None:
        self._scripted = ScriptedBackend(script)
        self._stop_at = stop_at
        self.info = info
        self.batches: list[list[str]] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._scripted.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.batches.append([request.request_id for request in batch])
        if self._stop_at and len(self.batches) == self._stop_at:
            cancel.set()
        yield from self._scripted.generate(batch, cancel)

    def close(self) -> None:
        """Nothing to free."""


def posted(one: HeldOut) -> dict[str, str]:
    """The posted answer of a pair, by slot."""
    pieces = example_of(one.row, REASONING).pieces
    return {piece.role: piece.text.strip() for piece in pieces if piece.role not in ("reasoning", "form")}


def certain(asked: Sequence[HeldOut], share: float = 0.9) -> Script:
    """Every posted value and verdict, the posted verdict with P = `share`."""
    answers: Mapping[str, dict[str, str]] = {one.row.id: posted(one) for one in asked}

    def script(request: GenerationRequest) -> ScriptedOutput:
        found = answers[request.request_id]
        other = "not met" if found["verdict"] == "met" else "met"
        return ScriptedOutput(REASONING, found, {"verdict": {found["verdict"]: share, other: 1 - share}})

    return script
