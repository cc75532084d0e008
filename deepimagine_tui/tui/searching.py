"""Searching from worker threads: one connection, one search at a time, the newest wins; and what the workers post."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from textual.message import Message

from deepimagine_tui.corpus.query import SearchPage, SearchQuery
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.services import CorpusReader, Services

PAGE = 200


class Found(NamedTuple):
    """A page of answers; `removal` says what to take out of a query that finds nothing."""

    page: SearchPage
    removal: str


class Searcher:
    """Owns the connection of the search box."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = Lock()
        self._reader: CorpusReader | None = None

    def interrupt(self) -> None:
        """Stop the search that runs, so that the next one need not wait."""
        if self._lock.locked() and self._reader is not None:
            self._reader.interrupt()

    def find(self, query: SearchQuery, after: str | None, is_stale: Callable[[], bool]) -> Found | None:
        """A page, or `None` when a newer search has been asked for meanwhile.

        Raises:
            CorpusError: the corpus cannot be read.
            CancelledError: `interrupt` was called.
        """
        with self._lock:
            if is_stale():
                return None
            if self._reader is None:
                self._reader = self._services.open_corpus()
            page = self._reader.search(query, PAGE, after)
            removal = "" if page.total or after else self._reader.suggest_removal(query) or ""
            return Found(page, removal)


@dataclass
class SearchAnswered(Message):
    """A search found something, or nothing. `ticket` tells a stale answer."""

    ticket: int
    after: str | None
    found: Found


@dataclass
class TrialLoaded(Message):
    """A trial was read."""

    trial: Trial


@dataclass
class TrialsToCompare(Message):
    """The marked trials were read."""

    trials: list[Trial]
