"""Dialogs that only show something: a text drawn to their width, and the chain of one pathway."""

from __future__ import annotations

from msgspec.structs import replace
from textual.app import ComposeResult

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.tui.screens.dialog import Dialog
from deepimagine_tui.tui.widgets.chain import ChainView
from deepimagine_tui.tui.widgets.drawn import Drawer, DrawnPane


class ReadingDialog(Dialog[None]):
    """A text to read, scroll and copy."""

    def __init__(self, title: str, drawer: Drawer) -> None:
        super().__init__(title)
        self._drawer = drawer

    def inside(self) -> ComposeResult:
        """The text."""
        pane = DrawnPane(id="reading-text")
        pane.add_class("help")
        pane.draw_with(self._drawer)
        yield pane

    def on_mount(self) -> None:
        """As wide as there is room."""
        self.query_one("#dialog").add_class("-wide")


class PathwayChain(ChainView):
    """The chain of one pathway of a forecast, to read: its steps are not edited."""

    HELP = "The chain of one pathway: ● observed at the top, then each imagined step (○, italic). y copies all of it."

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A forecast is not edited step by step."""
        return False if action == "edit" else super().check_action(action, parameters)


class PathwayDialog(Dialog[None]):
    """One pathway of a run, followed while it is walked."""

    DEFAULT_CSS = "PathwayDialog #dialog { height: 88%; }"

    def __init__(self, number: int, graph: ReasoningGraph, *, running: bool) -> None:
        super().__init__(f"Pathway {number + 1}, from {graph.pathways[number].anchor.state.nct_id}")
        self._number = number
        self._graph, self._going = graph, running

    def inside(self) -> ComposeResult:
        """The chain."""
        yield PathwayChain()

    def on_mount(self) -> None:
        """Show what there is."""
        self.query_one("#dialog").add_class("-wide")
        self.call_after_refresh(self.show_graph, self._graph, running=self._going)

    def show_graph(self, graph: ReasoningGraph, *, running: bool, streaming: bool = False) -> None:
        """Show the pathway as it is now."""
        if self._number < len(graph.pathways) and self.is_mounted:
            pathway = graph.pathways[self._number]
            alone = replace(graph, pathways=(pathway,), finished=graph.finished if pathway.done is None else None)
            walked = running and pathway.done is None
            self.query_one(PathwayChain).show_graph(alone, running=walked, streaming=streaming)
