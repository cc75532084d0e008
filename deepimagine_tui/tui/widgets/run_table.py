"""The list of runs: two lines each, question and answer, in columns fitted to the width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.content import Content

from deepimagine_tui.reasoning.runs import RunSummary
from deepimagine_tui.tui.run_details import OUTCOMES, when_text
from deepimagine_tui.tui.show import clip
from deepimagine_tui.tui.widgets.table import HouseTable

_WHEN, _MODEL, _OUTCOME, _GAPS = 17, 14, 12, 4


class RunTable(HouseTable):
    """The runs, newest first. A mark shows in the first column."""

    HELP = "The kept runs, newest first. Enter or g shows a run's graph; space marks, c compares the marked."

    def __init__(self) -> None:
        super().__init__(id="runs", export_name="runs")
        self.runs: tuple[RunSummary, ...] = ()
        self._width = 0

    def show(self, runs: Sequence[RunSummary]) -> None:
        """List these runs, keeping cursor and marks where they still are."""
        self.runs = tuple(runs)
        known = {run.run_id for run in runs}
        self.marked = {key: None for key in self.marked if key in known}
        self._fill()

    def on_resize(self) -> None:
        """Fit the columns to another width."""
        if self.size.width and self.size.width != self._width:
            self._width = self.size.width
            self._fill()

    def action_mark(self) -> None:
        """Mark, and show it."""
        super().action_mark()
        self._fill()

    def _fill(self) -> None:
        if not self._width:
            return
        key = self.cursor_key
        self.clear(columns=True)
        wide = self._width >= 70
        free = self._width - 2 - _WHEN - _OUTCOME - _GAPS - (_MODEL if wide else 0)
        self.add_column(Text(""), width=2)
        self.add_column(Text("When (UTC)"), width=_WHEN)
        self.add_column(Text("Question"), width=max(free, 12))
        if wide:
            self.add_column(Text("Model"), width=_MODEL)
        self.add_column(Text("Came of it"), width=_OUTCOME)
        for run in self.runs:
            self.add_row(*self._cells(run, max(free, 12), wide), key=run.run_id, height=2)
        if key and key in self.rows:
            self.move_cursor(row=self.get_row_index(key), animate=False)

    def _cells(self, run: RunSummary, width: int, wide: bool) -> list[Content]:
        answer = OUTCOMES[run.outcome]
        model = Content.styled(clip("demo, no model" if run.demo else run.model, _MODEL - 1), "" if wide else "dim")
        cells = [
            Content("◼" if run.run_id in self.marked else ""),
            Content(when_text(run.when)),
            Content.assemble(
                clip(run.name or run.target or run.run_id, width - 1),
                "\n",
                (clip(run.answer, width - 1), "italic $foreground 75%"),
            ),
        ]
        return [*cells, *([model] if wide else []), Content(clip(answer, _OUTCOME - 1))]
