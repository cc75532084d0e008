"""Times, arms and ages as a person reads them."""

from __future__ import annotations

import pytest

from deepimagine_tui.reasoning.describe import arm_text, population_text, time_text
from deepimagine_tui.reasoning.state import ArmSpec, Population
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Eligibility
from deepimagine_tui.trials.results import TimePoint


@pytest.mark.parametrize(
    ("text", "weeks", "shown"),
    [
        ("Week 24", 24.0, "Week 24"),
        ("6 months", 26.1, "6 months"),
        ("Week 8 after randomization", 8.0, "Week 8 after randomization"),
        ("Week 0, week 30", 30.0, "week 30"),
        ("Baseline and 8 Weeks", 8.0, "week 8"),
        ("Change from Baseline to Week 12", 12.0, "week 12"),
        ("Throughout the study", None, "Throughout the study"),
        ("Throughout the study", 4.0, "Throughout the study"),
        ("", None, "not stated"),
    ],
)
def test_a_time_reads_as_the_one_that_was_understood(text: str, weeks: float | None, shown: str) -> None:
    assert time_text(TimePoint(text, weeks)) == shown


@pytest.mark.parametrize(
    ("arm", "shown"),
    [
        (ArmSpec("2", ("Placebo",), control="placebo"), "2 (Placebo)"),
        (ArmSpec("Arm A", ("Drug X",), (Dose("Drug X", 5, "mg", "5 mg"),)), "Arm A (Drug X 5 mg)"),
        (ArmSpec("Group 1", control="placebo"), "Group 1 (placebo)"),
        (ArmSpec("Treatment", ()), "Treatment"),
        (ArmSpec("Semaglutide 1 mg", ("Semaglutide",)), "Semaglutide 1 mg"),
    ],
)
def test_a_label_that_tells_nothing_is_told_by_what_is_given(arm: ArmSpec, shown: str) -> None:
    assert arm_text(arm) == shown


def test_an_age_that_nobody_exceeds_is_no_limit() -> None:
    assert population_text(Population(eligibility=Eligibility("female", 18.0, 130.0))) == "female; age at least 18"
    assert population_text(Population(eligibility=Eligibility("all", 0.0, 99.0))) == "age 0-99"
