"""Statistics that know weights, beside those of `intervals`: area under the ROC curve, calibration error, skill.

Each takes its rows once and is then a function of weights of shape (draws, rows), so that a bootstrap costs one call.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepimagine_tui.evaluation.intervals import Statistic, Weights, median

BINS = 10
"""Bins of the expected calibration error and of the reliability diagram: [0, 0.1), …, [0.9, 1]."""

_AT_ONCE = 250
"""Draws worked on together, where a matrix of draws by rows has to be built more than once."""


def bin_of(share: float) -> int:
    """The bin that a share in [0, 1] falls into."""
    return min(int(share * BINS + 1e-9), BINS - 1)


def auroc(shares: Sequence[float], truth: Sequence[bool]) -> Statistic:
    """The area under the ROC curve: how often one that is true was given more than one that is not, a tie counting half.

    Not a number where a draw holds one kind alone.
    """
    values, places = np.unique(np.array(shares, dtype=np.float64), return_inverse=True)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(values)))
    is_true = np.array(truth, dtype=np.float64)

    def at_once(weights: Weights) -> NDArray[np.float64]:
        positive = np.add.reduceat((weights * is_true)[:, order], starts, axis=1)
        negative = np.add.reduceat((weights * (1 - is_true))[:, order], starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative
        won = (positive * (below + negative / 2)).sum(axis=1)
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        found: NDArray[np.float64] = np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)
        return found

    return _in_parts(at_once)


def calibration_error(shares: Sequence[float], truth: Sequence[bool]) -> Statistic:
    """The expected calibration error over `BINS` bins of equal width: the mean, weighted by the rows in a bin, of the distance
    between the mean share said and the share that was true (Naeini, Cooper and Hauskrecht, AAAI 2015)."""
    said = np.array(shares, dtype=np.float64)
    off = said - np.array(truth, dtype=np.float64)
    bins = np.array([bin_of(share) for share in said])
    members = (bins[:, None] == np.arange(BINS)).astype(np.float64) * off[:, None]

    def statistic(weights: Weights) -> NDArray[np.float64]:
        total = weights.sum(axis=1)
        gaps = np.abs(weights @ members).sum(axis=1)
        found: NDArray[np.float64] = np.divide(gaps, total, out=np.full_like(gaps, np.nan), where=total > 0)
        return found

    return statistic


def skill(errors: Sequence[float], copied: Sequence[float]) -> Statistic:
    """1 - median(e) / median(e of copying), as `scoring.skill` has it; not a number where copying makes no error."""
    ours, theirs = median(errors), median(copied)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        below = theirs(weights)
        ratio = np.divide(ours(weights), below, out=np.full_like(below, np.nan), where=below > 0)
        found: NDArray[np.float64] = 1 - ratio
        return found

    return statistic


def _in_parts(statistic: Statistic) -> Statistic:
    def found(weights: Weights) -> NDArray[np.float64]:
        parts = [statistic(weights[at : at + _AT_ONCE]) for at in range(0, len(weights), _AT_ONCE)]
        return np.concatenate(parts)

    return found
