"""Runs: every what-if and forecast that was kept, and what came of each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.reasoning.probe_results import RunProbes, probes_of
from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf
from deepimagine_tui.reasoning.runs import RunStore, RunSummary
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice
from deepimagine_tui.tui.jobs.probe import ProbeUpdate
from deepimagine_tui.tui.jobs.run import RunUpdate
from deepimagine_tui.tui.run_details import run_details
from deepimagine_tui.tui.run_files import run_choices
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.run_table import RunTable

NOTHING = "No run yet. Start a what-if on Browse with i, or a forecast with f; every run is kept here."
MOST_COMPARED = 4


@dataclass
class RunsListed(Message):
    """The kept runs, newest first."""

    runs: tuple[RunSummary, ...]


@dataclass
class RunOpened(Message):
    """A run was read."""

    summary: RunSummary
    graph: ReasoningGraph
    probes: RunProbes


@dataclass
class TrialRead(Message):
    """The trial that a question starts from was read."""

    trial: Trial
    request: ImagineRequest


@dataclass
class RunsRead(Message):
    """Marked runs were read, to be compared."""

    graphs: tuple[ReasoningGraph, ...]


class RunsScreen(HouseScreen):
    """The list on the left, the run under the cursor on the right."""

    NAME = "Runs"
    HELP = "Every run is kept. g shows its graph, r asks again, p probes, n names; space marks and c compares marked runs."
    BINDINGS: ClassVar[list[BindingType]] = bind(
        "runs.graph", "runs.again", "runs.probe", "runs.rename", "runs.delete", "list.compare"
    )

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, RunSummary] = {}
        self._opened: RunOpened | None = None

    def body(self) -> ComposeResult:
        """List and run."""
        yield Panes(
            Pane("Runs", RunTable(), Static(NOTHING, id="no-runs", classes="empty", markup=False), id="runs-list"),
            Pane("Run", DrawnPane(id="run-details"), id="run-pane"),
        )

    def on_mount(self) -> None:
        """List what is kept, and again whenever a run ends."""
        self.house.run_signal.subscribe(self, self._run_ended, immediate=True)
        self.house.probe_signal.subscribe(self, self._probes_updated, immediate=True)
        self.query_one("#no-runs").display = False

    def on_screen_resume(self) -> None:
        """Runs may have been added."""
        super().on_screen_resume()
        self.list_runs()

    def _run_ended(self, update: RunUpdate) -> None:
        if update.ended and self.is_current:
            self.list_runs()

    # Reading

    @work(thread=True, exclusive=True, exit_on_error=False, group="runs", description="list the runs")
    def list_runs(self) -> None:
        """Read the list."""
        self.post_message(RunsListed(self.house.services.runs().list()))

    @work(thread=True, exclusive=True, exit_on_error=False, group="run", description="open the run")
    def open_run(self, summary: RunSummary) -> None:
        """Read one run."""
        runs = self.house.services.runs()
        graph = runs.show(summary.run_id)
        self.post_message(RunOpened(summary, graph, probes_of(graph, runs.probes_folder(summary.run_id))))

    @work(thread=True, exclusive=True, exit_on_error=False, group="compare", description="compare the runs")
    def read_runs(self, run_ids: tuple[str, ...]) -> None:
        """Read the marked runs."""
        runs = self.house.services.runs()
        self.post_message(RunsRead(tuple(runs.show(run_id) for run_id in run_ids)))

    @work(thread=True, exclusive=True, exit_on_error=False, group="change", description="change the run")
    def change_run(self, change: Callable[[RunStore], None]) -> None:
        """Rename or delete, then list anew."""
        runs = self.house.services.runs()
        change(runs)
        self.post_message(RunsListed(runs.list()))

    @on(RunsListed)
    def _listed(self, event: RunsListed) -> None:
        self._runs = {run.run_id: run for run in event.runs}
        table = self.query_one(RunTable)
        table.show(event.runs)
        table.display = bool(event.runs)
        self.query_one("#no-runs").display = not event.runs
        self.query_one("#runs-list", Pane).border_subtitle = _counted(len(event.runs))
        if not event.runs:
            self._opened = None
            self.query_one("#run-details", DrawnPane).draw_with(lambda _width, _height: Content(""))
        elif self.focused is None:
            table.focus()
        self.refresh_bindings()

    @on(DataTable.RowHighlighted, "#runs")
    def _highlighted(self) -> None:
        summary = self._current
        if summary is None:
            return
        if summary.outcome == "unreadable":
            self._opened = None
            said = Content(summary.answer)
            self.query_one("#run-details", DrawnPane).draw_with(lambda _width, _height: said)
        else:
            self.open_run(summary)

    @on(RunOpened)
    def _run_opened(self, event: RunOpened) -> None:
        if self._current is None or event.summary.run_id != self._current.run_id:
            return
        again = self._opened is not None and self._opened.summary.run_id == event.summary.run_id
        self._opened = event
        self._draw(event, None)
        if not again:
            self.query_one("#run-details", DrawnPane).scroll_home(animate=False)
        self.refresh_bindings()

    def _draw(self, opened: RunOpened, progress: ProbeProgress | None) -> None:
        self.query_one("#run-details", DrawnPane).draw_with(
            lambda width, _height: run_details(opened.summary, opened.graph, width, opened.probes, progress)
        )

    def _probes_updated(self, update: ProbeUpdate) -> None:
        opened = self._opened
        if opened is None or opened.summary.run_id != update.run_id:
            return
        if update.progress is None:
            self.open_run(opened.summary)
        else:
            self._draw(opened, update.progress)
        self.refresh_bindings()

    @property
    def _current(self) -> RunSummary | None:
        return self._runs.get(self.query_one(RunTable).cursor_key)

    # Acting

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a run is offered only when there is one under the cursor."""
        if not self.is_mounted:
            return True
        if action in ("graph", "again"):
            return self._opened is not None
        if action == "probe":
            return self._opened is not None and self._opened.probes.open and not self.house.running
        if action in ("rename", "delete"):
            return self._current is not None
        if action == "compare":
            return len(self.query_one(RunTable).marked) > 1
        return super().check_action(action, parameters)

    @on(RunTable.MarksChanged)
    def _marked(self) -> None:
        self.refresh_bindings()

    @on(DataTable.RowSelected, "#runs")
    def action_graph(self) -> None:
        """Show the graph of the run."""
        if self._opened is not None:
            self.house.hand_over("graph", self._opened.graph)

    def action_again(self) -> None:
        """Take the question to where it can be changed and asked."""
        if self._opened is None or self._opened.graph.started is None:
            return
        request = self._opened.graph.started.request
        if isinstance(request.question, WhatIf):
            self.read_trial(request, request.question.anchor.nct_id)
        else:
            self.house.hand_over("forecast", request)

    @work(thread=True, exclusive=True, exit_on_error=False, group="trial", description="read the run's trial")
    def read_trial(self, request: ImagineRequest, nct_id: str) -> None:
        """Read the trial that a what-if started from."""
        with closing(self.house.services.open_corpus()) as corpus:
            self.post_message(TrialRead(corpus.get(nct_id), request))

    @on(TrialRead)
    def _trial_read(self, event: TrialRead) -> None:
        self.house.hand_over("imagine", (event.trial, event.request))

    def action_probe(self) -> None:
        """Ask the run's question in other ways; the numbers appear with the run."""
        if self._opened is not None and self.house.start_probes(self._opened.graph):
            self.show_pane("run-pane")

    def action_rename(self) -> None:
        """Ask for a name."""
        from deepimagine_tui.tui.screens.ask_line import AskLine

        summary = self._current
        if summary is None:
            return

        def named(name: str | None) -> None:
            if name is not None:
                self.change_run(lambda runs: runs.rename(summary.run_id, name))

        self.app.push_screen(AskLine("Name of this run", summary.name, "Rename"), named)

    def action_delete(self) -> None:
        """Ask, then delete."""
        from deepimagine_tui.tui.screens.dialog import Question

        summary = self._current
        if summary is None:
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.change_run(lambda runs: runs.delete(summary.run_id))

        text = f"{summary.name or summary.target}: delete this run? It cannot be brought back."
        self.app.push_screen(Question("Delete", text, "Delete"), answered)

    def action_compare(self) -> None:
        """Show the marked runs side by side."""
        marked = tuple(self.query_one(RunTable).marked)
        if len(marked) > MOST_COMPARED:
            self.notify(f"At most {MOST_COMPARED} runs fit side by side.", severity="warning", markup=False)
            return
        self.read_runs(marked)

    @on(RunsRead)
    def _compare(self, event: RunsRead) -> None:
        from deepimagine_tui.tui.screens.compare_runs import CompareRuns

        self.app.push_screen(CompareRuns(event.graphs))

    def export_choices(self) -> list[ExportChoice]:
        """Figures, report and data of the run under the cursor."""
        return run_choices(self._opened.graph, self._opened.probes) if self._opened is not None else []


def _counted(runs: int) -> str:
    return "" if not runs else "1 run" if runs == 1 else f"{runs} runs"
