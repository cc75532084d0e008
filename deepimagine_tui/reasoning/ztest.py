"""The z-test beside a verdict: on the two arm values with their dispersion, else on a contrast with its interval.

- share: z = (p1 - p2) / sqrt(p (1 - p) (1/n1 + 1/n2)), p pooled
- signed: z = (v1 - v2) / sqrt(se1^2 + se2^2)
- positive: z = ln(v1 / v2) / sqrt(se1^2 + se2^2), standard errors on ln
- a contrast: (estimate - null) / se, or ln(estimate / null) / se for ratios, se = width of the interval / (2 z of its level)
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

from deepimagine_tui.reasoning import derived
from deepimagine_tui.reasoning.state import ContrastEstimate, State, ZTest

ALPHA = 0.05
_NORMAL = NormalDist()
CRITICAL = _NORMAL.inv_cdf(1 - ALPHA / 2)


class Effect(NamedTuple):
    """k1 against k2: positive where k1 is better. `estimate` and `error` (its standard error) are on the test's scale."""

    estimate: float
    error: float


def effect(state: State) -> Effect | None:
    """The effect in k1's direction of benefit; `None` when benefit, a value or a dispersion is not known."""
    benefit = state.configuration.outcome.benefit
    if benefit == "unknown" or state.configuration.comparator is None:
        return None
    found = _of_values(state)
    if found is not None:
        return found if benefit == "higher" else Effect(-found.estimate, found.error)
    return _of_contrast(state)


def z_test(state: State) -> ZTest | None:
    """The test of `state`: two-sided p; met at .05 in k1's direction of benefit; `None` where no test is possible."""
    found = effect(state)
    if found is None:
        return None
    z = found.estimate / found.error
    p = math.erfc(abs(z) / math.sqrt(2))
    met = p < ALPHA and z > 0
    verdict = state.met.verdict if state.met is not None else "undetermined"
    return ZTest(z, p, met, agrees=verdict == "undetermined" or (verdict == "met") == met)


def predictive_probability(found: Effect, ratio: float) -> float:
    """The probability that a trial of n' = `ratio` * n participants would be met, given this estimate from n.

    With a flat prior its estimate is N(d, se^2 + se'^2), se'^2 = se^2 / ratio, and it is met above z(.975) se':
    P = Phi((d - z se') / sqrt(se^2 + se'^2)).
    """
    new_error = found.error / math.sqrt(ratio)
    return _NORMAL.cdf((found.estimate - CRITICAL * new_error) / math.hypot(found.error, new_error))


def _of_values(state: State) -> Effect | None:
    """k1 - k2 as such, before the direction of benefit."""
    arm, comparator, outcome = state.arm_value, state.comparator_value, state.configuration.outcome
    if arm is None or comparator is None or arm.value is None or comparator.value is None:
        return None
    if outcome.kind == "share":
        first, second = derived.share_of(arm, outcome), derived.share_of(comparator, outcome)
        if first is None or second is None or not arm.n or not comparator.n:
            return None
        pooled = (first * arm.n + second * comparator.n) / (arm.n + comparator.n)
        return _effect(first - second, math.sqrt(pooled * (1 - pooled) * (1 / arm.n + 1 / comparator.n)))
    if outcome.kind == "signed":
        errors = derived.standard_error(arm), derived.standard_error(comparator)
        return _effect(arm.value - comparator.value, _joined(errors))
    if outcome.kind == "positive" and arm.value > 0 and comparator.value > 0:
        errors = derived.log_error(arm, outcome), derived.log_error(comparator, outcome)
        return _effect(math.log(arm.value / comparator.value), _joined(errors))
    return None


def _of_contrast(state: State) -> Effect | None:
    contrast = state.contrast
    if contrast is None or contrast.kind not in ("difference", "ratio") or contrast.orientation == "unknown":
        return None
    outcome = state.configuration.outcome
    found = contrast_effect(contrast)
    if found is None:
        return None
    k1_first = contrast.orientation in ("a-b", "a/b")
    # A hazard ratio counts events: where a longer time is better, a smaller hazard is.
    hazard_of_time = "hazard" in contrast.scale and outcome.kind == "time to event"
    higher_is_better = (outcome.benefit == "higher") != hazard_of_time
    return found if k1_first == higher_is_better else Effect(-found.estimate, found.error)


def contrast_effect(contrast: ContrastEstimate) -> Effect | None:
    """A contrast's distance from its null with its standard error, as oriented; ratios on ln. `None` without an interval."""
    value, interval = contrast.number.value, contrast.number.interval
    if value is None or interval is None or interval.lower is None or interval.upper is None or not 0 < interval.level < 100:
        return None
    null = contrast.null if contrast.null is not None else (1.0 if contrast.kind == "ratio" else 0.0)
    low, high = interval.lower, interval.upper
    if contrast.kind == "ratio":
        if min(value, low, high, null) <= 0:
            return None
        value, low, high, null = math.log(value), math.log(low), math.log(high), math.log(null)
    return _effect(value - null, (high - low) / (2 * derived.z_of_level(interval.level)))


def _joined(errors: tuple[float | None, float | None]) -> float | None:
    first, second = errors
    return math.hypot(first, second) if first is not None and second is not None else None


def _effect(estimate: float, error: float | None) -> Effect | None:
    return Effect(estimate, error) if error is not None and error > 0 and math.isfinite(error) else None
