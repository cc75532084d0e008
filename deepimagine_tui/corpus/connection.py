"""Opening a corpus file, and turning what SQLite says into errors a user can act on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deepimagine_tui.corpus import schema
from deepimagine_tui.errors import CancelledError, CorpusError, DeepImagineError, NewerSchemaError, NotFoundError, StorageError
from deepimagine_tui.files import make_dir

BUSY_SECONDS = 5.0
"""How long a reader or writer waits for another process that holds the file."""

CACHE_KIB = 64 * 1024
"""Pages a reader keeps in memory at most: the part of a large index that typing goes through again and again."""

_REMEDY = "Move it away and import the records again; runs and scenarios are kept elsewhere."


def explain(path: Path, error: sqlite3.Error) -> DeepImagineError:
    """The error to raise when SQLite refused to work on `path`."""
    text = str(error)
    lower = text.lower()
    if "interrupted" in lower:
        return CancelledError("The search was stopped.")
    if "full" in lower and "disk" in lower:
        return StorageError(f"No room is left to write {path}.", "Free some space and start the same import again.")
    if "readonly" in lower or "read-only" in lower:
        return StorageError(
            f"{path} may not be written.", "Choose another place, or set DEEPIMAGINE_HOME to a folder you can write to."
        )
    if "locked" in lower or "busy" in lower:
        return CorpusError(
            f"{path} is in use by another process.", "Wait for the other import to end, or stop it, then try again."
        )
    if "unable to open" in lower:
        return CorpusError(f"{path} cannot be opened.", "Check that the file and its folder can be read.")
    if "disk i/o" in lower:
        return StorageError(f"{path} could not be read or written ({text}).", "Check the disk, then try again.")
    return CorpusError(f"{path} is damaged or is no corpus ({text}).", _REMEDY)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise what SQLite says about `path` as an error of ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(path, error) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that two writers never deadlock half way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.execute("COMMIT")


def open_for_reading(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """A connection that cannot write. `immutable` promises that nobody else writes the file either.

    Raises:
        NotFoundError: there is no such file.
        CorpusError: it is no corpus, damaged, locked or of an older schema.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no corpus at {path}.", "Import records into it first: deepimagine corpus import FOLDER.")
    with explained(path):
        connection = _read_connection(path, immutable=immutable)
        try:
            pending = pending_migrations(connection, path)
        except BaseException:
            connection.close()
            raise
    if pending:
        connection.close()
        raise CorpusError(f"{path} was made by an older DeepImagine.", "Import anything into it once to bring it up to date.")
    return connection


def _read_connection(path: Path, *, immutable: bool) -> sqlite3.Connection:
    connection = _connect(path, "mode=ro&immutable=1" if immutable else "mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        quiet = not path.with_name(path.name + "-wal").exists()
        refused = any(words in str(error) for words in ("unable to open", "readonly"))
        if immutable or not quiet or not refused or os.access(path.parent, os.W_OK):
            raise
        # A write-ahead database in a folder that may not be written can only be read as immutable.
        connection = _connect(path, "mode=ro&immutable=1")
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    return connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
    )


def pending_migrations(connection: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    """The migrations that `path` lacks.

    Raises:
        NewerSchemaError: it has one that is not known here.
        CorpusError: it is an SQLite file of another kind.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return schema.MIGRATIONS
    if schema.MIGRATIONS_TABLE not in tables:
        raise CorpusError(f"{path} is an SQLite file, but no corpus.", "Name another file.")
    applied = {
        name
        for (name,) in connection.execute(
            f"SELECT name FROM {schema.MIGRATIONS_TABLE} WHERE migration_set = ?", (schema.MIGRATION_SET,)
        )
    }
    unknown = sorted(applied - set(schema.MIGRATIONS))
    if unknown:
        raise NewerSchemaError(f"{path} was written by a newer DeepImagine ({unknown[-1]}).", "Upgrade DeepImagine to open it.")
    return tuple(name for name in schema.MIGRATIONS if name not in applied)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that may write, the file made and brought to the present schema where needed.

    Raises:
        StorageError: the file or its folder cannot be written.
        CorpusError: it is no corpus, damaged or locked.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    from deepimagine_tui.corpus.migrations import migrate

    make_dir(path.parent)
    with explained(path):
        try:
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
        except sqlite3.OperationalError as error:
            if path.exists() and os.access(path, os.R_OK | os.W_OK):
                raise
            raise StorageError(
                f"{path} may not be written.", "Choose another place, or set DEEPIMAGINE_HOME to a folder you can write to."
            ) from error
        try:
            pending_migrations(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = OFF")
            migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection
