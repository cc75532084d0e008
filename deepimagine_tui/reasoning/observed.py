"""A posted result as a state: two result groups of one outcome with their values, their contrast and its verdict."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from deepimagine_tui.errors import NotFoundError, RefusedError
from deepimagine_tui.reasoning.choosing import AnchorChoice, anchor_choices, default_anchor
from deepimagine_tui.reasoning.derived import contrast_of
from deepimagine_tui.reasoning.identity import with_id
from deepimagine_tui.reasoning.posted import estimate_of, find_cell, met_of, number_of, p_text, posted_contrast, time_of, usable
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.specs import arm_spec_of_class, arm_spec_of_group, base_configuration, outcome_spec
from deepimagine_tui.reasoning.state import ArmSpec, ContrastEstimate, MetEstimate, State
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Cell, Contrast, Outcome, ResultGroup

__all__ = ["AnchorChoice", "anchor_choices", "default_anchor", "observed_state"]

_WHY_NOT = {
    "pooled": "pools several arms",
    "crossover period": "is one period of a crossover, whose participants are in the other arm too",
    "subgroup": "is a subgroup of participants, not an arm",
    "whole study": "is the whole study, not an arm",
}


def observed_state(trial: Trial, ref: AnchorRef) -> State:
    """The state that `trial` posted at `ref`: every number is `observed`, or `derived` from observed ones.

    Raises:
        NotFoundError: the trial has no such outcome, group or value.
        RefusedError: there is one, but it cannot be an anchor: a pooled group, a crossover period, a value that was not posted.
    """
    if trial.nct_id != ref.nct_id:
        raise NotFoundError(f"This result is of {ref.nct_id}, not of {trial.nct_id}.")
    outcome = _outcome(trial, ref.outcome_id)
    if ref.comparator_group_id is None:
        return _single_arm(trial, outcome, ref)
    sides = _sides(trial, outcome, ref, ref.comparator_group_id)
    (arm, arm_cell), (comparator, comparator_cell) = sides
    by_class = bool(ref.comparator_class_title)
    contrast = None if by_class else posted_contrast(outcome, arm.group_id, comparator.group_id, (arm_cell, comparator_cell))
    _require_values(outcome, sides)
    spec = outcome_spec(outcome, "" if by_class else ref.class_title, ref.category)
    arm_value, comparator_value = (number_of(trial.nct_id, outcome, cell) for cell in (arm_cell, comparator_cell))
    estimate = estimate_of(trial.nct_id, outcome, contrast, arm.group_id) if contrast else None
    if estimate is None or estimate.number.value is None:
        estimate = _with_test(contrast_of(arm_value, comparator_value, spec), contrast)
    return with_id(
        State(
            id="",
            nct_id=trial.nct_id,
            configuration=base_configuration(trial, arm, comparator, spec, time_of(outcome, arm_cell)),
            arm_value=arm_value,
            comparator_value=comparator_value,
            contrast=estimate,
            met=met_of(contrast, arm.group_id),
        )
    )


def _with_test(estimate: ContrastEstimate | None, test: Contrast | None) -> ContrastEstimate | None:
    """A derived estimate beside the posted test of the same two groups, whose p it takes over."""
    if estimate is None or test is None:
        return estimate
    return replace(estimate, p_text=f"posted {p_text(test.p)}" if test.p else "", hypothesis=test.hypothesis)


def _single_arm(trial: Trial, outcome: Outcome, ref: AnchorRef) -> State:
    group = _group(outcome, ref.arm_group_id)
    if group.kind not in ("arm", "whole study"):
        raise RefusedError(f"{group.title} {_WHY_NOT[group.kind]}.", "Choose a group that is an arm.")
    cell = _cell(outcome, group, ref.class_title, ref.category)
    if cell.value is None:
        raise RefusedError(f"{group.title} has no value here ({cell.state}).", "Choose another outcome, time or arm.")
    spec = outcome_spec(outcome, ref.class_title, ref.category)
    arm = arm_spec_of_group(trial, group)
    return with_id(
        State(
            id="",
            nct_id=trial.nct_id,
            configuration=base_configuration(trial, arm, None, spec, time_of(outcome, cell)),
            arm_value=number_of(trial.nct_id, outcome, cell),
            met=MetEstimate("undetermined", "derived", reason="A single arm has no comparison, and so no verdict."),
        )
    )


def _sides(trial: Trial, outcome: Outcome, ref: AnchorRef, k2: str) -> tuple[tuple[ArmSpec, Cell], tuple[ArmSpec, Cell]]:
    if ref.comparator_class_title:
        return _sides_by_class(trial, outcome, ref, k2)
    if ref.arm_group_id == k2:
        raise RefusedError("An arm cannot be compared with itself.", "Choose two different groups.")
    first, second = _group(outcome, ref.arm_group_id), _group(outcome, k2)
    for group in (first, second):
        if group.kind != "arm":
            raise RefusedError(f"{group.title} {_WHY_NOT[group.kind]}.", "Choose two groups that are arms.")
    if outcome.class_axis == "arm":
        raise RefusedError("The classes of this outcome are the arms.", "Choose two of its classes.")
    return (
        (arm_spec_of_group(trial, first), _cell(outcome, first, ref.class_title, ref.category)),
        (arm_spec_of_group(trial, second), _cell(outcome, second, ref.class_title, ref.category)),
    )


def _sides_by_class(
    trial: Trial, outcome: Outcome, ref: AnchorRef, k2: str
) -> tuple[tuple[ArmSpec, Cell], tuple[ArmSpec, Cell]]:
    if outcome.class_axis != "arm" or ref.arm_group_id != k2:
        axis: Literal["", " of one group"] = " of one group" if outcome.class_axis == "arm" else ""
        raise RefusedError(f"The classes {ref.class_title} and {ref.comparator_class_title} are not two arms{axis}.")
    if ref.class_title == ref.comparator_class_title:
        raise RefusedError("An arm cannot be compared with itself.", "Choose two different classes.")
    group = _group(outcome, k2)
    first, second = (
        (arm_spec_of_class(trial, outcome, group, title), _cell(outcome, group, title, ref.category))
        for title in (ref.class_title, ref.comparator_class_title)
    )
    return first, second


def _require_values(outcome: Outcome, sides: tuple[tuple[ArmSpec, Cell], tuple[ArmSpec, Cell]]) -> None:
    (first, first_cell), (second, second_cell) = sides
    if usable(outcome, first.group_id, second.group_id, (first_cell, second_cell)):
        return
    arm, cell = next((arm, cell) for arm, cell in sides if cell.value is None)
    raise RefusedError(
        f"{outcome.title}: {arm.label} has no value here ({cell.state}), and no contrast with it was posted.",
        "Choose another outcome, time or arm.",
    )


def _outcome(trial: Trial, outcome_id: str) -> Outcome:
    try:
        return trial.outcome(outcome_id)
    except KeyError as error:
        raise NotFoundError(
            f"{trial.nct_id} has no outcome {outcome_id}.", "Its results may have been updated since."
        ) from error


def _group(outcome: Outcome, group_id: str) -> ResultGroup:
    try:
        return outcome.group(group_id)
    except KeyError as error:
        raise NotFoundError(f"The outcome {outcome.title} has no group {group_id}.") from error


def _cell(outcome: Outcome, group: ResultGroup, class_title: str, category: str) -> Cell:
    cell = find_cell(outcome, group.id, class_title, category)
    if cell is None:
        place = ": ".join(part for part in (class_title, category) if part)
        raise NotFoundError(f"{outcome.title} has no value for {group.title}{f' at {place}' if place else ''}.")
    return cell
