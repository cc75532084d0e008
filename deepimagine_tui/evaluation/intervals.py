"""Intervals that know that rows of one trial are not independent: a bootstrap over trials, not over rows (DESIGN 3).

Trials of one programme are drawn together. A statistic gets weights, how often each row was drawn, and so computes all draws
at once; two systems are compared on the same draws, which makes their difference a paired one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

LEVEL = 95.0
"""The level of every interval, in percent."""
DRAWS = 2000
SEED = 20

LEAST_CLUSTERS = 6
"""Under so many clusters there is no interval: even where all of them agree, a two-sided sign test does not reach 5%."""

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], NDArray[np.float64]]
"""From weights of shape (draws, rows) to one value a draw; not a number where a draw has nothing to compute it from."""

Word = Literal["better", "worse", "not distinguishable"]


class Estimate(msgspec.Struct, frozen=True):
    """A value on `rows` rows of `trials` trials, in `clusters` programmes, with its 95% interval; `None` where too few
    programmes, or too little in them, leave it unknown. Shares are in [0, 1]."""

    value: float | None
    lower: float | None
    upper: float | None
    rows: int
    trials: int
    clusters: int


class Rows(msgspec.Struct, frozen=True):
    """Whose rows a statistic is of: the trial and the programme of each."""

    trials: tuple[str, ...]
    programmes: tuple[str, ...]


@lru_cache(maxsize=4)
def draws(rows: Rows, seed: int = SEED, count: int = DRAWS) -> Weights:
    """How often each row is in each draw of programmes with replacement, shape (count, rows)."""
    names, places = np.unique(np.array(rows.programmes), return_inverse=True)
    chosen = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
    return chosen[:, places].astype(np.float64)


def estimate(statistic: Statistic, rows: Rows, seed: int = SEED, count: int = DRAWS) -> Estimate:
    """A statistic with its percentile interval; the same arguments give the same interval."""
    clusters, trials = len(set(rows.programmes)), len(set(rows.trials))
    if not rows.trials:
        return Estimate(None, None, None, 0, 0, 0)
    value = _number(statistic(np.ones((1, len(rows.trials))))[0])
    if value is None or clusters < LEAST_CLUSTERS:
        return Estimate(value, None, None, len(rows.trials), trials, clusters)
    drawn = statistic(draws(rows, seed, count))
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Estimate(value, None, None, len(rows.trials), trials, clusters)
    tail = (100 - LEVEL) / 2
    lower, upper = np.percentile(drawn, [tail, 100 - tail])
    return Estimate(value, float(lower), float(upper), len(rows.trials), trials, clusters)


def difference(first: Statistic, second: Statistic, rows: Rows, seed: int = SEED, count: int = DRAWS) -> Estimate:
    """`first` minus `second`, both on the same draws of the same rows."""
    return estimate(lambda weights: first(weights) - second(weights), rows, seed, count)


def word(found: Estimate, *, lower_is_better: bool) -> Word:
    """What a paired difference says: `better` or `worse` only where its interval excludes zero."""
    if found.lower is None or found.upper is None or found.lower <= 0 <= found.upper:
        return "not distinguishable"
    return "better" if (found.upper < 0) == lower_is_better else "worse"


def mean(values: Sequence[float]) -> Statistic:
    """The mean of a value of each row."""
    each = np.array(values, dtype=np.float64)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        return _ratio(weights @ each, weights.sum(axis=1))

    return statistic


def median(values: Sequence[float]) -> Statistic:
    """The median of a value of each row, each counting as often as it was drawn; of two middle ones, their mean."""
    each = np.array(values, dtype=np.float64)
    order = np.argsort(each, kind="stable")

    def statistic(weights: Weights) -> NDArray[np.float64]:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2
        lower = np.argmax(reached >= half, axis=1)
        upper = np.argmax(reached > half, axis=1)
        found: NDArray[np.float64] = (each[order][lower] + each[order][upper]) / 2
        return np.where(half[:, 0] > 0, found, np.nan)

    return statistic


def balanced_accuracy(truth: Sequence[str], said: Sequence[str]) -> Statistic:
    """The mean, over the classes posted in a draw, of the share of each that was said rightly."""
    classes = sorted(set(truth))
    posted = np.array([[one == each for each in classes] for one in truth], dtype=np.float64)
    right = posted * np.array([[one == other] for one, other in zip(truth, said, strict=True)], dtype=np.float64)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        return _mean_of_known(_ratio(weights @ right, weights @ posted))

    return statistic


def macro_f1(truth: Sequence[str], said: Sequence[str], classes: Sequence[str]) -> Statistic:
    """The mean, over `classes`, of F1 = 2 TP / (2 TP + FP + FN); a class neither posted nor said in a draw is left out."""
    posted = np.array([[one == each for each in classes] for one in truth], dtype=np.float64)
    claimed = np.array([[one == each for each in classes] for one in said], dtype=np.float64)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        return _mean_of_known(_ratio(2 * (weights @ (posted * claimed)), weights @ (posted + claimed)))

    return statistic


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    return found


def _mean_of_known(found: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(found)
    return _ratio(np.where(known, found, 0.0).sum(axis=1), known.sum(axis=1).astype(np.float64))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
