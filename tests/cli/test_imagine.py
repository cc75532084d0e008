"""Imagining from a shell, with the scripted backend: defaults, changes, output, exit codes, stopping."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deepimagine_tui import paths
from deepimagine_tui.backends import catalogue
from deepimagine_tui.backends.protocol import GenerationFailed
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK
from tests.cli.conftest import Cli
from tests.cli.records import DOSE_TRIAL, PLANNED_TRIAL, TWO_AGENTS, write_records

DEMO = ("--backend", "scripted")


@pytest.fixture(autouse=True)
def corpus(cli: Cli, tmp_path: Path) -> None:
    assert cli("corpus", "import", write_records(tmp_path / "records")).code == ExitCode.OK


def events(cli: Cli, *arguments: object) -> list[dict[str, Any]]:
    result = cli("imagine", *arguments, *DEMO, "--json")
    assert result.code == ExitCode.OK, result.err
    return result.lines


def of_type(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in found if event["type"] == name]


def script(monkeypatch: pytest.MonkeyPatch, **options: Any) -> ScriptedBackend:
    backend = ScriptedBackend(**options)
    monkeypatch.setattr(catalogue, "open_backend", lambda *_arguments, **_options: backend)
    return backend


def test_json_is_one_event_a_line_from_start_to_end(cli: Cli):
    found = events(cli, DOSE_TRIAL, "--set", "dose=50 mg")
    assert [found[0]["type"], found[-1]["type"]] == ["run_started", "run_finished"]
    assert found[-1]["outcome"] == "answered"
    assert [event["seq"] for event in found] == list(range(len(found)))
    assert found[0]["model"]["demo"] is True


def test_the_defaults_are_the_highest_dose_against_placebo_on_the_primary_outcome(cli: Cli):
    anchor = of_type(events(cli, DOSE_TRIAL, "--set", "geography=Japan"), "anchor_chosen")[0]["state"]
    assert anchor["configuration"]["arm"]["label"] == "Glivazin 25 mg once daily"
    assert anchor["configuration"]["comparator"]["label"] == "Placebo"
    assert anchor["configuration"]["outcome"]["title"] == "Change From Baseline in HbA1c"


def test_the_start_can_be_named(cli: Cli):
    found = events(cli, DOSE_TRIAL, "--arm", "10 mg", "--comparator", "25 mg", "--outcome", "1", "--set", "enrolment=900")
    anchor = of_type(found, "anchor_chosen")[0]["state"]["configuration"]
    assert anchor["arm"]["label"] == "Glivazin 10 mg once daily"
    assert anchor["comparator"]["label"] == "Glivazin 25 mg once daily"


def test_changes_are_walked_in_the_order_given(cli: Cli):
    found = events(cli, DOSE_TRIAL, "--set", "dose=50 mg", "--set", "Time Frame=week 52", "--set", "geography=Japan")
    assert [event["perturbation"]["factor"] for event in of_type(found, "step_planned")] == ["dose", "time_frame", "geography"]


def test_flags_reach_the_run(cli: Cli):
    arguments = ["--seed", "11", "--samples", "2", "--temperature", "0.2", "--top-p", "0.5", "--max-reasoning-tokens", "17"]
    found = events(cli, DOSE_TRIAL, "--set", "dose=50 mg", *arguments, "--name", "mine", "--estimand", "contrast")
    request = found[0]["request"]
    asked = {"seed": 11, "temperature": 0.2, "top_p": 0.5, "max_reasoning_tokens": 17, "samples": 2}
    assert request["settings"] == asked | {"max_steps": 0, "max_prompt_tokens": 0}
    assert (request["name"], request["estimand"]) == ("mine", "contrast")
    assert len(of_type(found, "anchor_chosen")) == 2


def test_the_text_says_what_was_observed_what_was_imagined_and_what_it_is_for(cli: Cli):
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", *DEMO)
    assert result.code == ExitCode.OK
    lines = result.out.splitlines()
    assert DEMO_MARK in lines[0]
    assert lines[-1] == CONTEXT_OF_USE
    assert any(line.startswith("● observed") and "-0.78" in line and "OG002" in line for line in lines)
    assert any(line.startswith("○ imagined") and "(not calibrated)" in line for line in lines)
    assert "Step 1" in result.err


def test_a_posted_dose_is_revealed_beside_the_imagined_one(cli: Cli):
    result = cli("imagine", DOSE_TRIAL, "--arm", "10 mg", "--set", "dose=25 mg", *DEMO)
    assert any(line.startswith("● posted") and "-0.78" in line for line in result.out.splitlines())
    assert "Graded:" in result.out
    assert "posted" not in cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", *DEMO).out.split("CI posted")[-1]


def test_the_run_is_kept(cli: Cli):
    run_id = events(cli, DOSE_TRIAL, "--set", "dose=50 mg")[0]["run_id"]
    journal = paths.runs_dir() / f"{run_id}.jsonl"
    assert journal.is_file()
    assert cli("runs", "list", "--json").json["runs"][0]["run_id"] == run_id


def test_choices_ask_nothing(cli: Cli):
    text = cli("imagine", DOSE_TRIAL, "--choices").out
    assert "10 mg once daily" in text
    found = cli("imagine", DOSE_TRIAL, "--choices", "--json").json
    assert {proposal["label"] for proposal in found["proposals"]["dose"]} >= {"10 mg once daily"}
    assert len(found["anchors"]) >= 2
    assert cli("runs", "list", "--json").json["runs"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([DOSE_TRIAL], ExitCode.USAGE, "--choices"),
        ([DOSE_TRIAL, "--set", "dosage=50 mg"], ExitCode.USAGE, "dose"),
        ([DOSE_TRIAL, "--set", "dose"], ExitCode.USAGE, "dose="),
        ([DOSE_TRIAL, "--set", "moon=full"], ExitCode.USAGE, "geography"),
        ([DOSE_TRIAL, "--set", "dose=a lot"], ExitCode.USAGE, "a lot"),
        ([DOSE_TRIAL, "--arm", "90 mg", "--set", "dose=50 mg"], ExitCode.USAGE, "10 mg"),
        (["NCT99000109", "--set", "dose=50 mg"], ExitCode.NOT_FOUND, DOSE_TRIAL),
        ([PLANNED_TRIAL, "--set", "dose=50 mg"], ExitCode.REFUSED, "orecast"),
        ([TWO_AGENTS, "--set", "dose=50 mg"], ExitCode.USAGE, "Metformin"),
        ([DOSE_TRIAL, "--set", "dose=50 mg", "--seed", "-1"], ExitCode.USAGE, "--seed"),
        ([DOSE_TRIAL, "--set", "dose=50 mg", "--model", "nothing"], ExitCode.NOT_FOUND, "nothing"),
        ([DOSE_TRIAL, "--set", "dose=50 mg", "--backend", "openai"], ExitCode.USAGE, "--url"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_runs(cli: Cli, arguments: list[str], code: ExitCode, said: str):
    result = cli("imagine", *arguments)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert "Traceback" not in result.err
    assert not paths.runs_dir().exists()


def test_an_answer_that_cannot_be_read_is_no_answer(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    script(monkeypatch, outputs=["I do not know."])
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg")
    assert result.code == ExitCode.NO_ANSWER
    assert "-0.78" in result.out
    assert "No answer" in result.err


def test_a_model_that_stops_is_told_with_its_hint(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    failed = GenerationFailed("", "The model stopped (killed by SIGKILL).", "Free some memory.", restartable=True)
    script(monkeypatch, outputs=[failed])
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--json")
    assert result.code == ExitCode.MODEL
    assert result.lines[-1]["outcome"] == "failed"
    assert "SIGKILL" in result.err
    assert "Free some memory" in result.err


def test_hostile_model_text_is_inert(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    from deepimagine_tui.backends.scripted import ScriptedOutput, rule_answers

    script(monkeypatch, outputs=lambda request: ScriptedOutput(" \x1b[2Jgone \u202e [bold]", rule_answers(request)))
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg")
    assert "\x1b" not in result.out + result.err
    assert "\u202e" not in result.out + result.err
    assert "[bold]" in result.out


def test_a_remote_model_is_not_sent_anything_without_consent(cli: Cli):
    assert cli("models", "add", "--url", "http://127.0.0.1:9/v1", "--served-as", "m", "--name", "far").code == ExitCode.OK
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--model", "far")
    assert result.code != ExitCode.OK
    assert "127.0.0.1" in result.err
    assert "--yes" in result.err
    offline = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--model", "far", "--yes", "--offline")
    assert offline.code in (ExitCode.REFUSED, ExitCode.MODEL)
    assert "offline" in offline.err.lower()


SLOW = """
import sys
from deepimagine_tui.backends import catalogue
from deepimagine_tui.backends.scripted import ScriptedBackend
catalogue.open_backend = lambda *arguments, **options: ScriptedBackend(delay=0.2)
from deepimagine_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_keeps_what_was_produced():
    command = [sys.executable, "-c", SLOW, "imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        rest, narration = process.communicate(timeout=30)
    assert process.returncode == ExitCode.CANCELLED
    found = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert found[-1]["outcome"] == "cancelled"
    assert "Traceback" not in narration
    assert "Stopped: 0 answered steps kept." in narration
    journal = paths.runs_dir() / f"{found[0]['run_id']}.jsonl"
    assert "cancelled" in journal.read_text("utf-8").splitlines()[-1]


def test_a_reader_that_goes_away_stops_the_run_quietly():
    command = [sys.executable, "-c", SLOW, "imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        run_id = json.loads(process.stdout.readline())["run_id"]
        process.stdout.close()
        narration = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == ExitCode.CANCELLED
    assert "Traceback" not in narration
    assert "BrokenPipe" not in narration
    assert "cancelled" in (paths.runs_dir() / f"{run_id}.jsonl").read_text("utf-8").splitlines()[-1]


def test_a_home_that_cannot_be_written_is_told_before_the_model_works(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    corpus = paths.default_corpus()
    blocker = tmp_path / "blocker"
    blocker.write_text("")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(blocker))
    result = cli("imagine", DOSE_TRIAL, "--set", "dose=50 mg", "--corpus", corpus, *DEMO)
    assert (result.code, result.out) == (ExitCode.STORAGE, "")
    assert "Traceback" not in result.err


def test_the_same_seed_gives_the_same_run(cli: Cli):
    def answers(seed: int) -> list[Any]:
        found = events(cli, DOSE_TRIAL, "--set", "dose=50 mg", "--seed", seed)
        return [(event["step_id"], event["state"]) for event in of_type(found, "step_estimated")]

    assert answers(3) == answers(3)
    assert answers(3) != answers(4)


def test_a_setting_from_the_environment_reaches_the_run(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(os.environ, "DEEPIMAGINE_SEED", "23")
    assert events(cli, DOSE_TRIAL, "--set", "dose=50 mg")[0]["request"]["settings"]["seed"] == 23
