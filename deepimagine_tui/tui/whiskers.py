"""Intervals drawn in characters on a shared scale, and which interval a posted value has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from deepimagine_tui.reasoning.derived import share_of, standard_error, wilson, z_of_level
from deepimagine_tui.reasoning.posted import number_of
from deepimagine_tui.reasoning.specs import outcome_spec
from deepimagine_tui.trials.results import Cell, Outcome

_DERIVED_LEVEL = 95.0


class Spread(NamedTuple):
    """What the whisker of a value shows. `label` names level, kind and source; the limits are `None` where there is none."""

    lower: float | None
    upper: float | None
    label: str


class Scale(NamedTuple):
    """A span of values mapped to columns."""

    low: float
    high: float

    def column(self, value: float, width: int) -> int:
        """The column of `value`, from 0 to `width` - 1."""
        if self.high <= self.low:
            return (width - 1) // 2
        share = (value - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * (width - 1))


def scale_of(values: Iterable[float | None]) -> Scale | None:
    """The scale that holds all of `values`; `None` when there is none."""
    known = [value for value in values if value is not None]
    return Scale(min(known), max(known)) if known else None


def whisker(value: float | None, spread: Spread, scale: Scale, width: int, mark: str = "●") -> str:
    """`   ├──●──┤  ` in exactly `width` characters; an open end is an arrow."""
    cells = [" "] * width
    if value is None or width < 1:
        return "".join(cells)
    middle = scale.column(value, width)
    if spread.lower is not None or spread.upper is not None:
        left = 0 if spread.lower is None else scale.column(spread.lower, width)
        right = width - 1 if spread.upper is None else scale.column(spread.upper, width)
        for column in range(left, right + 1):
            cells[column] = "─"
        cells[left] = "◂" if spread.lower is None else "├"
        cells[right] = "▸" if spread.upper is None else "┤"
    cells[middle] = mark
    return "".join(cells)


def spread_of(nct_id: str, outcome: Outcome, cell: Cell) -> Spread:
    """The interval to draw beside a posted value: as posted, else a 95% interval derived from SD, SE or counts."""
    if cell.value is None:
        return Spread(None, None, "")
    kind = outcome.dispersion_kind
    if kind in ("CI", "IQR", "range") and (cell.lower is not None or cell.upper is not None):
        level = f"{outcome.dispersion_level:g}% " if kind == "CI" and outcome.dispersion_level else ""
        return Spread(cell.lower, cell.upper, f"{level}{kind} posted")
    number = number_of(nct_id, outcome, cell)
    spec = outcome_spec(outcome, cell.class_title, cell.category)
    share = share_of(number, spec) if outcome.kind == "share" and cell.n else None
    if share is not None and 0 <= share <= 1 and cell.n and cell.value:
        lower, upper = wilson(share, cell.n)
        per_unit = cell.value / share
        return Spread(lower * per_unit, upper * per_unit, "95% CI derived from counts")
    error = standard_error(number) if outcome.kind == "signed" else None
    if error is None:
        return Spread(None, None, "")
    half = z_of_level(_DERIVED_LEVEL) * error
    return Spread(cell.value - half, cell.value + half, f"95% CI derived from {kind}")
