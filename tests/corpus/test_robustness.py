"""What goes wrong with files: kills, damage, locks, no room, no permission, other versions."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from sqlite_utils import Database

from deepimagine_tui.corpus import connection as connections
from deepimagine_tui.corpus import schema
from deepimagine_tui.corpus.connection import open_for_writing, pending_migrations
from deepimagine_tui.corpus.ingest import ingest
from deepimagine_tui.corpus.migrations import corpus_migrations
from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.corpus.rederive import rederive
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.corpus.writer import Writer
from deepimagine_tui.errors import CorpusError, NewerSchemaError, NotFoundError, StorageError
from tests.corpus.conftest import MakeCorpus, ingest_all, record, write_records

TABLES = ("trials", "texts", "facets", "programmes", "doses", "profiles", "aliases")


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything canonical in a corpus, the times of import left out."""
    with closing(sqlite3.connect(path)) as connection:
        found = {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES}
        found["records"] = connection.execute(
            "SELECT docid, nct_id, digest, trial, raw, updated FROM records ORDER BY 1"
        ).fetchall()
        found["quarantine"] = connection.execute("SELECT name, error, raw FROM quarantine ORDER BY name").fetchall()
        found["meta"] = connection.execute("SELECT key, value FROM meta ORDER BY key").fetchall()
        connection.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")
    return found


def many(folder: Path, number: int = 400) -> Path:
    records = {
        f"{at:04d}.json": record(f"NCT0000{at:04d}", drug=f"Drug{at % 17}", doses=(at % 5 + 1, 20)) for at in range(1, number)
    }
    return write_records(folder, {**records, "bad.json": b'{"protocolSection": 1}'})


CHILD = """
import sys
from pathlib import Path
from threading import Event
from deepimagine_tui.corpus.ingest import ingest
for event in ingest(Path(sys.argv[1]), Path(sys.argv[2]), Event()):
    print(type(event).__name__, flush=True)
"""


