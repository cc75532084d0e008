"""`evaluate interpret`: measures of the runs that a folder holds, and of a model that is probed."""

from __future__ import annotations

from pathlib import Path

import pytest
from deepimagine_training.pair_files import write as write_pairs
from deepimagine_training.pairs import draw

from deepimagine_tui.backends import catalogue
from deepimagine_tui.backends.protocol import GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedOutput
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.evaluation import interpretability
from deepimagine_tui.reasoning.journal import SUFFIX, Journal
from tests.cli.conftest import Cli
from tests.support import sample_runs
from tests.training.answering import Told
from tests.training.made import many_trials, write


def test_the_runs_of_a_folder_are_measured_without_a_model(tmp_path: Path, cli: Cli) -> None:
    with Journal(tmp_path / "runs" / f"{sample_runs.RUN_ID}{SUFFIX}") as journal:
        for event in sample_runs.what_if_three_steps():
            journal.write(event)
    said = cli("evaluate", "interpret", "--read", "-o", tmp_path)
    assert said.code == ExitCode.OK, said.err
    assert interpretability.Z_AGREES in said.out
    assert "Nothing to measure by" in said.out
    told = cli("evaluate", "interpret", "--read", "-o", tmp_path, "--json")
    assert told.json["runs"] == 1
    assert interpretability.read(tmp_path).runs == 1


def test_a_folder_without_runs_is_said_to_have_none(tmp_path: Path, cli: Cli) -> None:
    said = cli("evaluate", "interpret", "--read", "-o", tmp_path)
    assert said.code == ExitCode.NOT_FOUND
    assert "no runs" in said.err


def test_a_model_is_probed_from_the_pairs_of_a_corpus(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "corpus.db"
    assert cli("corpus", "import", write(tmp_path / "made", many_trials(12)), "--corpus", path).code == ExitCode.OK
    with Corpus.open(path) as corpus:
        write_pairs(draw(corpus), tmp_path / "pairs")

    def script(request: GenerationRequest) -> ScriptedOutput:
        answers = {"direction": "no clear change", "arm_value": "-0.7", "comparator_value": "-0.1", "verdict": "met"}
        return ScriptedOutput(" Because.", answers, {"verdict": {"met": 0.8, "not met": 0.2}})

    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: Told(script))
    command = ("evaluate", "interpret", "--model", "scripted", "--corpus", path, "--set", f"pairs:{tmp_path / 'pairs'}")
    said = cli(*command, "--side", "train", "--limit", 2, "-o", tmp_path / "out", "--json")
    assert said.code == ExitCode.OK, said.err
    found = interpretability.read(tmp_path / "out")
    order = next(each for each in found.measures if each.name == interpretability.ORDER)
    assert (order.estimate.value, order.estimate.trials) == (0.0, 2)
