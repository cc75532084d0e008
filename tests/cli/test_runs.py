"""Runs and exports: listed newest first, read again as they were, renamed, deleted, written as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepimagine_tui import paths
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import Journal
from tests.cli.conftest import Cli
from tests.support.sample_runs import Events, demo_run, forecast_run, hostile_run, what_if_three_steps


def keep(events: Events) -> str:
    """Write a run to the workspace, as the engine's callers do."""
    from msgspec.structs import replace

    run_id = new_run_id()
    with Journal(paths.runs_dir() / f"{run_id}.jsonl") as journal:
        for event in events:
            journal.write(replace(event, run_id=run_id))
    return run_id


@pytest.fixture
def run_id() -> str:
    return keep(what_if_three_steps())


def test_no_runs_are_an_empty_list(cli: Cli):
    assert cli("runs", "list", "--json").json == {"runs": []}
    assert "no runs yet" in cli("runs", "list").err


def test_runs_are_listed_newest_first(cli: Cli):
    first, second = keep(what_if_three_steps()), keep(demo_run())
    listed = cli("runs", "list", "--json").json["runs"]
    assert {run["run_id"] for run in listed} == {first, second}
    assert cli("runs", "list", "--json", "--limit", "1").json["runs"] == listed[:1]
    table = cli("runs", "list").out
    assert "demo, no model" in table
    assert "High dose in Japan" in table


def test_a_run_is_shown_by_id_beginning_or_last(cli: Cli, run_id: str):
    shown = cli("runs", "show", run_id)
    assert shown.code == ExitCode.OK
    assert "○ imagined" in shown.out
    assert cli("runs", "show", "last").out == shown.out
    assert cli("runs", "show", run_id[:20]).out == shown.out


def test_a_run_as_json_is_its_events(cli: Cli, run_id: str):
    lines = cli("runs", "show", run_id, "--json").lines
    assert [lines[0]["type"], lines[-1]["type"]] == ["run_started", "run_finished"]


def test_a_forecast_shows_its_chains_when_asked(cli: Cli):
    keep(forecast_run())
    short, long = cli("runs", "show", "last").out, cli("runs", "show", "last", "--chains").out
    assert "Pathway 1 of 7" in long
    assert "Pathway 1 of 7" not in short


def test_a_run_is_renamed_and_deleted(cli: Cli, run_id: str):
    assert cli("runs", "rename", run_id, "Mine").code == ExitCode.OK
    assert cli("runs", "list", "--json").json["runs"][0]["name"] == "Mine"
    assert "Mine" in cli("runs", "show", run_id).out
    refused = cli("runs", "delete", run_id)
    assert refused.code == ExitCode.REFUSED
    assert "--yes" in refused.err
    assert cli("runs", "delete", run_id, "--yes").code == ExitCode.OK
    assert cli("runs", "list", "--json").json["runs"] == []


@pytest.mark.parametrize("command", [["runs", "show"], ["runs", "delete", "--yes"], ["export", "figure"], ["export", "data"]])
def test_a_run_that_is_not_there(cli: Cli, command: list[str]):
    for text in ("last", "0000"):
        result = cli(*command, text)
        assert (result.code, result.out) == (ExitCode.NOT_FOUND, "")


def test_a_torn_journal_is_shown_with_what_is_missing(cli: Cli, run_id: str):
    path = paths.runs_dir() / f"{run_id}.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    result = cli("runs", "show", run_id)
    assert result.code == ExitCode.OK
    assert "○ imagined" in result.out
    assert "cut short" in result.err
    assert "no end" in result.err


def test_a_damaged_journal_is_one_sentence(cli: Cli, run_id: str):
    (paths.runs_dir() / f"{run_id}.jsonl").write_text("no journal\n", "utf-8")
    result = cli("runs", "show", run_id)
    assert result.code == ExitCode.BAD_INPUT
    assert "Traceback" not in result.err
    assert cli("runs", "list", "--json").json["runs"][0]["outcome"] == "unreadable"


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_a_figure_is_written_and_its_path_told(cli: Cli, run_id: str, tmp_path: Path, form: str):
    path = tmp_path / f"figure.{form}"
    result = cli("export", "figure", run_id, "-o", path)
    assert (result.code, result.out) == (ExitCode.OK, f"{path}\n")
    assert path.read_bytes()[:4] in (b"<?xm", b"\x89PNG", b"%PDF")


@pytest.mark.parametrize("which", ["graph", "trajectory", "forest"])
def test_each_figure_of_a_forecast(cli: Cli, tmp_path: Path, which: str):
    keep(forecast_run())
    path = tmp_path / "figure.svg"
    assert cli("export", "figure", "last", "-o", path, "--which", which).code == ExitCode.OK
    assert path.stat().st_size > 1000


