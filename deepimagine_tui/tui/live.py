"""The services of the running app: the settings in force, the corpus, the catalogue's model, the engine and its journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from deepimagine_tui import paths, settings
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import StorageError
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.request import ImagineRequest, ImagineSettings
from deepimagine_tui.settings import Settings
from deepimagine_tui.tui.keymap import keymap_file, load_keymap
from deepimagine_tui.tui.services import CorpusReader, ModelChoice, Report

if TYPE_CHECKING:
    from deepimagine_tui.backends.catalogue import Catalogue, CatalogueEntry
    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.evaluation.on_file import OnFile
    from deepimagine_tui.reasoning.graph import ReasoningGraph
    from deepimagine_tui.reasoning.probe_asking import ProbeProgress
    from deepimagine_tui.reasoning.runs import RunStore


class LiveServices:
    """What the app works with outside tests."""

    def __init__(self, chosen: Settings, keymap: Mapping[str, str]) -> None:
        self.settings = chosen
        self.keymap = keymap

    @property
    def theme(self) -> str:
        """The theme of the settings."""
        return self.settings.theme

    @property
    def imagine_settings(self) -> ImagineSettings:
        """The part of the settings that says how to ask."""
        chosen = self.settings
        return ImagineSettings(
            chosen.seed, chosen.temperature, chosen.top_p, chosen.max_reasoning_tokens, chosen.samples
        )  # fmt: skip

    @property
    def anchors(self) -> int:
        """The number of anchors of the settings."""
        return self.settings.anchors

    def open_corpus(self) -> CorpusReader:
        """The corpus that was set, else the user's own if there is one, else the starter."""
        return self._corpus()

    def _corpus(self) -> Corpus:
        from deepimagine_tui.corpus.starter import open_starter
        from deepimagine_tui.corpus.store import Corpus

        if self.settings.corpus:
            return Corpus.open(Path(self.settings.corpus).expanduser())
        own = paths.default_corpus()
        return Corpus.open(own) if own.is_file() else open_starter()

    def _entry(self) -> CatalogueEntry:
        from deepimagine_tui.backends.catalogue import Catalogue

        catalogue = Catalogue.load()
        return catalogue.get(self.settings.model) if self.settings.model else catalogue.default()

    def _adapter(self, entry: CatalogueEntry) -> Path | None:
        return Path(self.settings.adapter) if self.settings.adapter and entry.kind in ("embedded", "file") else None

    def model_choice(self) -> ModelChoice:
        """The model that was set, else the catalogue's default."""
        entry = self._entry()
        adapter = self._adapter(entry) or (Path(entry.adapter) if entry.adapter else None)
        host = urlsplit(entry.url).netloc if entry.kind == "openai" else ""
        return ModelChoice(entry.id, adapter.stem if adapter else "", entry.kind == "scripted", host)

    def open_model(self, report: Report, cancel: Event, confirm_remote: Callable[[str], bool]) -> ModelBackend:
        """Assemble the model where that is needed, and load it, so that the first run does not wait."""
        from deepimagine_tui.backends.catalogue import open_backend

        entry = self._entry()
        backend = open_backend(
            entry,
            offline=self.settings.offline,
            adapter=self._adapter(entry),
            confirm_remote=confirm_remote,
            progress=lambda share: report("assembling", share),
            cancel=cancel,
        )
        if entry.kind in ("embedded", "file"):
            report("loading", 1.0)
            backend.count_tokens([""])
        return backend

    def imagine(
        self, request: ImagineRequest, backend: ModelBackend, cancel: Event, warn: Callable[[StorageError], None]
    ) -> Iterator[ReasoningEvent]:
        """The engine's events, each written to the run's journal before it is shown."""
        from contextlib import closing

        from deepimagine_tui.backends.adapter_facts import trained_on
        from deepimagine_tui.evaluation.on_file import on_file
        from deepimagine_tui.reasoning.anchors import CorpusAnchors
        from deepimagine_tui.reasoning.engine import imagine
        from deepimagine_tui.reasoning.journal import record

        path = self.runs().path(request.run_id)
        known = on_file(backend.info, self.settings.calibration)
        with closing(self._corpus()) as corpus:
            events = imagine(
                [request],
                backend,
                CorpusAnchors(corpus),
                cancel,
                trained_on=trained_on(backend.info),
                calibration=known.calibration,
                records=known.records,
            )
            yield from record(events, path, warn)

    def probe(self, graph: ReasoningGraph, backend: ModelBackend, cancel: Event) -> Iterator[ProbeProgress]:
        """Asked as the run was, with the calibration in force."""
        from contextlib import closing

        from deepimagine_tui.evaluation.on_file import on_file
        from deepimagine_tui.reasoning.anchors import CorpusAnchors
        from deepimagine_tui.reasoning.probe_asking import ask_probes

        folder = self.runs().probes_folder(graph.started.run_id if graph.started is not None else "")
        known = on_file(backend.info, self.settings.calibration)
        with closing(self._corpus()) as corpus:
            yield from ask_probes(graph, backend, CorpusAnchors(corpus), folder, cancel, calibration=known.calibration)

    def runs(self) -> RunStore:
        """The runs of the user's workspace."""
        from deepimagine_tui.reasoning.runs import RunStore

        return RunStore.default()

    def catalogue(self) -> Catalogue:
        """The catalogue, read anew."""
        from deepimagine_tui.backends.catalogue import Catalogue

        return Catalogue.load()

    def models(self) -> Sequence[CatalogueEntry]:
        """Those of the catalogue, the one in use first where it is not among them."""
        entry = self._entry()
        adapter = self._adapter(entry)
        used = msgspec.structs.replace(entry, adapter=str(adapter)) if adapter is not None else entry
        listed = tuple(used if each.id == used.id else each for each in self.catalogue().entries())
        return listed if used in listed else (used, *listed)

    def on_file(self, entry: CatalogueEntry) -> OnFile:
        """By the hashes of its weights, or of the one in use by the path in the settings."""
        from deepimagine_tui.backends.facts import identity
        from deepimagine_tui.evaluation.on_file import on_file

        return on_file(identity(entry), self.settings.calibration if entry.id == self._entry().id else "")

    def use_model(self, entry_id: str) -> None:
        """Written to the catalogue; a model named by the settings gives way until the app is closed."""
        self.catalogue().use(entry_id)
        self.settings = msgspec.structs.replace(self.settings, model="")


def live_services() -> LiveServices:
    """The services on the settings and the key map in force.

    Raises:
        UsageError: one of them cannot be understood.
    """
    return LiveServices(settings.load(), load_keymap(keymap_file()))
