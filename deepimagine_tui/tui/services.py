"""What the screens need of the rest of DeepImagine, as one object that tests replace.

Every method may be slow and is called in worker threads only; nothing here touches a widget. Imports are deferred, so that the
first paint waits for none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Protocol

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.corpus.query import CorpusStats, DoseSeen, SearchPage, SearchQuery
from deepimagine_tui.errors import StorageError
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.request import ImagineRequest, ImagineSettings
from deepimagine_tui.trials.model import Trial

if TYPE_CHECKING:
    from deepimagine_tui.backends.catalogue import Catalogue, CatalogueEntry
    from deepimagine_tui.corpus.facets import FacetField
    from deepimagine_tui.evaluation.on_file import OnFile
    from deepimagine_tui.reasoning.graph import ReasoningGraph
    from deepimagine_tui.reasoning.probe_asking import ProbeProgress
    from deepimagine_tui.reasoning.runs import RunStore

Report = Callable[[str, float], None]
"""Called with a phase (`assembling`, `loading`) and a progress in [0, 1]."""


class CorpusReader(Protocol):
    """The part of `corpus.store.Corpus` that screens use. One reader serves one group of workers."""

    def get(self, nct_id: str) -> Trial:
        """The trial.

        Raises:
            NotFoundError: it is not in the corpus.
        """
        ...

    def search(self, query: SearchQuery, limit: int = 200, after: str | None = None) -> SearchPage:
        """A page of matches, continuing after the key `after`."""
        ...

    def suggest_removal(self, query: SearchQuery) -> str | None:
        """The one filter whose removal would find something."""
        ...

    def stats(self) -> CorpusStats:
        """What the corpus holds."""
        ...

    def facets(
        self, field: FacetField, words: str = "", query: SearchQuery | None = None, limit: int = 50
    ) -> Sequence[tuple[str, int]]:
        """Values of a filter that match `words`, with how many trials have them."""
        ...

    def doses_of(self, intervention: str) -> Sequence[DoseSeen]:
        """The doses of a drug that trials gave."""
        ...

    def interrupt(self) -> None:
        """Stop what the reader is doing; may be called from another thread."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(frozen=True)
class ModelChoice:
    """The model that will be used: known before anything of it is loaded."""

    name: str
    adapter: str = ""
    demo: bool = False
    host: str = ""


class Services(Protocol):
    """Everything that a screen can ask for."""

    @property
    def theme(self) -> str:
        """The theme to start with: `dark` or `light`."""
        ...

    @property
    def keymap(self) -> Mapping[str, str]:
        """Checked keys by action id."""
        ...

    @property
    def imagine_settings(self) -> ImagineSettings:
        """How to ask, until the user says otherwise."""
        ...

    @property
    def anchors(self) -> int:
        """How many anchors a forecast walks from, until the user says otherwise."""
        ...

    def open_corpus(self) -> CorpusReader:
        """A reader of its own for one group of workers."""
        ...

    def model_choice(self) -> ModelChoice:
        """Which model is the default; reads the catalogue only."""
        ...

    def open_model(self, report: Report, cancel: Event, confirm_remote: Callable[[str], bool]) -> ModelBackend:
        """Make the default model ready: assemble, check, load its header.

        `confirm_remote` asks before the first send to a host."""
        ...

    def imagine(
        self, request: ImagineRequest, backend: ModelBackend, cancel: Event, warn: Callable[[StorageError], None]
    ) -> Iterator[ReasoningEvent]:
        """Run the engine on one request and keep its journal; `warn` is told once when it cannot be kept."""
        ...

    def probe(self, graph: ReasoningGraph, backend: ModelBackend, cancel: Event) -> Iterator[ProbeProgress]:
        """Ask the probes of a run that have no answer yet, and keep them with it. Raises as `probe_asking.ask_probes` does."""
        ...

    def runs(self) -> RunStore:
        """The runs that were kept."""
        ...

    def catalogue(self) -> Catalogue:
        """The models known on this machine.

        Raises:
            BadInputError: the catalogue's file is damaged.
            NewerSchemaError: a newer version wrote it.
        """
        ...

    def models(self) -> Sequence[CatalogueEntry]:
        """The models to list; the one in use is as it is asked, with the adapter that the settings name, and is there even
        where they name a file that is not listed.

        Raises:
            BadInputError: the catalogue's file is damaged.
            NewerSchemaError: a newer version wrote it.
        """
        ...

    def on_file(self, entry: CatalogueEntry) -> OnFile:
        """The calibration and the records that a run of this model gets.

        Raises:
            RefusedError: the settings name the calibration of another model.
            BadInputError, NewerSchemaError: a file cannot be read.
        """
        ...

    def use_model(self, entry_id: str) -> None:
        """Make a listed model the one that is asked from now on, whatever the settings named.

        Raises:
            NotFoundError: there is no such model.
            StorageError: the choice cannot be written.
        """
        ...
