"""Browse."""

from __future__ import annotations

from textual.app import ComposeResult

from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.text_pane import TextPane


class BrowseScreen(HouseScreen):
    """Browse."""

    NAME = "Browse"

    def body(self) -> ComposeResult:
        """One empty pane."""
        yield Panes(Pane("Browse", TextPane("Nothing here yet."), id="browse-main"))
