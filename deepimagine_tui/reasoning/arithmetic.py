"""Another number of participants: values stay, standard errors scale by sqrt(n / n'), the verdict follows. No model is asked.

From observed or entered values P(met) is predictive (`ztest.predictive_probability`, A). A probability P that the model said
at n is moved as A moves: a trial that is met with fewer participants is met with more, so P' = P A'/A where n falls, and
1 - P' = (1 - P) (1 - A') / (1 - A) where it rises. Numbers computed from observed ones alone are `derived`; imagined and
entered ones stay what they are.
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
from deepimagine_tui.trials.results import Verdict

NO_TEST = "no z-test is possible on the values of the source state"
NO_ENROLMENT = "the number of participants of the source state is not known"


def resized(source: State, target: Configuration) -> tuple[State, tuple[str, ...]]:
    """`source` at the enrolment of `target`, with the warnings that go beside it.

    Where no z-test is possible, a verdict of the model stands as it was, and one that was posted becomes undetermined.
    """
    before, after = source.configuration.enrolment, target.enrolment
    found = ztest.effect(source) if before and after else None
    ratio = after / before if before and after else 1.0
    state = replace(
        source,
        configuration=target,
        arm_value=_scaled(source.arm_value, ratio, target.outcome),
        comparator_value=_scaled(source.comparator_value, ratio, target.outcome),
        contrast=_scaled_contrast(source.contrast, ratio),
    )
    if target.comparator is None:
        return with_id(replace(state, z_test=None)), ()
    if found is None:
        reason = NO_TEST if before and after else NO_ENROLMENT
        kept = source.met if source.met is not None and source.met.status == "imagined" else None
        met = kept or MetEstimate("undetermined", _status(state), reason=reason)
        return with_id(replace(state, met=met, z_test=None)), (
            reason if kept is None else f"{reason}; the verdict stands as it was",
        )
    return with_id(_tested(replace(state, met=_met(source, state, found, ratio)))), ()


def _met(source: State, state: State, found: ztest.Effect, ratio: float) -> MetEstimate:
    """The verdict at the new number of participants."""
    chance, before = ztest.predictive_probability(found, ratio), ztest.predictive_probability(found, 1.0)
    test, said = ztest.z_test(replace(state, met=None)), source.met
    by_test: Verdict = "met" if test is not None and test.met else "not met"
    reason = f"standard errors times {math.sqrt(1 / ratio):.2f}"
    if said is None or said.status != "imagined":
        return MetEstimate(by_test, _status(state), probability=chance, how="arithmetic", reason=reason)
    if said.probability is None:
        earlier = ztest.z_test(replace(source, met=None))
        turned = earlier is not None and test is not None and earlier.met != test.met
        return replace(said, verdict=by_test if turned else said.verdict, reason=reason)
    probability = _moved(said.probability, before, chance)
    verdict: Verdict = "met" if probability >= 0.5 else "not met"
    moved = f"the model's P(met) at {source.configuration.enrolment} participants, moved by arithmetic: {reason}"
    return replace(said, verdict=verdict, probability=probability, how="arithmetic", reason=moved)


def _moved(probability: float, before: float, after: float) -> float:
    """P' of the module's formula, from P, A and A'."""
    if after <= before:
        return probability * after / before if before > 0 else probability
    return 1 - (1 - probability) * (1 - after) / (1 - before)


def _tested(state: State) -> State:
    return replace(state, z_test=ztest.z_test(state))


def _status(state: State) -> Status:
    """What a number computed from the state's values is: `derived` unless something imagined or entered is among them."""
    numbers = [state.arm_value, state.comparator_value, state.contrast.number if state.contrast is not None else None]
    statuses = {number.status for number in numbers if number is not None}
    return "entered" if "entered" in statuses else "imagined" if "imagined" in statuses else "derived"


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
