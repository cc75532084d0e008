"""The page on what is understood is what the records give."""

from __future__ import annotations

from pathlib import Path

from benchmarks.understanding import WHY, report
from deepimagine_tui.trials.model import Trial

PAGE = Path(__file__).parents[2] / "docs" / "understanding.md"


def test_the_page_is_generated_from_the_records(trials: dict[str, Trial]) -> None:
    assert PAGE.read_text(encoding="utf-8") == report([trials[nct_id] for nct_id in sorted(trials)])


def test_every_kind_of_problem_is_explained(trials: dict[str, Trial]) -> None:
    assert {problem.code for trial in trials.values() for problem in trial.problems} <= set(WHY)
