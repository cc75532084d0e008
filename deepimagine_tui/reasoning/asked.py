"""What a step asks the model for: which of the two arms, whether their contrast instead, whether a verdict."""

from __future__ import annotations

import msgspec

from deepimagine_tui.reasoning.state import Estimand, State
from deepimagine_tui.trials.factors import CHANGES_BOTH_ARMS, CHANGES_COMPARATOR_ONLY, CHANGES_FIRST_ARM_ONLY, Factor


class Asked(msgspec.Struct, frozen=True):
    """The values that a step asks for. `contrast` excludes both arms' values; a single-arm state has no verdict."""

    arm: bool
    comparator: bool
    contrast: bool
    verdict: bool


def asked(source: State, factor: Factor, estimand: Estimand) -> Asked:
    """What to ask when `factor` changes in `source`.

    `arm` and `dose` ask for k1 only and `comparator` for k2 only, the other side being carried over; the rest ask for both,
    because an imagined arm is never compared with an observed arm of another configuration. Where a value that is needed does
    not exist (a median not reached), the answer is the contrast.
    """
    compared = source.configuration.comparator is not None
    if source.contrast is not None and (estimand == "contrast" or not _values_known(source)):
        return Asked(arm=False, comparator=False, contrast=True, verdict=compared)
    both = factor in CHANGES_BOTH_ARMS
    return Asked(
        arm=both or factor in CHANGES_FIRST_ARM_ONLY,
        comparator=compared and (both or factor in CHANGES_COMPARATOR_ONLY),
        contrast=False,
        verdict=compared,
    )


def _values_known(source: State) -> bool:
    numbers = [source.arm_value]
    if source.configuration.comparator is not None:
        numbers.append(source.comparator_value)
    return all(number is not None and number.value is not None for number in numbers)
