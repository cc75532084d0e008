"""Forecast: a target on the left; on the right its anchors, their pathways as the model walks them, and the aggregate."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from deepimagine_tui.errors import DeepImagineError, NotFoundError
from deepimagine_tui.reasoning.events import TokensArrived
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice
from deepimagine_tui.tui.draft import MOST_SEED
from deepimagine_tui.tui.forecast_audit import Check, audit, audit_text
from deepimagine_tui.tui.forecast_draft import ForecastDraft, TargetFields, default_cutoff, fields_of
from deepimagine_tui.tui.forecast_text import NOTHING, aggregate_text, why_text
from deepimagine_tui.tui.jobs.run import RunUpdate
from deepimagine_tui.tui.run_files import run_choices
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.screens.reading import PathwayDialog, ReadingDialog
from deepimagine_tui.tui.status import ShellStatus
from deepimagine_tui.tui.widgets.drawn import DrawnPane
from deepimagine_tui.tui.widgets.forecast_table import ForecastTable
from deepimagine_tui.tui.widgets.forecast_target import TargetLine, TargetList, TargetPart
from deepimagine_tui.tui.widgets.panes import Pane, Panes

QUEUED = "Queued until the model is ready."
ASKED = "Looking for anchors…"


@dataclass
class TargetRead(Message):
    """The registered target of a question that is asked again was read."""

    trial: Trial


@dataclass
class Audited(Message):
    """A run was audited."""

    checks: tuple[Check, ...]


class ForecastScreen(HouseScreen):
    """One forecast at a time."""

    NAME = "Forecast"
    CSS_PATH = "forecast.tcss"
    HELP = (
        "A forecast walks from trials whose results are known (anchors, ●) to a planned one, one factor at a time, and "
        "aggregates what the model imagines there (○). Nothing posted after the cutoff is used."
    )
    BINDINGS: ClassVar[list[BindingType]] = bind(
        "forecast.run", "forecast.new-seed", "forecast.new", "forecast.why", "forecast.drop", "forecast.audit", "forecast.graph"
    )

    def __init__(self) -> None:
        super().__init__()
        self.draft: ForecastDraft | None = None
        self.request: ImagineRequest | None = None
        self.graph = ReasoningGraph()
        self._going = False
        self._said = NOTHING
        self._found = ""

    def body(self) -> ComposeResult:
        """Two panes."""
        yield Panes(
            Pane("Target", TargetPart(), id="target-pane"),
            Pane("Anchors and pathways", ForecastTable(), DrawnPane(id="aggregate"), id="pathways-pane"),
        )

    def on_mount(self) -> None:
        """Follow the runs."""
        self.house.run_signal.subscribe(self, self._run_updated, immediate=True)
        self._show_run()

    def show_status(self, status: ShellStatus) -> None:
        """The target shows the model that will be asked."""
        super().show_status(status)
        if self.draft is not None and self.is_mounted:
            self.query_one(TargetPart).show(self.draft, status.model)

    # The question

    def receive(self, given: object) -> None:
        """Take a registered trial as target, or a question that is asked again."""
        match given:
            case Trial() as trial:
                self.start_from(trial)
            case ImagineRequest(question=Forecast()) as request:
                self.ask_again(request)
            case _:
                super().receive(given)

    def start_from(self, trial: Trial) -> None:
        """Forecast a registered trial; what runs goes on, its pathways are left."""
        services = self.house.services
        try:
            target = target_of(trial)
        except DeepImagineError as error:
            self.house.show_error(error)
            return
        draft = ForecastDraft(target, default_cutoff(trial), trial, trial.nct_id, None, services.anchors)
        self._begin(replace(draft, settings=services.imagine_settings))

    def ask_again(self, request: ImagineRequest) -> None:
        """The question of an earlier run, to be changed and asked."""
        question = request.question
        if not isinstance(question, Forecast):
            return
        draft = ForecastDraft(question.target, question.cutoff, None, question.nct_id, None, question.k)
        self._begin(
            replace(
                draft, settings=request.settings, drop=question.drop, estimand=request.estimand, parent=request.run_id
            )
        )  # fmt: skip
        if question.nct_id is not None:
            self.read_target(question.nct_id)

    @work(thread=True, exclusive=True, exit_on_error=False, group="target", description="read the target")
    def read_target(self, nct_id: str) -> None:
        """Read the registered target."""
        # The question stands without its trial: it is asked as it was.
        with closing(self.house.services.open_corpus()) as corpus, suppress(NotFoundError):
            self.post_message(TargetRead(corpus.get(nct_id)))

    @on(TargetRead)
    def _target_read(self, event: TargetRead) -> None:
        if self.draft is not None and self.draft.nct_id == event.trial.nct_id:
            self.take(replace(self.draft, trial=event.trial))

    def _begin(self, draft: ForecastDraft) -> None:
        self.request, self.graph, self._going, self._said = None, ReasoningGraph(), False, NOTHING
        self.take(draft)
        self._show_run()
        self.show_pane("target-pane")
        self.call_after_refresh(self.query_one(TargetList).focus)

    def take(self, draft: ForecastDraft) -> None:
        """Show another draft of the question."""
        self.draft = draft
        self.query_one(TargetPart).show(draft, self.house.status.model)
        self.refresh_bindings()

    def action_new(self) -> None:
        """Describe a trial of one's own."""
        from deepimagine_tui.tui.screens.target_fields import TargetFieldsDialog

        draft = self.draft
        now = TargetFields()
        if draft is not None and draft.nct_id is None:
            now = draft.typed or fields_of(draft.target)

        def described(typed: TargetFields | None) -> None:
            if typed is None:
                return
            if draft is not None and draft.nct_id is None:
                self.take(replace(draft, target=typed.target(), typed=typed))
                return
            services = self.house.services
            own = ForecastDraft(typed.target(), default_cutoff(None), typed=typed, k=services.anchors)
            self._begin(replace(own, settings=services.imagine_settings))

        self.app.push_screen(TargetFieldsDialog(now), described)

    @on(TargetList.Chosen)
    def _line_chosen(self, event: TargetList.Chosen) -> None:
        draft = self.draft
        if draft is None:
            return
        match event.line:
            case "fields":
                self.action_new()
            case "arm" | "against" | "outcome":
                self._pick(draft, event.line)
            case "cutoff":
                self._ask("Nothing posted after this day is used", draft.cutoff, draft.with_cutoff)
            case "anchors":
                self._ask("At most this many anchors", str(draft.k), draft.with_anchors)
            case "dropped":
                self.take(replace(draft, drop=()))
            case "asks":
                self.take(replace(draft, estimand="contrast" if draft.estimand == "arm values" else "arm values"))
            case "seed":
                self._ask("Seed", str(draft.settings.seed), draft.with_seed_text)

    def _ask(self, title: str, now: str, changed: Callable[[str], ForecastDraft]) -> None:
        from deepimagine_tui.tui.screens.ask_line import AskLine

        def answered(text: str | None) -> None:
            if text is not None:
                self._try(lambda: changed(text))

        self.app.push_screen(AskLine(title, now, "Change"), answered)

    def _pick(self, draft: ForecastDraft, line: TargetLine) -> None:
        from deepimagine_tui.tui.screens.pick_one import PickOne

        trial = draft.trial
        if trial is None:
            return
        arms = [arm.label for arm in trial.arms]
        outcomes = [f"{each.title}  [{each.role}, {each.time_frame}]" for each in trial.planned_outcomes]
        side = draft.target.arm if line == "arm" else draft.target.comparator
        now = draft.outcome_index if line == "outcome" else arms.index(side.label) if side and side.label in arms else 0
        titles = {"arm": "Which arm", "against": "Against which arm", "outcome": "Which planned outcome"}

        def chosen(index: int | None) -> None:
            if index is None:
                return
            match line:
                case "outcome":
                    self._try(lambda: draft.planned_as(outcome=index))
                case "arm":
                    self._try(lambda: draft.planned_as(arm=arms[index]))
                case _:
                    self._try(lambda: draft.planned_as(comparator=arms[index]))

        self.app.push_screen(PickOne(titles[line], outcomes if line == "outcome" else arms, now), chosen)

    def _try(self, change: Callable[[], ForecastDraft]) -> None:
        try:
            draft = change()
        except DeepImagineError as error:
            self.query_one(TargetPart).say(str(error))
        else:
            self.take(draft)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a target, a pathway or a run is offered only when there is one."""
        if action in ("run", "run_new_seed"):
            return self.draft is not None
        if action in ("why", "drop"):
            return bool(self.graph.pathways)
        if action == "audit":
            return self.graph.started is not None and not self._going
        if action == "graph":
            return self.graph.started is not None
        return super().check_action(action, parameters)

    # The run

    def action_run(self) -> None:
        """Run the forecast."""
        if self.draft is not None:
            self._run(self.draft)

    def action_run_new_seed(self) -> None:
        """Run the same forecast with another seed."""
        if self.draft is not None:
            parent = self.request.run_id if self.request else ""
            self._run(replace(self.draft.with_seed(secrets.randbelow(MOST_SEED)), parent=parent))

    def action_drop(self) -> None:
        """Run again without the anchor under the cursor."""
        number = self.query_one(ForecastTable).cursor_pathway
        if self.draft is None or number is None or number >= len(self.graph.pathways):
            return
        dropped = self.draft.dropping(self.graph.pathways[number].anchor.state.nct_id)
        self._run(replace(dropped, parent=self.request.run_id if self.request else ""))

    def _run(self, draft: ForecastDraft) -> None:
        if not self.house.may_start():
            return
        self.take(draft)
        self.request, self.graph, self._going, self._said = draft.request(), ReasoningGraph(), True, ASKED
        self._show_run()
        self.show_pane("pathways-pane")
        self.house.start_run(self.request)

    def _run_updated(self, update: RunUpdate) -> None:
        if self.request is None or update.request.run_id != self.request.run_id:
            return
        self.graph, self._going = update.graph, not update.ended
        streaming = isinstance(update.event, TokensArrived)
        if isinstance(self.app.screen, PathwayDialog):
            self.app.screen.show_graph(update.graph, running=self._going, streaming=streaming)
        if streaming:
            return
        self._said = QUEUED if update.queued else ASKED
        if update.ended and update.graph.started is None:
            self._said = "Nothing was asked."
        self._show_run()

    def _show_run(self) -> None:
        graph, running, said = self.graph, self._going, self._said
        backtest = self.draft is not None and self.draft.is_backtest
        table, text = self.query_one(ForecastTable), self.query_one("#aggregate", DrawnPane)
        appears = bool(graph.pathways) and not table.display
        table.display = bool(graph.pathways)
        table.show(graph, running=running)
        if appears and self.focused is text:
            table.focus()
        text.set_class(bool(graph.pathways), "-below")

        def draw(width: int, _height: int) -> Content:
            shown = aggregate_text(graph, running=running, width=width, backtest=backtest)
            return shown if shown.plain else Content.styled(said, "dim")

        text.draw_with(draw)
        self.refresh_bindings()

    @on(DataTable.RowSelected, "#pathways")
    def _pathway_chosen(self) -> None:
        number = self.query_one(ForecastTable).cursor_pathway
        if number is not None and number < len(self.graph.pathways):
            self.app.push_screen(PathwayDialog(number, self.graph, running=self._going))

    # What it stands on

    def action_why(self) -> None:
        """Why these anchors: how alike each is, in every part."""
        from deepimagine_tui.corpus.similarity import WEIGHTS

        graph = self.graph
        self.app.push_screen(ReadingDialog("Why these anchors", lambda width, _height: why_text(graph, dict(WEIGHTS), width)))

    def action_audit(self) -> None:
        """What the forecast knew."""
        self.audit_run(self.graph)

    @work(thread=True, exclusive=True, exit_on_error=False, group="audit", description="audit the forecast")
    def audit_run(self, graph: ReasoningGraph) -> None:
        """Read the target and the anchors, and check."""
        question = graph.started.request.question if graph.started else None
        own = question.nct_id if isinstance(question, Forecast) else None
        wanted = [pathway.anchor.state.nct_id for pathway in graph.pathways] + ([own] if own else [])
        trials: dict[str, Trial] = {}
        with closing(self.house.services.open_corpus()) as corpus:
            for nct_id in wanted:
                # A run may come from another corpus: what is not here is said to be unknown.
                with suppress(NotFoundError):
                    trials[nct_id] = corpus.get(nct_id)
        self.post_message(Audited(audit(graph, trials.get(own) if own else None, trials)))

    @on(Audited)
    def _audited(self, event: Audited) -> None:
        self.app.push_screen(ReadingDialog("Audit: what this forecast knew", lambda _w, _h: audit_text(event.checks)))

    # Leaving

    def find(self) -> None:
        """Ask for words, and go to the next row that has them."""
        from deepimagine_tui.tui.screens.ask_line import AskLine

        def answered(words: str | None) -> None:
            if not words:
                return
            self._found = words
            if not self.query_one(ForecastTable).find(words):
                self.notify(f"No row has {words}.", markup=False)

        self.app.push_screen(AskLine("Find in the anchors", self._found, "Find"), answered)

    def action_graph(self) -> None:
        """Show the graph of this run on Graph."""
        if self.graph.started is not None:
            self.house.hand_over("graph", self.graph)

    def export_choices(self) -> list[ExportChoice]:
        """Figures, report and data of the run."""
        return run_choices(self.graph)
