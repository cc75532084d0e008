"""The app: wiring only. Screens are made when first shown; the corpus and the model are opened after the first paint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen, SystemModalScreen
from textual.worker import Worker, WorkerState

from deepimagine_tui.errors import CancelledError, DeepImagineError
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice, copy_to_file, terminal_takes_clipboard
from deepimagine_tui.tui.defects import defect_log, log_defect
from deepimagine_tui.tui.jobs.probe import ProbeJobs
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.services import Services
from deepimagine_tui.tui.status import CorpusStatus, ShellStatus
from deepimagine_tui.tui.themes import DARK, LIGHT, house_themes

if TYPE_CHECKING:
    from textual.command import Provider


def _browse() -> Screen[None]:
    from deepimagine_tui.tui.screens.browse import BrowseScreen

    return BrowseScreen()


def _imagine() -> Screen[None]:
    from deepimagine_tui.tui.screens.imagine import ImagineScreen

    return ImagineScreen()


def _forecast() -> Screen[None]:
    from deepimagine_tui.tui.screens.forecast import ForecastScreen

    return ForecastScreen()


def _graph() -> Screen[None]:
    from deepimagine_tui.tui.screens.graph import GraphScreen

    return GraphScreen()


def _runs() -> Screen[None]:
    from deepimagine_tui.tui.screens.runs import RunsScreen

    return RunsScreen()


def _models() -> Screen[None]:
    from deepimagine_tui.tui.screens.models import ModelsScreen

    return ModelsScreen()


def _commands() -> type[Provider]:
    from deepimagine_tui.tui.commands import ActionCommands

    return ActionCommands


@dataclass
class Written(Message):
    """A file was written."""

    path: Path


class DeepImagineApp(ProbeJobs):
    """DeepImagine in a terminal."""

    TITLE = "DeepImagine"
    CSS_PATH = "house.tcss"
    COMMANDS: ClassVar = {_commands}
    DEFAULT_MODE = "browse"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[None]]]] = {
        "browse": _browse,
        "imagine": _imagine,
        "forecast": _forecast,
        "graph": _graph,
        "runs": _runs,
        "models": _models,
    }
    BINDINGS: ClassVar[list[BindingType]] = bind(
            "app.back", "app.help", "app.palette", "app.quit", "app.theme",
            "screen.browse", "screen.imagine", "screen.forecast", "screen.graph", "screen.runs", "screen.models",
    )  # fmt: skip

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (140, "-wide")]
        for theme in house_themes():
            self.register_theme(theme)
        self.theme = LIGHT if services.theme == "light" else DARK
        self.set_keymap(services.keymap)
        self._visited: list[str] = []

    def on_mount(self) -> None:
        """Paint first; then open the corpus and the model."""
        self.status_signal.subscribe(self, self._show_status, immediate=True)
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        self.open_corpus()
        self.prepare_model()

    def _show_status(self, status: ShellStatus) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, HouseScreen):
                screen.show_status(status)

    def action_screen(self, name: str) -> None:
        """Go to a screen."""
        self.go(name)

    def go(self, name: str) -> None:
        """Go to a screen, remembering where `esc` leads back to."""
        if self.current_mode == name:
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self._visited = [*(each for each in self._visited if each != self.current_mode), self.current_mode]
        self.switch_mode(name)

    def is_watched(self, run_id: str) -> bool:
        """Whether the screen in front, below any dialog, shows this run."""
        front = self.screen_stack[0]
        return isinstance(front, HouseScreen) and front.shows_run(run_id)

    def imagine_from(self, trial: Trial, anchor: AnchorRef) -> None:
        """Go to Imagine with a new what-if."""
        self.hand_over("imagine", (trial, anchor))

    def forecast_trial(self, trial: Trial) -> None:
        """Go to Forecast with a trial as its target."""
        self.hand_over("forecast", trial)

    def hand_over(self, name: str, given: object) -> None:
        """Go to a screen and give it something, once it is there."""
        self.go(name)
        screen = self.screen
        if isinstance(screen, HouseScreen):
            screen.call_after_refresh(screen.receive, given)

    async def action_back(self) -> None:
        """Stop what runs; else what the screen does; else the screen before. Never quits."""
        if self.stop_run():
            return
        if isinstance(self.screen, HouseScreen) and self.screen.back():
            return
        if self._visited:
            self.switch_mode(self._visited.pop())

    async def action_quit(self) -> None:
        """Quit; ask first when a run would be lost half way."""
        if not self.running:
            self._leave(True)
            return
        from deepimagine_tui.tui.screens.dialog import Question

        self.push_screen(Question("Quit", "A run is going on. What it has so far is kept. Quit?", "Quit"), self._leave)

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.run_cancel.set()
            self.model_cancel.set()
            self.exit()

    def release(self) -> None:
        """Free the model, once the terminal is restored; a worker that waits for an answer gets a no."""
        self.answer_remote(False)
        self.run_cancel.set()
        self.model_cancel.set()
        if self.backend is not None:
            self.backend.close()

    def action_toggle_theme(self) -> None:
        """Dark or light."""
        self.theme = LIGHT if self.theme == DARK else DARK

    def action_help(self) -> None:
        """Help for what has focus."""
        from deepimagine_tui.tui.screens.help import HelpDialog, help_content

        if not isinstance(self.screen, HelpDialog | SystemModalScreen):
            self.push_screen(HelpDialog(help_content(self.screen)))

    def copy(self, text: str) -> None:
        """Copy a text to the terminal's clipboard, or to a file where there is none, and say which."""
        if not text:
            self.notify("Nothing here to copy.", markup=False)
            return
        self.copy_to_clipboard(text)
        what = f"{lines} lines" if (lines := len(text.splitlines())) > 1 else text.strip()[:60]
        if terminal_takes_clipboard(text):
            self.notify(f"Copied to the terminal's clipboard: {what}", markup=False)
            return
        try:
            path = copy_to_file(text)
        except DeepImagineError as error:
            self.show_error(error)
        else:
            self.notify(f"This terminal has no clipboard for this: written to {path}", markup=False)

    def ask_export(self, choices: list[ExportChoice]) -> None:
        """Ask what to write and where, then write it in a worker."""
        from deepimagine_tui.tui.screens.export import ExportDialog

        def chosen(answer: tuple[ExportChoice, Path] | None) -> None:
            if answer is not None:
                self.write_export(*answer)

        self.push_screen(ExportDialog(choices, Path.cwd()), chosen)

    @work(thread=True, exclusive=True, exit_on_error=False, group="export", description="write a file")
    def write_export(self, choice: ExportChoice, path: Path) -> None:
        """Write what was chosen."""
        choice.write(path)
        self.post_message(Written(path))

    @on(Written)
    def _written(self, event: Written) -> None:
        self.notify(f"Written: {event.path}", markup=False)

    def show_error(self, error: DeepImagineError) -> None:
        """A dialog with title, message and hint."""
        from deepimagine_tui.tui.screens.dialog import ErrorDialog

        self.push_screen(ErrorDialog(error))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What a worker of the app raised is shown."""
        self.report_worker(event)

    def report_worker(self, event: Worker.StateChanged) -> None:
        """The one boundary where what a worker raised becomes words: nothing of it ends the app."""
        worker, error = event.worker, event.worker.error
        if event.state is not WorkerState.ERROR or error is None or isinstance(error, CancelledError):
            return
        if not isinstance(error, DeepImagineError):
            log_defect(worker.description, error)
            error = DeepImagineError(
                f"A defect of DeepImagine while it tried to {worker.description}: {type(error).__name__}: {error}",
                f"The details are in {defect_log()}.",
            )
        if worker.group == "model":
            self.model_failed(error.message)
        if worker.group == "corpus":
            self.set_status(replace(self.status, corpus=CorpusStatus(failed=error.message)))
        if worker.group == "model" and self.queued is None:
            self.notify(str(error), title=error.title, severity="warning", timeout=10, markup=False)
        else:
            self.show_error(error)


def run_app(services: Services | None = None) -> None:
    """Open the app, by default on the settings in force, and return when the user has quit.

    Raises:
        UsageError: the settings or the key map cannot be understood.
    """
    if services is None:
        from deepimagine_tui.tui.live import live_services

        services = live_services()
    app = DeepImagineApp(services)
    try:
        app.run()
    finally:
        app.release()