LIMIT = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
"""


def test_killed_at_any_moment_and_started_again_it_ends_the_same(tmp_path: Path) -> None:
    source = many(tmp_path / "in")
    ingest_all(tmp_path / "whole.db", source)
    wanted = contents(tmp_path / "whole.db")
    chance = random.Random(20261122)
    broken = tmp_path / "broken.db"
    survived = 0
    for attempt in range(6):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(broken), str(source)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(attempt % 3 + 1):
            child.stdout.readline()
        time.sleep(chance.uniform(0, 0.08))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if broken.exists():
            with closing(sqlite3.connect(broken)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
                if "records" in tables:
                    (records,) = connection.execute("SELECT count(*) FROM records").fetchone()
                    survived = max(survived, records)
    assert survived > 0
    last = ingest_all(broken, source)
    assert last.added + last.unchanged == 399
    assert contents(broken) == wanted
    with Corpus.open(broken) as corpus:
        states = [entry.state for entry in corpus.history()]
    assert states[0] == "finished"
    assert set(states[1:]) == {"interrupted"}


def test_a_page_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = many(tmp_path / "in", 50)
    written = Writer._store
    calls = []

    def fail_on_the_second(self: Writer, *arguments: object) -> None:
        calls.append(1)
        written(self, *arguments)  # type: ignore[arg-type]
        if len(calls) == 2:
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Writer, "_store", fail_on_the_second)
    with pytest.raises(StorageError, match="No room"):
        list(ingest(tmp_path / "c.db", source, Event()))
    monkeypatch.undo()
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.stats().trials == 32
        assert corpus.history()[0].state == "failed"
        assert corpus.history()[0].done == 32
    ingest_all(tmp_path / "c.db", source)
    ingest_all(tmp_path / "d.db", source)
    assert contents(tmp_path / "c.db") == contents(tmp_path / "d.db")


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path: Path) -> None:
    source = many(tmp_path / "in", 300)
    script = CHILD.replace("for event", f"{LIMIT}\nfor event")
    child = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "c.db"), str(source)], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert "StorageError" in child.stderr.splitlines()[-1]
    ingest_all(tmp_path / "c.db", source)
    ingest_all(tmp_path / "d.db", source)
    assert contents(tmp_path / "c.db") == contents(tmp_path / "d.db")


def test_a_missing_corpus_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="corpus import"):
        Corpus.open(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    with Corpus.open(tmp_path / "new" / "c.db", create=True) as corpus:
        assert corpus.stats().trials == 0
        assert corpus.search(SearchQuery(words="x")).rows == ()


@pytest.mark.parametrize("damage", ["text", "half", "zeros", "other"])
def test_a_damaged_file_is_said_to_be_damaged(make_corpus: MakeCorpus, damage: str) -> None:
    path = make_corpus({f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 40)})
    content = path.read_bytes()
    match damage:
        case "text":
            path.write_text("no database at all, but long enough to be one" * 50)
        case "half":
            path.write_bytes(content[: len(content) // 2])
        case "zeros":
            path.write_bytes(content[:4096] + bytes(len(content) - 4096))
        case "other":
            path.unlink()
            Database(path).table("things").insert({"a": 1})
    with pytest.raises(CorpusError) as caught:
        read_everything(path)
    assert caught.value.hint
    assert caught.value.exit_code == 7


def read_everything(path: Path) -> None:
    with Corpus.open(path) as corpus:
        corpus.search(SearchQuery(words="examplozin"))
        for nct_id in corpus.nct_ids():
            corpus.get(nct_id)


def test_a_locked_corpus_is_said_to_be_in_use(make_corpus: MakeCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_corpus({"a.json": record("NCT00000001")})
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CorpusError, match="in use"):
            list(ingest(path, write_records(tmp_path / "more", {"b.json": record("NCT00000002")}), Event()))
        with Corpus.open(path) as corpus:
            assert corpus.has("NCT00000001")


def test_reading_goes_on_while_another_writes(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    path = make_corpus({"a.json": record("NCT00000001")})
    source = many(tmp_path / "more", 100)
    with Corpus.open(path) as corpus:
        seen = [corpus.stats().trials for _ in ingest(path, source, Event())]
    assert seen == sorted(seen)
    assert seen[-1] == 99


def test_a_newer_schema_is_refused(make_corpus: MakeCorpus) -> None:
    path = make_corpus({"a.json": record("NCT00000001")})
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'm999_later', '2030')",
            (schema.MIGRATION_SET,),
        )
        connection.commit()
    for create in (False, True):
        with pytest.raises(NewerSchemaError, match="newer"):
            Corpus.open(path, create=create)


@pytest.mark.parametrize("applied", range(1, len(schema.MIGRATIONS)))
def test_every_released_schema_comes_to_the_present_one(make_corpus: MakeCorpus, applied: int) -> None:
    path = make_corpus({f"{at}.json": record(f"NCT0000{at:04d}", aliases=(f"NCT9000{at:04d}",)) for at in range(1, 70)})
    wanted = contents(path)
    older = as_of(path, applied)
    with pytest.raises(CorpusError, match="older"):
        Corpus.open(older)
    with Corpus.open(older, create=True) as corpus:
        assert corpus.search(SearchQuery(words="examplozin")).total == 69
    assert contents(older) == wanted


def as_of(path: Path, applied: int) -> Path:
    """A corpus with the same records in the schema of an earlier release."""
    older = path.with_name("older.db")
    with closing(sqlite3.connect(older)) as connection:
        corpus_migrations.apply(Database(connection), stop_before=schema.MIGRATIONS[applied])
        connection.execute("ATTACH ? AS present", (str(path),))
        for table in ("records", "aliases", "ingests", "quarantine"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM present.{table}")
        connection.execute("INSERT OR REPLACE INTO meta SELECT * FROM present.meta WHERE key = 'digest'")
        connection.commit()
    return older


def test_the_names_of_migrations_are_those_that_run() -> None:
    database = Database(memory=True)
    assert tuple(migration.name for migration in corpus_migrations.pending(database)) == schema.MIGRATIONS


def test_a_migration_that_was_cut_short_is_done_again(make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_corpus({f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 5)})
    wanted = contents(path)
    older = as_of(path, 1)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("deepimagine_tui.corpus.writer.insert_derived", stop)
    with pytest.raises(KeyboardInterrupt):
        open_for_writing(older)
    monkeypatch.undo()
    open_for_writing(older).close()
    assert contents(older) == wanted


def test_deriving_again_gives_the_same_table(make_corpus: MakeCorpus) -> None:
    path = make_corpus({f"{at}.json": record(f"NCT0000{at:04d}", aliases=(f"NCT9000{at:04d}",)) for at in range(1, 70)})
    wanted = contents(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE trials SET title = 'spoiled', outcomes = 0")
        connection.execute("DELETE FROM facets")
        connection.execute("UPDATE records SET digest = ? WHERE docid = 5", ("0" * 32,))
        connection.commit()
    result = rederive(path)
    assert (result.read, result.changed, result.without_raw, result.unreadable) == (69, 1, 0, ())
    found = contents(path)
    assert {name: rows for name, rows in found.items() if name != "meta"} == {
        name: rows for name, rows in wanted.items() if name != "meta"
    }


def test_an_empty_file_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    path.touch()
    with closing(sqlite3.connect(path)) as connection:
        assert pending_migrations(connection, path) == schema.MIGRATIONS
    ingest_all(path, write_records(tmp_path / "in", {"a.json": record("NCT00000001")}))
    with Corpus.open(path) as corpus:
        assert corpus.has("NCT00000001")


def test_a_folder_that_may_not_be_written(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    path = make_corpus({"a.json": record("NCT00000001")})
    folder = tmp_path / "fixed"
    folder.mkdir()
    shutil.copy(path, folder / "c.db")
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    try:
        with Corpus.open(folder / "c.db") as corpus:
            assert corpus.has("NCT00000001")
        with pytest.raises(StorageError, match="may not be written"):
            Corpus.open(folder / "new.db", create=True)
    finally:
        folder.chmod(0o700)
