"""The read side of a corpus: one connection that cannot write, and everything that is asked of it.

A `Corpus` belongs to one thread at a time; `interrupt` alone may be called from another.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from deepimagine_tui.corpus import facets as facet_queries
from deepimagine_tui.corpus import search as search_queries
from deepimagine_tui.corpus.connection import explain, open_for_reading, open_for_writing
from deepimagine_tui.corpus.derive import docid, is_nct_id, unpack
from deepimagine_tui.corpus.query import (
    CorpusStats,
    DoseSeen,
    HistoryEntry,
    Provenance,
    QuarantineEntry,
    SearchPage,
    SearchQuery,
    TrialRow,
)
from deepimagine_tui.errors import CancelledError, NotFoundError
from deepimagine_tui.trials import codec
from deepimagine_tui.trials.model import Trial

PAGE_ROWS = 200


class Corpus:
    """An open corpus. Use `Corpus.open`, and close it or use it as a context manager."""

    def __init__(self, connection: sqlite3.Connection, path: Path, name: str = "") -> None:
        self.connection = connection
        self.path = path
        self.name = name or path.stem
        self._interrupted = False

    @classmethod
    def open(cls, path: Path, *, create: bool = False) -> Corpus:
        """Open the corpus at `path` for reading; with `create`, make it (or bring an older one up to date) first.

        Raises:
            NotFoundError: there is none, and `create` is false.
            CorpusError: it is damaged, locked, no corpus, or older and `create` is false.
            NewerSchemaError: a newer DeepImagine wrote it.
            StorageError: it cannot be made.
        """
        if create:
            open_for_writing(path).close()
        return cls(open_for_reading(path), path)

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Closing twice is allowed."""
        self.connection.close()

    def interrupt(self) -> None:
        """Stop the query that runs now, from any thread; it raises `CancelledError` in its own."""
        self._interrupted = True
        self.connection.interrupt()

    def has(self, nct_id: str) -> bool:
        """Whether the trial, by its id or an older one, is here."""
        with self.asking():
            return self._find(nct_id) is not None

    def get(self, nct_id: str) -> Trial:
        """The trial with this id, or with this older id.

        Raises:
            NotFoundError: it is not here; the hint names the nearest ids.
            NewerSchemaError: it was stored by a newer DeepImagine.
        """
        with self.asking():
            blob: bytes = self._record(nct_id, "trial")[0]
        return codec.decode(unpack(blob))

    def raw(self, nct_id: str) -> bytes:
        """The registry's own record, byte for byte.

        Raises:
            NotFoundError: the trial is not here, or came without its record (the starter corpus holds facts only).
        """
        with self.asking():
            blob: bytes | None = self._record(nct_id, "raw")[0]
        if blob is None:
            raise NotFoundError(
                f"The registry's record of {nct_id} is not kept here: this corpus holds facts only.",
                f"Fetch it first: deepimagine corpus fetch --id {nct_id}.",
            )
        return unpack(blob)

    def provenance(self, nct_id: str) -> Provenance:
        """Where the record came from and when.

        Raises:
            NotFoundError: the trial is not here.
        """
        with self.asking():
            return Provenance(*self._record(nct_id, "source, imported_at, raw_sha256"))

    def rows(self, nct_ids: Iterable[str]) -> tuple[TrialRow, ...]:
        """The result lines of these trials, in this order; those not here are left out."""
        with self.asking():
            found = [self._find(nct_id) for nct_id in nct_ids]
            return search_queries.rows_of(self.connection, [key for key in found if key is not None])

    def search(self, query: SearchQuery, limit: int = PAGE_ROWS, after: str | None = None) -> SearchPage:
        """A page of the trials that match, ranked; `after` is the `next_key` of the page before.

        Raises:
            UsageError: `after` is no key, or a date cannot be read.
            CancelledError: `interrupt` was called.
        """
        with self.asking():
            return search_queries.search(self.connection, query, limit, after)

    def suggest_removal(self, query: SearchQuery) -> str | None:
        """When nothing matches: the one filter (else word) whose removal helps most: `phase 3: 12 trials without it`."""
        with self.asking():
            return facet_queries.suggest_removal(self.connection, query)

    def facets(
        self, field: facet_queries.FacetField, words: str = "", query: SearchQuery | None = None, limit: int = 50
    ) -> list[tuple[str, int]]:
        """The values a filter can take and how many trials have each, the most frequent first.

        `words` are what was typed to narrow the values; `query` restricts the trials counted.
        """
        with self.asking():
            return facet_queries.facets(self.connection, field, words, query, limit)

    def doses_of(self, intervention: str) -> list[DoseSeen]:
        """The doses of a drug that trials here gave, by basis, unit and amount."""
        with self.asking():
            return facet_queries.doses_of(self.connection, intervention)

    def nct_ids(self) -> tuple[str, ...]:
        """Every trial here, the earliest registered first."""
        with self.asking():
            return tuple(nct_id for (nct_id,) in self.connection.execute("SELECT nct_id FROM records ORDER BY docid"))

    def programmes(self, nct_id: str) -> frozenset[str]:
        """The keys of the programmes the trial belongs to; trials that share one are never used to predict one another.

        Raises:
            NotFoundError: the trial is not here.
        """
        with self.asking():
            (key,) = self._record(nct_id, "docid")
            return frozenset(name for (name,) in self.connection.execute("SELECT key FROM programmes WHERE docid = ?", (key,)))

    def stats(self) -> CorpusStats:
        """What the corpus holds. `version` changes exactly when the canonical content does."""
        with self.asking():
            return facet_queries.stats(self.connection, self.name)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every ingest into this corpus, the latest first."""
        columns = ", ".join(f"coalesce({name}, '')" for name in HistoryEntry.__struct_fields__)
        with self.asking():
            rows = self.connection.execute(f"SELECT {columns} FROM ingests ORDER BY id DESC")
            return tuple(HistoryEntry(*row) for row in rows)

    def quarantine(self) -> tuple[QuarantineEntry, ...]:
        """The records that could not be read, by source and name."""
        with self.asking():
            rows = self.connection.execute("SELECT source, name, error, seen_at FROM quarantine ORDER BY source, name")
            return tuple(QuarantineEntry(*row) for row in rows)

    @contextmanager
    def asking(self) -> Iterator[sqlite3.Connection]:
        """The connection, for queries of this room; what SQLite says is raised as an error of ours."""
        self._interrupted = False
        try:
            yield self.connection
        except sqlite3.Error as error:
            if self._interrupted:
                raise CancelledError("The search was stopped.") from error
            raise explain(self.path, error) from error

    def _find(self, nct_id: str) -> int | None:
        wanted = nct_id.strip().upper()
        if not is_nct_id(wanted):
            return None
        found = self.connection.execute("SELECT docid FROM records WHERE docid = ?", (docid(wanted),)).fetchone()
        if found is None:
            found = self.connection.execute(
                "SELECT r.docid FROM aliases a JOIN records r ON r.nct_id = a.nct_id WHERE a.alias = ?", (wanted,)
            ).fetchone()
        return None if found is None else int(found[0])

    def _record(self, nct_id: str, columns: str) -> tuple[Any, ...]:
        key = self._find(nct_id)
        if key is None:
            raise NotFoundError(f"{nct_id} is not in this corpus.", self._nearest_hint(nct_id))
        found: tuple[Any, ...] = self.connection.execute(f"SELECT {columns} FROM records WHERE docid = ?", (key,)).fetchone()
        return found

    def _nearest_hint(self, nct_id: str) -> str:
        digits = "".join(character for character in nct_id if character.isdigit())[:8]
        if not digits:
            return "A registry id is NCT and eight digits."
        near = facet_queries.nearest_ids(self.connection, digits.zfill(8))
        return f"The nearest are {', '.join(near)}." if near else "The corpus is empty."
