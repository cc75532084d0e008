"""Calibration on trials that were not trained on, and the check of it on others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.calibrate import Said, calibrate, conformal_quantile, slope_intercept
from deepimagine_tui.evaluation.measured import Measured
from deepimagine_tui.reasoning.calibration import MINIMUM_TRIALS, Calibration, Check
from deepimagine_tui.reasoning.scoring import sigmoid
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.trials.factors import Factor

MODEL = Subject("a model", "1" * 64, "2" * 64)


def trial(number: int, errors: Sequence[float] = (), *, factor: Factor = "dose", side: str = "fit", **said: object) -> Measured:
    name = f"{side} {number}"
    return Measured(nct_id=name, programme=name, factor=factor, kind="share", chain_length=1, errors=tuple(errors), **said)  # type: ignore[arg-type]


def said(rows: Sequence[Measured], side: str = "validation", subject: Subject = MODEL) -> Said:
    return Said(subject, side, "data", tuple(rows))


def trials_of_errors(seed: int, count: int, side: str, *, shift: float = 1.0) -> list[Measured]:
    """Trials with 1 to 12 answers each; the errors of one trial are of one size, which differs between trials."""
    random = np.random.default_rng(seed)
    sizes, spreads = random.integers(1, 13, count), random.gamma(2.0, 0.5, count)
    return [
        trial(number, tuple(shift * spreads[number] * np.abs(random.normal(size=sizes[number]))), side=side)
        for number in range(count)
    ]


def coverage(found: Calibration) -> Check:
    return next(check for check in found.checks if check.what == "coverage" and check.kind is None)


def test_coverage_is_the_level_on_average_over_trials_like_those_fitted_on() -> None:
    values = []
    for seed in range(60):
        fitted = calibrate(
            said(trials_of_errors(seed, 40, "fit")), said(trials_of_errors(1000 + seed, 40, "check"), "test"), frozenset()
        )
        values.append(coverage(fitted).value)
    standard_error = np.std(values) / math.sqrt(len(values))
    assert np.mean(values) >= 0.9 - 3 * standard_error
    assert np.mean(values) <= 0.9 + 1 / 41 + 3 * standard_error


def test_the_check_passes_on_trials_alike_and_fails_on_trials_that_are_harder() -> None:
    fit_on = said(trials_of_errors(1, 60, "fit"))
    alike = calibrate(fit_on, said(trials_of_errors(2, 60, "check"), "test"), frozenset())
    harder = calibrate(fit_on, said(trials_of_errors(2, 60, "check", shift=3.0), "test"), frozenset())
    assert coverage(alike).is_passed
    assert not alike.failed
    assert not coverage(harder).is_passed
    assert harder.failed
    assert coverage(harder).value < 0.8


def test_each_trial_weighs_one() -> None:
    errors = [1.0] * 30 + [2.0] * 30 + [9.0] * 1000
    trials = [f"small {index}" for index in range(60)] + ["big"] * 1000
    assert conformal_quantile(errors, trials, 90) == 2.0
    assert conformal_quantile(errors, [str(index) for index in range(len(errors))], 90) == 9.0


def test_a_quantile_counts_the_new_trial_in_and_is_infinite_where_too_few_trials_can_tell() -> None:
    trials = [str(index) for index in range(20)]
    assert conformal_quantile([float(index) for index in range(1, 21)], trials, 90) == 19.0
    assert conformal_quantile([1.0] * 8, trials[:8], 90) == math.inf


def test_under_twenty_trials_a_factor_falls_back_to_its_kind_and_then_to_nothing() -> None:
    few = [trial(number, [5.0]) for number in range(MINIMUM_TRIALS - 1)]
    others = [trial(100 + number, [1.0], factor="arm") for number in range(MINIMUM_TRIALS)]
    together = calibrate(said([*few, *others]), None, frozenset())
    assert together.quantile("arm", "share", 1) == 1.0
    assert together.quantile("dose", "share", 1) == 5.0
    assert {entry.factor for entry in together.quantiles} == {None, "arm"}
    alone = calibrate(said(few), None, frozenset())
    assert alone.quantile("dose", "share", 1) is None
    assert any("19 trials, 20 are needed" in line for line in alone.left_out)


def test_aggregates_of_forecasts_stay_apart() -> None:
    steps = [trial(number, [1.0]) for number in range(30)]
    forecasts = [
        Measured(nct_id=f"f{number}", programme=f"f{number}", factor=None, kind="share", chain_length=2, errors=(4.0,))
        for number in range(30)
    ]
    found = calibrate(said([*steps, *forecasts]), None, frozenset())
    assert found.quantile("dose", "share", 1) == 1.0
    assert found.quantile("dose", "share", 2) is None
    assert found.quantile("dose", "share", 2, aggregate=True) == 4.0


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, -1.0), (1.0, 0.0), (1.7, 0.6)])
def test_slope_and_intercept_of_simulated_answers_are_found_again(slope: float, intercept: float) -> None:
    random = np.random.default_rng(3)
    places = random.normal(0, 2, 6000)
    met = random.random(6000) < [sigmoid(intercept + slope * place) for place in places]
    found = slope_intercept([sigmoid(place) for place in places], list(map(bool, met)), [str(row) for row in range(6000)])
    assert (found.slope, found.intercept) == (pytest.approx(slope, abs=0.1), pytest.approx(intercept, abs=0.1))


def test_a_trial_with_many_answers_moves_the_line_no_more_than_one_with_few() -> None:
    random = np.random.default_rng(4)
    places = random.normal(0, 1, 400)
    met = [bool(drawn) for drawn in random.random(400) < 0.5]
    probabilities, trials = [sigmoid(place) for place in places], [str(row) for row in range(400)]
    once = slope_intercept(probabilities, met, trials)
    again = slope_intercept(probabilities + probabilities[:1] * 500, met + met[:1] * 500, trials + trials[:1] * 500)
    assert (once.slope, once.intercept) == (pytest.approx(again.slope, abs=1e-3), pytest.approx(again.intercept, abs=1e-3))


def test_an_order_that_says_nothing_leaves_the_share_met() -> None:
    probabilities, met = [0.9] * 10 + [0.1] * 10, [False] * 9 + [True] + [True] * 3 + [False] * 7
    found = slope_intercept(probabilities, met, [str(row) for row in range(20)])
    assert found.slope == 0
    assert sigmoid(found.intercept) == pytest.approx(4 / 20)


def test_no_line_is_made_of_answers_that_fix_none() -> None:
    separated = [
        trial(number, probability=0.9 if number % 2 else 0.1, met=bool(number % 2)) for number in range(MINIMUM_TRIALS + 4)
    ]
    found = calibrate(said(separated), None, frozenset())
    assert found.what_if is None
    assert any("no line is likeliest" in line for line in found.left_out)
    with pytest.raises(BadInputError, match="all of them were met"):
        slope_intercept([0.5, 0.6], [True, True], ["a", "b"])


def test_the_calibrated_probability_is_checked_too() -> None:
    def answers(side: str, count: int, share: float) -> list[Measured]:
        random = np.random.default_rng(len(side))
        return [
            trial(number, side=side, probability=0.6 if number % 2 else 0.4, met=bool(random.random() < share))
            for number in range(count)
        ]

    fit_on = said(answers("fit", 200, 0.2))
    alike = calibrate(fit_on, said(answers("check", 200, 0.2), "test"), frozenset())
    other = calibrate(fit_on, said(answers("check", 200, 0.7), "test"), frozenset())
    assert [check.is_passed for check in alike.checks if check.what == "P(met)"] == [True]
    assert [check.is_passed for check in other.checks if check.what == "P(met)"] == [False]


def test_trials_that_the_model_was_trained_on_count_in_nothing() -> None:
    fit_on, check_on = trials_of_errors(1, 60, "fit"), trials_of_errors(2, 60, "check")
    seen = frozenset({"fit 3", "check 5"})
    found = calibrate(said(fit_on), said(check_on, "test"), seen)
    assert found.fitted_on is not None
    assert "fit 3" not in found.fitted_on.trials
    assert "check 5" not in found.fitted_on.checked_trials
    assert coverage(found).trials == 59
    with pytest.raises(BadInputError, match="no answer"):
        calibrate(said(fit_on), None, frozenset(row.nct_id for row in fit_on))


def test_the_trials_to_check_on_are_others_and_the_model_is_the_same() -> None:
    rows = trials_of_errors(1, 30, "fit")
    with pytest.raises(RefusedError, match="programme"):
        calibrate(said(rows), said(rows[:1], "test"), frozenset())
    with pytest.raises(RefusedError, match="not of"):
        calibrate(said(rows), said(trials_of_errors(2, 30, "check"), "test", Subject("a model", "9" * 64)), frozenset())
