"""`a`: choose a factor, then its value: proposals with where they have been seen, or a text, with how it is read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.reasoning.describe import factor_text
from deepimagine_tui.reasoning.propose import Proposal, parse_setting, propose
from deepimagine_tui.reasoning.state import Perturbation, State
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.show import clip, inert, reading_text
from deepimagine_tui.tui.widgets.choices import Choices
from deepimagine_tui.tui.widgets.line import EntryLine

if TYPE_CHECKING:
    from deepimagine_tui.tui.app import DeepImagineApp

_DEBOUNCE = 0.12
HINTS: dict[Factor, str] = {
    "dose": "e.g. 50 mg once daily",
    "arm": "an arm of this trial",
    "comparator": "placebo, or an arm of this trial",
    "outcome": "an outcome of this trial, by number or words",
    "time_frame": "e.g. week 52",
    "geography": "e.g. Japan, or US 10 + Japan 5",
    "population": "e.g. age 65-80, female",
    "enrolment": "e.g. 500",
    "context": "e.g. phase 3, open label, start 2024",
}


@dataclass
class Proposed(Message):
    """The values that were found for a factor."""

    factor: Factor
    proposals: tuple[Proposal, ...]


@dataclass
class TextRead(Message):
    """How a typed text is read: a change, or why it is none."""

    text: str
    change: Perturbation | None
    wrong: str


class FactorPicker(Dialog[Perturbation]):
    """Two lists in one place: the factors with their present values, then values for the one chosen."""

    TITLE_TEXT = "Change a factor"
    HELP = (
        "Choose what changes, then its value. Each value says where it has been seen; ✓ marks those whose result this trial "
        "posted. Or type a value: the line below shows how it is read."
    )

    def __init__(self, state: State, trial: Trial, factor: Factor | None = None) -> None:
        super().__init__()
        self._state = state
        self._trial = trial
        self._factor: Factor | None = factor
        self._proposals: tuple[Proposal, ...] = ()
        self._timer: Timer | None = None
        self._read: TextRead | None = None
        self._submitted = False

    def inside(self) -> ComposeResult:
        """A line to type in, how it is read, the list."""
        yield EntryLine(id="typed")
        yield Static("", id="reading", classes="reading", markup=False)
        yield Choices(id="choices")

    def on_mount(self) -> None:
        """The factors first, unless one was given."""
        self.query_one("#dialog").add_class("-wide")
        if self._factor is not None:
            self._choose(self._factor)
            return
        self.query_one("#typed").display = False
        self.query_one("#reading").display = False
        choices = self.query_one("#choices", Choices)
        for factor in WALKING_ORDER:
            now = clip(factor_text(factor, self._state.configuration), 80)
            choices.add_option(Option(Content.assemble((f"{factor.replace('_', ' '):<12}", "bold"), (now, "$foreground 80%"))))
        choices.highlighted = WALKING_ORDER.index("dose")
        choices.focus()

    def _choose(self, factor: Factor) -> None:
        self._factor = factor
        now = clip(factor_text(factor, self._state.configuration), 60)
        self.query_one("#dialog").border_title = Content(f"{factor.replace('_', ' ').capitalize()}, now: {now}")
        typed = self.query_one("#typed", Input)
        typed.display = True
        typed.placeholder = f"{HINTS[factor]}, or choose below"
        self.query_one("#reading").display = True
        self.query_one("#choices", Choices).clear_options()
        self._say("Looking for values…")
        self.set_focus(typed)
        self.find_values(factor)

    @work(thread=True, exclusive=True, exit_on_error=False, group="propose", description="look for values")
    def find_values(self, factor: Factor) -> None:
        """Find values in this trial and in the corpus."""
        worker = get_current_worker()
        services = cast("DeepImagineApp", self.app).services
        with closing(services.open_corpus()) as corpus:
            proposals = propose(factor, self._state, self._trial, corpus)
        if not worker.is_cancelled:
            self.post_message(Proposed(factor, proposals))

    @on(Proposed)
    def _proposed(self, event: Proposed) -> None:
        if event.factor != self._factor:
            return
        self._proposals = event.proposals
        choices = self.query_one("#choices", Choices)
        choices.clear_options()
        labels = [clip(each.label, 60) for each in event.proposals]
        width = max((len(label) for label in labels), default=0)
        for label, each in zip(labels, event.proposals, strict=True):
            checked = "  ✓ can be checked" if each.can_be_checked else ""
            reading = f"  {reading_text(each.perturbation)}" if each.perturbation.reading else ""
            choices.add_option(
                Option(Content.assemble(f"{label:<{width}}  ", (f"{each.support}{reading}", "dim"), (checked, "$primary")))
            )
        if event.proposals:
            choices.highlighted = 0
            if not self.query_one("#typed", Input).value:
                self._say("type a value; ↓ leads to the list, enter takes its first")
        else:
            self._say("Nothing to propose; type a value.")

    def _say(self, text: str, *, wrong: bool = False) -> None:
        reading = self.query_one("#reading", Static)
        reading.set_class(wrong, "wrong")
        reading.update(Content(inert(text)))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        if self._factor is None:
            self._choose(WALKING_ORDER[event.option_index])
        else:
            self.dismiss(self._proposals[event.option_index].perturbation)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._timer is not None:
            self._timer.stop()
        if event.value.strip() and self._factor is not None:
            factor, text = self._factor, event.value
            self._timer = self.set_timer(_DEBOUNCE, lambda: self.read_text(factor, text))
        else:
            self._read = None
            self._say("")

    @work(thread=True, exclusive=True, exit_on_error=False, group="reading", description="read a typed value")
    def read_text(self, factor: Factor, text: str) -> None:
        """Read a typed text as a change."""
        try:
            change = parse_setting(factor, text, self._state, self._trial)
        except DeepImagineError as error:
            self.post_message(TextRead(text, None, str(error)))
        else:
            self.post_message(TextRead(text, change, ""))

    @on(TextRead)
    def _text_read(self, event: TextRead) -> None:
        if event.text != self.query_one("#typed", Input).value:
            return
        self._read = event
        if event.change is None:
            self._say(event.wrong, wrong=True)
        else:
            reading = f", {reading_text(event.change)}" if event.change.reading else ""
            self._say(f"read as: {event.change.before} -> {event.change.after}{reading}; enter takes it")
        if self._submitted and event.change is not None:
            self.dismiss(event.change)
        self._submitted = False

    @on(Input.Submitted)
    def _taken(self, event: Input.Submitted) -> None:
        if self._factor is None:
            return
        if not event.value.strip():
            if self._proposals:
                self.dismiss(self._proposals[0].perturbation)
        elif self._read is not None and self._read.text == event.value and self._read.change is not None:
            self.dismiss(self._read.change)
        else:
            self._submitted = True
            self.read_text(self._factor, event.value)

    def on_key(self, event: Key) -> None:
        """The arrow down leads from the line into the list."""
        if event.key == "down" and self.query_one("#typed").has_focus and self._proposals:
            self.query_one("#choices", Choices).focus()
