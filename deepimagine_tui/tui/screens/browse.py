"""Browse: find a trial, read what it posted, start from any row of it."""

from __future__ import annotations

from contextlib import closing
from typing import ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import DataTable, Input, Static
from textual.worker import get_current_worker

from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.filters import chips, in_order, nothing_found, with_filter
from deepimagine_tui.tui.jobs.corpus import CorpusOpened
from deepimagine_tui.tui.screens.base import HouseScreen
from deepimagine_tui.tui.searching import SearchAnswered, Searcher, TrialLoaded, TrialsToCompare
from deepimagine_tui.tui.widgets.filter_bar import FilterBar
from deepimagine_tui.tui.widgets.line import SearchLine
from deepimagine_tui.tui.widgets.panes import Pane, Panes
from deepimagine_tui.tui.widgets.table import HouseTable
from deepimagine_tui.tui.widgets.trial_pane import ResultsList, TrialPane
from deepimagine_tui.tui.widgets.trial_table import TrialTable

DEBOUNCE = 0.08
_FOLLOW = 0.06
MOST_COMPARED = 4


class BrowseScreen(HouseScreen):
    """The trials of the corpus on the left, one of them on the right."""

    NAME = "Browse"
    AUTO_FOCUS = ""
    CSS_PATH = "browse.tcss"
    HELP = "Browse the corpus. / searches as you type; the trial under the cursor is shown beside the list."
    BINDINGS: ClassVar[list[BindingType]] = bind(
        "browse.imagine", "browse.forecast", "browse.filter", "browse.unfilter", "list.compare"
    )

    def __init__(self) -> None:
        super().__init__()
        self._asked = SearchQuery()
        self._ticket = 0
        self._next: str | None = None
        self._total = 0
        self._loading_more = False
        self._to_list = True
        """Whether the next answer takes the focus to the list: at the start, and after enter in the search line."""
        self._timer: Timer | None = None
        self._follow: Timer | None = None
        self._searcher: Searcher | None = None

    def body(self) -> ComposeResult:
        """Search line, chips, list; and the trial."""
        yield Panes(
            Pane(
                "Trials",
                Horizontal(Static("/", id="slash"), SearchLine(placeholder="search words", id="words"), id="search"),
                FilterBar(),
                Static("Opening the corpus…", id="nothing", classes="empty", markup=False),
                TrialTable(),
                id="trials-pane",
            ),
            Pane("Trial", TrialPane(), id="trial-pane"),
        )

    def on_mount(self) -> None:
        """Search as soon as the corpus is open."""
        self.query_one(TrialTable).display = False
        self.query_one(TrialPane).show_nothing("")
        self._searcher = Searcher(self.house.services)
        self.house.corpus_signal.subscribe(self, self._corpus_opened)
        if self.house.corpus_open:
            self._search_now()

    def _corpus_opened(self, _event: CorpusOpened) -> None:
        self._search_now()

    @property
    def asked(self) -> SearchQuery:
        """What is searched for."""
        return self._asked

    # Searching

    @on(Input.Changed, "#words")
    def _typed(self, event: Input.Changed) -> None:
        self._asked = replace(self._asked, words=event.value)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._search_now)

    @on(Input.Submitted, "#words")
    def _submitted(self) -> None:
        self._to_list = True
        self._search_now()

    def ask(self, query: SearchQuery) -> None:
        """Search for something else."""
        self._asked = query
        self.query_one(FilterBar).query_shown = query
        self._search_now()

    def _search_now(self) -> None:
        if self._searcher is None or not self.house.corpus_open:
            return
        if self._timer is not None:
            self._timer.stop()
        self._ticket += 1
        self._searcher.interrupt()
        self.search(self._searcher, in_order(self._asked), None, self._ticket)

    @work(thread=True, exclusive=True, exit_on_error=False, group="search", description="search the corpus")
    def search(self, searcher: Searcher, query: SearchQuery, after: str | None, ticket: int) -> None:
        """Find a page of trials."""
        worker = get_current_worker()
        found = searcher.find(query, after, lambda: worker.is_cancelled)
        if found is not None:
            self.post_message(SearchAnswered(ticket, after, found))

    @on(SearchAnswered)
    def _answered(self, event: SearchAnswered) -> None:
        if event.ticket != self._ticket:
            return
        page, table = event.found.page, self.query_one(TrialTable)
        self._next, self._total, self._loading_more = page.next_key, page.total, False
        if event.after is None:
            table.show(page.rows)
            table.display = bool(page.rows)
            nothing = self.query_one("#nothing", Static)
            nothing.display = not page.rows
            nothing.update(nothing_found(self._asked, event.found.removal))
            if self._to_list and page.rows:
                table.focus()
            self._to_list = False
            if not page.rows:
                self._show_no_trial()
        else:
            table.extend(page.rows)
        self._count()

    def _show_no_trial(self) -> None:
        self.query_one(TrialPane).show_nothing("No trial.")
        self.query_one("#trial-pane", Pane).title = "Trial"
        self._relabel()
        self.refresh_bindings()

    def _count(self) -> None:
        table = self.query_one(TrialTable)
        marked = f"{len(table.marked)} marked · " if table.marked else ""
        of = self.house.status.corpus.trials
        more = " ▼" if self._next else ""
        matches = f"{self._total:,} of {of:,}" if of is not None else f"{self._total:,}"
        self.query_one("#trials-pane", Pane).border_subtitle = Content(f"{marked}{matches}{more}")

    @on(TrialTable.NearEnd)
    def _more(self) -> None:
        if self._next is not None and not self._loading_more and self._searcher is not None:
            self._loading_more = True
            self.search(self._searcher, in_order(self._asked), self._next, self._ticket)

    # The trial beside the list

    @on(TrialTable.Current)
    def _current(self, event: TrialTable.Current) -> None:
        if self._follow is not None:
            self._follow.stop()
        self._follow = self.set_timer(_FOLLOW, lambda: self.load(event.nct_id))

    @work(thread=True, exclusive=True, exit_on_error=False, group="trial", description="read a trial")
    def load(self, nct_id: str) -> None:
        """Read the trial under the cursor."""
        worker = get_current_worker()
        with closing(self.house.services.open_corpus()) as corpus:
            trial = corpus.get(nct_id)
        if not worker.is_cancelled:
            self.post_message(TrialLoaded(trial))

    @on(TrialLoaded)
    def _loaded(self, event: TrialLoaded) -> None:
        self.query_one("#trial-pane", Pane).title = event.trial.nct_id
        self._relabel()
        self.query_one(TrialPane).show_trial(event.trial)
        self.refresh_bindings()

    @on(DataTable.RowSelected, "#trials")
    def _opened(self) -> None:
        self.show_pane("trial-pane")
        self.call_after_refresh(self.query_one(ResultsList).focus)

    # Actions

    @property
    def trial(self) -> Trial | None:
        """The trial that is shown."""
        return self.query_one(TrialPane).trial if self.is_mounted else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A trial without results offers the forecast alone; comparing needs marks."""
        if action == "imagine":
            return self.trial is not None and self.trial.has_results
        if action == "forecast":
            return self.trial is not None
        if action == "compare":
            return bool(self.is_mounted and len(self.query_one(TrialTable).marked) > 1)
        if action == "unfilter":
            return bool(chips(self._asked))
        return super().check_action(action, parameters)

    def action_imagine(self) -> None:
        """Start a what-if from the row under the cursor, or from the trial's default anchor."""
        from deepimagine_tui.tui.starting import anchor_at

        trial = self.trial
        if trial is None:
            return
        results = self.query_one(ResultsList)
        try:
            anchor = anchor_at(trial, results.place if results.has_focus else None)
        except DeepImagineError as error:
            self.house.show_error(error)
            return
        self.house.imagine_from(trial, anchor)

    def action_forecast(self) -> None:
        """Forecast the trial that is shown."""
        if self.trial is not None:
            self.house.forecast_trial(self.trial)

    @on(FilterBar.Wanted)
    def action_filter(self) -> None:
        """Choose a filter and its value."""
        from deepimagine_tui.tui.screens.filter_picker import FilterPicker

        def chosen(query: SearchQuery | None) -> None:
            if query is not None:
                self.ask(query)

        self.app.push_screen(FilterPicker(self._asked), chosen)

    def action_unfilter(self) -> None:
        """Take out the filter added last."""
        self.ask(with_filter(self._asked, chips(self._asked)[-1].name, None))

    @on(FilterBar.Removed)
    def _chip_removed(self, event: FilterBar.Removed) -> None:
        self.ask(with_filter(self._asked, event.name, None))

    @on(HouseTable.MarksChanged)
    def _marked(self) -> None:
        self._count()
        self.refresh_bindings()

    def action_compare(self) -> None:
        """Read the marked trials and show them side by side."""
        marked = list(self.query_one(TrialTable).marked)
        if len(marked) > MOST_COMPARED:
            self.notify(f"The first {MOST_COMPARED} marked trials are compared.", markup=False)
        self.load_marked(marked[:MOST_COMPARED])

    @work(thread=True, exclusive=True, exit_on_error=False, group="compare", description="read the marked trials")
    def load_marked(self, nct_ids: list[str]) -> None:
        """Read the trials to compare."""
        with closing(self.house.services.open_corpus()) as corpus:
            trials = [corpus.get(nct_id) for nct_id in nct_ids]
        self.post_message(TrialsToCompare(trials))

    @on(TrialsToCompare)
    def _compare(self, event: TrialsToCompare) -> None:
        from deepimagine_tui.tui.screens.compare import CompareTrials

        self.app.push_screen(CompareTrials(event.trials))

    def find(self) -> None:
        """`/` goes to the search line; from within the trial it finds words there."""
        if self.focused is not None and self.query_one(TrialPane) in self.focused.ancestors_with_self:
            super().find()
        else:
            self.set_focus(self.query_one("#words", Input))

    def back(self) -> bool:
        """From the search line to the list; from the trial to the list."""
        table = self.query_one(TrialTable)
        if table.display and self.focused is not table:
            table.focus()
            return True
        if not table.display and self.focused is not None:
            self.set_focus(None)
            return True
        return False
