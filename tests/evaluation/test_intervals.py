"""Intervals over trials: what they hold, that they repeat, and when there is none."""

from __future__ import annotations

import random
from statistics import median as plain_median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepimagine_tui.evaluation.intervals import (
    LEAST_CLUSTERS,
    Estimate,
    Rows,
    balanced_accuracy,
    difference,
    draws,
    estimate,
    macro_f1,
    mean,
    median,
    word,
)


def rows_of(sizes: list[int]) -> Rows:
    names = tuple(f"NCT{at:08d}" for at, size in enumerate(sizes) for _ in range(size))
    return Rows(names, names)


def test_the_same_seed_gives_the_same_interval_and_another_another():
    values = [at**1.5 % 7 for at in range(40)]
    rows = rows_of([4] * 10)
    first, other = estimate(mean(values), rows, seed=1), estimate(mean(values), rows, seed=2)
    assert first == estimate(mean(values), rows, seed=1)
    assert first.value == other.value
    assert (first.lower, first.upper) != (other.lower, other.upper)
    assert first.lower is not None
    assert first.upper is not None
    assert first.lower <= (first.value or 0) <= first.upper


def test_rows_of_a_trial_are_drawn_together_and_make_the_interval_wider():
    answers = [float(at < 8) for at in range(16) for _ in range(10)]
    together = estimate(mean(answers), rows_of([10] * 16))
    apart = estimate(mean(answers), rows_of([1] * 160))
    assert together.value == apart.value == 0.5
    assert width(together) > 2 * width(apart)


def test_trials_of_a_programme_are_drawn_together():
    trials = tuple(f"NCT{at:08d}" for at in range(20))
    programmes = tuple(f"P{at // 2}" for at in range(20))
    drawn = draws(Rows(trials, programmes))
    assert (drawn[:, 0::2] == drawn[:, 1::2]).all()
    found = estimate(mean([1.0] * 20), Rows(trials, programmes))
    assert (found.trials, found.clusters, found.rows) == (20, 10, 20)


def test_a_95_percent_interval_holds_the_truth_about_that_often():
    chance = random.Random(3)
    held = 0
    for at in range(200):
        levels = [min(max(chance.gauss(0.6, 0.2), 0), 1) for _ in range(25)]
        answers = [float(chance.random() < level) for level in levels for _ in range(6)]
        found = estimate(mean(answers), rows_of([6] * 25), seed=at, count=400)
        held += (found.lower or 0) <= 0.6 <= (found.upper or 0)
    assert 175 <= held <= 200


def test_too_few_programmes_have_no_interval_and_no_winner():
    few = rows_of([10] * (LEAST_CLUSTERS - 1))
    found = difference(mean([1.0] * len(few.trials)), mean([0.0] * len(few.trials)), few)
    assert (found.value, found.lower, found.upper) == (1.0, None, None)
    assert word(found, lower_is_better=False) == "not distinguishable"
    enough = rows_of([10] * LEAST_CLUSTERS)
    found = difference(mean([1.0] * len(enough.trials)), mean([0.0] * len(enough.trials)), enough)
    assert word(found, lower_is_better=False) == "better"
    assert word(found, lower_is_better=True) == "worse"


def test_a_paired_difference_is_narrower_than_the_two_intervals():
    chance = random.Random(5)
    hard = [chance.random() for _ in range(30) for _ in range(4)]
    other = [value - 0.02 - 0.01 * chance.random() for value in hard]
    rows = rows_of([4] * 30)
    paired = difference(mean(hard), mean(other), rows)
    assert word(paired, lower_is_better=False) == "better"
    assert width(paired) < 0.1 * width(estimate(mean(hard), rows))


def test_an_interval_that_touches_zero_names_no_winner():
    assert word(Estimate(0.1, 0.0, 0.2, 9, 9, 9), lower_is_better=True) == "not distinguishable"
    assert word(Estimate(-0.1, -0.2, -0.05, 9, 9, 9), lower_is_better=True) == "better"


def test_nothing_to_measure_is_no_number():
    assert estimate(mean([]), Rows((), ())) == Estimate(None, None, None, 0, 0, 0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.data())
def test_a_weighted_median_is_that_of_the_repeated_values(values: list[float], data: st.DataObject):
    weights = data.draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values)))
    found = median(values)(np.array([weights], dtype=float))[0]
    repeated = [value for value, weight in zip(values, weights, strict=True) for _ in range(weight)]
    if repeated:
        assert found == pytest.approx(plain_median(repeated))
    else:
        assert np.isnan(found)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("abx")), min_size=1, max_size=40))
def test_the_metrics_are_scikit_learns(pairs: list[tuple[str, str]]):
    metrics = pytest.importorskip("sklearn.metrics", reason="the `training` extra is not installed")
    truth, said = [one for one, _ in pairs], [other for _, other in pairs]
    ones = np.ones((1, len(pairs)))
    recall = metrics.recall_score(truth, said, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert balanced_accuracy(truth, said)(ones)[0] == pytest.approx(recall)
    present = sorted({*truth, *said} & set("ab"))
    f1 = metrics.f1_score(truth, said, labels=present, average="macro", zero_division=0)
    assert macro_f1(truth, said, ("a", "b"))(ones)[0] == pytest.approx(f1)


def width(found: Estimate) -> float:
    assert found.lower is not None
    assert found.upper is not None
    return found.upper - found.lower
