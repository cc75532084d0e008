"""What every screen is: header, body, footer; copy, export, find, help and moving between panes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import Copyable, Exportable
from deepimagine_tui.tui.finding import Searchable
from deepimagine_tui.tui.status import ShellStatus
from deepimagine_tui.tui.widgets.footer import HouseFooter
from deepimagine_tui.tui.widgets.header import Header
from deepimagine_tui.tui.widgets.panes import Pane, Panes

if TYPE_CHECKING:
    from deepimagine_tui.tui.app import DeepImagineApp


class HouseScreen(Screen[None]):
    """A screen of the app. A subclass sets `NAME` (as in the header) and gives `body`;
    workers live on screens and on the app only.

    A body usually is one `Panes`. Override `find`, `back` and `export_choices` where a screen has something to say there.
    """

    NAME: ClassVar[str]
    HELP: ClassVar[str | None] = None
    BINDINGS: ClassVar[list[BindingType]] = bind("find", "data.copy", "data.export", "pane.next", "pane.previous")

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    @property
    def house(self) -> DeepImagineApp:
        """The app, as what it is."""
        return cast("DeepImagineApp", self.app)

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        yield Header(self.NAME)
        yield from self.body()
        yield HouseFooter()

    def body(self) -> ComposeResult:
        """What is between header and footer."""
        yield from ()

    def show_status(self, status: ShellStatus) -> None:
        """Pass the app's status to the header."""
        for header in self.query(Header):
            header.status = status
        for footer in self.query(HouseFooter):
            footer.show_busy(status.run.busy)

    def on_screen_resume(self) -> None:
        """A screen that comes to the front shows the present status."""
        self.show_status(self.house.status)

    def on_resize(self) -> None:
        """Panes say where tab leads when only one shows."""
        self.call_after_refresh(self._relabel)

    def _relabel(self) -> None:
        narrow = self.has_class("-narrow")
        for panes in self.query(Panes):
            if narrow and self.focused is not None:
                self._show_pane_of(self.focused)
            panes.label(narrow)

    def on_descendant_focus(self) -> None:
        """The pane with the focus is the one that shows on a narrow terminal."""
        if self.focused is not None:
            self._show_pane_of(self.focused)

    def _show_pane_of(self, widget: Widget) -> None:
        for ancestor in widget.ancestors_with_self:
            if isinstance(ancestor, Pane) and isinstance(ancestor.parent, Panes):
                ancestor.parent.make_current(ancestor)

    def show_pane(self, pane_id: str) -> None:
        """Bring a pane to the front of a narrow terminal and focus its first part."""
        pane = self.query_one(f"#{pane_id}", Pane)
        if isinstance(pane.parent, Panes):
            pane.parent.make_current(pane)
        self.call_after_refresh(self._focus_first, pane)

    def _focus_first(self, pane: Pane) -> None:
        for widget in pane.query("*"):
            if widget.focusable and widget.display:
                widget.focus()
                return

    def _move_pane(self, by: int) -> None:
        chain = [widget for widget in self.focus_chain if isinstance(widget, Widget)]
        panes = next(iter(self.query(Panes)), None)
        if not self.has_class("-narrow") or panes is None or self.focused not in chain:
            _ = self.focus_next() if by > 0 else self.focus_previous()
            return
        index = chain.index(self.focused) + by
        if 0 <= index < len(chain):
            chain[index].focus()
            return
        shown = panes.panes
        self.show_pane(shown[(shown.index(panes.current) + by) % len(shown)].id or "")

    def action_next_pane(self) -> None:
        """Focus what comes next."""
        self._move_pane(1)

    def action_previous_pane(self) -> None:
        """Focus what came before."""
        self._move_pane(-1)

    def action_copy(self) -> None:
        """Copy what has focus; on parts that hold no data, what the screen offers instead."""
        for widget in self.focused.ancestors_with_self if self.focused else [self]:
            if isinstance(widget, Copyable):
                self.house.copy(widget.copy_text())
                return
        self.notify("Nothing here to copy.", markup=False)

    def action_export(self) -> None:
        """Ask what to write and where; the focused part first, then the screen."""
        choices = []
        for widget in self.focused.ancestors_with_self if self.focused else [self]:
            if isinstance(widget, Exportable):
                choices += widget.export_choices()
        if choices:
            self.house.ask_export(choices)
        else:
            self.notify("Nothing here to export yet.", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`/` is offered only where there is something to find."""
        if action == "find":
            if isinstance(self.focused, Input):
                return False
            return type(self).find is not HouseScreen.find or self._searchable() is not None
        return True

    def action_find(self) -> None:
        """Find in what has focus."""
        self.find()

    def find(self) -> None:
        """Ask for words and go to the next place that has them in what has focus. Override where `/` leads elsewhere."""
        from deepimagine_tui.tui.screens.ask_line import AskLine

        part = self._searchable()
        if part is None:
            return

        def asked(words: str | None) -> None:
            self._words = words or self._words
            if words and not part.find_words(words):
                self.notify(f"Not found here: {words}", markup=False)

        self.app.push_screen(AskLine("Find", self._words, "Find next"), asked)

    def _searchable(self) -> Searchable | None:
        for widget in self.focused.ancestors_with_self if self.focused else ():
            if isinstance(widget, Searchable):
                return widget
        return None

    def receive(self, given: object) -> None:
        """Override to take what another screen hands over, e.g. a trial to forecast."""

    def shows_run(self, run_id: str) -> bool:
        """Whether this run's answer is what the screen shows, so that no toast need say that it is done."""
        return False

    def back(self) -> bool:
        """What `esc` does here when nothing runs; True when it did something."""
        return False

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What a worker of this screen raised is shown by the app."""
        self.house.report_worker(event)
