"""The one grader: error, skill and grade as the design defines them. Evaluation, rewards and badges all call this.

Error e = |g(imagined) - g(observed)| / s, with g and s of `scales`; directions are those of `directions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from msgspec.structs import replace

from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.directions import direction, favoured, has_contrast_alone, step_direction
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.scales import (
    SHARE_SCALE,
    NotScorableError,
    contrast_g,
    contrast_scale,
    from_g,
    g,
    logit,
    same_contrast,
    scale,
    sigmoid,
    standard_error,
)
from deepimagine_tui.reasoning.state import ContrastEstimate, Direction, Number, OutcomeSpec, Source, State
from deepimagine_tui.trials.factors import CHANGES_COMPARATOR_ONLY, CHANGES_FIRST_ARM_ONLY, Factor
from deepimagine_tui.trials.results import Verdict

__all__ = [
    "SHARE_SCALE",
    "NotScorableError",
    "brier",
    "contrast_error",
    "contrast_scale",
    "direction",
    "error",
    "favoured",
    "from_g",
    "g",
    "grade",
    "logit",
    "scale",
    "sigmoid",
    "skill",
    "standard_error",
    "step_direction",
    "value_errors",
    "without_grade",
]


def error(imagined: Number, observed: Number, outcome: OutcomeSpec, source: State) -> float:
    """e = |g(imagined) - g(observed)| / s, at least 0.

    Raises:
        NotScorableError: either value or the scale is missing.
    """
    return abs(g(imagined, outcome) - g(observed, outcome)) / scale(source, outcome)


def contrast_error(
    imagined: ContrastEstimate, observed: ContrastEstimate, source: State, outcome: OutcomeSpec | None = None
) -> float:
    """e of a contrast of `outcome` (by default the source's own): on ln with s = 1 for ratios, else on the values with the
    signed scale.

    Raises:
        NotScorableError: a value is missing, not positive on a ratio scale, or the two are not on one scale and orientation.
    """
    if not same_contrast(imagined, observed):
        raise NotScorableError("the posted contrast has another scale or orientation")
    return abs(contrast_g(imagined) - contrast_g(observed)) / contrast_scale(imagined, source, outcome)


def value_errors(source: State, imagined: State, posted: State) -> tuple[float, ...]:
    """e of each value of `imagined` that a model said, the arm's first; without those that cannot be graded."""
    outcome = posted.configuration.outcome
    if _comparable(imagined.configuration.outcome, outcome) is not None:
        return ()
    pairs = [(imagined.arm_value, posted.arm_value), (imagined.comparator_value, posted.comparator_value)]
    found = []
    for said, truth in pairs:
        if said is None or truth is None or said.status != "imagined":
            continue
        try:
            found.append(error(said, truth, outcome, source))
        except NotScorableError:
            continue
    return tuple(found)


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
    is the same. The imagined direction is that of the imagined values, at the posted ones' precision; the one that the model
    `stated` counts only where it gave no value. Total: what cannot be graded is `None`, and `why` says so.
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
    seen = _without_values(posted) if has_contrast_alone(imagined) else posted
    answered = _has_value(imagined, factor)
    imagined_direction = _direction_or_none(source, _as_precise(imagined, posted), factor) if answered else stated
    posted_direction = _direction_or_none(source, seen, factor) if factor == "outcome" or comparable is None else None
    both = imagined_direction is not None and posted_direction is not None
    verdict = posted.met.verdict if posted.met is not None else "undetermined"
    said = imagined.met.verdict if imagined.met is not None else "undetermined"
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
        verdict_right=said == verdict if decided and said != "undetermined" else None,
        brier=brier(probability, verdict) if decided and probability is not None else None,
        why="; ".join(problems),
        direction_of="benefit" if factor == "outcome" else "contrast" if has_contrast_alone(imagined) else "value",
    )


def without_grade(found: Revealed, why: str) -> Revealed:
    """`found` as the posted result alone, with the reason for which nothing is graded against it."""
    return Revealed(found.arm_value, found.comparator_value, found.met, found.source, contrast=found.contrast, why=why)


def _has_value(imagined: State, factor: Factor) -> bool:
    """Whether the model gave the value, or the values, of which `factor` is graded by the direction."""
    if has_contrast_alone(imagined):
        return imagined.contrast is not None and imagined.contrast.number.value is not None
    arm, comparator = (
        number is not None and number.value is not None for number in (imagined.arm_value, imagined.comparator_value)
    )
    return arm and comparator if factor == "outcome" else comparator if factor in CHANGES_COMPARATOR_ONLY else arm


def _without_values(posted: State) -> State:
    return replace(posted, arm_value=None, comparator_value=None)


def _as_precise(imagined: State, posted: State) -> State:
    """`imagined` with the dispersions and intervals of `posted` where it has none: how precisely a trial measures is a fact of
    its size, which no model is asked for."""
    contrast = imagined.contrast
    if contrast is not None and posted.contrast is not None and contrast.number.interval is None:
        contrast = replace(contrast, number=replace(contrast.number, interval=posted.contrast.number.interval))
    return replace(
        imagined,
        arm_value=_number_as_precise(imagined.arm_value, posted.arm_value),
        comparator_value=_number_as_precise(imagined.comparator_value, posted.comparator_value),
        contrast=contrast,
    )


def _number_as_precise(number: Number | None, posted: Number | None) -> Number | None:
    if number is None or posted is None or number.dispersion_kind != "none":
        return number
    return replace(
        number,
        dispersion_kind=posted.dispersion_kind,
        dispersion=posted.dispersion,
        interval=posted.interval,
        n=number.n or posted.n,
        lower=posted.lower,
        upper=posted.upper,
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
            return contrast_error(imagined.contrast, posted.contrast, source, outcome)
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
