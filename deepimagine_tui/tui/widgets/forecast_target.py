"""The target of a forecast: what is to be forecast, what may be known, how it will be asked; each line can be changed."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Literal, get_args

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static

from deepimagine_tui.reasoning.describe import (
    arm_text,
    context_text,
    geography_text,
    outcome_text,
    population_text,
    time_text,
)
from deepimagine_tui.tui.forecast_draft import ForecastDraft
from deepimagine_tui.tui.show import clip, inert
from deepimagine_tui.tui.status import ModelStatus
from deepimagine_tui.tui.widgets.row_list import RowList

TargetLine = Literal["arm", "against", "outcome", "fields", "cutoff", "anchors", "dropped", "asks", "seed"]
LINES: tuple[TargetLine, ...] = get_args(TargetLine)
EMPTY = (
    "Find a trial on Browse (1) and press f on it: it becomes the target.\n\n"
    "Or press n for a trial of your own: say its condition, arm, comparator and outcome."
)
HIDDEN = "This trial has posted results: they are hidden from the forecast and shown after it."
_NAME = 11
_MOST_LINES = 3


class TargetList(RowList):
    """The lines of the target; enter changes one."""

    HELP = "The target. Enter on a line changes it."

    @dataclass
    class Chosen(Message):
        """A line is to be changed."""

        line: TargetLine

    def __init__(self) -> None:
        super().__init__(id="target-lines")
        self._changes: list[TargetLine | None] = []

    def show_draft(self, draft: ForecastDraft, model: ModelStatus, width: int) -> None:
        """Show a draft."""
        rows: list[tuple[Content, bool, str]] = []
        self._changes = []
        for name, value, line in _lines(draft, model):
            self._changes.append(line)
            wrapped = _wrapped(value, max(width - _NAME - 1, 12))
            text = Content.assemble((f"{name:<{_NAME}}", "dim"), f"\n{'':<{_NAME}}".join(wrapped))
            rows.append((text, line is not None, f"{name}\t{inert(value)}"))
        self.show(rows, self.highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Change the line."""
        event.stop()
        line = self._changes[event.option_index]
        if line is not None:
            self.post_message(self.Chosen(line))


class TargetPart(Vertical):
    """Everything of the question."""

    DEFAULT_CSS = """
    TargetPart > #target-title, TargetPart > #target-note { height: auto; width: 100%; padding: 0 1; }
    TargetPart > #target-note { color: $text-warning; margin-top: 1; display: none; }
    TargetPart > #target-wrong { height: auto; padding: 0 1; color: $text-error; display: none; }
    TargetPart > #target-run { height: auto; padding: 0 1; margin-top: 1; }
    TargetPart TargetList { height: auto; max-height: 70%; margin-top: 1; }
    """

    def __init__(self) -> None:
        super().__init__(id="target")
        self._draft: ForecastDraft | None = None
        self._model = ModelStatus()

    def compose(self) -> ComposeResult:
        """Which trial, a note on its results, the lines, what is wrong, how to run."""
        yield Static(EMPTY, id="target-title", markup=False)
        yield Static(HIDDEN, id="target-note", markup=False)
        yield TargetList()
        yield Static("", id="target-wrong", markup=False)
        yield Static("", id="target-run", markup=False)

    def on_mount(self) -> None:
        """Nothing to change yet."""
        self.query_one(TargetList).display = False

    def on_resize(self) -> None:
        """Draw to the width there is."""
        if self._draft is not None:
            self.show(self._draft, self._model)

    def show(self, draft: ForecastDraft, model: ModelStatus) -> None:
        """Show a draft; what was wrong stands until there is another one."""
        if draft is not self._draft:
            self.say("")
        self._draft, self._model = draft, model
        width = max(self.size.width - 2, 24)
        self.query_one("#target-title", Static).update(_title(draft, width))
        self.query_one("#target-note", Static).display = draft.is_backtest
        lines = self.query_one(TargetList)
        lines.display = True
        lines.show_draft(draft, model, width)
        self.query_one("#target-run", Static).update(Content.assemble(("r", "bold $primary"), "  Run"))

    def say(self, wrong: str) -> None:
        """Say what is wrong, next to the lines."""
        static = self.query_one("#target-wrong", Static)
        static.display = bool(wrong)
        static.update(Content(inert(wrong)))

    def copy_text(self) -> str:
        """The whole question."""
        if self._draft is None:
            return EMPTY
        note = [HIDDEN] if self._draft.is_backtest else []
        return "\n".join([_title(self._draft, 200).plain, *note, self.query_one(TargetList).all_text()])


def _title(draft: ForecastDraft, width: int) -> Content:
    if draft.nct_id is None:
        return Content.styled("A trial of your own", "bold $primary")
    if draft.trial is None:
        return Content.assemble((draft.nct_id, "bold $primary"), ("  not in this corpus", "dim"))
    posted = "" if draft.is_backtest else "  no results"
    return Content("\n").join(
        [Content.assemble((draft.nct_id, "bold $primary"), (posted, "dim")), Content(clip(draft.trial.title, 3 * width))]
    )


def _wrapped(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(inert(text), width) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], clip(" ".join(lines[_MOST_LINES - 1 :]), width)]
    return lines


def _lines(draft: ForecastDraft, model: ModelStatus) -> list[tuple[str, str, TargetLine | None]]:
    target = draft.target
    own: TargetLine | None = "fields" if draft.nct_id is None else None
    planned = draft.trial is not None
    asks = "values of both arms" if draft.estimand == "arm values" else "the contrast alone"
    rows: list[tuple[str, str, TargetLine | None]] = [
        ("Condition", ", ".join(target.population.conditions) or "not stated", own),
        ("Arm", arm_text(target.arm), own or ("arm" if planned else None)),
        ("Against", arm_text(target.comparator), own or ("against" if planned else None)),
        ("Outcome", outcome_text(target.outcome), own or ("outcome" if planned else None)),
        ("Time", time_text(target.time), own),
        ("Population", population_text(target.population), own),
        ("Countries", geography_text(target.geography), own),
        ("Context", context_text(target.context), own),
        ("Enrolment", "not stated" if target.enrolment is None else str(target.enrolment), own),
        ("Cutoff", f"{draft.cutoff} (nothing posted later is used)", "cutoff"),
        ("Anchors", f"up to {draft.k}", "anchors"),
    ]
    if draft.drop:
        rows.append(("Dropped", f"{', '.join(draft.drop)} (enter puts them back)", "dropped"))
    return [
        *rows,
        ("Asks", asks, "asks"),
        ("Model", model.text(), None),
        ("Seed", f"{draft.settings.seed} (R: new)", "seed"),
    ]
