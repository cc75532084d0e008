"""The one grader: the scales, the error and the direction of the design, by hand and as properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.reasoning import scoring
from deepimagine_tui.reasoning.scales import same_contrast
from deepimagine_tui.reasoning.scoring import NotScorableError
from deepimagine_tui.reasoning.state import Interval, MetEstimate, Number, OutcomeSpec, State
from deepimagine_tui.trials.results import Benefit
from tests.reasoning.engine.support import anchor_state

SIGNED = OutcomeSpec("Change", "percent", "mean", "signed")
PERCENT = OutcomeSpec("Responders", "percentage of participants", "number", "share")
COUNT = OutcomeSpec("Responders", "participants", "count of participants", "share")
TITRE = OutcomeSpec("Titre", "1/dilution", "geometric mean", "positive")


def number(value: float | None, *, n: int | None = 100, sd: float | None = None) -> Number:
    return Number(value, "observed", n=n, dispersion_kind="SD" if sd else "none", dispersion=sd)


def test_the_three_scales() -> None:
    assert scoring.g(number(-0.7), SIGNED) == -0.7
    assert scoring.g(number(8.0), TITRE) == math.log(8.0)
    assert scoring.g(number(30.0), PERCENT) == pytest.approx(math.log(30.5 / 70.5))
    assert scoring.g(number(30.0), COUNT) == pytest.approx(math.log(30.5 / 70.5))
    assert math.isclose(scoring.SHARE_SCALE, 1.8138, abs_tol=1e-4)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (number(None), SIGNED),
        (number(101.0), PERCENT),
        (number(-1.0), PERCENT),
        (number(30.0, n=None), PERCENT),
        (number(0.0), TITRE),
        (number(-2.0), TITRE),
        (number(1.0), OutcomeSpec("?", kind="unknown")),
    ],
)
def test_a_value_off_its_scale_is_refused_with_a_reason(value: Number, outcome: OutcomeSpec) -> None:
    with pytest.raises(NotScorableError, match=r"\w+"):
        scoring.g(value, outcome)


@given(st.integers(0, 400), st.sampled_from([PERCENT, COUNT]))
def test_shares_come_back_from_their_scale(affected: int, outcome: OutcomeSpec) -> None:
    value = affected / 4 if outcome is PERCENT else float(affected)
    there = number(value, n=400)
    assert scoring.from_g(scoring.g(there, outcome), there, outcome) == pytest.approx(value, abs=1e-6)


@given(st.floats(1e-6, 1e6))
def test_positive_values_come_back_from_their_scale(value: float) -> None:
    assert scoring.from_g(scoring.g(number(value), TITRE), number(value), TITRE) == pytest.approx(value)


def test_the_signed_scale_is_the_participants_sd_of_the_source_comparator() -> None:
    state = anchor_state()
    assert state.comparator_value is not None
    assert scoring.scale(state) == 0.8
    by_error = replace(state, comparator_value=replace(state.comparator_value, dispersion_kind="SE", dispersion=0.05, n=256))
    assert scoring.scale(by_error) == pytest.approx(0.8)
    bare = replace(state, comparator_value=replace(state.comparator_value, dispersion_kind="none", dispersion=None))
    with pytest.raises(NotScorableError, match="standard deviation"):
        scoring.scale(bare)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (-0.66, -0.60, "no clear change"),  # .06 / .8 is under .1
        (-0.66, -0.50, "up"),
        (-0.66, -0.90, "down"),
        (-0.66, -0.66, "no clear change"),
    ],
)
def test_direction_needs_a_tenth_of_a_standard_deviation(before: float, after: float, expected: str) -> None:
    source = anchor_state()
    assert scoring.direction(number(before, n=2000, sd=0.8), number(after, n=2000, sd=0.8), SIGNED, source) == expected


def test_direction_needs_more_than_its_standard_error() -> None:
    source = anchor_state()
    few, many = number(-0.66, n=20, sd=0.8), number(-0.66, n=2000, sd=0.8)
    assert scoring.direction(few, replace(few, value=-0.5), SIGNED, source) == "no clear change"
    assert scoring.direction(many, replace(many, value=-0.5), SIGNED, source) == "up"


@pytest.mark.parametrize(("benefit", "expected"), [("lower", "up"), ("higher", "down")])
def test_an_outcome_change_goes_in_the_direction_of_benefit(benefit: Benefit, expected: str) -> None:
    state = anchor_state()
    outcome = replace(state.configuration.outcome, benefit=benefit)
    state = replace(state, configuration=replace(state.configuration, outcome=outcome))
    assert scoring.favoured(state) == expected


def imagined_like(posted: State, value: float, probability: float | None = None) -> State:
    assert posted.arm_value is not None
    met = MetEstimate("met" if (probability or 0) >= 0.5 else "not met", "imagined", probability)
    return replace(posted, arm_value=replace(posted.arm_value, value=value, status="imagined"), met=met)


def test_an_oracle_beats_copying_and_copying_beats_nonsense() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG003")
    grades = {
        name: scoring.grade(source, imagined_like(posted, value, probability), posted, "dose")
        for name, value, probability in (("oracle", -0.81, 0.99), ("copy", -0.66, 0.6), ("nonsense", 40.0, 0.01))
    }
    errors = [grades[name].error for name in ("oracle", "copy", "nonsense")]
    briers = [grades[name].brier for name in ("oracle", "copy", "nonsense")]
    assert None not in errors
    assert None not in briers
    assert errors == sorted(errors, key=lambda e: e or 0.0)
    assert errors[0] == 0
    assert grades["copy"].error == grades["copy"].copy_error
    assert briers == sorted(briers, key=lambda b: b or 0.0)
    assert grades["oracle"].verdict_right
    assert grades["nonsense"].verdict_right is False
    assert grades["oracle"].direction_right
    assert grades["nonsense"].direction_right is False


def test_the_direction_of_the_imagined_value_is_graded_whatever_the_model_stated() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG003")
    found = scoring.grade(source, imagined_like(posted, -0.81), posted, "dose", "up")
    assert (found.imagined_direction, found.posted_direction, found.direction_right) == ("down", "down", True)
    assert found.direction_of == "value"


def test_the_stated_direction_is_graded_where_no_value_was_given() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG003")
    silent = replace(posted, arm_value=None, comparator_value=None, contrast=None)
    found = scoring.grade(source, silent, posted, "dose", "up")
    assert (found.imagined_direction, found.posted_direction, found.direction_right) == ("up", "down", False)


def test_a_contrast_alone_is_graded_by_the_direction_of_the_contrast() -> None:
    source = anchor_state("OG002", "cccc")
    posted = with_hazard_ratio(source, 0.4, Interval(0.31, 0.52, 95.0, "CI posted"))
    fallen, risen = with_hazard_ratio(source, 0.45), with_hazard_ratio(source, 1.2)
    assert scoring.grade(source, fallen, posted, "context", "up").direction_right
    assert scoring.grade(source, risen, posted, "context", "down").direction_right is False
    assert scoring.grade(source, risen, posted, "context").direction_of == "contrast"


def test_an_imagined_outcome_is_graded_by_its_benefit_at_the_posted_precision() -> None:
    source, posted = anchor_state("OG001", "bbbb"), anchor_state("OG001")
    for arm, expected in ((-0.7, "up"), (0.6, "down")):
        numbers = Number(arm, "imagined", "percent", n=220), Number(-0.05, "imagined", "percent", n=220)
        imagined = replace(posted, arm_value=numbers[0], comparator_value=numbers[1])
        found = scoring.grade(source, imagined, posted, "outcome", "no clear change")
        assert (found.imagined_direction, found.posted_direction, found.direction_of) == (expected, "up", "benefit")


def test_a_value_of_another_measure_is_not_scored_on_the_deviation_of_the_source() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG002")
    weight = replace(posted.configuration.outcome, outcome_id="", title="Body weight", unit="kg")
    heavier = replace(posted, configuration=replace(posted.configuration, outcome=weight))
    assert scoring.grade(source, heavier, heavier, "outcome").error is None
    shares = anchor_state("OG002", "bbbb")
    imagined = imagined_like(shares, 35.0)
    assert scoring.grade(source, imagined, shares, "outcome").error == scoring.grade(shares, imagined, shares, "outcome").error


def with_hazard_ratio(state: State, ratio: float, interval: Interval | None = None) -> State:
    assert state.contrast is not None
    number = replace(state.contrast.number, value=ratio, interval=interval)
    return replace(state, arm_value=None, comparator_value=None, contrast=replace(state.contrast, number=number))


def test_another_analysis_population_is_shown_and_not_graded() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG003")
    outcome = replace(posted.configuration.outcome, analysis_set="per protocol")
    other = replace(posted, configuration=replace(posted.configuration, outcome=outcome))
    found = scoring.grade(source, imagined_like(posted, -0.81), other, "dose")
    assert found.arm_value == posted.arm_value
    assert found.error is None
    assert "population" in found.why


def test_an_undetermined_posted_verdict_grades_no_verdict() -> None:
    source, posted = anchor_state("OG001"), anchor_state("OG003", "bbbb")
    assert posted.met is not None
    assert posted.met.verdict == "undetermined"
    found = scoring.grade(anchor_state("OG001", "bbbb"), imagined_like(posted, 44.0, 0.9), posted, "dose")
    assert (found.verdict_right, found.brier) == (None, None)
    assert source.met is not None


def test_skill_is_nothing_for_copying_and_one_for_an_oracle() -> None:
    assert scoring.skill([0.2, 0.4], [0.2, 0.4]) == 0
    assert scoring.skill([0.0, 0.0], [0.2, 0.4]) == 1
    with pytest.raises(NotScorableError):
        scoring.skill([0.1], [0.0])


def test_a_hazard_ratio_is_scored_on_its_logarithm() -> None:
    posted = anchor_state("OG002", "cccc")
    assert posted.contrast is not None
    twice = replace(posted.contrast, number=replace(posted.contrast.number, value=1.4, status="imagined"))
    assert scoring.contrast_error(twice, posted.contrast, posted) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("treatment difference", "mean difference (final values)", True),
        ("hazard ratio (hr)", "hazard ratio, log", False),
        ("hazard ratio (hr)", "cox proportional hazard", True),
        ("odds ratio (or)", "risk ratio (rr)", False),
        ("median difference (final values)", "mean difference (final values)", False),
    ],
)
def test_contrasts_are_compared_within_one_family_of_scales(first: str, second: str, same: bool) -> None:
    contrast = anchor_state("OG002").contrast
    assert contrast is not None
    assert same_contrast(replace(contrast, scale=first), replace(contrast, scale=second)) is same
