"""From a source state over one change to the next state: what the model answered, what the user typed, or arithmetic."""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.reasoning import derived, prompts
from deepimagine_tui.reasoning.asked import Asked, contrast_form, has_unit
from deepimagine_tui.reasoning.calibration import Calibration, SlopeIntercept, calibrated_probability, prediction_interval
from deepimagine_tui.reasoning.checks import range_warnings
from deepimagine_tui.reasoning.identity import with_id
from deepimagine_tui.reasoning.parse import ParsedAnswer
from deepimagine_tui.reasoning.request import StepEdit
from deepimagine_tui.reasoning.state import (
    Configuration,
    ContrastEstimate,
    MetEstimate,
    Number,
    OutcomeSpec,
    Perturbation,
    State,
    Status,
)
from deepimagine_tui.reasoning.telling import misstatements
from deepimagine_tui.reasoning.ztest import z_test
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import DispersionKind, Verdict

CARRIED = "dispersion carried over from the source state"
MAX_LOG_VARIANCE = 25.0
"""Beyond this variance of ln, a spread is no usable number."""
COMPUTED = "computed from the two values"


class Step(msgspec.Struct, frozen=True):
    """One change on its way: from `source` to the configuration `target`, the `length`-th of its pathway, counted from 1."""

    source: State
    perturbation: Perturbation
    target: Configuration
    length: int

    @property
    def factor(self) -> Factor:
        """What the step changes."""
        return self.perturbation.factor

    @property
    def after_entered(self) -> bool:
        """Whether something the user typed lies upstream."""
        source = self.source
        numbers = [source.arm_value, source.comparator_value, source.contrast.number if source.contrast is not None else None]
        return any(number is not None and (number.after_entered or number.status == "entered") for number in numbers)


def answered(
    step: Step,
    answer: ParsedAnswer,
    wants: Asked,
    verdict_slot: SlotFilled | None = None,
    calibration: Calibration | None = None,
    *,
    forecast: bool = False,
) -> tuple[State, tuple[str, ...]]:
    """The state that the model's answer leads to, with the warnings that go beside it.

    A side that was not asked for is carried over as it was. P(met) is the model's own probability of `met` at the verdict slot;
    the verdict is the likelier label then, else the label that it wrote. A forecast's P(met) is calibrated on its aggregate.
    """
    arm, comparator = step.source.arm_value, step.source.comparator_value
    if wants.arm:
        arm = _imagined(step, arm, answer.numbers[prompts.ARM_VALUE], calibration)
    if wants.comparator:
        comparator = _imagined(step, comparator, answer.numbers[prompts.COMPARATOR_VALUE], calibration)
    if wants.contrast or not has_unit(step.target.outcome):
        arm = comparator = None
    contrast = (
        _imagined_contrast(step, answer.numbers[prompts.CONTRAST])
        if wants.contrast
        else _computed_contrast(step, arm, comparator, "imagined")
    )
    correction = calibration.what_if if calibration is not None and not forecast else None
    met = _met(answer, verdict_slot, correction) if wants.verdict else _no_verdict()
    state = finished(step, arm, comparator, contrast, met)
    warnings = range_warnings(step.source, state, step.factor, answer.choices.get(prompts.DIRECTION, ""))
    return state, (*warnings, *misstatements(answer.reasoning, step.source, step.perturbation, step.target))


def entered(step: Step, edit: StepEdit) -> State:
    """The state with the user's own result; its verdict is that of the z-test, where one is possible.

    A comparator that is not typed is carried over where the change leaves it as it was, and unknown where it does not.
    """
    arm = _typed(step, step.source.arm_value, edit.arm_value)
    comparator = step.source.comparator_value
    if edit.comparator_value is not None and step.target.comparator is not None:
        comparator = _typed(step, comparator, edit.comparator_value)
    elif comparator is not None and step.factor not in ("arm", "dose", "enrolment"):
        comparator = Number(None, "entered", comparator.unit, note="not entered")
    contrast = _computed_contrast(step, arm, comparator, "entered")
    state = finished(step, arm, comparator, contrast, None)
    test = z_test(state)
    if step.target.comparator is None:
        return state
    verdict: Verdict = "undetermined" if test is None else "met" if test.met else "not met"
    reason = "by the z-test on the entered values" if test is not None else "no z-test is possible on the entered values"
    return finished(step, arm, comparator, contrast, MetEstimate(verdict, "entered", reason=reason))


