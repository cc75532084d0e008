"""From a row of the results to the anchor that a what-if starts at."""

from __future__ import annotations

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.choosing import (
    AnchorChoice,
    anchor_choices,
    default_anchor,
    default_comparator,
    default_place,
    highest_dose,
)
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.tui.results_rows import Place


def anchor_at(trial: Trial, place: Place | None) -> AnchorRef:
    """The anchor that `place` means: its outcome, its arm, the comparator it names or the default one.

    Raises:
        RefusedError: nothing can start there.
    """
    if place is None:
        return default_anchor(trial)
    choices = [choice for choice in anchor_choices(trial) if choice.ref.outcome_id == place.outcome_id]
    if not choices:
        raise RefusedError("No what-if can start at this outcome: no value of an arm was posted.", "Choose another outcome.")
    here = [choice for choice in choices if _at(choice, place)] or choices
    named = {place.group_id, place.other_id} - {""}
    if len(named) == 2:
        pairs = [choice for choice in here if {choice.ref.arm_group_id, choice.ref.comparator_group_id} == named]
        first = [choice for choice in pairs if choice.ref.arm_group_id == place.group_id]
        if pairs:
            return default_place(first or pairs)[0].ref
    arms = [choice for choice in here if choice.ref.arm_group_id == place.group_id] if place.group_id else []
    against = [choice for choice in here if choice.ref.comparator_group_id == place.group_id] if place.group_id else []
    if place.group_id and not arms and not against:
        raise RefusedError("No what-if can start at this row: it is not an arm with a value.", "Choose a row of an arm.")
    some = default_place(arms or against or here)
    k1 = highest_dose(dict.fromkeys(choice.arm for choice in some))
    return default_comparator(trial, [choice for choice in some if choice.arm == k1]).ref


def _at(choice: AnchorChoice, place: Place) -> bool:
    return (place.class_title is None or choice.ref.class_title == place.class_title) and (
        place.category is None or choice.ref.category == place.category
    )
