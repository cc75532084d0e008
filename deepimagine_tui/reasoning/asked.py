"""What a step asks the model for: which of the two arms, whether their contrast instead and on which scale, whether a
verdict."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning.state import Configuration, ContrastEstimate, Estimand, Number, OutcomeSpec, State
from deepimagine_tui.trials.factors import CHANGES_BOTH_ARMS, CHANGES_COMPARATOR_ONLY, CHANGES_FIRST_ARM_ONLY, Factor
from deepimagine_tui.trials.results import ValueKind

CONVENTIONAL_UNITS: dict[ValueKind, str] = {"share": "percentage of participants", "time to event": "months"}
"""The units that a forecast uses for a planned outcome that states none."""


class Asked(msgspec.Struct, frozen=True):
    """The values that a step asks for. `contrast` excludes both arms' values; a single-arm state has no verdict."""

    arm: bool
    comparator: bool
    contrast: bool
    verdict: bool


def asked(source: State, factor: Factor, target: Configuration, estimand: Estimand) -> Asked:
    """What to ask when `factor` changes and `source` becomes `target`.

    `arm` and `dose` ask for k1 only and `comparator` for k2 only, the other side being carried over; the rest ask for both,
    because an imagined arm is never compared with an observed arm of another configuration. Where a value that is needed does
    not exist (a median not reached), the answer is the contrast, unless another outcome is read that has values. No value is
    asked for of an outcome whose unit is not known, as a planned outcome's may be: only the direction and the verdict are.
    """
    compared = target.comparator is not None
    if not has_unit(target.outcome):
        return Asked(arm=False, comparator=False, contrast=False, verdict=compared)
    both = factor in CHANGES_BOTH_ARMS
    has_values = factor == "outcome" and target.outcome.kind not in ("time to event", "unknown")
    without_values = not has_values and not _values_known(source)
    if compared and (estimand == "contrast" or without_values) and contrast_form(source, target) is not None:
        return Asked(arm=False, comparator=False, contrast=True, verdict=True)
    return Asked(
        arm=both or factor in CHANGES_FIRST_ARM_ONLY,
        comparator=compared and (both or factor in CHANGES_COMPARATOR_ONLY),
        contrast=False,
        verdict=compared,
    )


def has_unit(outcome: OutcomeSpec) -> bool:
    """Whether a number could be said of this outcome: its unit is known, or is the same for all of its kind."""
    return bool(outcome.unit) or outcome.kind in CONVENTIONAL_UNITS


def with_unit(outcome: OutcomeSpec) -> OutcomeSpec:
    """`outcome` in the unit of its kind, where it states none."""
    if outcome.unit or outcome.kind not in CONVENTIONAL_UNITS:
        return outcome
    return replace(outcome, unit=CONVENTIONAL_UNITS[outcome.kind])


def contrast_form(source: State, target: Configuration) -> ContrastEstimate | None:
    """The contrast to fill in: on the source's scale while the kind of value stays; else a mean difference, an odds ratio, a
    ratio of values or a hazard ratio, by the kind. `None` where the kind is not known."""
    before, kind = source.contrast, target.outcome.kind
    if before is not None and source.configuration.outcome.kind == kind:
        unit = before.number.unit
        if before.kind == "difference" and source.configuration.outcome.unit != target.outcome.unit:
            unit = target.outcome.unit
        return replace(before, number=Number(None, "imagined", unit), p_text="")
    empty = Number(None, "imagined", target.outcome.unit if kind == "signed" else "")
    match kind:
        case "signed":
            return ContrastEstimate(empty, "difference", "mean difference", 0.0, "a-b")
        case "share":
            return ContrastEstimate(empty, "ratio", "odds ratio", 1.0, "a/b")
        case "positive":
            return ContrastEstimate(empty, "ratio", "ratio of values", 1.0, "a/b")
        case "time to event":
            return ContrastEstimate(empty, "ratio", "hazard ratio", 1.0, "a/b")
        case "unknown":
            return None


def _values_known(source: State) -> bool:
    """Whether the values exist: one that the user did not type beside the other exists, and can be asked for."""
    numbers = [source.arm_value]
    if source.configuration.comparator is not None:
        numbers.append(source.comparator_value)
    return all(number is not None and (number.value is not None or number.status == "entered") for number in numbers)
