"""What counts as a difference between two configurations, and in what steps it is walked."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.difference import differs, path
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Context, OutcomeSpec, Population
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import CountrySites, Eligibility
from deepimagine_tui.trials.results import TimePoint
from tests.reasoning.plan.made import dose, ref, state

HERE = state(at=ref("OG001")).configuration


def steps(**changes: object) -> list[tuple[Factor, str, str]]:
    """The steps from the made-up trial to the same with these changes."""
    return [(step.factor, step.before, step.after) for step in path(HERE, replace(HERE, **changes)).perturbations]


def test_from_a_configuration_to_itself_there_is_nothing_to_walk() -> None:
    assert path(HERE, HERE).perturbations == ()


def test_steps_are_walked_in_order_with_what_a_person_reads() -> None:
    target = Configuration(
        arm=ArmSpec("Glucofake 50 mg", ("Glucofake", "Metformin"), (dose(50),), "none"),
        comparator=ArmSpec("Otherdrug", ("Otherdrug",), control="active"),
        outcome=OutcomeSpec("Body weight", "kg", kind="signed"),
        time=TimePoint("week 52", 52.0),
        geography=(CountrySites("Japan", 9),),
        context=Context(phases=("4",)),
        population=Population(("Type 2 diabetes",), Eligibility("female")),
        enrolment=90,
    )
    found = path(HERE, target)
    assert [step.factor for step in found.perturbations] == [
        "geography", "context", "dose", "comparator", "outcome", "time_frame", "population", "enrolment",
    ]  # fmt: skip
    assert found.unknown_factors == ()
    assert [
        (step.before, step.after) for step in found.perturbations if step.factor in ("dose", "time_frame", "enrolment")
    ] == [
        ("10 mg once daily", "50 mg once daily"),
        ("Week 24", "week 52"),
        ("300", "90"),
    ]


def test_what_either_side_does_not_state_is_named_and_not_walked() -> None:
    bare = Configuration(HERE.arm, HERE.comparator, HERE.outcome)
    found = path(HERE, bare)
    assert found.perturbations == ()
    assert found.unknown_factors == ("geography", "context", "time_frame", "population", "enrolment")


def test_another_drug_is_an_arm_and_another_amount_a_dose() -> None:
    other = ArmSpec("Otherdrug 5 mg", ("Otherdrug",), (dose(5, "Otherdrug"),), "none")
    assert steps(arm=other) == [("arm", "Glucofake 10 mg", "Otherdrug 5 mg")]
    tablets = ArmSpec("arm B", ("Glucofake tablets", "Metformin hydrochloride"), (dose(0.02, "GLUCOFAKE", "g"),))
    assert [factor for factor, _, _ in steps(arm=tablets)] == ["dose"]
    same = ArmSpec("arm C", ("Glucofake (GF-1)", "Metformin"), (dose(10000, "glucofake", "mcg"),))
    assert steps(arm=same) == []


def test_a_dose_that_one_side_does_not_state_is_unknown() -> None:
    found = path(HERE, replace(HERE, arm=replace(HERE.arm, doses=(), label="Glucofake")))
    assert (found.perturbations, found.unknown_factors) == ((), ("dose",))


def test_a_regimen_changes_as_a_whole() -> None:
    regimen = replace(HERE.arm, label="loading, then 10 mg", doses=(dose(40), dose(10)))
    assert [factor for factor, _, _ in steps(arm=regimen)] == ["arm"]


def test_placebos_are_alike_whatever_they_look_like() -> None:
    assert steps(comparator=ArmSpec("Matching placebo capsules", ("Placebo capsule",), control="placebo")) == []
    assert [factor for factor, _, _ in steps(comparator=ArmSpec("Sham", control="sham"))] == ["comparator"]


@pytest.mark.parametrize(
    ("outcome", "different"),
    [
        ({"title": "Mean change in glycosylated hemoglobin A1c"}, False),
        ({"title": "Change in HbA1c From Baseline to Week 24"}, False),
        ({"unit": "mmol/mol"}, True),
        ({"unit": ""}, False),
        ({"change_basis": "final"}, True),
        ({"kind": "share"}, True),
        ({"kind": "unknown", "change_basis": "unknown"}, False),
        ({"title": "Change from baseline in body weight"}, True),
    ],
)
def test_a_measure_is_the_same_by_words_unit_kind_and_basis(outcome: dict[str, str], different: bool) -> None:
    other = replace(HERE, outcome=replace(HERE.outcome, outcome_id="", class_title="", **outcome))
    assert differs("outcome", HERE, other) is different


def test_between_measures_the_title_does_not_name_the_later_time_too_early() -> None:
    other = OutcomeSpec("Body weight at week 52", "kg", kind="signed")
    found = path(HERE, replace(HERE, outcome=other, time=TimePoint("week 52", 52.0)))
    middle = apply(HERE, found.perturbations[0].change)
    assert (middle.outcome.title, middle.time) == ("Body weight", HERE.time)


def test_a_measure_whose_time_cannot_be_compared_brings_its_own() -> None:
    target = replace(HERE, outcome=OutcomeSpec("Overall survival"), time=TimePoint("until death"))
    found = path(HERE, target)
    assert [step.factor for step in found.perturbations] == ["outcome"]
    assert apply(HERE, found.perturbations[0].change).time == TimePoint("until death")


@pytest.mark.parametrize(("weeks", "different"), [(24.0, False), (23.8, False), (26.0, True), (12.0, True)])
def test_times_are_compared_as_calendars_go(weeks: float, different: bool) -> None:
    assert differs("time_frame", HERE, replace(HERE, time=TimePoint("then", weeks))) is different


@pytest.mark.parametrize(
    ("countries", "different"),
    [
        ((CountrySites("United States", 300), CountrySites("Japan", 100)), False),
        ((CountrySites("USA", 32), CountrySites("Japan", 8)), False),
        ((CountrySites("United States", 30),), True),
        ((CountrySites("Japan", 0), CountrySites("United States", 0)), False),
        ((CountrySites("Japan", 0),), True),
    ],
)
def test_geographies_are_compared_by_shares_of_sites(countries: tuple[CountrySites, ...], different: bool) -> None:
    assert differs("geography", HERE, replace(HERE, geography=countries)) is different


@pytest.mark.parametrize(
    ("conditions", "terms", "different"),
    [
        (("Diabetes Mellitus, Type 2",), (), False),
        (("T2DM",), ("Diabetes Mellitus", "Diabetes Mellitus, Type 2"), False),
        (("Type 2 diabetes", "Obesity"), (), True),
        (("Asthma",), ("Asthma",), True),
    ],
)
def test_conditions_are_compared_by_words(conditions: tuple[str, ...], terms: tuple[str, ...], different: bool) -> None:
    people = replace(HERE.population, conditions=conditions, condition_terms=terms)
    assert differs("population", HERE, replace(HERE, population=people)) is different


@pytest.mark.parametrize(("year", "different"), [(2016, False), (2017, True), (None, False)])
def test_start_years_of_one_era_are_alike(year: int | None, different: bool) -> None:
    assert differs("context", HERE, replace(HERE, context=replace(HERE.context, start_year=year))) is different


def test_within_one_trial_a_label_tells_arms_apart() -> None:
    early, late = (replace(HERE, arm=ArmSpec(f"Glucofake {when}", ("Glucofake",))) for when in ("early", "late"))
    assert path(early, late).perturbations == ()
    assert [step.factor for step in path(early, late, same_trial=True).perturbations] == ["arm"]


def test_a_single_arm_target_leaves_the_comparator_out() -> None:
    found = path(HERE, replace(HERE, comparator=None))
    assert (found.perturbations, found.unknown_factors) == ((), ("comparator",))
