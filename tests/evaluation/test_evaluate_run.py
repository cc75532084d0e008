"""`deepimagine evaluate run` as a user runs it: sets by name, a model of a server with faults, a kill, and what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepimagine_tui.backends import catalogue
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.evaluation import predictions
from deepimagine_tui.evaluation.asking import ASKED, read_asked
from deepimagine_tui.evaluation.predictions import JOURNAL
from deepimagine_tui.evaluation.runner import RUNS
from tests.cli.conftest import Cli, cli, plain_environment
from tests.evaluation.answering import Told
from tests.support.openai_server import FakeServer, openai_server
from tests.training.made import many_trials, write

__all__ = ["cli", "plain_environment"]

ROWS = "id,condition,arm,comparator,outcome,answer\n" + "".join(
    f"q{number},Type 2 diabetes,Drug {number} 10 mg,placebo,Change in HbA1c,met\n" for number in range(30)
)
REPLY = (" It", " works", ".", "\nVerdict:", " not", " met", "\n")


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """A CSV of thirty questions."""
    path = tmp_path / "asked.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path, cli: Cli) -> Path:
    """A corpus of made trials with results."""
    path = tmp_path / "made.db"
    assert cli("corpus", "import", write(tmp_path / "records", many_trials(30)), "--corpus", path).code == ExitCode.OK
    return path


@pytest.fixture
def server(cli: Cli) -> Iterator[FakeServer]:
    """A server whose model is called `far` in the catalogue."""
    with openai_server() as fake:
        fake.tokens = list(REPLY)
        fake.top = {" not": 0.7, " met": 0.2}
        assert cli("models", "add", "--url", fake.url, "--served-as", "m", "--name", "far").code == ExitCode.OK
        yield fake


@pytest.mark.parametrize("system", ["majority", "comparator-rule"])
def test_a_rule_answers_a_csv_of_questions(cli: Cli, asked: Path, tmp_path: Path, system: str):
    out = tmp_path / "out"
    result = cli("evaluate", "run", asked, "--system", system, "--out", out, "--json")
    assert result.code == ExitCode.OK, result.err
    assert result.json["header"]["system"] == system
    assert result.json["summary"] == {"questions": 30, "no_anchor": 0, "no_answer": 0}
    assert predictions.read(out).is_complete
    told = cli("evaluate", "run", asked, "--system", system)
    assert told.code == ExitCode.OK, told.err
    assert f"{system}: 30 questions of asked" in told.out


@pytest.mark.parametrize("name", ["forecasts", "natural", "approximate"])
def test_a_set_is_drawn_from_the_corpus_and_chains_answer_it(
    cli: Cli, corpus: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: Told())
    out = tmp_path / "out"
    command = ("evaluate", "run", name, "--side", "test", "--corpus", corpus, "--model", "scripted", "--limit", 5, "--out", out)
    result = cli(*command, "--system", "deepimagine", "--json")
    assert result.code == ExitCode.OK, result.err
    assert result.json["summary"]["questions"] == 5
    said = predictions.read(out)
    assert said.header.learnt_trials > 0
    if name == "forecasts":
        assert {path.stem for path in (out / RUNS).iterdir()} == {one.run_id for one in said.by_id.values()}
    else:
        assert any(one.state is not None for one in said.by_id.values())
        assert len(read_asked(out / ASKED)) >= 5


@pytest.mark.parametrize(
    ("how", "temperature", "tokens"), [((), 0.0, 64), (("--as-app",), 0.7, 96)], ids=["lean", "as the app"]
)
def test_a_chain_is_asked_lean_or_as_the_app_asks(
    cli: Cli,
    corpus: Path,
    tmp_path: Path,
    how: tuple[str, ...],
    temperature: float,
    tokens: int,
    monkeypatch: pytest.MonkeyPatch,
):
    told = Told()
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: told)
    command = ("evaluate", "run", "natural", "--corpus", corpus, "--model", "scripted", "--limit", 3, "--out", tmp_path / "out")
    result = cli(*command, "--system", "deepimagine", *how)
    assert result.code == ExitCode.OK, result.err
    asked = {(request.temperature, request.max_reasoning_tokens) for batch in told.batches for request in batch}
    assert asked == {(temperature, tokens)}
    settings = predictions.read(tmp_path / "out").header.settings
    assert (settings["temperature"], settings["max_reasoning_tokens"]) == (temperature, tokens)


def test_a_server_that_fails_and_drops_connections_gives_what_a_good_one_gives(
    cli: Cli, asked: Path, tmp_path: Path, server: FakeServer
):
    command = ("evaluate", "run", asked, "--system", "direct", "--model", "far", "--yes", "--json")
    good = cli(*command, "--out", tmp_path / "good")
    assert good.code == ExitCode.OK, good.err
    server.requests.clear()
    server.faults.extend(["429", "500", "cut", "reset", "slow", "garbage", "cut", "stream-error"])
    bad = cli(*command, "--out", tmp_path / "bad")
    assert bad.code == ExitCode.OK, bad.err
    assert len(server.requests) > 30
    first, second = (
        {name: one.probabilities for name, one in shown(folder).items()} for folder in (tmp_path / "good", tmp_path / "bad")
    )
    assert first == second
    assert set(first.values()) != {(0.5, 0.5)}
    assert bad.json["summary"]["no_answer"] == 0


def test_a_server_that_stays_down_ends_with_its_reason_and_the_same_command_goes_on(
    cli: Cli, asked: Path, tmp_path: Path, server: FakeServer
):
    command = ("evaluate", "run", asked, "--system", "direct", "--model", "far", "--yes", "--out", tmp_path / "out")
    server.always = "401"
    down = cli(*command)
    assert down.code == ExitCode.MODEL
    assert "answered 401" in down.err
    assert shown(tmp_path / "out") == {}
    server.always = ""
    assert cli(*command).code == ExitCode.OK
    assert len(shown(tmp_path / "out")) == 30


def test_a_run_that_is_killed_is_gone_on_with_and_nothing_is_asked_twice_that_was_kept(tmp_path: Path, server: FakeServer):
    many = tmp_path / "many.csv"
    lines = ROWS.splitlines(keepends=True)
    many.write_text(lines[0] + "".join(line.replace("q", f"q{turn}-", 1) for turn in range(5) for line in lines[1:]))
    out = tmp_path / "out"
    arguments = ["evaluate", "run", many, "--system", "direct", "--model", "far", "--yes", "--concurrency", "16", "--out", out]
    command = [sys.executable, "-m", "deepimagine_tui.cli", *map(str, arguments)]
    server.always = "slow"
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while (not (out / JOURNAL).exists() or len(shown(out)) == 0) and time.monotonic() < deadline:
        assert first.poll() is None
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    kept = len(shown(out))
    assert 0 < kept < 150
    server.requests.clear()
    server.always = ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 150 - kept
    assert len(shown(out)) == 150


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (["--system", "oracle"], ExitCode.USAGE, "There is no system 'oracle'"),
        (["--system", "direct", "--model", "scripted"], ExitCode.MODEL, "The demo has no model"),
        (["--system", "rag", "--model", "nobody"], ExitCode.NOT_FOUND, "nobody"),
    ],
)
def test_what_cannot_be_run_is_refused_with_a_reason(cli: Cli, asked: Path, change: list[str], code: ExitCode, said: str):
    result = cli("evaluate", "run", asked, *change)
    assert result.code == code
    assert said in result.err


@pytest.mark.parametrize("name", ["nothing", "pairs:nowhere"])
def test_a_set_that_is_not_there_is_refused(cli: Cli, name: str):
    assert cli("evaluate", "run", name, "--system", "majority").code == ExitCode.NOT_FOUND


def test_a_folder_of_another_run_is_refused(cli: Cli, asked: Path, tmp_path: Path):
    assert cli("evaluate", "run", asked, "--system", "majority", "--out", tmp_path / "out").code == ExitCode.OK
    result = cli("evaluate", "run", asked, "--system", "comparator-rule", "--out", tmp_path / "out")
    assert result.code == ExitCode.REFUSED


def shown(folder: Path) -> dict[str, predictions.Prediction]:
    """What a folder holds."""
    return predictions.read(folder).by_id
