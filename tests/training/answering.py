"""Backends that answer natural pairs from the posted result, rightly or as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Event

from deepimagine_training.examples import example_of
from deepimagine_training.rows import PairRow

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    ModelInfo,
)
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.errors import RefusedError

REASONING = " The dose goes up, so the effect should grow."
MODEL = ModelInfo(
    name="Told", backend="llama.cpp", context_length=8192, sha256="a" * 64, adapter="a.gguf", adapter_sha256="b" * 64
)

Script = Callable[[GenerationRequest], ScriptedOutput | GenerationFailed]


class Told:
    """A model by a script; what it is asked is kept in `batches`."""

    def __init__(self, script: Script, info: ModelInfo = MODEL) -> None:
        self._scripted = ScriptedBackend(script)
        self.info = info
        self.batches: list[list[str]] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._scripted.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.batches.append([request.request_id for request in batch])
        yield from self._scripted.generate(batch, cancel)

    def close(self) -> None:
        """Nothing to free."""


def certain(rows: Iterable[PairRow] = (), share: float = 0.9) -> Script:
    """Every posted value and verdict, the posted verdict with P = `share`; requests are called by the pair's id."""
    answers: Mapping[str, dict[str, str]] = dict(_posted(rows))

    def script(request: GenerationRequest) -> ScriptedOutput:
        found = answers[request.request_id.partition("#")[0]]
        other = "not met" if found["verdict"] == "met" else "met"
        return ScriptedOutput(REASONING, found, {"verdict": {found["verdict"]: share, other: 1 - share}})

    return script


def _posted(rows: Iterable[PairRow]) -> Iterator[tuple[str, dict[str, str]]]:
    """The posted answer of each pair that can be asked, by slot."""
    for row in rows:
        try:
            pieces = example_of(row, REASONING).pieces
        except RefusedError:
            continue
        yield row.id, {piece.role: piece.text.strip() for piece in pieces if piece.role not in ("reasoning", "form")}
