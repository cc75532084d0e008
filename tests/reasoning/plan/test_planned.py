"""Outcomes that are known by their words alone."""

from __future__ import annotations

import pytest

from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.trials.results import ValueKind


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Overall survival", "time to event"),
        ("Time to complete response", "time to event"),
        ("Duration of response", "time to event"),
        ("Overall survival at 2 years", "share"),
        ("Event-free Survival Rate", "share"),
        ("Objective Response Rate (ORR)", "share"),
        ("Complete response", "share"),
        ("28-day mortality", "share"),
        ("Percentage of participants with COVID-19", "share"),
        ("Mortality per 100 patient-years", "unknown"),
        ("Change in HbA1c at 24 weeks", "signed"),
        ("Quality of sleep", "unknown"),
    ],
)
def test_the_kind_of_a_value_is_read_from_the_title(title: str, kind: ValueKind) -> None:
    assert planned_spec(title).kind == kind
