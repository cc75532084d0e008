"""What a forecast aims at, without anything that was written after the fact."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.target import as_planned, target_from_fields, target_of
from deepimagine_tui.trials.model import Arm, Intervention, PartialDate, Problem, Prose
from deepimagine_tui.trials.results import AdverseEvents, Flow, NamedGroup
from tests.reasoning.plan.made import TRIAL

CANARY = "XCANARYX"


def test_the_plan_is_the_registered_arms_and_outcome() -> None:
    found = target_of(TRIAL)
    assert found.arm.label == "Glucofake 25 mg"
    assert found.comparator is not None
    assert found.comparator.control == "placebo"
    assert (found.outcome.title, found.outcome.role) == ("Change from baseline in HbA1c", "primary")
    assert (found.outcome.kind, found.outcome.change_basis, found.outcome.benefit) == ("signed", "change", "lower")
    assert found.time is not None
    assert found.time.weeks == 24
    assert found.context.phases == ("3",)


def test_nothing_written_after_the_fact_is_in_the_target() -> None:
    groups = (NamedGroup("FG000", CANARY),)
    planted = replace(
        TRIAL,
        status=CANARY,
        results_posted=PartialDate(CANARY),
        last_updated=PartialDate(CANARY),
        completion=PartialDate(CANARY, "actual"),
        primary_completion=PartialDate(CANARY, "actual"),
        flow=Flow(groups, ()),
        adverse_events=AdverseEvents(groups, (), (), (), ()),
        prose=Prose(why_stopped=CANARY, limitations=CANARY, brief_summary=CANARY),
        problems=(Problem(CANARY, CANARY, CANARY),),
        outcomes=tuple(
            replace(each, title=f"{CANARY} {each.title}", groups=tuple(replace(g, title=CANARY) for g in each.groups))
            for each in TRIAL.outcomes
        ),
        baseline=replace(TRIAL.baseline, measures=(replace(TRIAL.baseline.measures[0], title=CANARY),))
        if TRIAL.baseline
        else None,
    )
    target = target_of(planted)
    assert CANARY not in msgspec.json.encode([target, as_planned(planted)]).decode()
    assert target == target_of(TRIAL)
    for value in (b"-0.78", b"-0.66", b"OG00", b"aaaa", b"2012", b"2014"):
        assert value not in msgspec.json.encode(target)
    assert (target.enrolment, target.context.start_year, target.population.baseline) == (None, None, ())
    assert (target.arm.group_id, target.outcome.outcome_id, target.outcome.unit) == ("", "", "")


def test_anticipated_dates_and_enrolment_stay() -> None:
    planned = replace(TRIAL, start=PartialDate("2027-01", "anticipated"), enrolment=500, enrolment_kind="anticipated")
    found = target_of(planned)
    assert (found.enrolment, found.context.start_year) == (500, 2027)


@pytest.mark.parametrize(("text", "role"), [("2", "secondary"), ("below 7", "secondary"), ("change from", "primary")])
def test_a_planned_outcome_is_named(text: str, role: str) -> None:
    assert target_of(TRIAL, outcome=text).outcome.role == role


def test_arm_and_comparator_are_named() -> None:
    found = target_of(TRIAL, arm="10 mg", comparator="25 mg")
    assert found.comparator is not None
    assert (found.arm.doses[0].amount, found.comparator.doses[0].amount) == (10, 25)


@pytest.mark.parametrize("options", [{"outcome": "9"}, {"outcome": "HbA1c"}, {"arm": "Glucofake"}, {"comparator": "insulin"}])
def test_unclear_names_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        target_of(TRIAL, **options)


def test_a_trial_without_arms_is_read_from_its_interventions() -> None:
    found = target_of(
        replace(TRIAL, arms=(), interventions=(Intervention("Glucofake", "drug"), Intervention("Placebo", "drug")))
    )
    assert found.comparator is not None
    assert (found.arm.interventions, found.comparator.control) == (("Glucofake",), "placebo")


def test_a_single_arm_plan_has_no_comparator() -> None:
    assert target_of(replace(TRIAL, arms=(Arm("Only", "experimental", ("Glucofake",)),))).comparator is None


def test_a_trial_without_plan_is_refused() -> None:
    with pytest.raises(RefusedError):
        target_of(replace(TRIAL, planned_outcomes=()))
    with pytest.raises(RefusedError):
        target_of(replace(TRIAL, arms=(), interventions=()))


def test_a_target_may_be_made_up() -> None:
    found = target_from_fields(
        condition="Type 2 diabetes; Obesity",
        arm="Newdrug 5 mg once daily",
        outcome="Change from baseline in HbA1c",
        unit="%",
        time="week 24",
        countries="Japan",
        context="phase 3, double blind",
        population="age 18-80",
        enrolment=400,
    )
    assert found.arm.interventions == ("newdrug",)
    assert (found.arm.doses[0].amount, found.arm.doses[0].intervention, found.arm.doses[0].daily_total) == (5, "newdrug", 5)
    assert found.comparator is not None
    assert found.comparator.control == "placebo"
    assert found.population.conditions == ("Type 2 diabetes", "Obesity")
    assert (found.outcome.unit, found.outcome.benefit, found.enrolment) == ("%", "lower", 400)


@pytest.mark.parametrize(
    "wrong", [{"condition": " "}, {"arm": ""}, {"outcome": ""}, {"enrolment": 0}, {"time": "soon"}, {"context": "moonlight"}]
)
def test_a_made_up_target_that_is_unclear_is_refused(wrong: dict[str, object]) -> None:
    fields: dict[str, object] = {"condition": "Asthma", "arm": "Newdrug 5 mg", "outcome": "FEV1"}
    with pytest.raises(UsageError):
        target_from_fields(**{**fields, **wrong})  # type: ignore[arg-type]  # one value at a time is wrong on purpose
