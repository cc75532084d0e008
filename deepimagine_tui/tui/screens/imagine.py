"""Imagine: a what-if on the left, its chain as the model answers, what it looks like on the right."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.reasoning.events import TokensArrived
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.probe_results import RunProbes, probes_of
from deepimagine_tui.reasoning.request import AnchorRef, ImagineRequest, StepEdit, WhatIf
from deepimagine_tui.reasoning.state import Estimand, Perturbation
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice
from deepimagine_tui.tui.draft import NEW_SEEDS, Draft
from deepimagine_tui.tui.jobs.probe import ProbeUpdate
from deepimagine_tui.tui.jobs.run import RunUpdate
from deepimagine_tui.tui.run_files import run_choices
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.screens.step_edit import StepAnswer, StepEditor
from deepimagine_tui.tui.status import ShellStatus
from deepimagine_tui.tui.widgets.chain import ChainView
from deepimagine_tui.tui.widgets.figures import FiguresPart
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.seeds import SeedTable
from deepimagine_tui.tui.widgets.what_if import ChangeList, WhatIfPart


@dataclass
class ProbesRead(Message):
    """The probes of a run were read."""

    probes: RunProbes


QUEUED = "Queued until the model is ready."
ASKED = "Asking the model…"


class ImagineScreen(HouseScreen):
    """One what-if at a time."""

    NAME = "Imagine"
    CSS_PATH = "imagine.tcss"
    HELP = (
        "A what-if starts at a posted result and changes one factor after another; the model imagines the result of "
        "each change. ● observed, ○ imagined, ✎ entered by you."
    )
    BINDINGS: ClassVar[list[BindingType]] = bind(
        "imagine.run", "imagine.new-seed", "imagine.add", "imagine.anchor", "imagine.estimand", "imagine.probe", "imagine.graph"
    )

    def __init__(self) -> None:
        super().__init__()
        self.draft: Draft | None = None
        self.request: ImagineRequest | None = None
        self.graph = ReasoningGraph()
        self._asked: Draft | None = None
        self._probes: RunProbes | None = None

    def body(self) -> ComposeResult:
        """Three panes."""
        yield Panes(
            Pane("What if…", WhatIfPart(), id="what-if-pane"),
            Pane("Chain", ChainView(), id="chain-pane"),
            Pane("Figures", FiguresPart(), id="figure-pane"),
        )

    def on_mount(self) -> None:
        """Follow the runs."""
        self.house.run_signal.subscribe(self, self._run_updated, immediate=True)
        self.house.probe_signal.subscribe(self, self._probes_updated, immediate=True)
        self._take_probes(None)
        self._draw_figures()

    def show_status(self, status: ShellStatus) -> None:
        """The what-if shows the model that will be asked."""
        super().show_status(status)
        if self.draft is not None and self.is_mounted:
            self.query_one(WhatIfPart).show(self.draft, status.model)

    # The question

    def receive(self, given: object) -> None:
        """Start a what-if from (trial, anchor), or take an earlier one up again from (trial, request)."""
        match given:
            case (Trial() as trial, AnchorRef() as anchor):
                self.start_from(trial, anchor)
            case (Trial() as trial, ImagineRequest(question=WhatIf() as question) as request):
                self.start_from(trial, question.anchor)
                if self.draft is not None:
                    self.take(self.draft.asking_again(request, question))
            case _:
                super().receive(given)

    def start_from(self, trial: Trial, anchor: AnchorRef) -> None:
        """A new what-if; what runs goes on, its chain is left."""
        try:
            source = observed_state(trial, anchor)
        except DeepImagineError as error:
            self.house.show_error(error)
            return
        settings = self.draft.settings if self.draft else self.house.services.imagine_settings
        self.request, self.graph, self._asked = None, ReasoningGraph(), None
        self.query_one(ChainView).start("The chain of steps appears here as the model answers.")
        self.query_one(SeedTable).begin()
        self._take_probes(None)
        self.take(Draft(trial, anchor, source, settings))
        self.query_one(ChangeList).focus()

    def take(self, draft: Draft) -> None:
        """Show another draft of the question."""
        self.draft = draft
        self._name_chain()
        self.query_one(WhatIfPart).show(draft, self.house.status.model)
        self._draw_figures()
        self.refresh_bindings()

    def _name_chain(self) -> None:
        """Say so where the chain answers another question than the one now on the left."""
        pane = self.query_one("#chain-pane", Pane)
        stale = self._asked is not None and self._asked != self.draft
        pane.border_subtitle = "of the question before; r asks this one" if stale else ""

    def _try(self, change: Callable[[], Draft]) -> Draft | None:
        """Take the changed draft and return it, or say beside the changes what is wrong with it."""
        try:
            changed = change()
        except DeepImagineError as error:
            self.query_one(WhatIfPart).say(str(error))
            return None
        self.take(changed)
        return changed

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a question, a change or a run is offered only when there is one."""
        draft = self.draft
        if action in ("add_factor", "anchor", "estimand"):
            return draft is not None
        if action in ("run", "run_new_seed"):
            return draft is not None and bool(draft.changes) and not self.house.running
        if action == "probe":
            return self._probes is not None and self._probes.open and not self.house.running
        if action == "graph":
            return self.request is not None
        return super().check_action(action, parameters)

    def action_add_factor(self) -> None:
        """Choose one more change."""
        if self.draft is not None:
            self._choose_value(self.draft, len(self.draft.changes))

    @on(ChangeList.Chosen)
    def _change_chosen(self, event: ChangeList.Chosen) -> None:
        if self.draft is not None:
            self._choose_value(self.draft, event.index)

    def _choose_value(self, draft: Draft, index: int, *, run: bool = False) -> None:
        from deepimagine_tui.tui.screens.factor_picker import FactorPicker

        factor = draft.changes[index].factor if index < len(draft.changes) else None

        def chosen(change: Perturbation | None) -> None:
            if change is None:
                return
            changed = self._try(lambda: draft.added(change) if factor is None else draft.changed(index, change))
            if run and changed is not None:
                self._run(changed)

        self.app.push_screen(FactorPicker(draft.state_before(index), draft.trial, factor), chosen)

    @on(ChangeList.Removed)
    def _change_removed(self, event: ChangeList.Removed) -> None:
        draft = self.draft
        if draft is not None:
            self._try(lambda: draft.removed(event.index))

    @on(ChangeList.Moved)
    def _change_moved(self, event: ChangeList.Moved) -> None:
        draft = self.draft
        if draft is not None and self._try(lambda: draft.moved(event.index, event.by)):
            self.query_one(ChangeList).highlighted = min(max(event.index + event.by, 0), len(draft.changes) - 1)

    def action_anchor(self) -> None:
        """Choose another result of the trial to start from."""
        from deepimagine_tui.tui.screens.anchor_picker import AnchorPicker

        draft = self.draft
        if draft is None:
            return

        def chosen(anchor: AnchorRef | None) -> None:
            if anchor is not None:
                self.start_from(draft.trial, anchor)

        self.app.push_screen(AnchorPicker(draft.trial), chosen)

    def action_estimand(self) -> None:
        """Ask for arm values, or for the contrast alone."""
        if self.draft is not None:
            other: Estimand = "contrast" if self.draft.estimand == "arm values" else "arm values"
            self.take(replace(self.draft.fresh(), estimand=other))

    # The run

    def action_run(self) -> None:
        """Run the question; after a crash, go on from the step that stopped."""
        draft = self.draft
        if draft is None:
            return
        pathway = self.query_one(ChainView).pathway
        if _crashed(pathway) and draft is self._asked and pathway is not None and self.request is not None:
            answered = sum(step.estimated is not None for step in pathway.steps)
            draft = draft.going_on(self.request.run_id, pathway, answered)
        self._run(draft)

    def action_run_new_seed(self) -> None:
        """Run the same question with another seed."""
        if self.draft is not None:
            draft = self.draft.with_seed(secrets.randbelow(NEW_SEEDS))
            self._run(replace(draft, parent=self.request.run_id if self.request else ""))

    def _run(self, draft: Draft) -> None:
        request = draft.request()
        if not self.house.may_start():
            return
        self._asked, self.request, self.graph = draft, request, ReasoningGraph()
        self.take(draft)
        self.query_one(ChainView).start(ASKED)
        self._take_probes(None)
        self.show_pane("chain-pane")
        self.house.start_run(request)

    def _run_updated(self, update: RunUpdate) -> None:
        if self.request is None or update.request.run_id != self.request.run_id:
            return
        chain = self.query_one(ChainView)
        if update.event is None:
            self.refresh_bindings()
        if update.queued:
            chain.start(QUEUED)
            return
        self.graph = update.graph
        streaming = isinstance(update.event, TokensArrived)
        chain.show_graph(update.graph, running=not update.ended, streaming=streaming)
        if streaming:
            return
        self._draw_figures()
        if update.ended:
            if update.graph.finished is None and update.graph.started is None:
                chain.start("Nothing was asked.")
            chain.show_graph(update.graph, running=False)
            self.query_one(SeedTable).add(update.request, update.graph)
            self.read_probes(update.graph)
            self.refresh_bindings()

    def shows_run(self, run_id: str) -> bool:
        """Whether the chain is that of this run."""
        return self.request is not None and self.request.run_id == run_id

    # Its probes

    def action_probe(self) -> None:
        """Ask the run's question in other ways."""
        if self.house.start_probes(self.graph):
            self.query_one(FiguresPart).show_tab("Probes")
            self.show_pane("figure-pane")

    def _probes_updated(self, update: ProbeUpdate) -> None:
        if self._probes is None or not self.shows_run(update.run_id):
            return
        if update.progress is None:
            self.read_probes(self.graph)
        else:
            self.query_one(FiguresPart).show_probes(self._probes, update.progress)
        self.refresh_bindings()

    @work(thread=True, exclusive=True, exit_on_error=False, group="probes", description="read the probes of the run")
    def read_probes(self, graph: ReasoningGraph) -> None:
        """Read what the probes of the run showed so far."""
        if graph.started is not None:
            folder = self.house.services.runs().probes_folder(graph.started.run_id)
            self.post_message(ProbesRead(probes_of(graph, folder)))

    @on(ProbesRead)
    def _probes_read(self, event: ProbesRead) -> None:
        if self.shows_run(event.probes.run_id):
            self._take_probes(event.probes)

    def _take_probes(self, probes: RunProbes | None) -> None:
        self._probes = probes
        self.query_one(FiguresPart).show_probes(probes)
        self.refresh_bindings()

    # The figures

    def _draw_figures(self) -> None:
        self.query_one(FiguresPart).draw(self.draft, self.graph)
        self._show_prompt()

    @on(ChainView.Moved)
    def _show_prompt(self) -> None:
        chain = self.query_one(ChainView)
        self.query_one(FiguresPart).show_prompt(chain.pathway, chain.selected)

    # Editing a step

    @on(ChainView.EditWanted)
    def _edit_step(self) -> None:
        chain, draft, request = self.query_one(ChainView), self._asked, self.request
        pathway, index = chain.pathway, chain.selected - 1
        if draft is None or request is None or pathway is None or not 0 <= index < len(pathway.steps):
            return
        estimated = pathway.steps[index].estimated
        configuration = draft.configurations()[index + 1]

        def answered(answer: StepAnswer | None) -> None:
            match answer:
                case StepEdit():
                    self._run(draft.going_on(request.run_id, pathway, index, answer))
                case "again":
                    self._run(draft.going_on(request.run_id, pathway, index))
                case "value":
                    self._choose_value(draft.going_on(request.run_id, pathway, index), index, run=True)
                case None:
                    return

        self.app.push_screen(StepEditor(index, configuration, estimated.state if estimated else None), answered)

    # Leaving

    def action_graph(self) -> None:
        """Show the graph of this run on Graph."""
        if self.request is not None:
            self.house.hand_over("graph", self.graph)

    def export_choices(self) -> list[ExportChoice]:
        """Figures, report and data of the run."""
        return run_choices(self.graph, self._probes) if self.graph.started is not None else []


def _crashed(pathway: PathwayView | None) -> bool:
    failed = pathway.steps[-1].failed if pathway and pathway.steps else None
    return failed is not None and failed.kind == "model stopped"
