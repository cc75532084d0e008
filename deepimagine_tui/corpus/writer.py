"""Writing trials into a corpus: one page, one transaction, the counts of its history row included."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec
from sqlite_utils import Database

from deepimagine_tui.corpus import schema
from deepimagine_tui.corpus.connection import transaction
from deepimagine_tui.corpus.derive import Derived, derive, docid, unpack
from deepimagine_tui.corpus.records import Counts, Item, Known, Read, Unread
from deepimagine_tui.trials import codec

_TIDY_SHARE = 20

State = Literal["running", "finished", "cancelled", "failed", "interrupted"]


def utc_now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Writer:
    """One ingest into one corpus: its history row and the pages it writes.

    An ingest of the same source that was left running was killed; it is marked `interrupted`, and its `token` is kept.
    """

    def __init__(
        self, connection: sqlite3.Connection, kind: str, source: str, *, query: str = "", now: Callable[[], str] = utc_now
    ) -> None:
        self.connection = connection
        self.counts = Counts()
        self._database = Database(connection)
        self._source = source
        self._now = now
        with transaction(connection):
            connection.execute(
                "UPDATE ingests SET state = 'interrupted' WHERE state = 'running' AND kind = ? AND source = ? AND query = ?",
                (kind, source, query),
            )
            row = {"kind": kind, "source": source, "query": query, "state": "running", "started": now()}
            table = self._database.table("ingests").insert({**row, **msgspec.structs.asdict(self.counts)})
        self.ingest_id = int(str(table.last_pk))

    def has_raw(self, sha256: str) -> bool:
        """Whether a record with exactly these raw bytes is in the corpus."""
        found = self.connection.execute("SELECT 1 FROM records WHERE raw_sha256 = ?", (sha256,)).fetchone()
        return found is not None

    def write(self, items: Sequence[Item], token: str | None = None) -> Counts:
        """Store one page. Either all of it and the new counts are in the corpus afterwards, or nothing of it.

        Raises:
            sqlite3.Error: the page could not be written.
        """
        before = self.counts
        try:
            with transaction(self.connection):
                self.counts = self._write_page(items)
                self._update_history(token=token)
        except BaseException:
            self.counts = before
            raise
        return self.counts

    def finish(self, state: State, error: str = "") -> None:
        """Close the history row."""
        with transaction(self.connection):
            self._update_history(state=state, ended=self._now(), error=error)

    def tidy(self) -> None:
        """Merge the pieces of the full-text index when much was added; a search is then several times faster."""
        (trials,) = self.connection.execute("SELECT count(*) FROM trials").fetchone()
        if (self.counts.added + self.counts.updated) * _TIDY_SHARE >= trials > 0:
            with transaction(self.connection):
                self.connection.execute("INSERT INTO fts(fts) VALUES ('optimize')")

    def _update_history(self, **columns: str | None) -> None:
        changed = {name: value for name, value in columns.items() if value is not None}
        self._database.table("ingests").update(self.ingest_id, {**changed, **msgspec.structs.asdict(self.counts)})

    def _write_page(self, items: Sequence[Item]) -> Counts:
        counts: dict[str, int] = msgspec.structs.asdict(self.counts)
        fresh: dict[str, Read] = {}
        now = self._now()
        for item in items:
            counts["done"] += 1
            match item:
                case Known():
                    counts["unchanged"] += 1
                case Unread():
                    self._quarantine(item, now)
                    counts["quarantined"] += 1
                case Read():
                    counts[self._judge(item, fresh)] += 1
        self._store(list(fresh.values()), now)
        return Counts(**counts)

    def _judge(self, item: Read, fresh: dict[str, Read]) -> str:
        """Take `item` over unless something later is there already, and say what it is: `added`, `updated` or `unchanged`."""
        self.connection.execute("DELETE FROM quarantine WHERE source = ? AND name = ?", (self._source, item.name))
        nct_id = item.derived.nct_id
        stored = self.connection.execute("SELECT updated, digest FROM records WHERE docid = ?", (docid(nct_id),)).fetchone()
        if nct_id in fresh:
            stored = (fresh[nct_id].derived.updated, fresh[nct_id].derived.digest)
        if stored is None:
            fresh[nct_id] = item
            return "added"
        updated, digest = stored
        if item.derived.updated < updated or (digest == item.derived.digest and item.raw is None):
            return "unchanged"
        fresh[nct_id] = item
        return "unchanged" if digest == item.derived.digest else "updated"

    def _quarantine(self, item: Unread, now: str) -> None:
        row = {"source": self._source, "name": item.name, "error": item.error, "raw": item.raw, "seen_at": now}
        self._database.table("quarantine").insert({**row, "ingest_id": self.ingest_id}, replace=True)

    def _store(self, items: list[Read], now: str) -> None:
        change = 0
        for item in items:
            derived = item.derived
            old = self.connection.execute("SELECT digest FROM records WHERE docid = ?", (docid(derived.nct_id),)).fetchone()
            change += int(derived.digest, 16) - (int(old[0], 16) if old else 0)
        remove(self.connection, [docid(item.derived.nct_id) for item in items])
        self._database.table("records").insert_all(
            (
                {
                    "docid": docid(item.derived.nct_id),
                    "nct_id": item.derived.nct_id,
                    "digest": item.derived.digest,
                    "trial": item.derived.trial,
                    "raw": item.raw,
                    "raw_sha256": item.raw_sha256,
                    "updated": item.derived.updated,
                    "source": self._source,
                    "imported_at": now,
                    "ingest_id": self.ingest_id,
                }
                for item in items
            ),
            pk="docid",
        )
        insert_derived(self._database, [item.derived for item in items])
        shift_digest(self.connection, change)


def shift_digest(connection: sqlite3.Connection, change: int) -> None:
    """Add `change` to the sum of all digests, which names the corpus's content whatever the order it came in."""
    (total,) = connection.execute("SELECT value FROM meta WHERE key = 'digest'").fetchone()
    connection.execute("UPDATE meta SET value = ? WHERE key = 'digest'", (f"{(int(total, 16) + change) % 2**128:032x}",))


