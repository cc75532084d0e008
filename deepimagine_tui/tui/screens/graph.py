"""Graph."""

from __future__ import annotations

from textual.app import ComposeResult

from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.text_pane import TextPane


class GraphScreen(HouseScreen):
    """Graph."""

    NAME = "Graph"

    def body(self) -> ComposeResult:
        """One empty pane."""
        yield Panes(Pane("Graph", TextPane("Nothing here yet."), id="graph-main"))
