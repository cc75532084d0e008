"""A trial's title, composed from facts, and whether it compares doses.

Source fields: arms, interventions, doses and control types; never a sentence of the registry's.
"""

from __future__ import annotations

from collections.abc import Iterable

from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm, Intervention, Trial

_MOST_NAMES = 3
_COMPARATORS = ("placebo comparator", "sham comparator", "no intervention", "active comparator")
_WORDS = {"placebo comparator": "placebo", "sham comparator": "sham", "no intervention": "no intervention"}
_PLACEBO_NAMES = ("placebo", "sham", "vehicle", "saline")


def compose_title(arms: tuple[Arm, ...], interventions: tuple[Intervention, ...], conditions: tuple[str, ...]) -> str:
    """`Empagliflozin 10 | 25 mg vs placebo`: the tested interventions with their doses, then the comparators.

    Where no arm says what was tested, the interventions are named; where there are none, the conditions.
    """
    tested = [arm for arm in arms if arm.type not in _COMPARATORS] or list(arms)
    compared = [arm for arm in arms if arm.type in _COMPARATORS and arm not in tested]
    left = _named(tested, interventions)
    taken = {name.lower() for arm in tested for name in arm.interventions}
    right = _compared(compared, taken)
    if not left:
        return " · ".join(conditions[:_MOST_NAMES])
    return f"{left} vs {right}" if right else left


def _named(arms: list[Arm], interventions: tuple[Intervention, ...]) -> str:
    names = _unique(name for arm in arms for name in arm.interventions if not _is_placebo(name))
    names = names or _unique(item.name for item in interventions if not _is_placebo(item.name))
    names = names or _unique(arm.label for arm in arms)
    doses = _unique_doses(dose for arm in arms for dose in arm.doses)
    shown = [_with_doses(name, [dose for dose in doses if dose.intervention == name]) for name in names[:_MOST_NAMES]]
    return " + ".join(shown) + (f" + {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else "")


def _with_doses(name: str, doses: list[Dose]) -> str:
    unit = doses[0].unit if doses else ""
    same = [dose for dose in doses if dose.unit == unit and dose.basis == doses[0].basis]
    amounts = sorted({dose.amount for dose in same})
    if not amounts or len(amounts) > 6 or any(char.isdigit() for char in name):
        return name
    basis = {"flat": "", "per kg": "/kg", "per m2": "/m2"}[same[0].basis]
    return f"{name} {' | '.join(f'{amount:g}' for amount in amounts)} {unit}{basis}"


def _compared(arms: list[Arm], taken: set[str]) -> str:
    parts: list[str] = []
    for arm in arms:
        if arm.type in _WORDS:
            parts.append(_WORDS[arm.type])
        else:
            names = _unique(name for name in arm.interventions if name.lower() not in taken and not _is_placebo(name))
            parts.append(" + ".join(names[:_MOST_NAMES]) or arm.label)
    return ", ".join(_unique(parts)[:_MOST_NAMES])


def _is_placebo(name: str) -> bool:
    return any(word in name.lower() for word in _PLACEBO_NAMES)


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _unique_doses(doses: Iterable[Dose]) -> list[Dose]:
    return list(dict.fromkeys(doses))


def is_dose_ranging(trial: Trial) -> bool:
    """Whether two registered arms, or two result groups of one outcome, got different doses of one agent on one basis and
    unit."""
    if _differ([arm.doses for arm in trial.arms]):
        return True
    return any(_differ([group.doses for group in outcome.groups if group.kind == "arm"]) for outcome in trial.outcomes)


def _differ(columns: list[tuple[Dose, ...]]) -> bool:
    seen: dict[tuple[str, str, str], set[frozenset[float]]] = {}
    for doses in columns:
        by_agent: dict[tuple[str, str, str], set[float]] = {}
        for dose in doses:
            if dose.intervention:
                by_agent.setdefault((dose.intervention.lower(), dose.unit, dose.basis), set()).add(dose.amount)
        for agent, amounts in by_agent.items():
            seen.setdefault(agent, set()).add(frozenset(amounts))
    return any(_disjoint(levels) for levels in seen.values())


def _disjoint(levels: set[frozenset[float]]) -> bool:
    ordered = list(levels)
    return any(not first & second for at, first in enumerate(ordered) for second in ordered[at + 1 :])
