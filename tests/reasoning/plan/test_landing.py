"""Where a changed configuration coincides with something posted, and where it does not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.reasoning.change import apply, title_without_time
from deepimagine_tui.reasoning.landing import find_posted, find_reported
from deepimagine_tui.reasoning.propose import parse_setting
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import TimePoint
from tests.reasoning.plan.made import HBA1C, RESPONSE, TRIAL, WEIGHT, ref, state


def land(*settings: tuple[Factor, str]) -> AnchorRef | None:
    """Where these settings lead from 10 mg against placebo at week 24."""
    here = state(at=ref("OG001"))
    for factor, text in settings:
        here = replace(here, configuration=apply(here.configuration, parse_setting(factor, text, here, TRIAL).change))
    return find_posted(here.configuration, TRIAL)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((("dose", "25 mg"),), ref("OG002")),
        ((("dose", "0.025 g"),), ref("OG002")),
        ((("arm", "25 mg"),), ref("OG002")),
        ((("time_frame", "week 12"),), ref("OG001", where="Week 12")),
        ((("time_frame", "84 days"),), ref("OG001", where="Week 12")),
        ((("outcome", "weight"),), ref("OG001", outcome=WEIGHT)),
        ((("dose", "25 mg"), ("outcome", "2")), ref("OG002", outcome=RESPONSE)),
        ((("outcome", "2"), ("dose", "25 mg")), ref("OG002", outcome=RESPONSE)),
        ((("comparator", "25 mg"),), ref("OG001", "OG002")),
        ((("dose", "40 mg"), ("dose", "25 mg")), ref("OG002")),
        ((("time_frame", "week 52"), ("time_frame", "week 24")), ref("OG001")),
        ((("enrolment", "900"), ("enrolment", "300")), ref("OG001")),
        ((("dose", "40 mg"),), None),
        ((("time_frame", "week 52"),), None),
        ((("comparator", "no treatment"),), None),
        ((("dose", "25 mg"), ("geography", "Japan")), None),
        ((("dose", "25 mg"), ("enrolment", "900")), None),
        ((("dose", "25 mg"), ("population", "female")), None),
        ((("dose", "25 mg"), ("context", "open label")), None),
        ((("outcome", "Blood pressure"),), None),
    ],
)
def test_settings_land_where_the_trial_has_posted_just_that(
    settings: tuple[tuple[Factor, str], ...], expected: AnchorRef | None
) -> None:
    assert land(*settings) == expected


def test_the_measure_of_a_time_that_was_never_posted_is_not_landed_on() -> None:
    assert land(("outcome", "2"), ("time_frame", "week 12")) is None


def test_a_plan_finds_what_was_reported_on_it() -> None:
    assert find_reported(target_of(TRIAL), TRIAL) == ref("OG002", "OG000", HBA1C, "Week 24")
    assert find_reported(target_of(TRIAL, arm="10 mg"), TRIAL) == ref("OG001", "OG000", HBA1C, "Week 24")


def test_a_planned_arm_is_the_unlinked_group_that_is_given_the_same() -> None:
    outcome = TRIAL.outcomes[0]
    renamed = tuple(replace(g, title=f"Group {n}", link=None) if g.doses else g for n, g in enumerate(outcome.groups))
    trial = replace(TRIAL, outcomes=(replace(outcome, groups=renamed), *TRIAL.outcomes[1:]))
    assert find_reported(target_of(trial), trial) == ref("OG002", "OG000", HBA1C, "Week 24")


def test_one_of_several_components_is_not_what_was_planned() -> None:
    outcome = TRIAL.outcomes[0]
    parts = {"Week 12": "Fasting", "Week 24": "After meals"}
    cells = tuple(replace(cell, class_title=parts.get(cell.class_title, cell.class_title), time=None) for cell in outcome.cells)
    trial = replace(TRIAL, outcomes=(replace(outcome, cells=cells, class_axis="component"), *TRIAL.outcomes[1:]))
    assert find_reported(target_of(trial), trial) is None


def test_a_plan_that_was_changed_finds_nothing() -> None:
    target = target_of(TRIAL)
    assert find_reported(replace(target, time=TimePoint("week 52", 52.0)), TRIAL) is None
    assert find_reported(replace(target, geography=TRIAL.countries[:1]), TRIAL) is None
    assert find_reported(replace(target, outcome=replace(target.outcome, title="Blood pressure")), TRIAL) is None
    assert find_reported(target, replace(TRIAL, outcomes=())) is None


@pytest.mark.parametrize(
    ("title", "weeks", "left"),
    [
        ("Change from baseline in HbA1c at week 24", 24, "Change from baseline in HbA1c"),
        ("HbA1c, week 24", 24, "HbA1c"),
        ("Weight after 24 weeks of treatment", 24, "Weight"),
        ("Change in HbA1c at week 24 in women", 24, "Change in HbA1c in women"),
        ("Change in HbA1c at week 12", 24, "Change in HbA1c at week 12"),
        ("Events within 28 days after dosing", 4, "Events within 28 days after dosing"),
        ("At week 24", 24, "At week 24"),
    ],
)
def test_a_title_loses_the_time_that_no_longer_holds(title: str, weeks: float, left: str) -> None:
    assert title_without_time(title, TimePoint("", weeks)) == left
