"""What classical models see of a pair: the fields of its step (`evaluation.features`)."""

from __future__ import annotations

from deepimagine_training.held_out import HeldOut
from deepimagine_tui.evaluation import features
from deepimagine_tui.evaluation.features import from_comparator
from deepimagine_tui.reasoning.steps import Step

__all__ = ["dose_ratio", "fields", "from_comparator"]


def fields(one: HeldOut) -> features.Fields:
    """Registry fields of the source and the change, by name; see `evaluation.features.step_fields`."""
    return features.step_fields(one.step.source, one.step.perturbation, one.step.target)


def dose_ratio(step: Step) -> float:
    """ln of how many times the old dose the new one is; 0 where that is not known, or is no dose that changes."""
    return features.dose_ratio(step.source, step.perturbation)