def remove(connection: sqlite3.Connection, docids: Sequence[int]) -> None:
    """Take trials out of every table."""
    remove_derived(connection, docids)
    connection.executemany("DELETE FROM records WHERE docid = ?", [(key,) for key in docids])


def remove_derived(connection: sqlite3.Connection, docids: Sequence[int]) -> None:
    """Take out what was derived from trials, their aliases included."""
    keys = [(key,) for key in docids]
    connection.executemany("DELETE FROM aliases WHERE nct_id IN (SELECT nct_id FROM records WHERE docid = ?)", keys)
    for table in schema.DERIVED_TABLES:
        connection.executemany(f"DELETE FROM {table} WHERE docid = ?", keys)


def insert_derived(database: Database, items: Sequence[Derived]) -> None:
    """Write the derived rows of trials that have none."""

    database.table("trials").insert_all(
        {"docid": docid(item.nct_id), "nct_id": item.nct_id, **msgspec.structs.asdict(item.row)} for item in items
    )
    database.table("texts").insert_all({"docid": docid(item.nct_id), **msgspec.structs.asdict(item.texts)} for item in items)
    database.table("profiles").insert_all({"docid": docid(item.nct_id), "profile": item.profile} for item in items)
    database.table("doses").insert_all(
        {"docid": docid(item.nct_id), **msgspec.structs.asdict(dose)} for item in items for dose in item.doses
    )
    connection = database.conn
    connection.executemany(
        "INSERT INTO facets (field, key, value, docid) VALUES (?, ?, ?, ?)",
        ((*facet, docid(item.nct_id)) for item in items for facet in item.facets),
    )
    connection.executemany(
        "INSERT INTO programmes (key, docid) VALUES (?, ?)",
        ((key, docid(item.nct_id)) for item in items for key in item.programmes),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO aliases (alias, nct_id) VALUES (?, ?)",
        ((alias, item.nct_id) for item in items for alias in item.aliases),
    )


def derive_again(database: Database, page: int = 64) -> None:
    """Make every derived table anew from the stored trials; within the caller's transaction."""
    connection = database.conn
    aliases: dict[str, list[str]] = {}
    for alias, nct_id in connection.execute("SELECT alias, nct_id FROM aliases"):
        aliases.setdefault(nct_id, []).append(alias)
    for table in schema.DERIVED_TABLES:
        connection.execute(f"DELETE FROM {table}")
    last = -1
    while rows := connection.execute(
        "SELECT docid, nct_id, trial FROM records WHERE docid > ? ORDER BY docid LIMIT ?", (last, page)
    ).fetchall():
        insert_derived(database, [derive(codec.decode(unpack(blob)), aliases.get(nct_id, ())) for _, nct_id, blob in rows])
        last = rows[-1][0]
