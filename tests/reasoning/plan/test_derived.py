"""Differences and ratios of two posted values, against published or hand-computed numbers."""

from __future__ import annotations

import math

import pytest

from deepimagine_tui.reasoning.derived import contrast_of, share_of, standard_deviation, standard_error, wilson
from deepimagine_tui.reasoning.state import Interval, Number, OutcomeSpec

COUNTS = OutcomeSpec("Responders", "participants", "count of participants", "share")
MEANS = OutcomeSpec("Change in score", "points", "mean", "signed")
TITRES = OutcomeSpec("Antibody titre", "titre", "geometric mean", "positive")


def count(value: float, n: int) -> Number:
    return Number(value, "observed", "participants", n=n)


def test_a_risk_difference_has_newcombes_limits() -> None:
    """Newcombe 1998, example (a): 56/70 against 48/80 gives 0.2000 with limits 0.0524 and 0.3339 by method 10."""
    found = contrast_of(count(56, 70), count(48, 80), COUNTS)
    assert found is not None
    assert found.number.value == pytest.approx(20.0)
    assert found.number.interval is not None
    assert (found.number.interval.lower, found.number.interval.upper) == (
        pytest.approx(5.24, abs=0.01),
        pytest.approx(33.39, abs=0.01),
    )
    assert (found.number.unit, found.orientation, found.null, found.number.status) == (
        "percentage points",
        "a-b",
        0.0,
        "derived",
    )
    assert found.number.interval.kind == "CI"


def test_wilsons_limits_at_zero() -> None:
    """Wilson: 0 of 10 has the upper limit z^2 / (n + z^2) = 0.2775."""
    assert wilson(0.0, 10) == (pytest.approx(0.0, abs=1e-12), pytest.approx(0.2775, abs=1e-4))


@pytest.mark.parametrize(
    ("unit", "parameter", "value", "n", "share"),
    [
        ("participants", "count of participants", 20, 100, 0.2),
        ("percentage of participants", "number", 20, 100, 0.2),
        ("% of patients", "number", 20, None, 0.2),
        ("proportion of participants", "number", 0.2, 100, 0.2),
        ("participants", "number", 20, 100, 0.2),
        ("participants", "number", 20, None, None),
        ("participants", "count of participants", 120, 100, None),
    ],
)
def test_shares_are_read_by_unit(unit: str, parameter: str, value: float, n: int | None, share: float | None) -> None:
    assert share_of(Number(value, "observed", unit, n=n), OutcomeSpec("x", unit, parameter, "share")) == share


@pytest.mark.parametrize(
    ("number", "deviation"),
    [
        (Number(1.0, "observed", dispersion_kind="SD", dispersion=2.0, n=100), 2.0),
        (Number(1.0, "observed", dispersion_kind="SE", dispersion=0.2, n=100), 2.0),
        (Number(1.0, "observed", dispersion_kind="IQR", lower=0.0, upper=2.7, n=100), 2.0),
        (Number(1.0, "observed", interval=Interval(0.608, 1.392, 95.0, "CI posted"), dispersion_kind="CI", n=100), 2.0),
        (Number(1.0, "observed", interval=Interval(0.671, 1.329, 90.0, "CI posted"), dispersion_kind="CI", n=100), 2.0),
        (Number(1.0, "observed", dispersion_kind="SE", dispersion=0.2), None),
        (Number(1.0, "observed", dispersion_kind="range", lower=0.0, upper=9.0, n=100), None),
        (Number(1.0, "observed", dispersion_kind="SD", dispersion=0.0, n=100), None),
    ],
)
def test_the_standard_deviation_is_read_from_each_dispersion(number: Number, deviation: float | None) -> None:
    found = standard_deviation(number)
    assert found == (None if deviation is None else pytest.approx(deviation, rel=1e-3))


def test_a_median_has_no_standard_error() -> None:
    assert standard_error(Number(1.0, "observed", dispersion_kind="IQR", lower=0.0, upper=2.7, n=100)) is None


def test_a_difference_of_means() -> None:
    arm = Number(-0.78, "observed", "points", dispersion_kind="SD", dispersion=0.9, n=100)
    comparator = Number(-0.08, "observed", "points", dispersion_kind="SE", dispersion=0.09, n=100)
    found = contrast_of(arm, comparator, MEANS)
    assert found is not None
    assert found.number.value == -0.7
    assert found.number.interval is not None
    assert found.number.interval.upper == pytest.approx(-0.7 + 1.959964 * math.hypot(0.09, 0.09))


def test_a_ratio_of_geometric_means_is_formed_on_the_logarithm() -> None:
    arm = Number(80.0, "observed", interval=Interval(40.0, 160.0, 95.0, "CI posted"), dispersion_kind="CI", n=50)
    found = contrast_of(arm, arm, TITRES)
    assert found is not None
    assert (found.number.value, found.orientation, found.null, found.kind) == (1.0, "a/b", 1.0, "ratio")
    assert found.number.interval is not None
    half = math.log(2) * math.sqrt(2)
    assert found.number.interval.upper == pytest.approx(math.exp(half))
    assert found.number.interval.lower == pytest.approx(math.exp(-half))


def test_nothing_is_derived_from_medians_of_times_to_event_or_from_missing_values() -> None:
    survival = OutcomeSpec("Overall survival", "months", "median", "time to event")
    assert contrast_of(Number(11.0, "observed"), Number(9.0, "observed"), survival) is None
    assert contrast_of(Number(None, "observed"), Number(9.0, "observed"), MEANS) is None
    assert contrast_of(Number(0.0, "observed"), Number(9.0, "observed"), TITRES) is None


def test_without_a_dispersion_there_is_no_interval() -> None:
    found = contrast_of(Number(1.0, "observed"), Number(2.0, "observed"), MEANS)
    assert found is not None
    assert (found.number.value, found.number.interval) == (-1.0, None)
