"""The what-if: where it starts, what changes in which order, how it will be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static

from deepimagine_tui.reasoning.describe import arm_text, outcome_text, time_text
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.draft import Draft
from deepimagine_tui.tui.show import clip, hanging, inert, reading_text
from deepimagine_tui.tui.status import ModelStatus
from deepimagine_tui.tui.widgets.row_list import RowList

ADD = "+ factor (a)"
_COPIED = 200
"""Columns of a line that is copied."""


class ChangeList(RowList):
    """The changes in walking order; the last row adds one."""

    BINDINGS: ClassVar[list[BindingType]] = bind("imagine.remove", "imagine.earlier", "imagine.later")
    HELP = (
        "The changes, walked in this order. Enter on one chooses another value, x takes it out, shift+up and shift+down move "
        "it; a adds one. `can be checked`: the trial posted the result that this change leads to."
    )

    @dataclass
    class Removed(Message):
        """A change is to be taken out."""

        index: int

    @dataclass
    class Moved(Message):
        """A change is to be walked earlier or later."""

        index: int
        by: int

    @dataclass
    class Chosen(Message):
        """A change is to get another value; `index` beyond the last one adds one."""

        index: int

    def __init__(self) -> None:
        super().__init__(id="changes")
        self._count = 0

    def show_changes(self, draft: Draft, width: int) -> None:
        """Show the changes of a draft."""
        self._count = len(draft.changes)
        rows = []
        for index, change in enumerate(draft.changes):
            name = change.factor.replace("_", " ")
            text = f"{inert(change.before)} -> {inert(change.after)}"
            head = Content.styled(f"{index + 1} {name:<11}", "bold")
            if len(head.plain) + len(text) <= width:
                parts = [Content.assemble(head, text)]
            else:
                parts = [head, *(Content(line) for line in hanging("  ", clip(text, 3 * width - 12), width))]
            if change.reading:
                parts += [Content.styled(line, "dim") for line in hanging("  ", clip(reading_text(change), 2 * width), width)]
            if draft.can_be_checked(index):
                parts.append(Content.styled("  ✓ can be checked", "$primary"))
            if any(kept.step == index for kept in draft.kept):
                parts.append(Content.styled("  kept from the run before", "dim"))
            if any(edit.step == index for edit in draft.edits):
                parts.append(Content.styled("  ✎ your own result", "bold"))
            rows.append((Content("\n").join(parts), True, f"{name}\t{inert(change.before)}\t{inert(change.after)}"))
        rows.append((Content.styled(ADD, "$primary"), True, ADD))
        self.show(rows, self.highlighted)

    def _on_change(self) -> bool:
        return self.highlighted is not None and self.highlighted < self._count

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a change can be moved or taken out."""
        return self._on_change() if action in ("remove", "earlier", "later") else True

    def action_remove(self) -> None:
        """Take the change out."""
        self.post_message(self.Removed(self.highlighted or 0))

    def action_earlier(self) -> None:
        """Walk the change earlier."""
        self.post_message(self.Moved(self.highlighted or 0, -1))

    def action_later(self) -> None:
        """Walk the change later."""
        self.post_message(self.Moved(self.highlighted or 0, 1))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose another value, or add a change."""
        event.stop()
        self.post_message(self.Chosen(event.option_index))


class WhatIfPart(Vertical):
    """Everything of the question."""

    DEFAULT_CSS = """
    WhatIfPart > VerticalScroll { height: auto; max-height: 50%; padding: 0 1; }
    WhatIfPart #from, WhatIfPart #asks { height: auto; width: 100%; }
    WhatIfPart > #asks { padding: 0 1; margin-top: 1; }
    WhatIfPart > #label { padding: 0 1; margin-top: 1; text-style: bold; }
    WhatIfPart > #wrong { padding: 0 1; height: auto; color: $text-error; display: none; }
    WhatIfPart ChangeList { height: auto; max-height: 60%; min-height: 1; }
    """
    EMPTY = "Find a trial on Browse (1) and press i on it, or on a row of its results: a what-if starts there."

    def __init__(self) -> None:
        super().__init__(id="what-if")
        self._draft: Draft | None = None
        self._model = ModelStatus()

    def compose(self) -> ComposeResult:
        """From, changes, what is wrong with them, how it will be asked."""
        yield VerticalScroll(Static(self.EMPTY, id="from", markup=False), can_focus=False)
        yield Static("Change", id="label")
        yield ChangeList()
        yield Static("", id="wrong", markup=False)
        yield Static("", id="asks", markup=False)

    def on_mount(self) -> None:
        """Nothing to change yet."""
        self._show_parts(False)

    def _show_parts(self, visible: bool) -> None:
        for name in ("#label", "#changes", "#asks"):
            self.query_one(name).display = visible

    def on_resize(self) -> None:
        """Draw to the width there is."""
        if self._draft is not None:
            self.show(self._draft, self._model)

    def show(self, draft: Draft, model: ModelStatus) -> None:
        """Show a draft."""
        self._draft, self._model = draft, model
        self._show_parts(True)
        self.say("")
        width = max(self.size.width - 2, 24)
        self.query_one("#from", Static).update(Content("\n").join(_from_lines(draft)))
        self.query_one(ChangeList).show_changes(draft, width)
        self.query_one("#asks", Static).update(Content("\n").join(_asks_lines(draft, model, width)))

    def say(self, wrong: str) -> None:
        """Say what is wrong, next to the changes."""
        static = self.query_one("#wrong", Static)
        static.display = bool(wrong)
        static.update(wrong)

    def copy_text(self) -> str:
        """The whole question."""
        if self._draft is None:
            return self.EMPTY
        changes = self.query_one(ChangeList).all_text().removesuffix(ADD).rstrip()
        lines = [*_from_lines(self._draft), Content(changes), *_asks_lines(self._draft, self._model, _COPIED)]
        return "\n".join(line.plain.rstrip() for line in lines)


def _from_lines(draft: Draft) -> list[Content]:
    configuration = draft.source.configuration
    against = f"vs {inert(arm_text(configuration.comparator))}" if configuration.comparator else "no comparator"
    when = f", {time_text(configuration.time)}" if configuration.time else ""
    benefit = configuration.outcome.benefit
    better = "which direction is better is unknown" if benefit == "unknown" else f"{benefit} is better"
    return [
        Content.assemble(("From  ", "bold"), (draft.trial.nct_id, "$primary")),
        Content.assemble((f"{inert(arm_text(configuration.arm))} {against}", "bold")),
        Content(f"{inert(outcome_text(configuration.outcome))}{inert(when)}"),
        Content.styled(better, "dim"),
        Content.styled("o: another arm or outcome", "dim"),
    ]


def _asks_lines(draft: Draft, model: ModelStatus, width: int) -> list[Content]:
    asks = "arm values and their difference" if draft.estimand == "arm values" else "the contrast alone"
    samples = f", {draft.settings.samples} samples" if draft.settings.samples > 1 else ""
    facts = (
        ("Asks", f"{asks} (v)"),
        ("Order", "as listed (shift+↑↓)"),
        ("Model", model.text()),
        ("Seed", f"{draft.settings.seed}{samples} (R: new)"),
    )
    lines = []
    for label, text in facts:
        first, *others = hanging(f"{label:<7}", text, width)
        lines += [Content.assemble((first[:7], "dim"), first[7:]), *(Content(line) for line in others)]
    first, *others = hanging("r  ", "Run" if draft.changes else "runs it, once something changes", width)
    return [*lines, Content(""), Content.assemble(("r", "bold $primary"), first[1:]), *(Content(line) for line in others)]