def finished(
    step: Step,
    arm: Number | None,
    comparator: Number | None,
    contrast: ContrastEstimate | None,
    met: MetEstimate | None,
) -> State:
    """The state at the step's target with these results, its z-test and its id."""
    state = State("", step.source.nct_id, step.target, arm, comparator, contrast, met)
    return with_id(replace(state, z_test=z_test(state)))


def _imagined(step: Step, before: Number | None, value: float, calibration: Calibration | None) -> Number:
    number = replace(_like(step, before, value), status="imagined", after_entered=step.after_entered)
    if calibration is None:
        return number
    outcome = step.target.outcome
    quantile = calibration.quantile(step.factor, outcome.kind, step.length)
    interval = prediction_interval(number, outcome, step.source, quantile, calibration.level)
    return replace(number, interval=interval)


def _typed(step: Step, before: Number | None, value: float) -> Number:
    return replace(_like(step, before, value), status="entered", after_entered=step.after_entered)


def _like(step: Step, before: Number | None, value: float) -> Number:
    """`value` in the unit of the target's outcome, with the n of `before` and, where the measure stays, its dispersion.

    A share needs none (it follows from value and n), and a median of times has none that would stay.
    """
    number = Number(value, "imagined", step.target.outcome.unit, n=before.n if before is not None else None)
    if before is None or step.factor == "outcome" or step.target.outcome.kind not in ("signed", "positive"):
        return number
    kind, dispersion = _carried(before, step.source.configuration.outcome)
    return number if dispersion is None else replace(number, dispersion_kind=kind, dispersion=dispersion, note=CARRIED)


def _carried(before: Number, outcome: OutcomeSpec) -> tuple[DispersionKind, float | None]:
    """The dispersion of `before` in a form that does not depend on its value: SD, geometric CV in percent, or SE.

    Limits of an interval become the SD behind them, on ln for quantities that can only be positive; IQR and range have none.
    """
    if before.dispersion_kind in ("SD", "SE", "geometric CV"):
        return before.dispersion_kind, before.dispersion
    if before.dispersion_kind != "CI" or not before.n:
        return "none", None
    if outcome.kind == "positive":
        error = derived.log_error(before, outcome) if before.value is not None and before.value > 0 else None
        variance = before.n * error**2 if error is not None else math.inf
        return "geometric CV", 100 * math.sqrt(math.expm1(variance)) if variance < MAX_LOG_VARIANCE else None
    return "SD", derived.standard_deviation(before)


def _imagined_contrast(step: Step, value: float) -> ContrastEstimate:
    form = contrast_form(step.source, step.target)
    assert form is not None
    return replace(form, number=replace(form.number, value=value, after_entered=step.after_entered))


def _computed_contrast(step: Step, arm: Number | None, comparator: Number | None, status: Status) -> ContrastEstimate | None:
    """k1 against k2 from two values of which at least one was not observed: it takes their status, and has no interval."""
    if arm is None or comparator is None:
        return None
    found = derived.contrast_of(arm, comparator, step.target.outcome)
    if found is None:
        return None
    number = replace(found.number, status=status, interval=None, note=COMPUTED, after_entered=step.after_entered)
    return replace(found, number=number)


def _no_verdict() -> MetEstimate:
    return MetEstimate("undetermined", "derived", reason="A single arm has no comparison, and so no verdict.")


def _met(answer: ParsedAnswer, slot: SlotFilled | None, correction: SlopeIntercept | None) -> MetEstimate:
    written: Verdict = "met" if answer.choices[prompts.VERDICT] == prompts.MET else "not met"
    probability = slot.probabilities.get(prompts.MET) if slot is not None else None
    if slot is None or probability is None or not math.isfinite(probability):
        return MetEstimate(written, "imagined")
    final = calibrated_probability(probability, correction)
    return MetEstimate(
        "met" if final >= 0.5 else "not met",
        "imagined",
        probability=final,
        mass=slot.mass,
        how=slot.probability_kind or "logits",
        samples=1 if slot.probability_kind == "samples" else 0,
        calibrated=correction is not None,
    )
