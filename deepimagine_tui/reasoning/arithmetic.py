"""Another number of participants: values stay, standard errors scale by sqrt(n / n'), the verdict is that of the z-test.

No model is asked. Numbers that were computed from observed ones alone are `derived`; an imagined or entered value stays what
it is.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from deepimagine_tui.reasoning import derived, ztest
from deepimagine_tui.reasoning.identity import with_id
from deepimagine_tui.reasoning.state import (
    Configuration,
    ContrastEstimate,
    Interval,
    MetEstimate,
    Number,
    OutcomeSpec,
    State,
    Status,
)


def resized(source: State, target: Configuration) -> tuple[State, tuple[str, ...]]:
    """`source` at the enrolment of `target`, with the warnings that go beside it.

    P(met) is the predictive probability of `ztest.predictive_probability`; without a z-test it is not known.
    """
    before, after = source.configuration.enrolment, target.enrolment
    if not before or not after:
        state = replace(source, configuration=target, met=None, z_test=None)
        reason = "the number of participants of the source state is not known"
        return with_id(_with_unknown_verdict(state, reason)), (reason,)
    ratio = after / before
    state = replace(
        source,
        configuration=target,
        arm_value=_scaled(source.arm_value, ratio, target.outcome),
        comparator_value=_scaled(source.comparator_value, ratio, target.outcome),
        contrast=_scaled_contrast(source.contrast, ratio),
        met=None,
        z_test=None,
    )
    effect = ztest.effect(source)
    if target.comparator is None:
        return with_id(state), ()
    if effect is None:
        reason = "no z-test is possible on the values of the source state"
        return with_id(_with_unknown_verdict(state, reason)), (reason,)
    test = ztest.z_test(state)
    met = MetEstimate(
        "met" if test is not None and test.met else "not met",
        _status(state),
        probability=ztest.predictive_probability(effect, ratio),
        how="arithmetic",
        reason=f"values as they are, standard errors times {math.sqrt(1 / ratio):.2f}",
    )
    state = replace(state, met=met)
    return with_id(replace(state, z_test=ztest.z_test(state))), ()


def _with_unknown_verdict(state: State, reason: str) -> State:
    if state.configuration.comparator is None:
        return state
    return replace(state, met=MetEstimate("undetermined", _status(state), reason=reason))


def _status(state: State) -> Status:
    """What a number computed from the state's values is: `derived` unless something imagined or entered is among them."""
    numbers = [state.arm_value, state.comparator_value, state.contrast.number if state.contrast is not None else None]
    statuses = {number.status for number in numbers if number is not None}
    for status in ("entered", "imagined"):
        if status in statuses:
            return status
    return "derived"


def _scaled(number: Number | None, ratio: float, outcome: OutcomeSpec) -> Number | None:
    if number is None:
        return None
    shrink = math.sqrt(1 / ratio)
    dispersion, interval, n = number.dispersion, number.interval, number.n
    if number.dispersion_kind == "SE" and dispersion is not None:
        dispersion *= shrink
    if interval is not None:
        interval = _scaled_interval(interval, number.value, shrink, ratio_scale=False)
    resized = replace(
        number,
        status="derived" if number.status == "observed" else number.status,
        dispersion=dispersion,
        n=None if n is None else max(round(n * ratio), 1),
        interval=interval,
    )
    share = derived.share_of(number, outcome)
    if share is not None and resized.n and derived.share_of(resized, outcome) != share:
        # A count keeps its share of the participants, not its number.
        return replace(resized, value=share * resized.n)
    return resized


def _scaled_contrast(contrast: ContrastEstimate | None, ratio: float) -> ContrastEstimate | None:
    if contrast is None:
        return None
    number = contrast.number
    interval = number.interval
    if interval is not None:
        interval = _scaled_interval(interval, number.value, math.sqrt(1 / ratio), ratio_scale=contrast.kind == "ratio")
    status: Status = "derived" if number.status == "observed" else number.status
    return replace(contrast, number=replace(number, status=status, interval=interval), p_text="")


def _scaled_interval(interval: Interval, value: float | None, shrink: float, *, ratio_scale: bool) -> Interval | None:
    """The interval about `value` with its reach times `shrink`, on ln for ratios; a prediction interval does not shrink with
    n."""
    if interval.kind == "PI":
        return interval
    if value is None or (ratio_scale and value <= 0):
        return None

    def moved(limit: float | None) -> float | None:
        if limit is None or (ratio_scale and limit <= 0):
            return None
        return value * (limit / value) ** shrink if ratio_scale else value + (limit - value) * shrink

    return Interval(moved(interval.lower), moved(interval.upper), interval.level, "CI")
