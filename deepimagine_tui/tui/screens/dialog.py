"""What all dialogs share, and the two smallest: an error, and a question."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static
from textual.worker import Worker

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import Copyable
from deepimagine_tui.tui.show import inert
from deepimagine_tui.tui.widgets.footer import HouseFooter

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A box in the middle, with a title. `esc` closes it with `None`. A subclass gives `inside`."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bind("dialog.close", "data.copy")
    TITLE_TEXT = ""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self._dialog_title = title or self.TITLE_TEXT

    def compose(self) -> ComposeResult:
        """The box with its title, and the keys that work in it."""
        with Vertical(id="dialog") as box:
            box.border_title = Content(inert(self._dialog_title))
            yield from self.inside()
        yield HouseFooter()

    def inside(self) -> ComposeResult:
        """What is in the box."""
        yield from ()

    def action_close(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Copy what has focus, else what the dialog says."""
        from deepimagine_tui.tui.app import DeepImagineApp

        for widget in self.focused.ancestors_with_self if self.focused else [self]:
            if isinstance(widget, Copyable):
                cast("DeepImagineApp", self.app).copy(widget.copy_text())
                return

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What a worker of this dialog raised is shown by the app."""
        from deepimagine_tui.tui.app import DeepImagineApp

        cast("DeepImagineApp", self.app).report_worker(event)


class ErrorDialog(Dialog[None]):
    """An error with its title, what happened, and what to do about it."""

    def __init__(self, error: DeepImagineError) -> None:
        super().__init__(error.title)
        self.error = error

    def inside(self) -> ComposeResult:
        """Message, hint, and a button."""
        with VerticalScroll(classes="message", can_focus=False):
            yield Static(Content(inert(self.error.message)), markup=False)
            if self.error.hint:
                yield Static(Content(inert(self.error.hint)), classes="hint", markup=False)
        with Horizontal(classes="buttons"):
            yield Button("Close", id="close", variant="primary")

    def copy_text(self) -> str:
        """All that it says."""
        return f"{self.error.title}: {self.error.message} {self.error.hint}".strip()

    def on_button_pressed(self) -> None:
        """Close."""
        self.dismiss(None)


class Question(Dialog[bool], inherit_bindings=False):
    """A question with yes and no; `esc` and `n` mean no."""

    BINDINGS: ClassVar[list[BindingType]] = bind("dialog.yes", "dialog.no")

    def __init__(self, title: str, question: str, yes: str, no: str = "Cancel") -> None:
        super().__init__(title)
        self._question = question
        self._yes = yes
        self._no = no

    def inside(self) -> ComposeResult:
        """The question and two buttons; the harmless one has the focus."""
        yield Static(Content(inert(self._question)), classes="message", markup=False)
        with Horizontal(classes="buttons"):
            yield Button(self._no, id="no")
            yield Button(self._yes, id="yes", variant="primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Answer yes."""
        self.dismiss(True)

    def action_close(self) -> None:
        """Answer no."""
        self.dismiss(False)
