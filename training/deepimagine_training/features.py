"""What classical models see of a pair: the words of the engine's question, and registry fields of the source and the change.

Nothing of the target's result is read: the question is all that a language model is given as well.
"""

from __future__ import annotations

import math

from deepimagine_training.held_out import HeldOut
from deepimagine_tui.reasoning import agents
from deepimagine_tui.reasoning.scoring import NotScorableError, g
from deepimagine_tui.reasoning.state import Configuration, DoseChange, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.reasoning.ztest import effect

_FARTHEST = 6.0
"""Where a z or a logarithm of a ratio is cut off: beyond it nothing more is said."""


def fields(one: HeldOut) -> dict[str, float | str]:
    """Registry fields by name: texts are categories. The factor; measure kind, benefit, role and change basis of the target's
    outcome; both comparators' kind; phases, masking, sponsor; enrolment and times on ln; the source's verdict, its z and its
    arm's value beside the comparator's; the ratios of doses and of times on ln, alone and with the sign of that difference."""
    step = one.step
    before, after = step.source.configuration, step.target
    ratio, later = dose_ratio(step), _time_ratio(before, after)
    moved = from_comparator(step.source)
    found: dict[str, float | str] = {
        "factor": step.factor,
        "kind": after.outcome.kind,
        "benefit": after.outcome.benefit,
        "role": after.outcome.role,
        "role before": before.outcome.role,
        "basis": after.outcome.change_basis,
        "comparator": after.comparator.control if after.comparator else "none",
        "comparator before": before.comparator.control if before.comparator else "none",
        "arm control": after.arm.control,
        "masking": before.context.masking,
        "sponsor": before.context.sponsor_class,
        "source": _verdict(step.source),
        "source and factor": f"{_verdict(step.source)} {step.factor}",
        "enrolment": math.log(before.enrolment) if before.enrolment else 0.0,
        "weeks": math.log1p(after.time.weeks) if after.time and after.time.weeks and after.time.weeks > 0 else 0.0,
        "z": _z(step.source),
        "size of z": abs(_z(step.source)),
        "moved": moved,
        "dose": ratio,
        "dose and moved": ratio * _sign(moved),
        "later": later,
        "later and moved": later * _sign(moved),
        "agents kept": float(bool(agents.agents_of(before.arm) & agents.agents_of(after.arm))),
        "agents added": float(len(agents.agents_of(after.arm) - agents.agents_of(before.arm))),
        "agents dropped": float(len(agents.agents_of(before.arm) - agents.agents_of(after.arm))),
    }
    return found | {f"phase {phase}": 1.0 for phase in before.context.phases}


def dose_ratio(step: Step) -> float:
    """ln of how many times the old dose the new one is; 0 where that is not known, or is no dose that changes."""
    change = step.perturbation.change
    if not isinstance(change, DoseChange):
        return 0.0
    ratios = (agents.ratio(change.dose, old) for old in step.source.configuration.arm.doses)
    found = next((ratio for ratio in ratios if ratio), None)
    return _cut(math.log(found)) if found else 0.0


def from_comparator(source: State) -> float:
    """The arm's value minus the comparator's on the scoring scale; 0 where it is not known."""
    outcome = source.configuration.outcome
    if source.arm_value is None or source.comparator_value is None:
        return 0.0
    try:
        return _cut(g(source.arm_value, outcome) - g(source.comparator_value, outcome))
    except NotScorableError:
        return 0.0


def _time_ratio(before: Configuration, after: Configuration) -> float:
    old = before.time.weeks if before.time else None
    new = after.time.weeks if after.time else None
    return _cut(math.log(new / old)) if old and new and old > 0 and new > 0 else 0.0


def _verdict(source: State) -> str:
    return source.met.verdict if source.met is not None else "undetermined"


def _z(source: State) -> float:
    found = effect(source)
    return _cut(found.estimate / found.error) if found is not None and found.error else 0.0


def _cut(value: float) -> float:
    return min(max(value, -_FARTHEST), _FARTHEST)


def _sign(value: float) -> float:
    return float((value > 0) - (value < 0))
