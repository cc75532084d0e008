"""What every part of the app stands on: services, status, signals. Jobs are mixed into the app on top of it."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from textual.signal import Signal

from deepimagine_tui.tui.services import Services
from deepimagine_tui.tui.status import ShellStatus
from deepimagine_tui.tui.typing_ahead import TypingAhead

if TYPE_CHECKING:
    from deepimagine_tui.tui.jobs.corpus import CorpusOpened
    from deepimagine_tui.tui.jobs.run import RunUpdate


class Shell(TypingAhead):
    """The app without its jobs. Screens subscribe to the signals; handlers on the app publish them."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services
        self.status = ShellStatus()
        self.run_cancel = Event()
        self.model_cancel = Event()
        self.corpus_signal: Signal[CorpusOpened] = Signal(self, "corpus")
        self.run_signal: Signal[RunUpdate] = Signal(self, "run")
        self.status_signal: Signal[ShellStatus] = Signal(self, "status")

    def set_status(self, status: ShellStatus) -> None:
        """Replace the status and show it on the screen in front."""
        if status != self.status:
            self.status = status
            self.status_signal.publish(status)
