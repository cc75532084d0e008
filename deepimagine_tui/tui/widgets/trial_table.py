"""The list of trials: columns fitted to the width, marks, more rows as the cursor nears the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.content import Content
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable

from deepimagine_tui.corpus.query import TrialRow
from deepimagine_tui.tui.show import clip, inert
from deepimagine_tui.tui.widgets.table import HouseTable

NEAR_THE_END = 40
_FIXED = 2 + 11 + 3 + 4 + 6 + 7
_GAPS = 8 + 1


class TrialTable(HouseTable):
    """Trials that match. Asks for more with `NearEnd`."""

    HELP = (
        "The trials that match. Enter goes to the trial's results, i starts a what-if from its first primary outcome, "
        "f forecasts it, space marks and c compares the marked; + adds a filter, backspace takes the last one out."
    )

    class NearEnd(Message):
        """The cursor is near the last loaded row."""

    @dataclass
    class Current(Message):
        """Another trial is under the cursor."""

        nct_id: str

    def __init__(self) -> None:
        super().__init__(id="trials", export_name="trials")
        self.trials: list[TrialRow] = []
        self._width = 0

    def on_resize(self) -> None:
        """Lay the columns out again for another width."""
        if self.size.width != self._width and self.size.width:
            self._width = self.size.width
            key = self.cursor_key
            self.clear(columns=True)
            self._add_columns()
            self._add(self.trials)
            if key:
                self.move_cursor(row=self.get_row_index(key), animate=False)

    def _add_columns(self) -> None:
        free = max(self._width - _FIXED - _GAPS, 20)
        condition = min(max(free * 2 // 5, 10), 32)
        widths = {
            "": 1,
            "NCT": 11,
            "Ph": 3,
            "Condition": condition,
            "Intervention": free - condition,
            "Arms": 4,
            "n": 6,
            "Posted": 7,
        }
        for label, width in widths.items():
            self.add_column(Text(f"{label:>6}" if label == "n" else label), width=width + 1, key=label or "mark")

    def show(self, trials: Sequence[TrialRow]) -> None:
        """Show these instead."""
        self.trials = list(trials)
        self.clear()
        self._add(self.trials)

    def extend(self, trials: Sequence[TrialRow]) -> None:
        """Add these below."""
        self.trials += trials
        self._add(trials)

    def _add(self, trials: Sequence[TrialRow]) -> None:
        if not self._width:
            return
        widths = {str(column.key.value): column.width for column in self.ordered_columns}
        for trial in trials:
            phase = "/".join(trial.phases).replace("early ", "e")
            self.add_row(
                Content("✓" if trial.nct_id in self.marked else " "),
                Content(trial.nct_id),
                Content(phase),
                Content(clip(", ".join(trial.conditions), widths["Condition"] - 1)),
                Content(clip(trial.title, widths["Intervention"] - 1)),
                Content(f"{trial.arms:>4}"),
                Content(f"{'–' if trial.enrolment is None else trial.enrolment:>6}"),
                Content.styled(trial.posted[:7] if trial.has_results else "none", "" if trial.has_results else "dim"),
                key=trial.nct_id,
            )

    def row_text(self, key: str) -> str:
        """One trial, nothing cut."""
        trial = next(each for each in self.trials if each.nct_id == key)
        return "\t".join([
            "✓" if key in self.marked else "", trial.nct_id, "/".join(trial.phases), inert(", ".join(trial.conditions)),
            inert(trial.title), str(trial.arms), "" if trial.enrolment is None else str(trial.enrolment), trial.posted,
        ])  # fmt: skip

    def on_house_table_marks_changed(self) -> None:
        """Show the marks."""
        for index, trial in enumerate(self.trials):
            self.update_cell_at(Coordinate(index, 0), Content("✓" if trial.nct_id in self.marked else " "))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell which trial is under the cursor, and when more rows are wanted."""
        event.stop()
        if event.row_key.value:
            self.post_message(self.Current(event.row_key.value))
        if event.cursor_row >= self.row_count - NEAR_THE_END:
            self.post_message(self.NearEnd())
