"""A dialog that asks for one of several things; typing narrows them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import clip
from deepimagine_tui.tui.widgets.choices import Choices


class PickOne(Dialog[int]):
    """Gives back the index of what was chosen."""

    HELP = "Choose one. Typing narrows the list."

    def __init__(self, title: str, labels: Sequence[str], chosen: int = 0) -> None:
        super().__init__(title)
        self._labels = labels
        self._shown: list[int] = []
        self._chosen = chosen

    def inside(self) -> ComposeResult:
        """A line to type in and the list."""
        yield Input(placeholder="words", id="typed")
        yield Choices(id="choices")

    def on_mount(self) -> None:
        """Everything first."""
        self.query_one("#dialog").add_class("-wide")
        self._show("")
        choices = self.query_one("#choices", Choices)
        if 0 <= self._chosen < len(self._labels):
            choices.highlighted = self._chosen
        choices.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, typed: str) -> None:
        words = typed.lower().split()
        self._shown = [n for n, label in enumerate(self._labels) if all(word in label.lower() for word in words)]
        choices = self.query_one("#choices", Choices)
        choices.clear_options()
        choices.add_options(Option(Content(clip(self._labels[n], 180))) for n in self._shown)
        if self._shown:
            choices.highlighted = 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])

    @on(Input.Submitted)
    def _submitted(self) -> None:
        highlighted = self.query_one("#choices", Choices).highlighted
        if highlighted is not None and self._shown:
            self.dismiss(self._shown[highlighted])

    def on_key(self, event: Key) -> None:
        """The arrow down leads from the line into the list."""
        if event.key == "down" and self.query_one("#typed").has_focus:
            self.query_one("#choices", Choices).focus()
