"""`evaluate calibrate`: from the answers about two sides to the files that the app finds."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from deepimagine_training import backtest, pair_files
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import PairSet, draw
from msgspec.structs import replace

from deepimagine_tui.backends import catalogue
from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.evaluation import predictions
from deepimagine_tui.evaluation.chain import Chain
from deepimagine_tui.evaluation.on_file import CALIBRATION, RECORDS, on_file
from deepimagine_tui.evaluation.runner import run
from deepimagine_tui.evaluation.sides import Side
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.anchors import CorpusAnchors
from tests.cli.conftest import Cli
from tests.training.answering import MODEL, Told, certain
from tests.training.made import many_trials, write


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    folder = tmp_path_factory.mktemp("drawn")
    with opened(str(write(folder / "made", many_trials(30))), folder, Event()) as corpus:
        return draw(corpus)


@pytest.fixture
def pairs(drawn: PairSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the pairs; the model in force is the one that answers."""
    pair_files.write(drawn, tmp_path / "pairs")
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: Told(certain()))
    return tmp_path / "pairs"


def answered(pairs: Path, side: Side, out: Path) -> Path:
    """The folder of a model's answers about a side."""
    rows = pair_files.load_rows(pairs, ("train", side))
    asked = backtest.natural(rows, side)
    chain = Chain(Told(certain(rows)), CorpusAnchors(open_starter()), Learnt(backtest.natural(rows, "train")), are_steps=True)
    run(chain, asked, out, Event())
    return out


def test_answers_about_two_sides_become_a_calibration_with_records_that_are_found(
    pairs: Path, tmp_path: Path, cli: Cli
) -> None:
    fit, check = (answered(pairs, side, tmp_path / side) for side in ("validation", "test"))
    command = ("evaluate", "calibrate", "--pairs", pairs, "--fit", fit, "--check", check, "--model", "scripted")
    made = cli(*command)
    assert made.code == ExitCode.OK, made.err
    assert "not calibrated: " in made.out
    assert "right direction on" in made.out
    kept = on_file(MODEL)
    assert kept.calibration is not None
    assert kept.records is not None
    assert kept.calibration.fitted_on is not None
    assert not {*kept.calibration.fitted_on.trials} & {*kept.records.trials}
    again = cli(*command, "--json", "-o", tmp_path / "out")
    assert again.code == ExitCode.OK, again.err
    assert again.json["folder"] == str(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {CALIBRATION, RECORDS}


def test_answers_about_other_questions_are_refused(pairs: Path, tmp_path: Path, cli: Cli) -> None:
    folder = answered(pairs, "validation", tmp_path / "validation")
    read = predictions.read(folder)
    begun = tmp_path / "foreign" / predictions.JOURNAL
    predictions.begin(begun, replace(read.header, set_sha256="other"))
    predictions.append(begun, read.by_id.values())
    command = ("evaluate", "calibrate", "--pairs", pairs, "--model", "scripted", "--fit")
    refused = cli(*command, begun.parent)
    assert refused.code == ExitCode.REFUSED
    assert "other questions" in refused.err
    missing = cli(*command, tmp_path / "nothing")
    assert missing.code == ExitCode.NOT_FOUND
    assert "evaluate run" in missing.err


def test_answers_of_another_model_are_refused(pairs: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = answered(pairs, "validation", tmp_path / "validation")
    other = Told(certain(), replace(MODEL, adapter_sha256="c" * 64))
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: other)
    refused = cli("evaluate", "calibrate", "--pairs", pairs, "--fit", fit, "--model", "scripted")
    assert refused.code == ExitCode.REFUSED
    assert "do not calibrate" in refused.err


def test_one_side_for_both_is_refused(pairs: Path, tmp_path: Path, cli: Cli) -> None:
    fit = answered(pairs, "validation", tmp_path / "validation")
    refused = cli("evaluate", "calibrate", "--pairs", pairs, "--fit", fit, "--check", fit, "--model", "scripted")
    assert refused.code == ExitCode.REFUSED
    assert "Fit on one side and check on another" in refused.err
