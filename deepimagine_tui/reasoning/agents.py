"""Doses of the same agent, whichever way a trial writes its name."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.words import agent_key
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.units import dose_ratio, same_dose


def agent_of(dose: Dose, arm: ArmSpec | None = None) -> str:
    """The key of a dose's agent; of an unnamed one, the arm's only intervention where there is only one."""
    key = agent_key(dose.intervention)
    if not key and arm is not None and len(arm.interventions) == 1:
        return agent_key(arm.interventions[0])
    return key


def agents_of(arm: ArmSpec) -> frozenset[str]:
    """The keys of an arm's interventions, else of its doses' agents; empty when nothing is named."""
    named = frozenset(key for key in map(agent_key, arm.interventions) if key)
    return named or frozenset(key for dose in arm.doses if (key := agent_key(dose.intervention)))


def ratio(a: Dose, b: Dose) -> float | None:
    """How many times `b` the dose `a` is; `None` when they are of other agents, routes, bases or units."""
    try:
        return dose_ratio(_keyed(a), _keyed(b))
    except RefusedError:
        return None


def times_the_dose(arm: ArmSpec, dose: Dose) -> float | None:
    """How many times an arm's dose of the same agent `dose` is; `None` when it has none that can be compared."""
    return next((found for old in arm.doses if (found := ratio(dose, old)) is not None), None)


def is_same(a: Dose, b: Dose) -> bool:
    """Whether both are the same amount of the same agent, as far as frequency and route are known."""
    return same_dose(_keyed(a), _keyed(b))


def same_doses(a: ArmSpec, b: ArmSpec) -> bool:
    """Whether two arms carry the same doses, agent by agent."""
    if len(a.doses) != len(b.doses):
        return False
    left = list(_named(b))
    for dose in _named(a):
        match = next((other for other in left if is_same(dose, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _named(arm: ArmSpec) -> tuple[Dose, ...]:
    return tuple(replace(dose, intervention=agent_of(dose, arm)) for dose in arm.doses)


def _keyed(dose: Dose) -> Dose:
    return replace(dose, intervention=agent_key(dose.intervention))
