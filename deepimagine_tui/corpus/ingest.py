"""Reading records from disk into a corpus.

Records are committed in pages, so that a killed ingest loses at most the page it was writing; the same command again skips
what is there by the SHA-256 of the raw bytes and goes on. A record that cannot be read goes to quarantine with its error.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from threading import Event

from deepimagine_tui.corpus.connection import explained, open_for_writing
from deepimagine_tui.corpus.events import IngestCancelled, IngestEvent, IngestFinished, IngestProgress, IngestStarted
from deepimagine_tui.corpus.reader import Task
from deepimagine_tui.corpus.records import Counts, Item, Known, Unread, sha256_of
from deepimagine_tui.corpus.workers import Page, WorkerPool, read_here
from deepimagine_tui.corpus.writer import Writer
from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.trials.reading import BadRecord, RawRecord, iter_records

__all__ = ["IngestCancelled", "IngestEvent", "IngestFinished", "IngestProgress", "IngestStarted", "ingest"]

PAGE_RECORDS = 32
PAGE_BYTES = 4_000_000
"""A page ends at so many records or so many raw bytes, whichever comes first."""

FEW_RECORDS = 64
"""Up to here, starting child processes costs more than it saves."""

_WORKERS = 2


def ingest(corpus_path: Path, source: Path, cancel: Event) -> Iterator[IngestEvent]:
    """Read every record under `source` (a file, a folder or a zip) into the corpus, which is made when it does not exist.

    Ends in `IngestFinished` or `IngestCancelled`. Closing the generator early is like cancelling.

    Raises:
        NotFoundError: there is nothing at `source`.
        StorageError: the corpus cannot be written: no permission, no room. What was committed stays.
        CorpusError: it is damaged or in use by another process.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    if not source.exists():
        raise NotFoundError(f"There is nothing at {source}.", "Name a file, a folder or a zip of registry records.")
    started = time.monotonic()
    with explained(corpus_path), closing(open_for_writing(corpus_path)) as connection:
        writer = Writer(connection, "files", str(source.resolve()))
        yield IngestStarted(count_records(source))
        try:
            yield from _write(writer, source, cancel)
        except GeneratorExit:
            writer.finish("cancelled")
            raise
        except BaseException as error:
            _note_failure(writer, error)
            raise
        seconds = time.monotonic() - started
        if cancel.is_set():
            writer.finish("cancelled")
            yield IngestCancelled(*_counts(writer.counts), seconds)
        else:
            writer.tidy()
            writer.finish("finished")
            yield IngestFinished(*_counts(writer.counts), seconds)


def count_records(source: Path) -> int | None:
    """How many records a folder of single records holds, by the names in it; `None` where it takes reading to know."""
    if not source.is_dir():
        return None
    suffixes = [path.suffix.lower() for path in source.rglob("*")]
    if any(suffix in (".zip", ".ndjson", ".jsonl") for suffix in suffixes):
        return None
    return sum(suffix in (".xml", ".json") for suffix in suffixes)


def _counts(counts: Counts) -> tuple[int, int, int, int, int]:
    return counts.done, counts.added, counts.updated, counts.unchanged, counts.quarantined


def _note_failure(writer: Writer, error: BaseException) -> None:
    try:
        writer.finish("failed", str(error))
    except sqlite3.Error:
        # The history row cannot be written either (no room, file gone); the error itself is raised by the caller.
        return


def _write(writer: Writer, source: Path, cancel: Event) -> Iterator[IngestEvent]:
    entries = _entries(writer, source, cancel)
    first = list(islice(entries, FEW_RECORDS))
    pages = _pages(chain(first, entries))
    cores = min(_WORKERS, os.cpu_count() or 1)
    if len(first) < FEW_RECORDS or cores < 2:
        yield from _commit(writer, read_here(pages), cancel)
        return
    with WorkerPool(cores) as pool:
        yield from _commit(writer, pool.read(pages), cancel)


def _commit(writer: Writer, pages: Iterator[list[Item]], cancel: Event) -> Iterator[IngestEvent]:
    for page in pages:
        counts = writer.write(page)
        yield IngestProgress(*_counts(counts), page[-1].name)
        if cancel.is_set():
            return


def _entries(writer: Writer, source: Path, cancel: Event) -> Iterator[Item | Task]:
    for record in iter_records(source):
        if cancel.is_set():
            return
        match record:
            case BadRecord(name=name, error=error):
                yield Unread(name, str(error))
            case RawRecord(name=name, raw=raw):
                sha256 = sha256_of(raw)
                yield Known(name) if writer.has_raw(sha256) else Task(name, raw, sha256)


def _pages(entries: Iterator[Item | Task]) -> Iterator[Page]:
    page: list[Item | Task] = []
    size = 0
    for entry in entries:
        page.append(entry)
        size += len(entry.raw) if isinstance(entry, Task) else 0
        if len(page) >= PAGE_RECORDS or size >= PAGE_BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page
