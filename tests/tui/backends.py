"""Backends for the app's tests: one that waits, one that stops half way. Everything else is the shipped demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Event

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    TextArrived,
)
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.settings import Settings
from deepimagine_tui.tui.live import LiveServices
from deepimagine_tui.tui.services import Report


class Waiting(ScriptedBackend):
    """Writes a few words, then nothing until it is cancelled."""

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        for request in batch:
            yield TextArrived(request.request_id, "A higher dose [bold]does[/bold] \x1b[31mlittle\u202e more", "reasoning")
        cancel.wait(20)
        for request in batch:
            yield GenerationFinished(request.request_id, "cancelled", 1, 1, 0.1)


class Crashing(ScriptedBackend):
    """Answers `good` batches, then stops as a killed process does; after that it answers again."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.left = good
        self.asked = 0

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.asked += 1
        self.left -= 1
        if self.left == -1:
            for request in batch:
                yield GenerationFailed(request.request_id, "the model stopped (out of memory?)", restartable=True)
        else:
            yield from super().generate(batch, cancel)


class WithBackend(LiveServices):
    """The running app's services on the starter corpus, with a given backend that becomes ready once `hold` is set."""

    def __init__(self, backend: ModelBackend | None = None, hold: Event | None = None, theme: str = "dark") -> None:
        super().__init__(Settings(model="scripted", theme="light" if theme == "light" else "dark"), {})
        self._backend = backend
        self._hold = hold

    def open_model(self, report: Report, cancel: Event, confirm_remote: Callable[[str], bool]) -> ModelBackend:
        if self._hold is not None:
            report("assembling", 0.42)
            self._hold.wait(20)
        return self._backend or ScriptedBackend()
