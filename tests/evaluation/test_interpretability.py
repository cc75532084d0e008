"""Interpretability over a folder of runs: every measure with its number of trials, clustered by programme."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation import interpretability
from deepimagine_tui.evaluation.interpretability import Interpretability, Measure
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.journal import SUFFIX, Journal
from tests.reasoning.engine.support import NCT, ask, to_dose, to_japan, what_if
from tests.reasoning.test_interpret import saying
from tests.support import sample_runs


def keep(folder: Path, events: Sequence[ReasoningEvent], name: str = "one") -> None:
    with Journal(folder / f"{name}{SUFFIX}") as journal:
        for event in events:
            journal.write(event)


def named(found: Interpretability, name: str, factor: str = "") -> Measure:
    return next(each for each in found.measures if (each.name, each.factor) == (name, factor))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two what-ifs of one trial, one of them by four seeds."""
    said = saying((-0.9, 0, "down", 0.9), (-0.5, -0.1, "down", 0.8))
    keep(tmp_path / "runs", ask(what_if(to_dose(50.0), to_japan()), said), "a")
    seeds = saying((-0.9, 0, "down", 0.9), (-0.9, 0, "down", 0.9), (-0.9, 0, "down", 0.9), (-0.9, 0, "down", 0.1))
    keep(tmp_path / "runs", ask(what_if(to_dose(50.0), run_id="run-2", samples=4), seeds), "b")
    return tmp_path


def test_every_measure_is_there_with_its_definition_and_its_trials(folder: Path) -> None:
    found = interpretability.read_runs(folder)
    assert found.runs == 2
    assert {each.name for each in found.measures} == {*interpretability.READ, *interpretability.PROBED}
    assert all(each.definition for each in found.measures)
    word = named(found, interpretability.WORD)
    assert word.estimate.value == pytest.approx(5 / 6)
    assert (word.estimate.rows, word.estimate.trials) == (6, 1)
    assert named(found, interpretability.WORD, "geography").estimate.value == 0.0
    assert named(found, interpretability.Z_AGREES).estimate.value == pytest.approx(5 / 6)
    assert named(found, interpretability.SEEDS).estimate.value == 0.75
    assert named(found, interpretability.PATHS).estimate.value is None


def test_the_move_of_a_step_is_the_median_of_its_size(folder: Path) -> None:
    move = named(interpretability.read_runs(folder), interpretability.MOVE, "dose")
    assert move.estimate.value == pytest.approx(0.24 / 0.8)
    assert move.unit == "s"


def test_intervals_are_over_programmes(tmp_path: Path) -> None:
    for number in range(8):
        events = ask(what_if(to_dose(50.0), run_id=f"run-{number}"), saying((-0.9, 0, "down" if number % 2 else "up", 0.9)))
        text = str(number)
        keep(tmp_path, events, text)
        path = tmp_path / f"{text}{SUFFIX}"
        path.write_text(path.read_text().replace(NCT, f"NCT0000000{number}"))
    apart = named(interpretability.read_runs(tmp_path), interpretability.WORD).estimate
    assert (apart.value, apart.trials, apart.clusters) == (0.5, 8, 8)
    assert apart.lower is not None
    assert apart.upper is not None
    assert apart.lower < 0.5 < apart.upper
    one = {f"NCT0000000{number}": "NCT00000000" for number in range(8)}
    together = named(interpretability.read_runs(tmp_path, one), interpretability.WORD).estimate
    assert (together.value, together.clusters, together.lower) == (0.5, 1, None)


def test_pathways_of_a_forecast_are_not_called_seeds(tmp_path: Path) -> None:
    keep(tmp_path, sample_runs.forecast_run(7))
    found = interpretability.read_runs(tmp_path)
    assert named(found, interpretability.PATHS).estimate.rows == 1
    assert named(found, interpretability.SEEDS).estimate.rows == 0


def test_a_journal_that_is_damaged_is_counted_and_left_out(folder: Path) -> None:
    (folder / "runs" / "c.jsonl").write_text("not a run\n")
    found = interpretability.read_runs(folder)
    assert (found.runs, found.unreadable) == (2, 1)


def test_what_is_written_is_read_again(folder: Path) -> None:
    found = interpretability.read_runs(folder)
    interpretability.write(found, folder / interpretability.FILE)
    assert interpretability.read(folder) == found
    (folder / interpretability.FILE).write_text("{}")
    with pytest.raises(BadInputError):
        interpretability.read(folder)


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no runs"):
        interpretability.read_runs(tmp_path)
    with pytest.raises(NotFoundError):
        interpretability.read(tmp_path)
