"""Fetching studies from ClinicalTrials.gov into a corpus, politely and resumably.

One request a second; waits longer when the registry says so; each page is one transaction together with the token of the next.
A fetch that was stopped goes on from its token; one that was completed before asks only for what was updated since.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import httpx
import msgspec

from deepimagine_tui.corpus.connection import explained, open_for_writing
from deepimagine_tui.corpus.derive import is_nct_id
from deepimagine_tui.corpus.records import Counts, Item, Known, Read, read_record, sha256_of
from deepimagine_tui.corpus.registry_query import FetchQuery, parameters
from deepimagine_tui.corpus.writer import Writer
from deepimagine_tui.errors import DeepImagineError, NetworkError, NotFoundError, UsageError

REGISTRY = "https://clinicaltrials.gov/api/v2"
SECONDS_BETWEEN = 1.0
ATTEMPTS = 6
LONGEST_WAIT = 120.0

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LATER = "What was fetched is kept; the same command goes on from there."


class FetchStarted(msgspec.Struct, frozen=True, tag="fetch_started", tag_field="type"):
    """The first page arrived. `total` as the registry counts (`None` when resumed); `since` is set for updates only."""

    total: int | None
    resumed: bool
    since: str


class FetchWaiting(msgspec.Struct, frozen=True, tag="fetch_waiting", tag_field="type"):
    """The registry did not answer as it should; trying again in `seconds`."""

    seconds: float
    reason: str


class FetchProgress(msgspec.Struct, frozen=True, tag="fetch_progress", tag_field="type"):
    """A page was committed; counts are of this fetch so far."""

    counts: Counts
    current: str


class FetchFinished(msgspec.Struct, frozen=True, tag="fetch_finished", tag_field="type"):
    """Everything was fetched. `missing` are ids the registry does not know. `seconds` of wall time."""

    counts: Counts
    missing: tuple[str, ...]
    seconds: float


class FetchCancelled(msgspec.Struct, frozen=True, tag="fetch_cancelled", tag_field="type"):
    """Stopped on request; the same command goes on from there."""

    counts: Counts
    seconds: float


FetchEvent = FetchStarted | FetchWaiting | FetchProgress | FetchFinished | FetchCancelled


class _Page(msgspec.Struct):
    studies: list[msgspec.Raw]
    next_page_token: str = msgspec.field(default="", name="nextPageToken")
    total_count: int | None = msgspec.field(default=None, name="totalCount")


class _Cursor(msgspec.Struct, frozen=True):
    """Where a listing stands: the next page, the day it is restricted to, and the day on which it was begun."""

    token: str
    since: str
    began: str


class _TokenExpiredError(Exception):
    """The page token is no longer known."""


class RegistryClient:
    """The registry's interface at `base_url`. `clock` and `pause` measure and pass the time between requests, in seconds."""

    def __init__(
        self,
        base_url: str = REGISTRY,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float, Event], object] = lambda seconds, cancel: cancel.wait(seconds),
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        self._pause = pause
        self._last: float | None = None
        self._http = httpx.Client(timeout=60, headers={"User-Agent": "deepimagine"}, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch(self, corpus_path: Path, query: FetchQuery, cancel: Event) -> Iterator[FetchEvent]:
        """Fetch what `query` asks for into the corpus. Ends in `FetchFinished` or `FetchCancelled`.

        Raises:
            NetworkError: the registry cannot be reached, or kept failing. What was fetched stays.
            UsageError: the registry does not understand the query.
            StorageError, CorpusError, NewerSchemaError: as for any writing.
        """
        started = self._clock()
        asked = msgspec.json.encode(query).decode()
        with explained(corpus_path), closing(open_for_writing(corpus_path)) as connection:
            before = _before(connection, self.base_url, asked)
            writer = Writer(connection, "registry", self.base_url, query=asked)
            missing: list[str] = []
            try:
                if query.ids:
                    yield from self._studies(writer, query.ids, missing, cancel)
                else:
                    yield from self._listing(writer, query, before, cancel)
            except GeneratorExit:
                writer.finish("cancelled")
                raise
            except DeepImagineError as error:
                writer.finish("failed", str(error))
                raise
            seconds = self._clock() - started
            if cancel.is_set():
                writer.finish("cancelled")
                yield FetchCancelled(writer.counts, seconds)
            else:
                writer.tidy()
                writer.finish("finished")
                yield FetchFinished(writer.counts, tuple(missing), seconds)

    def _listing(self, writer: Writer, query: FetchQuery, cursor: _Cursor, cancel: Event) -> Generator[FetchEvent, None, None]:
        resumed = bool(cursor.token)
        first = True
        while not cancel.is_set():
            wanted = parameters(query, cursor.since)
            if cursor.token:
                del wanted["countTotal"]
                wanted["pageToken"] = cursor.token
            try:
                page = yield from self._page(wanted, cancel)
            except _TokenExpiredError:
                # The registry's data changed under the token: list anew; what is here already is skipped by its digest.
                cursor, resumed = _Cursor("", cursor.since, cursor.began), False
                continue
            if page is None:
                return
            if first:
                yield FetchStarted(page.total_count, resumed, cursor.since)
                first = False
            items = [_item(writer, bytes(study), f"study {at}") for at, study in enumerate(page.studies, 1)]
            cursor = _Cursor(page.next_page_token, cursor.since, cursor.began)
            counts = writer.write(items, msgspec.json.encode(cursor).decode())
            yield FetchProgress(counts, items[-1].name if items else "")
            if not cursor.token:
                return

    def _studies(
        self, writer: Writer, ids: tuple[str, ...], missing: list[str], cancel: Event
    ) -> Generator[FetchEvent, None, None]:
        yield FetchStarted(len(ids), resumed=False, since="")
        for nct_id in ids:
            if not is_nct_id(nct_id.strip().upper()):
                missing.append(nct_id)
                continue
            response = yield from self._ask(f"/studies/{nct_id.strip().upper()}", {"format": "json"}, cancel)
            if response is None:
                return
            if response.status_code == httpx.codes.NOT_FOUND:
                missing.append(nct_id)
                continue
            _require_ok(response)
            item = _item(writer, response.content, nct_id, alias=nct_id.strip().upper())
            yield FetchProgress(writer.write([item]), nct_id)
        if missing and len(missing) == len(ids):
            raise NotFoundError(f"The registry knows no {', '.join(missing)}.", "A registry id is NCT and eight digits.")

    def _page(self, wanted: dict[str, str], cancel: Event) -> Generator[FetchEvent, None, _Page | None]:
        for attempt in range(1, ATTEMPTS + 1):
            response = yield from self._ask("/studies", wanted, cancel)
            if response is None:
                return None
            if response.status_code == httpx.codes.BAD_REQUEST and "pageToken" in wanted:
                raise _TokenExpiredError
            _require_ok(response)
            try:
                return msgspec.json.decode(response.content, type=_Page)
            except msgspec.DecodeError:
                yield from self._wait(attempt, "the page was not complete", None, cancel)
        raise NetworkError("The registry keeps answering with something that is no page of studies.", _LATER)

    def _ask(self, path: str, wanted: dict[str, str], cancel: Event) -> Generator[FetchEvent, None, httpx.Response | None]:
        """One answer, asked for again while the registry is busy; `None` once cancelled. Redirects stay at the registry."""
        url: httpx.URL | str = self.base_url + path
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            if cancel.is_set():
                return None
            self._take_turn(cancel)
            try:
                response = self._http.get(url, params=wanted)
                while response.is_redirect and response.next_request is not None:
                    url = response.next_request.url
                    if url.host != httpx.URL(self.base_url).host:
                        raise NetworkError(
                            f"The registry sends us to another host ({url.host}).", "Nothing was fetched from there."
                        )
                    self._take_turn(cancel)
                    response = self._http.get(url)
                    wanted = {}
            except httpx.TransportError as error:
                reason, after = f"the connection failed ({error or type(error).__name__})", None
            else:
                if response.status_code not in _RETRIED:
                    return response
                reason, after = f"the registry answered {response.status_code}", response.headers.get("Retry-After")
            if attempt < ATTEMPTS:
                yield from self._wait(attempt, reason, after, cancel)
        raise NetworkError(f"After {ATTEMPTS} attempts {reason}.", _LATER)

    def _wait(self, attempt: int, reason: str, after: str | None, cancel: Event) -> Generator[FetchEvent, None, None]:
        seconds = float(after) if after and after.isdecimal() else 2.0**attempt
        seconds = min(seconds, LONGEST_WAIT)
        yield FetchWaiting(seconds, reason)
        self._pause(seconds, cancel)

    def _take_turn(self, cancel: Event) -> None:
        if self._last is not None:
            rest = SECONDS_BETWEEN - (self._clock() - self._last)
            if rest > 0:
                self._pause(rest, cancel)
        self._last = self._clock()


def _item(writer: Writer, raw: bytes, name: str, alias: str = "") -> Item:
    if writer.has_raw(sha256_of(raw)):
        return Known(name)
    item = read_record(name, raw)
    if isinstance(item, Read):
        aliases = {*item.derived.aliases, alias} - {"", item.derived.nct_id}
        derived = msgspec.structs.replace(item.derived, aliases=tuple(sorted(aliases)))
        return msgspec.structs.replace(item, name=derived.nct_id, derived=derived)
    return item


def _require_ok(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.BAD_REQUEST:
        raise UsageError(f"The registry does not understand the question: {response.text[:200]}", "Change the filters.")
    if not response.is_success:
        raise NetworkError(f"The registry answered {response.status_code}.", _LATER)


def _before(connection: sqlite3.Connection, source: str, asked: str) -> _Cursor:
    """Where an earlier fetch of the same question left off: its token, or the day from which updates are to be asked for."""
    rows = connection.execute(
        "SELECT state, token FROM ingests WHERE kind = 'registry' AND source = ? AND query = ? ORDER BY id DESC",
        (source, asked),
    )
    today = time.strftime("%Y-%m-%d", time.gmtime())
    for state, token in rows:
        cursor = msgspec.json.decode(token, type=_Cursor) if token else None
        if cursor is not None and state != "finished":
            return cursor
        if cursor is not None:
            return _Cursor("", cursor.began, today)
    return _Cursor("", "", today)
