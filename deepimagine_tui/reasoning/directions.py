"""Where a result went, from the values (DESIGN 3): `up` or `down` where |delta g| / s >= .1 and |delta g| exceeds the standard
error of the difference, else `no clear change`."""

from __future__ import annotations

import math

from deepimagine_tui.reasoning import ztest
from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.scales import (
    NotScorableError,
    contrast_g,
    contrast_scale,
    g,
    same_contrast,
    scale,
    standard_error,
)
from deepimagine_tui.reasoning.state import ContrastEstimate, Direction, Number, OutcomeSpec, State
from deepimagine_tui.trials.factors import Factor

CLEAR_CHANGE = 0.1
"""The least |delta g| / s that is a direction."""


def direction(before: Number, after: Number, outcome: OutcomeSpec, source: State) -> Direction:
    """Where a value went from `before` to `after`, both on the scale of `outcome`.

    Raises:
        NotScorableError: a value, a standard error or the scale is missing.
    """
    error_of_difference = math.hypot(standard_error(before, outcome), standard_error(after, outcome))
    return _sign(g(after, outcome) - g(before, outcome), scale(source), error_of_difference)


def contrast_direction(before: ContrastEstimate, after: ContrastEstimate, source: State) -> Direction:
    """Where a contrast went, both on one scale and orientation.

    Raises:
        NotScorableError: a value or an interval is missing, or the two are of different scales.
    """
    if not same_contrast(before, after):
        raise NotScorableError("the two contrasts have different scales or orientations")
    first, second = ztest.contrast_effect(before), ztest.contrast_effect(after)
    if first is None or second is None:
        raise NotScorableError("a contrast has no interval")
    return _sign(contrast_g(after) - contrast_g(before), contrast_scale(before, source), math.hypot(first.error, second.error))


def favoured(state: State) -> Direction:
    """The sign of benefit of a state's comparison, the direction of an `outcome` change: `up` where k1 is clearly better than
    k2. By the two values; by the contrast where they are not known.

    Raises:
        NotScorableError: benefit, a value or a standard error is missing.
    """
    benefit, arm, comparator = state.configuration.outcome.benefit, state.arm_value, state.comparator_value
    if benefit == "unknown":
        raise NotScorableError("which direction is better is not known")
    if arm is None or comparator is None or arm.value is None or comparator.value is None:
        return _favoured_by_contrast(state)
    moved = direction(comparator, arm, state.configuration.outcome, state)
    if moved == "no clear change" or benefit == "higher":
        return moved
    return "down" if moved == "up" else "up"


def step_direction(source: State, after: State, factor: Factor) -> Direction:
    """The direction of a step: of the benefit when the outcome changes, of k2's value when the comparator does, else of
    k1's; of the contrast where `after` has nothing else.

    Raises:
        NotScorableError: it cannot be told from the values.
    """
    if factor == "outcome":
        return favoured(after)
    if not same_outcome(source.configuration.outcome, after.configuration.outcome):
        raise NotScorableError("the values are of different measures")
    if has_contrast_alone(after):
        if source.contrast is None or after.contrast is None:
            raise NotScorableError("there is no contrast to compare with")
        return contrast_direction(source.contrast, after.contrast, source)
    pair = (source.comparator_value, after.comparator_value) if factor == "comparator" else (source.arm_value, after.arm_value)
    if pair[0] is None or pair[1] is None:
        raise NotScorableError("there is no value")
    return direction(pair[0], pair[1], source.configuration.outcome, source)


def has_contrast_alone(state: State) -> bool:
    """Whether a state's result is a contrast without the values of its arms."""
    return state.arm_value is None and state.comparator_value is None and state.contrast is not None


def _favoured_by_contrast(state: State) -> Direction:
    found = ztest.effect(state)
    if found is None or state.contrast is None:
        raise NotScorableError("a value, or the contrast's interval, is not known")
    return _sign(found.estimate, contrast_scale(state.contrast, state), found.error)


def _sign(delta: float, unit: float, error: float) -> Direction:
    if abs(delta) / unit < CLEAR_CHANGE or abs(delta) <= error:
        return "no clear change"
    return "up" if delta > 0 else "down"
