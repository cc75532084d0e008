"""The scales on which values are compared, as the design defines them (DESIGN 3), with x participants of n and values v.

- share: g = logit((x + .5) / (n + 1)), s = pi / sqrt 3 (the SD of the logistic distribution)
- positive, time to event: g = ln v, s = 1
- signed: g = v, s = the participants' SD of the *source* state's comparator, never the target's
- ratio contrasts: g = ln, s = 1; other contrasts: g = identity, s as for signed values
"""

from __future__ import annotations

import math
import re

from deepimagine_tui.reasoning import derived
from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.state import ContrastEstimate, Number, OutcomeSpec, State

SHARE_SCALE = math.pi / math.sqrt(3)
_FAMILY = re.compile(r"hazard|odds|risk|rate|incidence|median|slope|\blog", re.I)


class NotScorableError(ValueError):
    """The value has no place on the scoring scale, or the scale cannot be known; the text says why. Never leaves `reasoning`
    and its graders unanswered: `grade` turns it into `Revealed.why`."""


def logit(share: float) -> float:
    """ln(share / (1 - share)), for a share strictly between 0 and 1."""
    return math.log(share) - math.log1p(-share)


def sigmoid(value: float) -> float:
    """The inverse of `logit`, without overflow."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def g(number: Number, outcome: OutcomeSpec) -> float:
    """The value of `number` on the scoring scale of `outcome`.

    Raises:
        NotScorableError: there is no value, it is out of range, or n is not known.
    """
    if number.value is None:
        raise NotScorableError(number.note or "there is no value")
    match outcome.kind:
        case "share":
            share = derived.share_of(number, outcome)
            if share is None or not number.n:
                raise NotScorableError("the share or its number of participants is not known or out of range")
            return logit((share * number.n + 0.5) / (number.n + 1))
        case "positive" | "time to event":
            if number.value <= 0:
                raise NotScorableError("a value that can only be positive is not above zero")
            return math.log(number.value)
        case "signed":
            return number.value
        case "unknown":
            raise NotScorableError("what kind of value the outcome has is not known")


def from_g(value: float, like: Number, outcome: OutcomeSpec) -> float:
    """The value of which `value` is the place on the scale, in the unit of `like` and for its n: the inverse of `g`."""
    match outcome.kind:
        case "share":
            n = like.n or 0
            share = min(max(round((sigmoid(value) * (n + 1) - 0.5) / n, 12), 0.0), 1.0) if n else sigmoid(value)
            return share * share_unit(like, outcome)
        case "positive" | "time to event":
            return math.exp(min(value, 700.0))
        case _:
            return value


def scale(source: State, outcome: OutcomeSpec | None = None) -> float:
    """s: what an error on g is divided by, for values of `outcome` (by default the source's own). For signed values the
    participants' SD of the source state's comparator (of its arm, where the state has none).

    Raises:
        NotScorableError: a signed value without a posted dispersion, or of another measure than the source's, has no scale.
    """
    own = source.configuration.outcome
    match (outcome or own).kind:
        case "share":
            return SHARE_SCALE
        case "positive" | "time to event":
            return 1.0
        case "signed":
            if outcome is not None and not same_outcome(own, outcome):
                raise NotScorableError("the source state is of another measure, and so has no standard deviation of this one")
            number = source.arm_value if source.configuration.comparator is None else source.comparator_value
            deviation = derived.standard_deviation(number) if number is not None else None
            if deviation is None:
                raise NotScorableError("the source state posts no standard deviation")
            return deviation
        case "unknown":
            raise NotScorableError("what kind of value the outcome has is not known")


def contrast_scale(contrast: ContrastEstimate, source: State, outcome: OutcomeSpec | None = None) -> float:
    """s of a contrast of `outcome` (by default the source's own): 1 for ratios, the signed scale of the source state otherwise.

    Raises:
        NotScorableError: a difference without a posted dispersion, or of another measure than the source's.
    """
    if contrast.kind == "ratio":
        return 1.0
    if (outcome or source.configuration.outcome).kind != "signed":
        raise NotScorableError("a difference of such values has no scale of its own")
    return scale(source, outcome)


def same_contrast(a: ContrastEstimate, b: ContrastEstimate) -> bool:
    """Whether two contrasts are of one kind, orientation and family of scales: a `treatment difference` is a `mean difference`,
    a hazard ratio is no odds ratio."""
    return (a.kind, a.orientation, _family(a)) == (b.kind, b.orientation, _family(b))


def _family(contrast: ContrastEstimate) -> frozenset[str]:
    return frozenset(word.lower() for word in _FAMILY.findall(contrast.scale))


def standard_error(number: Number, outcome: OutcomeSpec) -> float:
    """The standard error of g(number): logit by the counts, ln by the delta method, signed from SD, SE or CI.

    Raises:
        NotScorableError: the value has no posted dispersion.
    """
    found: float | None
    match outcome.kind:
        case "share":
            share = derived.share_of(number, outcome)
            if share is None or not number.n:
                raise NotScorableError("the share or its number of participants is not known")
            affected = share * number.n
            return math.sqrt(1 / (affected + 0.5) + 1 / (number.n - affected + 0.5))
        case "positive" | "time to event":
            found = derived.log_error(number, outcome) if number.value is not None and number.value > 0 else None
        case _:
            found = derived.standard_error(number)
    if found is None:
        raise NotScorableError("no standard error is posted or can be computed")
    return found


def contrast_g(contrast: ContrastEstimate) -> float:
    """The place of a contrast on its scale.

    Raises:
        NotScorableError: it has no value, or a ratio is not above zero.
    """
    value = contrast.number.value
    if value is None or (contrast.kind == "ratio" and value <= 0):
        raise NotScorableError("the contrast has no value, or none above zero")
    return math.log(value) if contrast.kind == "ratio" else value


def share_unit(like: Number, outcome: OutcomeSpec) -> float:
    """What a share of 1 is in the unit of `like`: n participants, 100 percent, or 1."""
    reference = Number(1.0, "imagined", n=like.n)
    share = derived.share_of(reference, outcome)
    return 1 / share if share else float(like.n or 1)
