"""An axis: values to inches, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from deepimagine_exporters.words import same_decimals
from deepimagine_tui.reasoning.describe import number_text


class Scale(msgspec.Struct, frozen=True):
    """Maps `low`..`high` to `start`..`end` inches, on a logarithm where `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where `value` stands, in inches; values beyond the axis stand at its end."""
        low, high, here = (
            math.log(x) if self.log else x for x in (self.low, self.high, max(value, 1e-300) if self.log else value)
        )
        share = (here - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 6) -> tuple[tuple[float, str], ...]:
        """At most about `most` round values within the axis, with their texts."""
        from matplotlib.ticker import LogLocator, MaxNLocator

        if self.log and self.high / self.low > 30:
            found = LogLocator(numticks=most).tick_values(self.low, self.high)
        else:
            found = MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        edge = 1e-9 * (self.high - self.low)
        values = [float(value) for value in found if self.low - edge <= value <= self.high + edge]
        return tuple(zip(values, same_decimals(*(number_text(value) for value in values)), strict=True))


def scale_over(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """A scale that holds all finite `values` with some air; logarithmic only where all are positive.

    Raises:
        ValueError: there is no finite value.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        raise ValueError("an axis needs a value")
    low, high = min(finite), max(finite)
    if log and low > 0:
        air = (high / low) ** 0.08 if high > low else 1.5
        return Scale(low / air, high * air, start, end, log=True)
    span = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(low - span, high + span, start, end)
