"""`enter` on a step: another value for its change, or a result of one's own; the run goes on from there."""

from __future__ import annotations

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from deepimagine_tui.reasoning.describe import arm_text
from deepimagine_tui.reasoning.request import StepEdit
from deepimagine_tui.reasoning.state import Configuration, State
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import clip, digits
from deepimagine_tui.tui.widgets.choices import Choices
from deepimagine_tui.tui.widgets.line import Line

StepAnswer = StepEdit | Literal["value", "again"]


class StepEditor(Dialog[StepAnswer]):
    """What to do with step `index` (from 0)."""

    HELP = "Change the value of this step, ask it again, or enter a result of your own. Everything after it is imagined anew."

    def __init__(self, index: int, configuration: Configuration, state: State | None) -> None:
        super().__init__(f"Step {index + 1}")
        self._index = index
        self._configuration = configuration
        self._state = state

    def inside(self) -> ComposeResult:
        """A choice, then a line for each arm."""
        yield Choices(
            Option("Choose another value for this change"),
            Option("Ask this step again, and those after it"),
            Option("Enter a result of your own, and go on from it"),
            id="what",
        )
        sides = [("arm", self._configuration.arm, self._state.arm_value if self._state else None)]
        if self._configuration.comparator is not None:
            other = self._state.comparator_value if self._state else None
            sides.append(("comparator", self._configuration.comparator, other))
        for name, spec, number in sides:
            value = digits(number.value) if number is not None and number.value is not None else ""
            yield Static(
                Content(clip(f"{arm_text(spec)}, {self._configuration.outcome.unit}", 64)), classes="entry", markup=False
            )
            yield Line(value, id=name, classes="entry", type="number")
        yield Static("", id="wrong", classes="wrong entry", markup=False)

    def on_mount(self) -> None:
        """The choice first."""
        self._show_entries(False)
        self.query_one("#what", Choices).highlighted = 0
        self.query_one("#what", Choices).focus()

    def _show_entries(self, visible: bool) -> None:
        for widget in self.query(".entry"):
            widget.display = visible

    @on(OptionList.OptionSelected, "#what")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_index == 0:
            self.dismiss("value")
        elif event.option_index == 1:
            self.dismiss("again")
        else:
            self.query_one("#what").display = False
            self._show_entries(True)
            self.query_one("#arm", Input).focus()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.input.id == "arm" and self.query("#comparator"):
            self.query_one("#comparator", Input).focus()
            return
        values = []
        for entry in self.query(Input):
            try:
                values.append(float(entry.value))
            except ValueError:
                self.query_one("#wrong", Static).update("Enter a number for each arm.")
                entry.focus()
                return
        self.dismiss(StepEdit(self._index, values[0], values[1] if len(values) > 1 else None))
