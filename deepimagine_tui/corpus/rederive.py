"""Making the canonical content again from the raw records, after the reading of records has improved."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from deepimagine_tui.corpus.connection import explained, open_for_writing, transaction
from deepimagine_tui.corpus.derive import docid, unpack
from deepimagine_tui.corpus.records import Read, Unread, read_record
from deepimagine_tui.corpus.writer import insert_derived, remove_derived, shift_digest


class Rederived(msgspec.Struct, frozen=True):
    """What came of it: trials read again, how many of them changed, those without a raw record, and raw records now unreadable.

    An unreadable record keeps what was derived from it before.
    """

    read: int
    changed: int
    without_raw: int
    unreadable: tuple[str, ...]


def rederive(path: Path, page: int = 64) -> Rederived:
    """Read every raw record of the corpus again, page by page, and replace what was derived from it.

    Raises:
        StorageError, CorpusError, NewerSchemaError: as for any writing.
    """
    from sqlite_utils import Database

    read = changed = 0
    unreadable: list[str] = []
    with explained(path), closing(open_for_writing(path)) as connection:
        database = Database(connection)
        (without_raw,) = connection.execute("SELECT count(*) FROM records WHERE raw IS NULL").fetchone()
        last = -1
        while rows := connection.execute(
            "SELECT docid, nct_id, raw, digest FROM records WHERE raw IS NOT NULL AND docid > ? ORDER BY docid LIMIT ?",
            (last, page),
        ).fetchall():
            last = rows[-1][0]
            with transaction(connection):
                for key, nct_id, raw, digest in rows:
                    match read_record(nct_id, unpack(raw)):
                        case Read(derived=derived) if docid(derived.nct_id) == key:
                            read += 1
                            changed += derived.digest != digest
                            connection.execute(
                                "UPDATE records SET trial = ?, digest = ?, updated = ? WHERE docid = ?",
                                (derived.trial, derived.digest, derived.updated, key),
                            )
                            shift_digest(connection, int(derived.digest, 16) - int(digest, 16))
                            remove_derived(connection, [key])
                            insert_derived(database, [derived])
                        case Read() | Unread():
                            unreadable.append(nct_id)
    return Rederived(read, changed, without_raw, tuple(unreadable))
