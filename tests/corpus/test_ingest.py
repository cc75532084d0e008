"""Reading records into a corpus: nothing lost, nothing doubled, and what cannot be read is set aside."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event

import pytest

from deepimagine_tui.corpus.ingest import IngestCancelled, IngestFinished, IngestProgress, IngestStarted, ingest
from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.corpus.rederive import rederive
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import NotFoundError
from tests.corpus.conftest import MakeCorpus, ingest_all, record, write_records


def test_a_trial_comes_back_as_it_was_read_with_its_record_byte_for_byte(make_corpus: MakeCorpus) -> None:
    raw = record("NCT00000007", drug="Examplozin", doses=(10, 25))
    with Corpus.open(make_corpus({"a.json": raw})) as corpus:
        trial = corpus.get("NCT00000007")
        assert trial.has_results
        assert [arm.label for arm in trial.arms] == ["Placebo", "Examplozin 10 mg", "Examplozin 25 mg"]
        assert corpus.raw("NCT00000007") == raw
        provenance = corpus.provenance("nct00000007")
        assert provenance.raw_sha256
        assert provenance.imported_at.endswith("Z")


def test_events_begin_with_the_total_and_end_with_the_counts(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 41)})
    events = list(ingest(tmp_path / "c.db", source, Event()))
    assert events[0] == IngestStarted(40)
    assert [event.done for event in events if isinstance(event, IngestProgress)] == [32, 40]
    last = events[-1]
    assert isinstance(last, IngestFinished)
    assert (last.done, last.added, last.updated, last.unchanged, last.quarantined) == (40, 40, 0, 0, 0)


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {"a.json": record("NCT00000001"), "b.json": record("NCT00000002")})
    ingest_all(tmp_path / "c.db", source)
    with Corpus.open(tmp_path / "c.db") as corpus:
        before = corpus.stats()
    again = ingest_all(tmp_path / "c.db", source)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 2)
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.stats() == before


def test_a_later_version_replaces_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    corpus_path = tmp_path / "c.db"
    new = record("NCT00000001", drug="Newdrug", updated="2020-01-01")
    old = record("NCT00000001", drug="Olddrug", updated="2019-01-01")
    ingest_all(corpus_path, write_records(tmp_path / "1", {"a.json": old}))
    assert ingest_all(corpus_path, write_records(tmp_path / "2", {"a.json": new})).updated == 1
    assert ingest_all(corpus_path, write_records(tmp_path / "3", {"a.json": old})).unchanged == 1
    with Corpus.open(corpus_path) as corpus:
        assert corpus.search(SearchQuery(words="newdrug")).total == 1
        assert corpus.search(SearchQuery(words="olddrug")).total == 0
        assert corpus.stats().trials == 1


def test_order_of_arrival_does_not_show(tmp_path: Path) -> None:
    records = {f"{at}.json": record(f"NCT0000{at:04d}", doses=(at,)) for at in range(1, 6)}
    ingest_all(tmp_path / "c.db", write_records(tmp_path / "all", records))
    for name, raw in reversed(records.items()):
        ingest_all(tmp_path / "d.db", write_records(tmp_path / name, {name: raw}))
    with Corpus.open(tmp_path / "c.db", create=False) as one, Corpus.open(tmp_path / "d.db") as other:
        assert one.stats().version == other.stats().version


def test_what_cannot_be_read_is_set_aside_with_its_reason_and_taken_back_when_mended(tmp_path: Path) -> None:
    source = write_records(
        tmp_path / "in", {"a.json": record("NCT00000001"), "bad.json": b'{"protocolSection": {', "x.xml": b"<a>"}
    )
    assert ingest_all(tmp_path / "c.db", source).quarantined == 2
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.stats().quarantined == 2
        assert corpus.stats().trials == 1
        assert {entry.name.rsplit("/", 1)[-1] for entry in corpus.quarantine()} == {"bad.json", "x.xml"}
        assert all(entry.error for entry in corpus.quarantine())
    (source / "bad.json").write_bytes(record("NCT00000002"))
    (source / "x.xml").unlink()
    ingest_all(tmp_path / "c.db", source)
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.stats().quarantined == 1
        assert corpus.has("NCT00000002")


def test_older_ids_lead_to_the_trial(make_corpus: MakeCorpus) -> None:
    with Corpus.open(make_corpus({"a.json": record("NCT00000009", aliases=("NCT00000003",))})) as corpus:
        assert corpus.get("NCT00000003").nct_id == "NCT00000009"
        assert corpus.has("NCT00000003")
        assert [row.nct_id for row in corpus.search(SearchQuery(words="NCT00000003")).rows] == ["NCT00000009"]


def test_a_missing_trial_names_the_nearest(make_corpus: MakeCorpus) -> None:
    with Corpus.open(make_corpus({"a.json": record("NCT00123456"), "b.json": record("NCT00999999")})) as corpus:
        with pytest.raises(NotFoundError, match="NCT00123456"):
            corpus.get("NCT00123465")
        with pytest.raises(NotFoundError, match="eight digits"):
            corpus.get("nonsense")


def test_cancelling_keeps_what_was_committed_and_the_same_command_goes_on(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 101)})
    cancel = Event()
    events = []
    for event in ingest(tmp_path / "c.db", source, cancel):
        events.append(event)
        if isinstance(event, IngestProgress):
            cancel.set()
    assert isinstance(events[-1], IngestCancelled)
    assert 0 < events[-1].added < 100
    rest = ingest_all(tmp_path / "c.db", source)
    assert rest.added + events[-1].added == 100
    assert rest.unchanged == events[-1].added


def test_history_says_what_was_done(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {"a.json": record("NCT00000001"), "bad.json": b"{"})
    ingest_all(tmp_path / "c.db", source)
    with Corpus.open(tmp_path / "c.db") as corpus:
        (entry,) = corpus.history()
    assert (entry.kind, entry.state, entry.added, entry.quarantined) == ("files", "finished", 1, 1)
    assert entry.source.endswith("in")
    assert entry.started <= entry.ended


def test_nothing_at_the_source(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(ingest(tmp_path / "c.db", tmp_path / "nowhere", Event()))
    assert not (tmp_path / "c.db").exists()


def test_reading_cannot_write(make_corpus: MakeCorpus) -> None:
    with Corpus.open(make_corpus({"a.json": record()})) as corpus, pytest.raises(sqlite3.OperationalError):
        corpus.connection.execute("DELETE FROM records")


def test_real_records_are_all_read_and_derive_again_to_the_same(shared_data: Path, tmp_path: Path) -> None:
    names = sorted((shared_data / "ctgov").glob("NCT*"))[::8]
    source = write_records(tmp_path / "in", {path.name: path.read_bytes() for path in names})
    end = ingest_all(tmp_path / "c.db", source)
    assert (end.added, end.quarantined) == (len(names), 0)
    with Corpus.open(tmp_path / "c.db") as corpus:
        before = corpus.stats()
        for path in names[::10]:
            assert corpus.raw(path.stem) == path.read_bytes()
            assert corpus.search(SearchQuery(words=path.stem)).rows[0].nct_id == path.stem
    result = rederive(tmp_path / "c.db")
    assert (result.read, result.changed) == (len(names), 0)
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.stats() == before
