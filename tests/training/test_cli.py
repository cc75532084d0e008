"""`deepimagine train pairs` as a user runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deepimagine_tui.errors import ExitCode
from tests.cli.conftest import Cli, cli, plain_environment, process
from tests.cli.records import PLANNED_TRIAL, all_records
from tests.training.made import dose_trial, many_trials, write

__all__ = ["cli", "plain_environment", "process"]

needs_datasets = pytest.mark.skipif("not __import__('importlib.util').util.find_spec('datasets')", reason="needs `datasets`")


@needs_datasets
def test_a_folder_of_records_becomes_pairs(cli: Cli, tmp_path: Path):
    records, out = write(tmp_path / "records", many_trials()), tmp_path / "pairs"
    result = cli("train", "pairs", "--corpus", records, "--out", out, "--json")
    assert result.code == ExitCode.OK, result.err
    assert sum(result.json["manifest"]["rows"].values()) > 100
    assert "stats" not in result.json
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "data", "manifest.json", "sides.json", "stats.json"]
    told = cli("train", "pairs", "--stats", "--out", out)
    assert told.code == ExitCode.OK
    assert "How often copying the source's result answers." in told.out
    assert "drawn" not in told.err


@needs_datasets
def test_a_corpus_and_its_records_give_the_same_pairs(cli: Cli, tmp_path: Path):
    records, corpus = write(tmp_path / "records", [dose_trial()]), tmp_path / "corpus.db"
    assert cli("corpus", "import", records, "--corpus", corpus).code == ExitCode.OK
    hashes = [
        cli("train", "pairs", "--corpus", source, "--out", tmp_path / f"out-{at}", "--json").json["manifest"]["data_sha256"]
        for at, source in enumerate((records, corpus))
    ]
    assert hashes[0] == hashes[1]


@needs_datasets
def test_the_same_command_in_another_process_writes_the_same_bytes(process: Cli, tmp_path: Path):
    records = write(tmp_path / "records", many_trials(4))
    for out in ("one", "two"):
        assert process("train", "pairs", "--corpus", records, "--out", tmp_path / out).code == ExitCode.OK
    for path in (path for path in (tmp_path / "one").rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


@needs_datasets
def test_a_killed_run_does_not_keep_the_next_one_from_its_folder(cli: Cli, tmp_path: Path):
    records, out = write(tmp_path / "records", [dose_trial()]), tmp_path / "out"
    (out / ".records-killed").mkdir(parents=True)
    (out / ".records-killed" / "records.db").write_bytes(b"half of a corpus")
    (out / ".README.md.killed").write_text("half of a card", "utf-8")
    assert cli("train", "pairs", "--corpus", records, "--out", out).code == ExitCode.OK
    assert not (out / ".records-killed").exists()


@needs_datasets
def test_what_cannot_be_drawn_from(cli: Cli, tmp_path: Path):
    empty, out = tmp_path / "empty", tmp_path / "out"
    empty.mkdir()
    planned = [found for found in all_records() if found["protocolSection"]["identificationModule"]["nctId"] == PLANNED_TRIAL]
    (tmp_path / "words.db").write_text("no database", "utf-8")
    cases = [
        (empty, ExitCode.BAD_INPUT, "holds no trials"),
        (write(tmp_path / "planned", planned), ExitCode.BAD_INPUT, "has posted results"),
        (write(tmp_path / "small", [dose_trial(enrolment=12)]), ExitCode.BAD_INPUT, "fewer than 50 participants"),
        (tmp_path / "nowhere.db", ExitCode.NOT_FOUND, "nowhere.db"),
        (tmp_path / "nowhere.zip", ExitCode.NOT_FOUND, "nowhere.zip"),
        (tmp_path / "words.db", ExitCode.CORPUS, "words.db"),
    ]
    for source, code, says in cases:
        result = cli("train", "pairs", "--corpus", source, "--out", out)
        assert (result.code, result.out) == (code, ""), result.err
        assert says in result.err
        assert not (out / "manifest.json").exists()
        assert not list(out.glob(".records-*"))


@needs_datasets
def test_counts_of_pairs_of_another_version_are_refused(cli: Cli, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text('{"format": "deepimagine pairs", "pairs_version": 99}', "utf-8")
    result = cli("train", "pairs", "--stats", "--out", tmp_path / "out")
    assert result.code == ExitCode.BAD_INPUT
    assert "version 99" in result.err


def test_a_missing_extra_is_told_before_anything_is_read(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    result = cli("train", "pairs", "--corpus", tmp_path / "nowhere.db", "--out", tmp_path / "out")
    assert result.code == ExitCode.MISSING_EXTRA
    assert "deepimagine[training]" in result.err
    assert not (tmp_path / "out").exists()
