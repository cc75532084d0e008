"""All pathways of a run together, as the design defines the aggregate.

Value: similarity-weighted median on g. P(met): mean of the logits. Spread: interquartile range on g, weighted like the median
so that it always holds it. Agreement: pathways with the majority verdict. Beside it, how many anchors were met and what the
comparator rule says.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning import derived
from deepimagine_tui.reasoning.calibration import Calibration, SlopeIntercept, calibrated_probability, prediction_interval
from deepimagine_tui.reasoning.events import PathwayShare
from deepimagine_tui.reasoning.pathway import Pathway
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
from deepimagine_tui.reasoning.scoring import NotScorableError, from_g, g, logit, sigmoid
from deepimagine_tui.reasoning.state import (
    Configuration,
    ContrastEstimate,
    MetEstimate,
    Number,
    OutcomeSpec,
    State,
    Status,
)
from deepimagine_tui.reasoning.words import unit_key
from deepimagine_tui.trials.results import Verdict

CERTAIN = 1e-4
"""Probabilities are kept this far from 0 and 1 before their logits are averaged."""
_INERT = ("placebo", "sham", "no intervention")


class Summary(msgspec.Struct, frozen=True):
    """What an `Aggregated` event says, before anything posted is looked at."""

    arm_value: Number | None
    comparator_value: Number | None
    contrast: ContrastEstimate | None
    met: MetEstimate | None
    spread_lower: float | None
    spread_upper: float | None
    answered: int
    agreement: int
    anchors_met: int
    anchors_with_verdict: int
    comparator_rule: str
    shares: tuple[PathwayShare, ...]
    warnings: tuple[str, ...] = ()


class _Weighted(msgspec.Struct, frozen=True):
    number: Number
    place: float
    weight: float


def aggregate(request: ImagineRequest, pathways: Sequence[Pathway], calibration: Calibration | None) -> Summary:
    """The aggregate of the pathways that reached the target; at least one did."""
    complete = [pathway for pathway in pathways if pathway.complete]
    nearest = max(complete, key=_weight)
    target = nearest.state.configuration
    forecast = isinstance(request.question, Forecast)
    arms = _weighted([(pathway, pathway.state.arm_value) for pathway in complete], target.outcome)
    comparators = _weighted([(pathway, pathway.state.comparator_value) for pathway in complete], target.outcome)
    said = sum(pathway.state.arm_value is not None and pathway.state.arm_value.value is not None for pathway in complete)
    arm, comparator = _median(arms, target.outcome), _median(comparators, target.outcome)
    if arm is not None and calibration is not None:
        length = max(len(pathway.perturbations) for pathway in complete)
        factor = nearest.perturbations[-1].factor if nearest.perturbations else "arm"
        quantile = calibration.quantile(factor, target.outcome.kind, length, aggregate=True)
        arm = replace(arm, interval=prediction_interval(arm, target.outcome, nearest.anchor, quantile, calibration.level))
    spread = _spread(arms, target.outcome)
    verdicts = [_verdict(pathway.state) for pathway in complete]
    correction = calibration.forecast if calibration is not None and forecast else None
    anchors = {pathway.anchor.id: _verdict(pathway.anchor) for pathway in pathways}.values()
    left_out = said - len(arms)
    return Summary(
        arm_value=arm,
        comparator_value=comparator,
        contrast=_contrast(complete, arm, comparator, target.outcome),
        met=_met([pathway.state for pathway in complete], correction) if target.comparator is not None else None,
        spread_lower=spread[0] if spread else None,
        spread_upper=spread[1] if spread else None,
        answered=len(complete),
        agreement=max(verdicts.count("met"), verdicts.count("not met")),
        anchors_met=sum(verdict == "met" for verdict in anchors),
        anchors_with_verdict=sum(verdict != "undetermined" for verdict in anchors),
        comparator_rule=comparator_rule(target),
        shares=tuple(_share(pathway, complete) for pathway in pathways),
        warnings=(f"{left_out} of {said} values are in another unit or off the scale, and are left out",) if left_out else (),
    )


def comparator_rule(target: Configuration) -> str:
    """What the rule "met iff the comparator is placebo, sham or no intervention" answers for this target."""
    if target.comparator is None:
        return "no comparator, no verdict"
    control = target.comparator.control
    if control in _INERT:
        return f"met: the comparator is {control}"
    if control == "unknown":
        return "not met: the comparator is not known to be placebo, sham or no intervention"
    return f"not met: the comparator is {'an active one' if control == 'active' else 'another arm'}"


def weighted_quantile(values: Sequence[tuple[float, float]], share: float) -> float:
    """The value at which `share` (0 to 1) of the weight of (value, weight) pairs, weights above 0, is reached; half way to the
    next value when exactly that share is. Quartiles by this rule always hold the median by it between them.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    wanted, reached = share * sum(weight for _, weight in ordered), 0.0
    for index, (value, weight) in enumerate(ordered):
        reached += weight
        if abs(reached - wanted) <= 1e-12 * wanted and index + 1 < len(ordered):
            return (value + ordered[index + 1][0]) / 2
        if reached > wanted:
            return value
    return ordered[-1][0]


def _weight(pathway: Pathway) -> float:
    return 1.0 if pathway.similarity is None else max(pathway.similarity, 1e-6)


def _weighted(numbers: Sequence[tuple[Pathway, Number | None]], outcome: OutcomeSpec) -> list[_Weighted]:
    """The numbers on g, each in its own pathway's unit; without those that are no value of `outcome`."""
    found = []
    for pathway, number in numbers:
        own = pathway.state.configuration.outcome
        if number is None or not one_scale(own, outcome):
            continue
        try:
            found.append(_Weighted(number, g(number, own), _weight(pathway)))
        except NotScorableError:
            continue
    return found


