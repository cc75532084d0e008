"""What a command works with: the settings in force, the corpus, the model, and the user's wish to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING

import click

from deepimagine_tui import paths
from deepimagine_tui.cli.console import is_terminal
from deepimagine_tui.cli.progress import Progress
from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.settings import Settings

if TYPE_CHECKING:
    from deepimagine_tui.backends.catalogue import Catalogue, CatalogueEntry
    from deepimagine_tui.backends.protocol import ModelBackend
    from deepimagine_tui.corpus.store import Corpus


def corpus_path(settings: Settings) -> Path | None:
    """The corpus file to open: the one that was set, else the user's own if it exists; `None` means the starter corpus."""
    if settings.corpus:
        return Path(settings.corpus).expanduser()
    own = paths.default_corpus()
    return own if own.is_file() else None


@contextmanager
def opened_corpus(settings: Settings) -> Iterator[Corpus]:
    """The corpus in force, closed at the end.

    Raises:
        NotFoundError: there is no such file.
        CorpusError: it is locked, damaged, or not a corpus.
    """
    from deepimagine_tui.corpus.store import Corpus

    path = corpus_path(settings)
    if path is None:
        from deepimagine_tui.corpus.starter import open_starter

        corpus = open_starter()
    else:
        corpus = Corpus.open(path)
    try:
        yield corpus
    finally:
        corpus.close()


def choose_model(catalogue: Catalogue, settings: Settings, backend: str | None) -> CatalogueEntry:
    """The entry to answer with: the named one, else the first of the wanted kind, else the catalogue's default.

    Raises:
        NotFoundError: there is no such model.
        UsageError: the named model is of another kind, or there is none of the wanted kind.
    """
    from deepimagine_tui.backends.catalogue import SCRIPTED

    if backend == "scripted":
        return SCRIPTED
    kinds = {"llama.cpp": ("embedded", "file"), "openai": ("openai",)}.get(backend or "", ())
    if settings.model:
        entry = catalogue.get(settings.model)
        if kinds and entry.kind not in kinds:
            raise UsageError(
                f"{entry.id} is not a model for --backend {backend}.", "Leave --backend out, or name another --model."
            )
        return entry
    default = catalogue.default()
    if not kinds or default.kind in kinds:
        return default
    fitting = [entry for entry in catalogue.entries() if entry.kind in kinds]
    if not fitting:
        how = "models add FILE.gguf, or pip install 'deepimagine[local]'" if backend == "llama.cpp" else "models add --url URL"
        raise UsageError(f"There is no model for --backend {backend}.", f"Add one: deepimagine {how}")
    return fitting[0]


@contextmanager
def opened_backend(
    settings: Settings, backend: str | None, *, yes: bool, cancel: Event, concurrency: int | None = None
) -> Iterator[ModelBackend]:
    """The model in force, freed at the end. No weights are loaded yet, and nothing is sent. `concurrency` is how many requests
    may be open at a server at once.

    Raises:
        DeepImagineError: as `choose_model` and `catalogue.open_backend`.
    """
    from deepimagine_tui.backends.catalogue import REQUESTS_AT_ONCE, Catalogue, open_backend

    entry = choose_model(Catalogue.load(), settings, backend)
    adapter = Path(settings.adapter) if settings.adapter and entry.kind in ("embedded", "file") else None
    with Progress(f"Unpacking {entry.name}") as progress:
        model = open_backend(
            entry,
            offline=settings.offline,
            adapter=adapter,
            confirm_remote=lambda host: yes or _confirmed(host),
            progress=progress.share,
            cancel=cancel,
            concurrency=concurrency or REQUESTS_AT_ONCE,
        )
    try:
        yield model
    finally:
        model.close()


def _confirmed(host: str) -> bool:
    """Ask before the first send to `host`; without a terminal to ask in, the answer is no."""
    if not is_terminal(sys.stdin):
        raise RefusedError(f"Sending this question to {host} was not agreed to.", "Say --yes to agree.")
    return click.confirm(f"Send this question, with the trial's facts, to {host}?", err=True)


@contextmanager
def stoppable() -> Iterator[Event]:
    """An event that is set by the first Ctrl-C or SIGTERM, so that what was produced is kept; a second one ends at once."""
    cancel = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        # Not through a text stream: the signal may have come while one was being written to.
        os.write(2, b"\nStopping; what was produced is kept. Press Ctrl-C again to end at once.\n")

    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
