"""The corpus that ships: enough of it, quick to open, facts only, and the same when made again."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from deepimagine_assets.starter import starter_path
from lxml import etree

from deepimagine_tui.corpus.names import Shortener, facts, shingles
from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.trials.reading import parse_record
from tests.corpus.conftest import outcome_module, record

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "make_starter.py"
TERMS = {"conditions", "condition_terms", "sponsor", "collaborators"}
PROSE = re.compile(r"^(officialTitle|briefSummary|detailedDescription|eligibilityCriteria)$")
PROSE_TAGS = ("official_title", "brief_summary", "detailed_description", "criteria")


def test_it_is_large_enough_and_small_enough() -> None:
    with open_starter() as corpus:
        stats = corpus.stats()
    assert stats.name == "starter"
    assert 200 <= stats.trials <= 300
    assert stats.dose_ranging >= 50
    assert stats.outcomes > 1000
    assert starter_path().stat().st_size <= 10_000_000


def test_it_opens_at_once_and_answers() -> None:
    started = time.perf_counter()
    with open_starter() as corpus:
        page = corpus.search(SearchQuery(words="diab", has_results=True))
    assert time.perf_counter() - started < 1.5
    assert page.rows


def test_every_trial_can_be_read_and_none_has_its_record() -> None:
    with open_starter() as corpus:
        ids = corpus.nct_ids()
        for nct_id in ids:
            trial = corpus.get(nct_id)
            assert trial.prose is None
            assert not any(problem.detail for problem in trial.problems)
        with pytest.raises(NotFoundError, match="facts only"):
            corpus.raw(ids[0])
        assert corpus.provenance(ids[0]).raw_sha256 is None


def test_it_cannot_be_written() -> None:
    before = hashlib.sha256(starter_path().read_bytes()).hexdigest()
    with open_starter() as corpus, pytest.raises(sqlite3.OperationalError):
        corpus.connection.execute("DELETE FROM trials")
    assert hashlib.sha256(starter_path().read_bytes()).hexdigest() == before
    assert not list(starter_path().parent.glob("*-wal")) + list(starter_path().parent.glob("*-journal"))


def test_a_long_name_is_cut_where_its_explanation_begins() -> None:
    cut = Shortener()
    name = (
        "Number of Participants With Response. Response was defined as a fall of at least half in the count of all " + "x " * 12
    )
    assert cut.name(name) == "Number of Participants With Response"
    assert cut.name("HbA1c, Change From Baseline: Week 24") == "HbA1c, Change From Baseline: Week 24"
    assert cut.name("word " * 40).endswith("word…")
    assert len(cut.name("word " * 40).split()) == 25


def test_a_name_does_not_repeat_prose() -> None:
    sentence = "We will count the days until the first cough is heard again"
    short = Shortener([sentence]).name("Time: Days Until the First Cough Is Heard Again at Home")
    assert short == "Time: Days Until the First Cough Is Heard…"
    assert shingles(short).isdisjoint(shingles(sentence))


def test_names_that_become_equal_stay_apart() -> None:
    cut = Shortener().unique(["a " * 30 + "first", "a " * 30 + "second", ""])
    assert cut("a " * 30 + "first") != cut("a " * 30 + "second")
    assert cut("") == ""


def test_facts_keep_every_number() -> None:
    outcome = outcome_module("A " * 30, "percent", [("Placebo " * 26 + "a", 1.5), ("Placebo " * 26 + "b", 2.5)])
    trial = parse_record(record(outcomes=[outcome]))
    plain = facts(trial, ["Examplozin in Type 2 Diabetes"])
    assert [(cell.group_id, cell.value, cell.n) for cell in plain.outcomes[0].cells] == [
        (cell.group_id, cell.value, cell.n) for cell in trial.outcomes[0].cells
    ]
    assert plain.outcomes[0].id == trial.outcomes[0].id
    assert len({group.title for group in plain.outcomes[0].groups}) == 2


def test_no_sentence_of_the_registry_is_in_it(shared_data: Path) -> None:
    found = []
    with open_starter() as corpus:
        for nct_id in corpus.nct_ids():
            raw = next((shared_data / "ctgov").glob(f"{nct_id}.*")).read_bytes()
            prose = frozenset().union(*(shingles(text) for text in _prose(raw)))
            fields = msgspec.to_builtins(corpus.get(nct_id))
            for text in _texts({name: value for name, value in fields.items() if name not in TERMS}):
                if not prose.isdisjoint(shingles(text)):
                    found.append((nct_id, text))
    assert found == []


def test_the_same_records_give_the_same_file(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "starter.db"
    subprocess.run([sys.executable, str(SCRIPT), "--data", str(shared_data / "ctgov"), "--out", str(out)], check=True)
    with sqlite3.connect(out) as made, sqlite3.connect(starter_path()) as shipped:
        query = "SELECT value FROM meta WHERE key = 'digest'"
        assert made.execute(query).fetchone() == shipped.execute(query).fetchone()
    written_by = slice(96, 100)
    if out.read_bytes()[written_by] != starter_path().read_bytes()[written_by]:
        pytest.skip("another SQLite wrote the shipped file; its content is the same")
    assert out.read_bytes() == starter_path().read_bytes()


def test_each_number_can_be_traced(shared_data: Path) -> None:
    with open_starter() as corpus:
        row = corpus.search(SearchQuery(dose_ranging=True, has_results=True)).rows[0]
    command = [sys.executable, str(SCRIPT), "--data", str(shared_data / "ctgov"), "--explain", row.nct_id, "--outcome", "1"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].classes[0].categories[0].measurements[0]" in shown


def _prose(raw: bytes) -> Iterator[str]:
    if raw.lstrip().startswith(b"<"):
        for element in etree.fromstring(raw).iter(*PROSE_TAGS):
            yield " ".join(str(text) for text in element.itertext())
    else:
        yield from _keyed(msgspec.json.decode(raw))


def _keyed(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and PROSE.match(key):
                yield value
            yield from _keyed(value)
    elif isinstance(node, list):
        for entry in node:
            yield from _keyed(entry)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list | tuple):
        for entry in node:
            yield from _texts(entry)
