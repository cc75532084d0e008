"""The one grader: scale, error and direction as the design defines them. Evaluation, rewards and badges all call this.

Scale (DESIGN 3), with x participants of n, both arms' values v:

- share: g = logit((x + .5) / (n + 1)), s = pi / sqrt 3 (the SD of the logistic distribution)
- positive, time to event: g = ln v, s = 1
- signed: g = v, s = the participants' SD of the *source* state's comparator, never the target's
- ratio contrasts: g = ln, s = 1; other contrasts: g = identity, s as for signed values

Error e = |g(imagined) - g(observed)| / s. Direction is `up` or `down` where |delta g| / s >= .1 and |delta g| exceeds the
standard error of the difference, else `no clear change`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from deepimagine_tui.reasoning import derived
from deepimagine_tui.reasoning.difference import same_outcome
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.state import ContrastEstimate, Direction, Number, OutcomeSpec, Source, State
from deepimagine_tui.trials.factors import CHANGES_COMPARATOR_ONLY, CHANGES_FIRST_ARM_ONLY, Factor
from deepimagine_tui.trials.results import Verdict

CLEAR_CHANGE = 0.1
"""The least |delta g| / s that is a direction."""

SHARE_SCALE = math.pi / math.sqrt(3)


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
            share = min(max((sigmoid(value) * (n + 1) - 0.5) / n, 0.0), 1.0) if n else sigmoid(value)
            return share * _share_unit(like, outcome)
        case "positive" | "time to event":
            return math.exp(min(value, 700.0))
        case _:
            return value


def scale(source: State) -> float:
    """s: what an error on g is divided by. For signed values the participants' SD of the source state's comparator (of its
    arm, where the state has none).

    Raises:
        NotScorableError: a signed value without a posted dispersion has no scale.
    """
    match source.configuration.outcome.kind:
        case "share":
            return SHARE_SCALE
        case "positive" | "time to event":
            return 1.0
        case "signed":
            number = source.arm_value if source.configuration.comparator is None else source.comparator_value
            deviation = derived.standard_deviation(number) if number is not None else None
            if deviation is None:
                raise NotScorableError("the source state posts no standard deviation")
            return deviation
        case "unknown":
            raise NotScorableError("what kind of value the outcome has is not known")


def error(imagined: Number, observed: Number, outcome: OutcomeSpec, source: State) -> float:
    """e = |g(imagined) - g(observed)| / s, at least 0.

    Raises:
        NotScorableError: either value or the scale is missing.
    """
    return abs(g(imagined, outcome) - g(observed, outcome)) / scale(source)


def contrast_error(imagined: ContrastEstimate, observed: ContrastEstimate, source: State) -> float:
    """e of a contrast: on ln with s = 1 for ratios, else on the values with the signed scale.

    Raises:
        NotScorableError: a value is missing, not positive on a ratio scale, or the two are not on one scale and orientation.
    """
    if (imagined.kind, imagined.scale, imagined.orientation) != (observed.kind, observed.scale, observed.orientation):
        raise NotScorableError("the posted contrast has another scale or orientation")
    return abs(_contrast_g(imagined) - _contrast_g(observed)) / contrast_scale(imagined, source)


def contrast_scale(contrast: ContrastEstimate, source: State) -> float:
    """s of a contrast: 1 for ratios, the signed scale of the source state otherwise.

    Raises:
        NotScorableError: a difference without a posted dispersion.
    """
    if contrast.kind == "ratio":
        return 1.0
    if source.configuration.outcome.kind != "signed":
        raise NotScorableError("a difference of such values has no scale of its own")
    return scale(source)


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


def direction(before: Number, after: Number, outcome: OutcomeSpec, source: State) -> Direction:
    """Where a value went from `before` to `after`, both on the scale of `outcome`.

    Raises:
        NotScorableError: a value, a standard error or the scale is missing.
    """
    delta = g(after, outcome) - g(before, outcome)
    error_of_difference = math.hypot(standard_error(before, outcome), standard_error(after, outcome))
    if abs(delta) / scale(source) < CLEAR_CHANGE or abs(delta) <= error_of_difference:
        return "no clear change"
    return "up" if delta > 0 else "down"


def favoured(state: State) -> Direction:
    """The sign of benefit of a state's comparison, the direction of an `outcome` change: `up` where k1 is clearly better than
    k2.

    Raises:
        NotScorableError: benefit, a value or a standard error is missing.
    """
    benefit = state.configuration.outcome.benefit
    if benefit == "unknown" or state.arm_value is None or state.comparator_value is None:
        raise NotScorableError("which direction is better, or a value, is not known")
    moved = direction(state.comparator_value, state.arm_value, state.configuration.outcome, state)
    if moved == "no clear change" or benefit == "higher":
        return moved
    return "down" if moved == "up" else "up"


def step_direction(source: State, after: State, factor: Factor) -> Direction:
    """The direction of a step: of the benefit when the outcome changes, of k2's value when the comparator does, else of k1's.

    Raises:
        NotScorableError: it cannot be told from the values.
    """
    if factor == "outcome":
        return favoured(after)
    pair = (source.comparator_value, after.comparator_value) if factor == "comparator" else (source.arm_value, after.arm_value)
    if pair[0] is None or pair[1] is None:
        raise NotScorableError("there is no value")
    return direction(pair[0], pair[1], source.configuration.outcome, source)


def skill(errors: Sequence[float], copy_errors: Sequence[float]) -> float:
    """1 - median(e) / median(e of copying the source): 0 is no better than copying, 1 is perfect.

    Raises:
        NotScorableError: nothing to compare, or copying makes no error.
    """
    if not errors or not copy_errors or median(copy_errors) == 0:
        raise NotScorableError("there is nothing to compare, or copying makes no error")
    return 1 - median(errors) / median(copy_errors)


def brier(probability: float, verdict: Verdict) -> float:
    """(P(met) - met)^2.

    Raises:
        NotScorableError: the posted verdict is undetermined.
    """
    if verdict == "undetermined":
        raise NotScorableError("the posted verdict is undetermined")
    return (probability - (verdict == "met")) ** 2


def grade(source: State, imagined: State, posted: State, factor: Factor, stated: Direction | None = None) -> Revealed:
    """`imagined` beside `posted`, both reached from `source` by one change of `factor` (the last one of several).

    e is the mean over the values that the change asks for; e of copying takes the source's values instead, where the measure
    is the same. The imagined direction is the one that the model `stated`, else the one that its numbers show. Total: what
    cannot be graded is `None`, and `why` says so.
    """
    problems: list[str] = []
    reference = posted.configuration.outcome
    comparable = _comparable(imagined.configuration.outcome, reference)
    if comparable is not None:
        problems.append(comparable)
    graded = _errors(source, imagined, posted, factor, problems) if comparable is None else None
    copied = None
    if graded is not None and _comparable(source.configuration.outcome, reference) is None:
        copied = _errors(source, source, posted, factor, [])
    imagined_direction = stated if stated is not None else _direction_or_none(source, imagined, factor)
    posted_direction = _direction_or_none(source, posted, factor) if factor == "outcome" or comparable is None else None
    both = imagined_direction is not None and posted_direction is not None
    verdict = posted.met.verdict if posted.met is not None else "undetermined"
    answered = imagined.met.verdict if imagined.met is not None else "undetermined"
    probability = imagined.met.probability if imagined.met is not None else None
    decided = verdict != "undetermined"
    return Revealed(
        arm_value=posted.arm_value,
        comparator_value=posted.comparator_value,
        contrast=posted.contrast,
        met=posted.met,
        source=_place(posted),
        error=graded,
        copy_error=copied,
        imagined_direction=imagined_direction,
        posted_direction=posted_direction,
        direction_right=imagined_direction == posted_direction if both else None,
        verdict_right=answered == verdict if decided and answered != "undetermined" else None,
        brier=brier(probability, verdict) if decided and probability is not None else None,
        why="; ".join(problems),
    )


def _errors(source: State, imagined: State, posted: State, factor: Factor, problems: list[str]) -> float | None:
    """The mean e of the values that `factor` asks for; `None` with the reason added to `problems`."""
    pairs = [(imagined.arm_value, posted.arm_value), (imagined.comparator_value, posted.comparator_value)]
    if factor in CHANGES_FIRST_ARM_ONLY or posted.configuration.comparator is None:
        pairs = pairs[:1]
    elif factor in CHANGES_COMPARATOR_ONLY:
        pairs = pairs[1:]
    outcome = posted.configuration.outcome
    try:
        if imagined.arm_value is None and imagined.comparator_value is None:
            if imagined.contrast is None or posted.contrast is None:
                raise NotScorableError("there is no posted contrast to compare with")
            return contrast_error(imagined.contrast, posted.contrast, source)
        known = [(first, second) for first, second in pairs if first is not None and second is not None]
        if len(known) < len(pairs):
            raise NotScorableError("a value is not posted")
        return sum(error(first, second, outcome, source) for first, second in known) / len(known)
    except NotScorableError as problem:
        problems.append(str(problem))
        return None


def _comparable(imagined: OutcomeSpec, posted: OutcomeSpec) -> str | None:
    """Why values of the two must not be compared; `None` when measure, unit, change basis and analysis population agree."""
    if not same_outcome(imagined, posted):
        return "the posted outcome is another measure, unit or change basis"
    if imagined.analysis_set != posted.analysis_set:
        return "the posted values are of another analysis population"
    return None


def _direction_or_none(source: State, after: State, factor: Factor) -> Direction | None:
    try:
        return step_direction(source, after, factor)
    except NotScorableError:
        return None


def _place(posted: State) -> Source:
    """Where the posted result stands in the registry."""
    if posted.arm_value is not None and posted.arm_value.source is not None:
        return posted.arm_value.source
    outcome = posted.configuration.outcome
    arm = posted.configuration.arm
    return Source(posted.nct_id, outcome.outcome_id, arm.group_id, outcome.class_title, outcome.category)


def _contrast_g(contrast: ContrastEstimate) -> float:
    value = contrast.number.value
    if value is None or (contrast.kind == "ratio" and value <= 0):
        raise NotScorableError("the contrast has no value, or none above zero")
    return math.log(value) if contrast.kind == "ratio" else value


def _share_unit(like: Number, outcome: OutcomeSpec) -> float:
    """What a share of 1 is in the unit of `like`: n participants, 100 percent, or 1."""
    reference = Number(1.0, "imagined", like.unit, n=like.n)
    share = derived.share_of(reference, outcome)
    return 1 / share if share else float(like.n or 1)
