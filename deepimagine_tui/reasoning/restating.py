"""An anchor's values in the unit of the target, where both are one measure: a count as its percentage, days as months.

That is arithmetic, not a change of outcome for a model to imagine. The numbers are `derived` then, and say what was posted.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.derived import share_of
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.identity import with_id
from deepimagine_tui.reasoning.scales import share_unit
from deepimagine_tui.reasoning.state import Interval, Number, OutcomeSpec, State
from deepimagine_tui.reasoning.words import unit_key

_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_TIME_UNIT = re.compile(r"^\W*(day|week|month|year)s?\W*$", re.I)


def restated(state: State, wanted: OutcomeSpec) -> State:
    """`state` in the unit of `wanted`; as it is where the measures differ, the unit is the same, or no conversion is known."""
    outcome = state.configuration.outcome
    if not wanted.unit or unit_key(outcome.unit) == unit_key(wanted.unit) or outcome.kind != wanted.kind:
        return state
    if not same_outcome(replace(outcome, unit=""), replace(wanted, unit="")):
        return state
    target = replace(outcome, unit=wanted.unit, parameter=wanted.parameter if outcome.kind == "share" else outcome.parameter)
    numbers = state.arm_value, state.comparator_value
    converted = [None if number is None else _converted(number, outcome, target) for number in numbers]
    if any(number is not None and found is None for number, found in zip(numbers, converted, strict=True)):
        return state
    return with_id(
        replace(
            state,
            configuration=replace(state.configuration, outcome=target),
            arm_value=converted[0],
            comparator_value=converted[1],
        )
    )


def _converted(number: Number, outcome: OutcomeSpec, target: OutcomeSpec) -> Number | None:
    """`number` in the unit of `target`; `None` where no conversion is known."""
    factor = _factor(number, outcome, target)
    if factor is None:
        return None
    if number.value is None:
        return replace(number, unit=target.unit)
    posted = f"posted as {number_text(number.value)} {number.unit}"
    return replace(
        number,
        value=_tidy(number.value * factor),
        status="derived" if number.status == "observed" else number.status,
        unit=target.unit,
        interval=_scaled(number.interval, factor),
        dispersion=None if number.dispersion is None else _tidy(number.dispersion * factor),
        lower=None if number.lower is None else _tidy(number.lower * factor),
        upper=None if number.upper is None else _tidy(number.upper * factor),
        note=f"{posted} of n {number.n}" if outcome.kind == "share" and number.n else posted,
    )


def _factor(number: Number, outcome: OutcomeSpec, target: OutcomeSpec) -> float | None:
    if outcome.kind == "share":
        known = number.n and share_of(number, outcome) is not None
        return share_unit(number, target) / share_unit(number, outcome) if known else None
    first, second = _TIME_UNIT.match(outcome.unit), _TIME_UNIT.match(target.unit)
    if outcome.kind != "time to event" or not first or not second:
        return None
    return _DAYS[first[1].lower()] / _DAYS[second[1].lower()]


def _scaled(interval: Interval | None, factor: float) -> Interval | None:
    if interval is None:
        return None
    lower, upper = (None if limit is None else _tidy(limit * factor) for limit in (interval.lower, interval.upper))
    return replace(interval, lower=lower, upper=upper, kind="CI" if interval.kind == "CI posted" else interval.kind)


def _tidy(value: float) -> float:
    """`value` to four significant digits: a conversion makes nothing more precise."""
    return float(f"{value:.4g}")
