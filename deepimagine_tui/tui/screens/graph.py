"""Graph: the run as a tree of states and steps on the left, the figure as it will be exported on the right."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static, Tree

from deepimagine_tui.errors import CancelledError, RefusedError
from deepimagine_tui.reasoning.events import TokensArrived
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice
from deepimagine_tui.tui.graph_text import TreeLine, detail_of, tree_of
from deepimagine_tui.tui.jobs.run import RunUpdate
from deepimagine_tui.tui.run_files import FigureKind, run_choices
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.figure_view import FigureView
from deepimagine_tui.tui.widgets.graph_tree import GraphTree
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.tabs import TabbedPart, TabStrip

if TYPE_CHECKING:
    from deepimagine_exporters.preview import Preview

NOTHING = (
    "No run to show. Run a what-if on Imagine (2) or a forecast on Forecast (3) and press g there, "
    "or choose a kept run on Runs (5)."
)
REDRAW = 1.5
"""A figure is drawn this often at most while a run goes on, in seconds: drawing takes the processor from the screen."""
KINDS: tuple[FigureKind, ...] = ("graph", "trajectory", "forest")


@dataclass
class FigureDrawn(Message):
    """A figure was drawn; `refused` says why there is none."""

    kind: FigureKind
    graph: ReasoningGraph
    preview: Preview | None
    refused: str = ""


class GraphScreen(HouseScreen):
    """One run at a time: the one handed over, else the one that runs."""

    NAME = "Graph"
    CSS_PATH = "graph.tcss"
    HELP = "The reasoning graph of a run. [ and ] change the figure, f gives it the screen, z shows all of it, e writes it."
    BINDINGS: ClassVar[list[BindingType]] = bind("graph.alone", "graph.whole", "tabs.back", "tabs.forth")

    def __init__(self) -> None:
        super().__init__()
        self.graph = ReasoningGraph()
        self._handed_over = False
        self._whole = False
        self._timer: Timer | None = None
        self._cancel = Event()
        self._drawn: dict[FigureKind, ReasoningGraph] = {}

    def body(self) -> ComposeResult:
        """Tree with detail, and figures."""
        figures = TabbedPart(
            *((kind.capitalize(), FigureView(id=f"figure-{kind}")) for kind in KINDS), id="graph-figures"
        )  # fmt: skip
        yield Panes(
            Pane(
                "Graph",
                Static(NOTHING, id="graph-nothing", classes="empty", markup=False),
                GraphTree(),
                DrawnPane(id="graph-detail"),
                id="graph-tree-pane",
            ),
            Pane("Figure", figures, id="graph-figure-pane"),
        )

    def on_mount(self) -> None:
        """Follow the runs."""
        self.house.run_signal.subscribe(self, self._run_updated, immediate=True)
        self.watch(self.query_one(TabStrip), "active", self._tab_changed, init=False)
        self._show(anew=True)

    def on_screen_resume(self) -> None:
        """What ran meanwhile is shown."""
        super().on_screen_resume()
        if not self._handed_over and self.house.graph != self.graph:
            self._take(self.house.graph)
        else:
            self._draw_figure()

    # Which run

    def receive(self, given: object) -> None:
        """Show the graph that another screen hands over."""
        match given:
            case ReasoningGraph():
                self._handed_over = given.started is not None
                self._take(given)
                if given.started is not None:
                    self.call_after_refresh(self.query_one(GraphTree).focus)
            case _:
                super().receive(given)

    def _run_updated(self, update: RunUpdate) -> None:
        if isinstance(update.event, TokensArrived) or update.queued:
            return
        if self._handed_over and _run_id(self.graph) != update.request.run_id:
            if self.is_current:
                return
            self._handed_over = False
        if update.graph.started is not None and update.graph != self.graph:
            self._take(update.graph)

    def _take(self, graph: ReasoningGraph) -> None:
        anew = _run_id(graph) != _run_id(self.graph)
        self.graph = graph
        self._show(anew=anew)

    def _show(self, *, anew: bool) -> None:
        root, tree = tree_of(self.graph), self.query_one(GraphTree)
        self.query_one("#graph-nothing").display = root is None
        tree.display = self.query_one("#graph-detail").display = root is not None
        self.query_one("#graph-figure-pane", Pane).border_subtitle = ""
        if root is not None:
            tree.show(root, anew=anew)
            self._show_detail(root if anew or tree.cursor_node is None else tree.cursor_node.data or root)
        self.refresh_bindings()
        if anew:
            self._drawn = {}
        self._draw_soon()

    # The detail

    @on(Tree.NodeHighlighted)
    def _highlighted(self, event: Tree.NodeHighlighted[TreeLine]) -> None:
        if event.node.data is not None:
            self._show_detail(event.node.data)

    def _show_detail(self, line: TreeLine) -> None:
        graph = self.graph

        def draw(width: int, _height: int) -> Content:
            return detail_of(graph, line, width)

        pane = self.query_one("#graph-detail", DrawnPane)
        pane.draw_with(draw)
        pane.scroll_home(animate=False)

    # The figure

    @property
    def kind(self) -> FigureKind:
        """The figure that is shown."""
        return KINDS[self.query_one(TabStrip).active]

    def _tab_changed(self) -> None:
        self._draw_figure()

    def _draw_soon(self) -> None:
        if self._timer is None:
            wait = 0.01 if self.graph.finished is not None or not self._drawn else REDRAW
            self._timer = self.set_timer(wait, self._draw_now)

    def _draw_now(self) -> None:
        self._timer = None
        self._draw_figure()

    def _draw_figure(self) -> None:
        kind, graph = self.kind, self.graph
        view = self.query_one(f"#figure-{kind}", FigureView)
        if not graph.pathways:
            view.say("The figure of a run appears here." if graph.started is None else "Nothing to draw: no anchor was found.")
            return
        if not self.is_current or self._drawn.get(kind) is graph:
            return
        if view.preview is None:
            view.say("Drawing…")
        self._drawn[kind] = graph
        self._cancel.set()
        self._cancel = Event()
        fit = (view.size.width, view.size.height) if self._whole and view.size.width else None
        self.draw(graph, kind, fit, self._cancel)

    @work(thread=True, exclusive=True, exit_on_error=False, group="figure", description="draw the figure")
    def draw(self, graph: ReasoningGraph, kind: FigureKind, fit: tuple[int, int] | None, cancel: Event) -> None:
        """Draw the figure in cells."""
        from deepimagine_exporters.preview import preview

        try:
            found = preview(graph, kind, fit=fit, cancel=cancel)
        except CancelledError:
            # A newer figure is being drawn.
            return
        except RefusedError as error:
            self.post_message(FigureDrawn(kind, graph, None, str(error)))
            return
        self.post_message(FigureDrawn(kind, graph, found))

    @on(FigureDrawn)
    def _figure_drawn(self, event: FigureDrawn) -> None:
        view = self.query_one(f"#figure-{event.kind}", FigureView)
        if event.preview is None:
            view.say(event.refused)
        else:
            view.show(event.preview)

    def action_previous_tab(self) -> None:
        """The figure before."""
        self.query_one(TabStrip).action_previous_tab()

    def action_next_tab(self) -> None:
        """The next figure."""
        self.query_one(TabStrip).action_next_tab()

    def action_whole(self) -> None:
        """All of the figure, or as large as its texts need."""
        self._whole = not self._whole
        self._drawn = {}
        self._draw_figure()

    def action_alone(self) -> None:
        """The figure on the whole screen, or beside the tree."""
        alone = not self.has_class("-figure-alone")
        self.set_class(alone, "-figure-alone")
        self.show_pane("graph-figure-pane" if alone else "graph-tree-pane")
        if alone:
            self.call_after_refresh(self.query_one(f"#figure-{self.kind}", FigureView).focus)
        if self._whole:
            self._drawn = {}
            self.call_after_refresh(self._draw_figure)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a figure that is there can be shown otherwise."""
        return bool(self.graph.pathways) if action in ("whole", "alone") else super().check_action(action, parameters)

    def back(self) -> bool:
        """From the figure alone to the tree beside it."""
        if self.has_class("-figure-alone"):
            self.action_alone()
            return True
        return False

    def export_choices(self) -> list[ExportChoice]:
        """Figures, report and data of the run."""
        return run_choices(self.graph)


def _run_id(graph: ReasoningGraph) -> str:
    return graph.started.run_id if graph.started is not None else ""
