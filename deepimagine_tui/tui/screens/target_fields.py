"""`n` on Forecast: a target of the user's own, described in a few lines."""

from __future__ import annotations

from dataclasses import fields

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.tui.forecast_draft import TargetFields
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import inert

_HINTS = {
    "condition": ("Condition", "e.g. Type 2 diabetes; several with ;"),
    "arm": ("Arm", "e.g. Drug B 5 mg once daily"),
    "against": ("Against", "e.g. placebo; empty: a single arm"),
    "outcome": ("Outcome", "e.g. Change from baseline in HbA1c"),
    "unit": ("Unit", "e.g. percentage points; without it no value is imagined"),
    "time": ("Time", "e.g. week 24"),
    "population": ("Population", "e.g. age 18-80, HbA1c 7-10 %"),
    "context": ("Phase", "e.g. phase 3, double blind"),
    "countries": ("Countries", "e.g. Japan 20, United States 5"),
    "enrolment": ("Enrolment", "e.g. 400"),
}


class TargetFieldsDialog(Dialog[TargetFields]):
    """One line a field. What is left empty is unknown, and no pathway walks it."""

    TITLE_TEXT = "A trial of your own"
    HELP = "Describe the trial that is to be forecast. What you leave empty is unknown and left out of the pathways."
    DEFAULT_CSS = """
    TargetFieldsDialog .field { height: 1; }
    TargetFieldsDialog .field Label { width: 12; color: $foreground 75%; }
    TargetFieldsDialog #dialog .field Input { width: 1fr; margin-bottom: 0; }
    TargetFieldsDialog #fields { height: auto; max-height: 14; margin-bottom: 1; }
    """

    def __init__(self, now: TargetFields) -> None:
        super().__init__()
        self._now = now

    def inside(self) -> ComposeResult:
        """The lines, what is wrong with them, two buttons."""
        with VerticalScroll(id="fields", can_focus=False):
            for name, (label, hint) in _HINTS.items():
                with Horizontal(classes="field"):
                    yield Label(label)
                    yield Input(inert(getattr(self._now, name)), placeholder=hint, id=name)
        with Vertical(classes="wrong"):
            yield Static("", id="wrong", markup=False)
        with Horizontal(classes="buttons"):
            yield Button("Cancel", id="no")
            yield Button("Take it", id="yes", variant="primary")

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.query_one("#dialog").add_class("-wide")
        self.query_one(".wrong").display = False

    def on_input_submitted(self) -> None:
        """On to the next line; after the last, done."""
        lines = list(self.query(Input))
        index = next((n for n, line in enumerate(lines) if line.has_focus), len(lines))
        if index + 1 < len(lines):
            lines[index + 1].focus()
        else:
            self._accept()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Done, or nothing."""
        if event.button.id == "yes":
            self._accept()
        else:
            self.dismiss(None)

    def _accept(self) -> None:
        texts = {field.name: self.query_one(f"#{field.name}", Input).value for field in fields(TargetFields)}
        typed = TargetFields(**texts).stripped()
        try:
            typed.target()
        except DeepImagineError as error:
            self.query_one("#wrong", Static).update(str(error))
            self.query_one(".wrong").display = True
            return
        self.dismiss(typed)