def test_without_a_name_a_figure_has_the_format_of_the_settings(
    cli: Cli, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DEEPIMAGINE_FIGURE_FORMAT", "png")
    assert cli("export", "figure", run_id).out == f"{run_id}-graph.png\n"
    assert (tmp_path / f"{run_id}-graph.png").is_file()


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_report_says_what_it_is_for(cli: Cli, run_id: str, tmp_path: Path, form: str):
    path = tmp_path / f"report.{form}"
    assert cli("export", "report", run_id, "-o", path).code == ExitCode.OK
    assert "Not evidence; not for patient care" in path.read_text("utf-8")


@pytest.mark.parametrize("form", ["json", "csv", "graphml", "dot"])
def test_data_in_each_format(cli: Cli, run_id: str, tmp_path: Path, form: str):
    path = tmp_path / f"data.{form}"
    assert cli("export", "data", run_id, "-o", path).code == ExitCode.OK
    text = path.read_text("utf-8")
    assert "-0.84" in text
    if form == "json":
        json.loads(text)


def test_a_format_can_be_named_when_the_file_does_not_say(cli: Cli, run_id: str, tmp_path: Path):
    path = tmp_path / "numbers.txt"
    assert cli("export", "data", run_id, "-o", path, "--format", "csv").code == ExitCode.OK
    assert path.read_text("utf-8").splitlines()[0].startswith("status")


@pytest.mark.parametrize(("command", "name"), [("figure", "x.gif"), ("report", "x.docx"), ("data", "x.xlsx"), ("figure", "x")])
def test_a_file_name_that_says_no_format_is_refused(cli: Cli, run_id: str, tmp_path: Path, command: str, name: str):
    result = cli("export", command, run_id, "-o", tmp_path / name)
    assert (result.code, result.out) == (ExitCode.USAGE, "")
    assert "." in result.err
    assert not (tmp_path / name).exists()


def test_a_place_that_cannot_be_written(cli: Cli, run_id: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = cli("export", "data", run_id, "-o", tmp_path / "file" / "x.json")
    assert result.code == ExitCode.STORAGE
    assert "Traceback" not in result.err


def test_a_hostile_run_is_listed_inert(cli: Cli):
    keep(hostile_run())
    result = cli("runs", "list")
    assert "\x1b" not in result.out
    assert "\u202e" not in cli("runs", "list", "--json").out


def test_a_run_is_probed_once_and_its_numbers_are_shown_and_exported(cli: Cli, tmp_path: Path):
    asked = cli("imagine", "NCT02305381", "--set", "dose=2 mg", "--backend", "scripted")
    assert asked.code == ExitCode.OK, asked.err
    unasked = cli("runs", "probe", "last", "--read", "--json").json
    assert [each["standing"] for each in unasked["results"]] == ["not asked"] * 4
    assert "Probes of this run" not in cli("runs", "show", "last").out
    said = cli("runs", "probe", "last", "--backend", "scripted")
    assert said.code == ExitCode.OK, said.err
    assert said.out.rstrip() in cli("runs", "show", "last").out
    found = cli("runs", "probe", "last", "--read", "--json").json
    assert [each["standing"] for each in found["results"]] == ["answered"] * 4
    assert all(number["n"] and number["definition"] for each in found["results"] for number in each["numbers"])
    run_id = found["run_id"]
    journals = {path.name for path in (paths.runs_dir() / f"{run_id}.probes").iterdir()}
    assert cli("runs", "probe", run_id, "--backend", "scripted").out == said.out
    assert {path.name for path in (paths.runs_dir() / f"{run_id}.probes").iterdir()} == journals
    assert [run["run_id"] for run in cli("runs", "list", "--json").json["runs"]] == [run_id]
    for name in ("report.md", "report.html"):
        assert cli("export", "report", run_id, "-o", tmp_path / name).code == ExitCode.OK
        assert "doses are in order" in (tmp_path / name).read_text("utf-8")
    assert cli("export", "data", run_id, "-o", tmp_path / "run.json").code == ExitCode.OK
    assert json.loads((tmp_path / "run.json").read_text("utf-8"))["probes"]["results"] == found["results"]
    assert cli("runs", "delete", run_id, "--yes").code == ExitCode.OK
    assert not (paths.runs_dir() / f"{run_id}.probes").exists()


def test_a_run_of_another_model_or_kind_is_not_probed(cli: Cli, run_id: str):
    other = cli("runs", "probe", run_id, "--backend", "scripted")
    assert other.code == ExitCode.REFUSED
    assert "answered by gemma-3-270m" in other.err
    forecast = cli("runs", "probe", keep(forecast_run()), "--backend", "scripted")
    assert forecast.code == ExitCode.REFUSED
    assert "no one anchor" in forecast.err


def test_damaged_probes_are_told_and_asked_again(cli: Cli):
    assert cli("imagine", "NCT02305381", "--set", "dose=2 mg", "--backend", "scripted").code == ExitCode.OK
    assert cli("runs", "probe", "last", "--backend", "scripted").code == ExitCode.OK
    file = next(paths.runs_dir().glob("*.probes")) / "probes.json"
    file.write_text("no probes", "utf-8")
    assert "is damaged" in cli("runs", "show", "last").out
    assert "seeds agree" in cli("runs", "probe", "last", "--backend", "scripted").out