def one_scale(a: OutcomeSpec, b: OutcomeSpec) -> bool:
    """Whether values of both are on one g: of one kind, and of one unit unless they are shares."""
    return a.kind == b.kind and (a.kind == "share" or unit_key(a.unit) == unit_key(b.unit))


def _median(values: Sequence[_Weighted], outcome: OutcomeSpec) -> Number | None:
    if not values:
        return None
    if all(value.number == values[0].number for value in values):
        return values[0].number
    sizes = [value.number.n for value in values if value.number.n]
    n = round(median(sizes)) if sizes else None
    like = Number(None, _status([value.number for value in values]), outcome.unit or values[0].number.unit, n=n)
    place = weighted_quantile([(value.place, value.weight) for value in values], 0.5)
    after_entered = any(value.number.after_entered for value in values)
    return replace(like, value=_value_at(place, values, like, outcome), after_entered=after_entered)


def _spread(values: Sequence[_Weighted], outcome: OutcomeSpec) -> tuple[float, float] | None:
    """The similarity-weighted quartiles on g, back-transformed; `None` for fewer than two values."""
    if len(values) < 2:
        return None
    lower, upper = (weighted_quantile([(value.place, value.weight) for value in values], share) for share in (0.25, 0.75))
    like = replace(values[0].number, unit=outcome.unit or values[0].number.unit)
    return _value_at(lower, values, like, outcome), _value_at(upper, values, like, outcome)


def _value_at(place: float, values: Sequence[_Weighted], like: Number, outcome: OutcomeSpec) -> float:
    """The value at a place on g, to four digits: for the participants of the pathway whose own place it is, since g of a share
    depends on them, else for those of `like`."""
    own = next((value.number.n for value in values if value.place == place), None)
    return float(f"{from_g(place, replace(like, n=own or like.n), outcome):.4g}")


def _contrast(
    complete: Sequence[Pathway], arm: Number | None, comparator: Number | None, outcome: OutcomeSpec
) -> ContrastEstimate | None:
    """From the aggregated values; without them, the median of the contrasts that were imagined on the nearest pathway's
    scale."""
    if arm is not None and comparator is not None:
        found = derived.contrast_of(arm, comparator, outcome)
        if found is None:
            return None
        number = replace(found.number, status=_status([arm, comparator]), interval=None, note="computed from the two values")
        return replace(found, number=number)
    ordered = sorted(complete, key=_weight, reverse=True)
    contrasts = [(pathway, contrast) for pathway in ordered if (contrast := pathway.state.contrast) is not None]
    if not contrasts:
        return None
    first = contrasts[0][1]
    alike = [
        (contrast.number.value, _weight(pathway))
        for pathway, contrast in contrasts
        if (contrast.scale, contrast.orientation) == (first.scale, first.orientation) and contrast.number.value is not None
    ]
    return replace(first, number=replace(first.number, value=weighted_quantile(alike, 0.5))) if alike else None


def _met(states: Sequence[State], correction: SlopeIntercept | None) -> MetEstimate:
    """Mean logit of the probabilities; a frequency over pathways where the backend gives none."""
    estimates = [state.met for state in states if state.met is not None and state.met.verdict != "undetermined"]
    if not estimates:
        return MetEstimate("undetermined", "imagined", reason="no pathway has a verdict")
    status = "imagined" if any(estimate.status == "imagined" for estimate in estimates) else estimates[0].status
    known = [estimate.probability for estimate in estimates if estimate.probability is not None]
    if known:
        logits = [logit(min(max(probability, CERTAIN), 1 - CERTAIN)) for probability in known]
        probability = calibrated_probability(sigmoid(sum(logits) / len(logits)), correction)
        masses = [estimate.mass for estimate in estimates if estimate.mass is not None]
        return MetEstimate(
            "met" if probability >= 0.5 else "not met",
            status,
            probability=probability,
            mass=min(masses) if masses else None,
            how=next(estimate.how for estimate in estimates if estimate.probability is not None),
            samples=len(known),
            calibrated=correction is not None or all(estimate.calibrated for estimate in estimates),
        )
    met = sum(estimate.verdict == "met" for estimate in estimates)
    verdict: Verdict = "undetermined" if 2 * met == len(estimates) else "met" if 2 * met > len(estimates) else "not met"
    if len(estimates) < 2:
        return MetEstimate(verdict, status)
    return MetEstimate(verdict, status, probability=met / len(estimates), how="samples", samples=len(estimates))


def _share(pathway: Pathway, complete: Sequence[Pathway]) -> PathwayShare:
    total = sum(map(_weight, complete))
    number, met = pathway.state.arm_value, pathway.state.met
    reached = pathway.complete
    return PathwayShare(
        pathway=pathway.number,
        nct_id=pathway.anchor.nct_id,
        similarity=pathway.similarity,
        weight=_weight(pathway) / total if reached else 0.0,
        value=number.value if number is not None and reached else None,
        probability=met.probability if met is not None and reached else None,
        verdict=_verdict(pathway.state) if reached else "",
    )


def _verdict(state: State) -> Verdict:
    return state.met.verdict if state.met is not None else "undetermined"


def _status(numbers: Sequence[Number]) -> Status:
    """What a number computed from `numbers` is: `imagined` or `entered` if one of them is, else `derived`."""
    statuses = {number.status for number in numbers}
    return "imagined" if "imagined" in statuses else "entered" if "entered" in statuses else "derived"
