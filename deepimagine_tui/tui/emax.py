"""The Emax curve through observed doses, by least squares: y = E0 + Emax d / (ED50 + d)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEAST_DOSES = 3
_STEPS = 160


class Emax(NamedTuple):
    """A fitted curve. `ed50` is in the doses' unit."""

    e0: float
    emax: float
    ed50: float

    def at(self, dose: float) -> float:
        """The curve's value at a dose."""
        return self.e0 + self.emax * dose / (self.ed50 + dose)


def fit(points: Sequence[tuple[float, float]]) -> Emax | None:
    """The curve through (dose, value) points, a placebo being dose 0; `None` under three different doses.

    For each of 160 ED50 on a log grid from a hundredth of the lowest to ten times the highest dose, E0 and Emax are the linear
    least-squares solution; the best of them is taken.
    """
    doses = {dose for dose, _ in points}
    positive = [dose for dose in doses if dose > 0]
    if len(doses) < LEAST_DOSES or len(positive) < LEAST_DOSES - 1:
        return None
    low, high = math.log(min(positive) / 100), math.log(max(positive) * 10)
    best: tuple[float, Emax] | None = None
    for step in range(_STEPS):
        ed50 = math.exp(low + (high - low) * step / (_STEPS - 1))
        curve = _linear(points, ed50)
        if curve is not None:
            error = sum((curve.at(dose) - value) ** 2 for dose, value in points)
            if best is None or error < best[0]:
                best = (error, curve)
    return best[1] if best else None


def _linear(points: Sequence[tuple[float, float]], ed50: float) -> Emax | None:
    xs = [dose / (ed50 + dose) for dose, _ in points]
    ys = [value for _, value in points]
    count, sum_x, sum_y = len(points), sum(xs), sum(ys)
    spread = count * sum(x * x for x in xs) - sum_x * sum_x
    if abs(spread) < 1e-12:
        return None
    slope = (count * sum(x * y for x, y in zip(xs, ys, strict=True)) - sum_x * sum_y) / spread
    return Emax((sum_y - slope * sum_x) / count, slope, ed50)
