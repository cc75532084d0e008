"""A posted result becomes a state in which every number says where it comes from."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import NotFoundError, RefusedError
from deepimagine_tui.reasoning.observed import anchor_choices, observed_state
from deepimagine_tui.reasoning.state import Source
from deepimagine_tui.trials.results import Cell, ContrastInterval, Outcome, PValue, ResultGroup, TimePoint
from tests.reasoning.plan.made import (
    CONTRAST,
    GROUPS,
    HBA1C,
    HBA1C_CHANGE,
    NCT,
    RESPONSE,
    TRIAL,
    WEIGHT,
    ref,
    state,
    with_contrast,
    with_outcome,
)


def test_values_are_observed_with_their_place() -> None:
    found = state(at=ref())
    assert found.arm_value is not None
    assert found.comparator_value is not None
    assert (found.arm_value.value, found.comparator_value.value) == (-0.78, -0.08)
    assert found.arm_value.status == found.comparator_value.status == "observed"
    assert found.arm_value.source == Source(NCT, HBA1C, "OG002", "Week 24")
    assert (found.arm_value.dispersion_kind, found.arm_value.dispersion, found.arm_value.n) == ("SD", 0.9, 100)
    assert found.configuration.time == TimePoint("Week 24", 24.0)
    assert found.configuration.arm.interventions == ("Glucofake", "Metformin")
    assert [dose.amount for dose in found.configuration.arm.doses] == [25]
    assert found.configuration.context.background == "Metformin"
    assert [(fact.measure, fact.value) for fact in found.configuration.population.baseline] == [("Age", 56.0)]


def test_the_same_place_has_the_same_id_and_another_place_another() -> None:
    assert state(at=ref()).id == state(at=ref()).id
    assert state(at=ref()).id != state(at=ref("OG001")).id


@pytest.mark.parametrize(
    ("groups", "orientation", "estimate", "interval", "status"),
    [
        (("OG002", "OG000"), "a-b", -0.7, (-0.86, -0.53, "CI posted"), "observed"),
        (("OG000", "OG002"), "b-a", -0.7, (-0.86, -0.53, "CI posted"), "observed"),
        (("OG000", "OG002"), "a-b", -0.7, (0.53, 0.86, "CI"), "derived"),
        (("OG002", "OG000"), "b-a", -0.7, (0.53, 0.86, "CI"), "derived"),
    ],
)
def test_a_difference_is_turned_to_k1_minus_k2_where_its_orientation_is_known(
    groups: tuple[str, str], orientation: str, estimate: float, interval: tuple[float, float, str], status: str
) -> None:
    contrast = state(with_contrast(group_ids=groups, orientation=orientation), ref()).contrast
    assert contrast is not None
    assert contrast.orientation == "a-b"
    assert contrast.number.status == status
    assert contrast.number.value == (estimate if status == "observed" else -estimate)
    assert contrast.number.interval is not None
    assert (contrast.number.interval.lower, contrast.number.interval.upper, contrast.number.interval.kind) == interval
    assert contrast.number.source == Source(NCT, HBA1C, class_title="Week 24", contrast_index=0)
    assert contrast.p_text == "p < 0.001"


def test_an_unknown_orientation_is_kept_as_posted() -> None:
    contrast = state(with_contrast(orientation="unknown"), ref()).contrast
    assert contrast is not None
    assert (contrast.orientation, contrast.number.value, contrast.number.status) == ("unknown", -0.7, "observed")


@pytest.mark.parametrize(("null", "posted", "turned"), [(1.0, 0.8, 1.25), (100.0, 80.0, 125.0)])
def test_a_ratio_is_inverted_about_its_null(null: float, posted: float, turned: float) -> None:
    trial = with_contrast(
        kind="ratio", orientation="a/b", null=null, estimate=posted, interval=ContrastInterval(null / 2, null * 2, 95.0)
    )
    contrast = state(trial, ref()).contrast
    assert contrast is not None
    assert (contrast.orientation, contrast.number.value, contrast.number.status) == ("a/b", turned, "derived")
    assert contrast.number.interval is not None
    assert (contrast.number.interval.lower, contrast.number.interval.upper) == (null / 2, null * 2)


def test_a_ratio_with_a_limit_of_zero_is_not_inverted() -> None:
    trial = with_contrast(kind="ratio", orientation="a/b", null=1.0, estimate=0.8, interval=ContrastInterval(0.0, 2.0, 95.0))
    contrast = state(trial, ref()).contrast
    assert contrast is not None
    assert (contrast.orientation, contrast.number.value, contrast.number.status) == ("b/a", 0.8, "observed")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "met"),
        ({"favours": "OG000"}, "not met"),
        ({"significant": False}, "not met"),
        ({"favours": None}, "undetermined"),
        ({"hypothesis": "non-inferiority"}, "undetermined"),
        ({"significant": None}, "undetermined"),
    ],
)
def test_the_verdict_is_derived_from_the_posted_test(changes: dict[str, object], verdict: str) -> None:
    met = state(with_contrast(**changes), ref()).met
    assert met is not None
    assert (met.verdict, met.status, met.probability) == (verdict, "derived", None)
    assert met.reason


def test_without_a_posted_contrast_the_difference_is_derived_and_there_is_no_verdict() -> None:
    found = state(at=ref("OG001"))
    assert found.contrast is not None
    assert found.contrast.number.value == pytest.approx(-0.58)
    assert found.contrast.number.status == "derived"
    assert found.contrast.number.interval is not None
    assert found.contrast.number.interval.kind == "CI"
    assert found.met is not None
    assert found.met.verdict == "undetermined"


def test_a_p_posted_in_an_entry_of_its_own_is_joined_to_the_estimate() -> None:
    estimate = replace(CONTRAST, p=None, significant=None, index=1)
    test = replace(CONTRAST, estimate=None, interval=None, kind="test only", p=PValue("=", 0.01), index=0)
    found = state(with_outcome(replace(HBA1C_CHANGE, contrasts=(test, estimate))), ref())
    assert found.contrast is not None
    assert found.contrast.number.source is not None
    assert (found.contrast.number.source.contrast_index, found.contrast.p_text) == (1, "p = 0.01")
    assert found.met is not None
    assert found.met.verdict == "met"


def test_a_bare_test_stands_beside_the_difference_that_is_derived() -> None:
    found = state(with_contrast(kind="test only", estimate=None, interval=None), ref())
    assert found.contrast is not None
    assert (found.contrast.number.value, found.contrast.number.status) == (-0.7, "derived")
    assert (found.contrast.p_text, found.contrast.hypothesis) == ("posted p < 0.001", "superiority")
    assert found.met is not None
    assert found.met.verdict == "met"


def test_an_unlabelled_contrast_of_several_classes_counts_only_where_the_arm_values_show_it() -> None:
    outcome = replace(HBA1C_CHANGE, contrasts=(replace(CONTRAST, class_title=""),))
    at_24, at_12 = (observed_state(with_outcome(outcome), ref(where=f"Week {week}")) for week in (24, 12))
    assert at_24.contrast is not None
    assert at_24.contrast.number.status == "observed"
    assert at_12.contrast is not None
    assert at_12.contrast.number.status == "derived"
    assert at_12.met is not None
    assert at_12.met.verdict == "undetermined"


def test_a_contrast_belongs_to_the_only_class_after_the_start() -> None:
    cells = tuple(
        replace(cell, class_title="Baseline", time=TimePoint("Baseline", 0.0)) if cell.class_title == "Week 12" else cell
        for cell in HBA1C_CHANGE.cells
    )
    outcome = replace(HBA1C_CHANGE, cells=cells, contrasts=(replace(CONTRAST, class_title="", estimate=-0.9),))
    found = observed_state(with_outcome(outcome), ref())
    assert found.contrast is not None
    assert (found.contrast.number.value, found.contrast.number.status) == (-0.9, "observed")


def _survival(contrasted: bool) -> Outcome:
    contrast = replace(
        CONTRAST, kind="ratio", scale="hazard ratio", orientation="b/a", null=1.0, estimate=0.6, class_title="",
        interval=ContrastInterval(0.4, 0.9, 95.0),
    )  # fmt: skip
    return replace(
        HBA1C_CHANGE,
        title="Overall survival",
        kind="time to event",
        parameter="median",
        class_axis="none",
        cells=(Cell("OG000", 11.0, n=100), Cell("OG002", None, "not reached", n=100)),
        contrasts=(contrast,) if contrasted else (),
    )


def test_a_median_that_was_not_reached_is_answered_as_a_contrast() -> None:
    found = observed_state(with_outcome(_survival(True)), ref(where=""))
    assert found.arm_value is not None
    assert (found.arm_value.value, found.arm_value.note) == (None, "not reached")
    assert found.contrast is not None
    assert (found.contrast.scale, found.contrast.number.value, found.contrast.orientation) == ("hazard ratio", 0.6, "a/b")


def test_a_median_that_was_not_reached_is_refused_without_a_contrast() -> None:
    with pytest.raises(RefusedError, match="not reached"):
        observed_state(with_outcome(_survival(False)), ref(where=""))


@pytest.mark.parametrize("kind", ["pooled", "crossover period", "subgroup", "whole study"])
def test_groups_that_are_no_arms_are_refused(kind: str) -> None:
    groups = (replace(GROUPS[0], kind=kind), *GROUPS[1:])
    with pytest.raises(RefusedError, match="Placebo"):
        observed_state(with_outcome(replace(HBA1C_CHANGE, groups=groups)), ref())


def test_an_arm_against_itself_is_refused() -> None:
    with pytest.raises(RefusedError, match="itself"):
        observed_state(TRIAL, ref("OG002", "OG002"))


@pytest.mark.parametrize(
    "place",
    [ref(outcome="NCT99000007:none:1"), ref("OG009"), ref(where="Week 99"), replace(ref(), nct_id="NCT99000008")],
)
def test_what_is_not_there_is_not_found(place: object) -> None:
    with pytest.raises(NotFoundError):
        observed_state(TRIAL, place)  # type: ignore[arg-type]  # the ids are what is wrong, not the type


def test_a_single_arm_has_no_verdict() -> None:
    found = observed_state(TRIAL, ref("OG002", None))
    assert found.configuration.comparator is None
    assert found.comparator_value is None
    assert found.contrast is None
    assert found.met is not None
    assert found.met.verdict == "undetermined"


def test_arms_posted_as_classes_of_one_group_can_be_compared() -> None:
    outcome = replace(
        HBA1C_CHANGE,
        class_axis="arm",
        groups=(ResultGroup("OG000", "All participants", "whole study"),),
        cells=(
            Cell("OG000", -0.1, class_title="Placebo", dispersion=0.9, n=100),
            Cell("OG000", -0.8, class_title="Glucofake 25 mg", dispersion=0.9, n=100),
        ),
        contrasts=(),
    )
    trial = with_outcome(outcome)
    choices = anchor_choices(trial)
    assert [(choice.arm.label, choice.comparator.label if choice.comparator else "") for choice in choices] == [
        ("Glucofake 25 mg", "Placebo")
    ]
    found = observed_state(trial, choices[0].ref)
    assert found.contrast is not None
    assert found.contrast.number.value == pytest.approx(-0.7)
    assert found.arm_value is not None
    assert found.arm_value.source == Source(NCT, HBA1C, "OG000", "Glucofake 25 mg")
    with pytest.raises(RefusedError):
        observed_state(trial, replace(choices[0].ref, comparator_class_title=choices[0].ref.class_title))


def test_classes_that_are_no_arms_are_not_compared() -> None:
    with pytest.raises(RefusedError):
        observed_state(TRIAL, replace(ref("OG002", "OG002"), comparator_class_title="Week 12"))


def test_every_choice_names_an_arm_and_what_it_is_compared_with() -> None:
    choices = anchor_choices(TRIAL)
    assert {choice.ref.outcome_id for choice in choices} == {HBA1C, RESPONSE, WEIGHT}
    assert all(choice.comparator is not None for choice in choices)
    assert all(choice.arm.control != "placebo" for choice in choices)
    assert not any(
        group in (choice.ref.arm_group_id, choice.ref.comparator_group_id) for choice in choices for group in ("OG003",)
    )
    assert len(choices) == len(set(choices)) == 4 * 4
