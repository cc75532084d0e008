"""Stand-ins for what the app needs: a corpus in memory, a model that is ready at once, runs from prepared events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import cast

from deepimagine_tui.backends.catalogue import Catalogue, CatalogueEntry
from deepimagine_tui.backends.facts import identity
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.corpus.query import CorpusStats, DoseSeen, SearchPage, SearchQuery, TrialRow
from deepimagine_tui.errors import NotFoundError, StorageError
from deepimagine_tui.evaluation.on_file import OnFile, on_file
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.reasoning.request import DEFAULT_ANCHORS, ImagineRequest, ImagineSettings
from deepimagine_tui.reasoning.runs import RunStore
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.services import CorpusReader, ModelChoice, Report


class FakeCorpus:
    """A corpus of given trials; words match the title."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self.trials = {trial.nct_id: trial for trial in trials}
        self.queries: list[SearchQuery] = []

    def get(self, nct_id: str) -> Trial:
        if nct_id not in self.trials:
            raise NotFoundError(f"{nct_id} is not in this corpus.")
        return self.trials[nct_id]

    def search(self, query: SearchQuery, limit: int = 200, after: str | None = None) -> SearchPage:
        self.queries.append(query)
        found = [trial for trial in self.trials.values() if self._matches(query, trial)]
        start = int(after or 0)
        page = found[start : start + limit]
        following = str(start + limit) if start + limit < len(found) else None
        return SearchPage(tuple(_row(trial) for trial in page), len(found), following)

    def _matches(self, query: SearchQuery, trial: Trial) -> bool:
        words = query.words.lower().split()
        text = f"{trial.nct_id} {trial.title} {' '.join(trial.conditions)}".lower()
        return (
            all(word in text for word in words)
            and (query.phase is None or query.phase in trial.phases)
            and (query.has_results is None or query.has_results == trial.has_results)
        )

    def suggest_removal(self, query: SearchQuery) -> str | None:
        return "phase" if query.phase else None

    def stats(self) -> CorpusStats:
        return CorpusStats(
            name="fake", trials=len(self.trials), with_results=1, dose_ranging=1, outcomes=1, cells=1, contrasts=1,
            quarantined=0,            data_date="2026-10-01", version="1", phases={}, conditions={},
        )  # fmt: skip

    def facets(
        self, field: str, words: str = "", query: SearchQuery | None = None, limit: int = 50
    ) -> Sequence[tuple[str, int]]:
        return [("Type 2 diabetes", 2)] if field == "condition" else [("3", 2), ("2", 1)]

    def doses_of(self, intervention: str) -> Sequence[DoseSeen]:
        return [DoseSeen(2.0, "mg", "flat", None, None, ("NCT00000001", "NCT00000002"))]

    def interrupt(self) -> None:
        return None

    def close(self) -> None:
        return None


def _row(trial: Trial) -> TrialRow:
    return TrialRow(
        trial.nct_id, trial.title, trial.phases, trial.conditions, tuple(each.name for each in trial.interventions),
        len(trial.arms), trial.enrolment, trial.results_posted.text if trial.results_posted else "", trial.status,
        trial.has_results, False, len(trial.countries),
    )  # fmt: skip


class NoModel:
    """A backend that is never asked."""

    def close(self) -> None:
        return None


class FakeServices:
    """Services over given trials. `events` makes the events of a run; `hold_model` keeps the model from getting ready."""

    def __init__(
        self,
        trials: Sequence[Trial] = (),
        *,
        theme: str = "dark",
        keymap: Mapping[str, str] | None = None,
        events: Callable[[ImagineRequest, Event], Iterator[ReasoningEvent]] | None = None,
        hold_model: Event | None = None,
    ) -> None:
        self.corpus = FakeCorpus(trials)
        self.theme = theme
        self.keymap: Mapping[str, str] = keymap or {}
        self.requests: list[ImagineRequest] = []
        self.imagine_settings = ImagineSettings()
        self.anchors = DEFAULT_ANCHORS
        self._events = events
        self._hold = hold_model

    def open_corpus(self) -> CorpusReader:
        return cast("CorpusReader", self.corpus)

    def model_choice(self) -> ModelChoice:
        return ModelChoice("scripted", demo=True)

    def open_model(self, report: Report, cancel: Event, confirm_remote: Callable[[str], bool]) -> ModelBackend:
        if self._hold is not None:
            report("assembling", 0.42)
            self._hold.wait(10)
        return cast("ModelBackend", NoModel())

    def imagine(
        self, request: ImagineRequest, backend: ModelBackend, cancel: Event, warn: Callable[[StorageError], None]
    ) -> Iterator[ReasoningEvent]:
        self.requests.append(request)
        yield from self._events(request, cancel) if self._events else ()

    def probe(self, graph: ReasoningGraph, backend: ModelBackend, cancel: Event) -> Iterator[ProbeProgress]:
        yield from ()

    def runs(self) -> RunStore:
        return RunStore.default()

    def catalogue(self) -> Catalogue:
        return Catalogue.load()

    def models(self) -> Sequence[CatalogueEntry]:
        return self.catalogue().entries()

    def on_file(self, entry: CatalogueEntry) -> OnFile:
        return on_file(identity(entry))

    def use_model(self, entry_id: str) -> None:
        self.catalogue().use(entry_id)
