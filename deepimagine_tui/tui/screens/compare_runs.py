"""`c` on Runs: marked runs side by side, and the tornado of their factors."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.tui.run_comparison import comparison, letters, movements, tornado
from deepimagine_tui.tui.screens.compare import wrapped
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.table import HouseTable
from deepimagine_tui.tui.widgets.tabs import TabbedPart

_FIRST = 18


class CompareRuns(Dialog[None]):
    """One column a run; rows that differ are marked `≠`."""

    TITLE_TEXT = "Marked runs"

    def __init__(self, graphs: Sequence[ReasoningGraph]) -> None:
        super().__init__()
        self._graphs = graphs

    def inside(self) -> ComposeResult:
        """The table, and the tornado behind a tab."""
        yield TabbedPart(("Side by side", HouseTable(id="compared")), ("Tornado", DrawnPane(id="tornado")), id="comparison")

    def on_mount(self) -> None:
        """Fill both."""
        self.query_one("#dialog").add_class("-wide")
        moves = movements(self._graphs)
        self.query_one("#tornado", DrawnPane).draw_with(lambda width, _height: tornado(moves, width))
        table = self.query_one(HouseTable)
        width = max((min(self.app.size.width, 116) - _FIRST - 14) // len(self._graphs) - 2, 12)
        table.add_column(Text(""), width=_FIRST + 1)
        for letter in letters(len(self._graphs)):
            table.add_column(Text(f"Run {letter}"), width=width + 1)
        for row in comparison(self._graphs):
            cells = [wrapped(text, width) for text in row.texts]
            height = max(cell.plain.count("\n") + 1 for cell in cells)
            name = Content.styled(f"{'≠' if row.differs else ' '} {row.name}", "bold" if row.differs else "")
            table.add_row(name, *cells, key=row.name, height=height)
        table.focus()
