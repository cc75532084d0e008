"""The corpus commands: the contract of their JSON, what a person reads, and what bad input gets."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from deepimagine_tui import paths
from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli
from tests.cli.records import DOSE_TRIAL, PLANNED_TRIAL, all_records, write_records


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return write_records(tmp_path / "records")


@pytest.fixture
def imported(cli: Cli, records: Path) -> Path:
    assert cli("corpus", "import", records).code == ExitCode.OK
    return paths.default_corpus()


def test_an_import_makes_your_own_corpus_and_it_is_used_from_then_on(cli: Cli, records: Path):
    first = cli("corpus", "import", records)
    assert first.code == ExitCode.OK
    assert "3 added" in first.out
    assert cli("corpus", "stats", "--json").json["trials"] == 3
    again = cli("corpus", "import", records, "--json").json
    assert (again["added"], again["unchanged"]) == (0, 3)


def test_several_sources_are_one_sum(cli: Cli, records: Path, tmp_path: Path):
    one = tmp_path / "one.ndjson"
    one.write_text(json.dumps(all_records()[0]) + "\n", "utf-8")
    total = cli("corpus", "import", one, records, "--json").json
    assert (total["done"], total["added"], total["unchanged"]) == (4, 3, 1)


def test_a_corpus_by_name_is_left_apart_from_your_own(cli: Cli, records: Path, tmp_path: Path):
    apart = tmp_path / "apart.db"
    assert cli("corpus", "import", records, "--corpus", apart).code == ExitCode.OK
    assert not paths.default_corpus().exists()
    assert cli("corpus", "stats", "--json", "--corpus", apart).json["trials"] == 3


@pytest.mark.usefixtures("imported")
def test_search_is_a_list_of_trials(cli: Cli):
    found = cli("corpus", "search", "--dose-ranging", "--json").json["trials"]
    assert [trial["nct_id"] for trial in found] == [DOSE_TRIAL]
    assert {trial["nct_id"] for trial in cli("corpus", "search", "glivazin", "--json").json["trials"]} >= {DOSE_TRIAL}
    planned = cli("corpus", "search", "--no-results", "--phase", "3", "--country", "France", "--json").json["trials"]
    assert [trial["nct_id"] for trial in planned] == [PLANNED_TRIAL]
    table = cli("corpus", "search", "glivazin")
    assert DOSE_TRIAL in table.out
    assert "3 of 3 trials" in table.err


@pytest.mark.usefixtures("imported")
def test_pages_follow_one_another(cli: Cli):
    seen, key = [], None
    while True:
        page = cli("corpus", "search", "--limit", "1", "--json", *(["--after", key] if key else [])).json
        seen += [trial["nct_id"] for trial in page["trials"]]
        key = page["next"]
        if key is None:
            break
    assert sorted(seen) == sorted(record["protocolSection"]["identificationModule"]["nctId"] for record in all_records())


@pytest.mark.usefixtures("imported")
def test_nothing_found_says_what_would_help(cli: Cli):
    result = cli("corpus", "search", "glivazin", "--phase", "1")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert "without it" in result.err
    assert cli("corpus", "search", "glivazin", "--phase", "1", "--json").json["trials"] == []


@pytest.mark.usefixtures("imported")
def test_a_trial_is_shown_with_its_doses_and_the_place_of_every_number(cli: Cli):
    text = cli("corpus", "show", DOSE_TRIAL).out
    assert "25 mg once daily" in text
    row = next(line for line in text.splitlines() if "-0.78" in line and "OG002" in line)
    assert row.strip().startswith("●")
    assert "SD 0.8" in row
    assert "n 224" in row
    shown = cli("corpus", "show", DOSE_TRIAL, "--json").json
    assert shown["trial"]["nct_id"] == DOSE_TRIAL
    assert shown["provenance"]["source"]


@pytest.mark.usefixtures("imported")
def test_one_outcome_alone_can_be_shown(cli: Cli):
    assert cli("corpus", "show", DOSE_TRIAL, "--outcome", "hba1c").out.startswith("Change From Baseline in HbA1c")
    missing = cli("corpus", "show", DOSE_TRIAL, "--outcome", "weight")
    assert missing.code == ExitCode.NOT_FOUND
    assert "HbA1c" in missing.err


def test_the_raw_record_comes_back_byte_for_byte(cli: Cli, imported: Path, records: Path):
    assert imported.exists()
    out = cli("corpus", "show", DOSE_TRIAL, "--raw").out
    assert out == (records / f"{DOSE_TRIAL}.json").read_text("utf-8")


@pytest.mark.usefixtures("imported")
def test_a_trial_that_is_not_there_comes_with_the_nearest(cli: Cli):
    result = cli("corpus", "show", "NCT99000109")
    assert result.code == ExitCode.NOT_FOUND
    assert DOSE_TRIAL in result.err


def test_what_cannot_be_read_is_told_and_the_rest_is_kept(cli: Cli, records: Path):
    (records / "broken.json").write_text('{"protocolSection": ', "utf-8")
    result = cli("corpus", "import", records)
    assert result.code == ExitCode.OK
    assert "3 added" in result.out
    assert "1 in quarantine" in result.out
    listed = cli("corpus", "stats", "--quarantine", "--history", "--json").json
    assert [entry["name"].endswith("broken.json") for entry in listed["quarantine"]] == [True]
    assert listed["quarantine"][0]["error"]
    assert [entry["state"] for entry in listed["history"]] == ["finished"]
    assert "broken.json" in cli("corpus", "stats", "--quarantine", "--history").out


def test_when_nothing_can_be_read_the_import_fails(cli: Cli, tmp_path: Path):
    (tmp_path / "broken.json").write_text('{"protocolSection": ', "utf-8")
    result = cli("corpus", "import", tmp_path / "broken.json")
    assert result.code == ExitCode.BAD_INPUT
    assert "Traceback" not in result.err


def not_a_corpus(path: Path) -> None:
    path.write_text("these are no trials " * 100, "utf-8")


def another_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")


def truncated(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


@pytest.mark.parametrize("spoil", [not_a_corpus, another_database])
@pytest.mark.parametrize("command", [["stats"], ["search", "x"], ["show", DOSE_TRIAL]])
def test_a_file_that_is_no_corpus_is_one_sentence(cli: Cli, tmp_path: Path, spoil, command: list[str]):
    path = tmp_path / "file.db"
    spoil(path)
    result = cli("corpus", *command, "--corpus", path)
    assert (result.code, result.out) == (ExitCode.CORPUS, "")
    assert str(path) in result.err
    assert len(result.err.splitlines()) == 2


def test_a_damaged_corpus_is_told(cli: Cli, imported: Path):
    truncated(imported)
    result = cli("corpus", "search", "glivazin")
    assert result.code == ExitCode.CORPUS
    assert "Traceback" not in result.err


def test_a_corpus_that_another_process_writes_cannot_be_imported_into(
    cli: Cli, imported: Path, records: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("deepimagine_tui.corpus.connection.BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(imported, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        result = cli("corpus", "import", records)
    finally:
        holder.close()
    assert result.code == ExitCode.CORPUS
    assert "in use" in result.err


def test_what_is_missing_is_named(cli: Cli, tmp_path: Path):
    assert cli("corpus", "stats", "--corpus", tmp_path / "none.db").code == ExitCode.NOT_FOUND
    assert cli("corpus", "import", tmp_path / "none").code == ExitCode.NOT_FOUND
    assert cli("corpus", "import").code == ExitCode.USAGE


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("arguments", [["--posted-from", "soon"], ["--after", "no key"], ["--phase", "7"]])
def test_a_search_that_cannot_be_understood(cli: Cli, arguments: list[str]):
    result = cli("corpus", "search", *arguments)
    assert (result.code, result.out) == (ExitCode.USAGE, "")


def test_a_home_that_cannot_be_written_is_a_storage_error(
    cli: Cli, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(blocker))
    result = cli("corpus", "import", records)
    assert result.code == ExitCode.STORAGE
    assert str(blocker) in result.err
