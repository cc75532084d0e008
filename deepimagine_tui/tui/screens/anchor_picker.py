"""`o` on Imagine: start from another arm, comparator or outcome of the same trial."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from deepimagine_tui.reasoning.choosing import AnchorChoice, anchor_choices
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import clip
from deepimagine_tui.tui.widgets.choices import Choices
from deepimagine_tui.tui.widgets.line import EntryLine

MOST_SHOWN = 200


@dataclass
class ChoicesFound(Message):
    """Every place where a what-if can start."""

    choices: tuple[AnchorChoice, ...]


class AnchorPicker(Dialog[AnchorRef]):
    """The posted comparisons of a trial; typing narrows them."""

    TITLE_TEXT = "Start from another result"
    HELP = "Every posted comparison that a what-if can start from. Typing narrows the list."

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self._trial = trial
        self._all: tuple[AnchorChoice, ...] = ()
        self._shown: list[AnchorChoice] = []

    def inside(self) -> ComposeResult:
        """A line to type in and the list."""
        yield EntryLine(placeholder="words of the outcome or the arms", id="typed")
        yield Choices(id="choices")

    def on_mount(self) -> None:
        """Find the choices."""
        self.query_one("#dialog").add_class("-wide")
        self.find_choices()

    @work(thread=True, exclusive=True, exit_on_error=False, group="anchors", description="list where a what-if can start")
    def find_choices(self) -> None:
        """List where a what-if can start."""
        self.post_message(ChoicesFound(anchor_choices(self._trial)))

    @on(ChoicesFound)
    def _found(self, event: ChoicesFound) -> None:
        self._all = event.choices
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, typed: str) -> None:
        words = typed.lower().split()
        self._shown = [each for each in self._all if all(word in each.label.lower() for word in words)][:MOST_SHOWN]
        choices = self.query_one("#choices", Choices)
        choices.clear_options()
        choices.add_options(Option(Content(clip(each.label, 180))) for each in self._shown)
        if self._shown:
            choices.highlighted = 0

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index].ref)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        highlighted = self.query_one("#choices", Choices).highlighted
        if highlighted is not None and self._shown:
            self.dismiss(self._shown[highlighted].ref)

    def on_key(self, event: Key) -> None:
        """The arrow down leads from the line into the list."""
        if event.key == "down" and self.query_one("#typed").has_focus:
            self.query_one("#choices", Choices).focus()
