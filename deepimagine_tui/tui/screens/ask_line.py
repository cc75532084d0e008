"""A dialog that asks for one line of text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input

from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.widgets.line import Line


class AskLine(Dialog[str]):
    """One line, with what it is now to start from; enter or the button gives it back."""

    def __init__(self, title: str, now: str, button: str) -> None:
        super().__init__(title)
        self._now = now
        self._button = button

    def inside(self) -> ComposeResult:
        """The line and two buttons."""
        yield Line(self._now, id="line")
        with Horizontal(classes="buttons"):
            yield Button("Cancel", id="no")
            yield Button(self._button, id="yes", variant="primary")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        self.dismiss(event.value.strip())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Done, or nothing."""
        self.dismiss(self.query_one(Input).value.strip() if event.button.id == "yes" else None)
