"""The z-test by hand, and the arithmetic of enrolment that rests on it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.reasoning.arithmetic import resized
from deepimagine_tui.reasoning.state import MetEstimate, Number, State
from deepimagine_tui.reasoning.ztest import Effect, effect, predictive_probability, z_test
from deepimagine_tui.trials.results import Benefit
from tests.reasoning.engine.support import anchor_state


def with_benefit(state: State, benefit: Benefit) -> State:
    outcome = replace(state.configuration.outcome, benefit=benefit)
    return replace(state, configuration=replace(state.configuration, outcome=outcome))


def test_means_by_their_standard_errors() -> None:
    test = z_test(anchor_state())
    assert test is not None
    assert test.z == pytest.approx(0.58 / (0.8 * math.sqrt(2 / 220)))
    assert test.met
    assert test.agrees


def test_shares_by_the_pooled_share() -> None:
    test = z_test(anchor_state("OG001", "bbbb"))
    assert test is not None
    pooled = 0.275
    assert test.z == pytest.approx(0.15 / math.sqrt(pooled * (1 - pooled) * 2 / 200))
    assert test.p == pytest.approx(0.00077, abs=2e-5)


def test_a_p_is_never_rounded_to_nothing() -> None:
    state = anchor_state()
    assert state.arm_value is not None
    test = z_test(replace(state, arm_value=replace(state.arm_value, value=-1.5)))
    assert test is not None
    assert 0 < test.p < 1e-60


def test_a_hazard_ratio_below_one_is_in_favour_where_longer_is_better() -> None:
    state = anchor_state("OG002", "cccc")
    test = z_test(state)
    assert test is not None
    assert test.z == pytest.approx(-math.log(0.7) / (math.log(0.89 / 0.55) / (2 * 1.959964)), rel=1e-4)
    assert test.met
    assert state.contrast is not None
    flipped = replace(state, contrast=replace(state.contrast, orientation="b/a"))
    other = z_test(flipped)
    assert other is not None
    assert other.z == -test.z
    assert not other.met


def test_a_difference_against_benefit_is_significant_and_not_met() -> None:
    test = z_test(with_benefit(anchor_state(), "higher"))
    assert test is not None
    assert test.p < 0.05
    assert not test.met


def test_no_test_without_benefit_dispersion_or_comparator() -> None:
    state = anchor_state()
    assert z_test(with_benefit(state, "unknown")) is None
    assert state.comparator_value is not None
    bare = replace(
        state, comparator_value=replace(state.comparator_value, dispersion_kind="none", dispersion=None), contrast=None
    )
    assert z_test(bare) is None
    single = replace(state, configuration=replace(state.configuration, comparator=None), comparator_value=None)
    assert z_test(single) is None


@given(st.floats(-5, 5), st.floats(0.01, 5), st.floats(0.01, 100))
def test_the_predictive_probability_is_one_and_follows_the_effect(estimate: float, error: float, ratio: float) -> None:
    found = predictive_probability(Effect(estimate, error), ratio)
    assert 0 <= found <= 1
    assert found <= predictive_probability(Effect(estimate + 1, error), ratio)


def test_the_predictive_probability_by_hand() -> None:
    # d = 1.959964 se at the same n: the estimate must reach what it just reached, an even chance.
    assert predictive_probability(Effect(1.959964, 1.0), 1.0) == pytest.approx(0.5, abs=1e-6)
    assert predictive_probability(Effect(0.0, 1.0), 1.0) == pytest.approx(0.0829, abs=1e-3)


@given(st.integers(20, 20000))
def test_values_and_shares_stay_and_standard_errors_scale(n: int) -> None:
    for outcome in ("aaaa", "bbbb"):
        source = anchor_state("OG001", outcome)
        target = replace(source.configuration, enrolment=n)
        state, warnings = resized(source, target)
        assert warnings == ()
        before, after = effect(source), effect(state)
        assert before is not None
        assert after is not None
        assert after.estimate == pytest.approx(before.estimate)
        assert after.error / before.error == pytest.approx(math.sqrt(880 / n), rel=0.1)


def test_a_count_keeps_its_share_of_the_participants() -> None:
    source = anchor_state("OG001", "bbbb")
    outcome = replace(source.configuration.outcome, unit="participants", parameter="count of participants")
    counted = replace(
        source,
        configuration=replace(source.configuration, outcome=outcome),
        arm_value=Number(70.0, "observed", "participants", n=200),
        comparator_value=Number(40.0, "observed", "participants", n=200),
    )
    state, _ = resized(counted, replace(counted.configuration, enrolment=440))
    assert state.arm_value is not None
    assert (state.arm_value.value, state.arm_value.n, state.arm_value.status) == (35.0, 100, "derived")


def test_without_a_known_enrolment_the_verdict_is_undetermined_and_says_why() -> None:
    source = anchor_state()
    source = replace(source, configuration=replace(source.configuration, enrolment=None))
    state, warnings = resized(source, replace(source.configuration, enrolment=100))
    assert state.met is not None
    assert state.met.verdict == "undetermined"
    assert warnings == (state.met.reason,)


def test_a_posted_interval_becomes_a_derived_one_of_the_new_width() -> None:
    source = anchor_state()
    state, _ = resized(source, replace(source.configuration, enrolment=880 * 4))
    assert state.contrast is not None
    interval = state.contrast.number.interval
    assert interval is not None
    assert (interval.kind, state.contrast.number.status) == ("CI", "derived")
    assert (interval.lower, interval.upper) == (pytest.approx(-0.655), pytest.approx(-0.505))


def imagined(state: State, probability: float | None) -> State:
    return replace(state, met=MetEstimate("met", "imagined", probability, how="none" if probability is None else "logits"))


@given(st.floats(0.01, 0.99), st.integers(40, 20000))
def test_a_probability_of_the_model_moves_as_the_arithmetic_does(probability: float, n: int) -> None:
    source = imagined(anchor_state("OG001", "bbbb"), probability)
    met = resized(source, replace(source.configuration, enrolment=n))[0].met
    assert met is not None
    assert met.probability is not None
    assert 0 <= met.probability <= 1
    assert met.probability <= probability if n < 880 else met.probability >= probability
    assert (met.status, met.how) == ("imagined", "arithmetic")
    assert met.verdict == ("met" if met.probability >= 0.5 else "not met")


def test_the_same_number_of_participants_changes_no_probability() -> None:
    source = imagined(anchor_state(), 0.7)
    met = resized(source, source.configuration)[0].met
    assert met is not None
    assert met.probability == pytest.approx(0.7)


def test_a_label_of_the_model_turns_only_where_the_z_test_does() -> None:
    source = imagined(anchor_state("OG001", "bbbb"), None)
    verdicts = [resized(source, replace(source.configuration, enrolment=n))[0].met for n in (880, 60)]
    assert [met.verdict if met else None for met in verdicts] == ["met", "not met"]


def test_where_no_test_is_possible_the_models_verdict_stands_and_a_posted_one_does_not() -> None:
    bare = with_benefit(anchor_state(), "unknown")
    target = replace(bare.configuration, enrolment=100)
    posted, warnings = resized(bare, target)
    said, warned = resized(imagined(bare, 0.7), target)
    assert posted.met is not None
    assert said.met is not None
    assert posted.met.verdict == "undetermined"
    assert (said.met.verdict, said.met.probability) == ("met", 0.7)
    assert warnings != warned
    assert "stands as it was" in warned[0]
