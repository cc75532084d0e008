"""A trial's profile: what it is compared with another trial by, and which of its posted comparisons can be an anchor.

An anchor needs two arms with a number on one outcome at one class. Pooled groups, crossover periods and subgroups never
count as arms, and classes that are subgroups, analysis sets or arms never count as one result.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import msgspec

from deepimagine_tui.corpus.words import agent
from deepimagine_tui.trials.model import Arm, Trial
from deepimagine_tui.trials.results import AxisKind, Outcome, ResultGroup

Comparator = Literal["placebo", "sham", "no intervention", "active", "none", "unknown"]

_USABLE_AXES: frozenset[AxisKind] = frozenset({"none", "time", "component", "other"})
_CONTROLS: tuple[Comparator, ...] = ("placebo", "sham", "no intervention", "active")


class Pair(msgspec.Struct, frozen=True, array_like=True):
    """Two result groups that can be compared; `comparator` is what the second received."""

    arm_group_id: str
    comparator_group_id: str
    comparator: Comparator
    agents: tuple[str, ...] = ()


class ClassPoint(msgspec.Struct, frozen=True, array_like=True):
    """One class of an outcome on which every pair listed has two numbers. `weeks` after start."""

    title: str
    category: str
    weeks: float | None
    pairs: tuple[Pair, ...]


class OutcomeProfile(msgspec.Struct, frozen=True, array_like=True):
    """A measure with the places where it can be an anchor."""

    id: str
    title: str
    unit: str
    kind: str
    change_basis: str
    role: str
    points: tuple[ClassPoint, ...]


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """What similarity is computed from. Ages in years."""

    conditions: tuple[str, ...]
    agents: tuple[str, ...]
    kinds: tuple[str, ...]
    phases: tuple[str, ...]
    sex: str
    minimum_age: float | None
    maximum_age: float | None
    countries: tuple[str, ...]
    enrolment: int | None
    results_posted: str
    outcomes: tuple[OutcomeProfile, ...]


def profile_of(trial: Trial) -> Profile:
    """The profile of a trial; without usable comparisons `outcomes` is empty."""
    arms = {arm.label: arm for arm in trial.arms}
    agents = [agent(item.name) for item in trial.interventions] + [agent(term) for term in trial.intervention_terms]
    outcomes = (_outcome(outcome, arms) for outcome in trial.outcomes)
    return Profile(
        conditions=tuple(dict.fromkeys((*trial.condition_terms, *trial.conditions))),
        agents=tuple(dict.fromkeys(name for name in agents if name)),
        kinds=tuple(sorted({item.kind for item in trial.interventions})),
        phases=trial.phases,
        sex=trial.eligibility.sex,
        minimum_age=trial.eligibility.minimum_age,
        maximum_age=trial.eligibility.maximum_age,
        countries=tuple(place.country for place in trial.countries),
        enrolment=trial.enrolment,
        results_posted=trial.results_posted.text if trial.results_posted else "",
        outcomes=tuple(outcome for outcome in outcomes if outcome.points),
    )


def _outcome(outcome: Outcome, arms: dict[str, Arm]) -> OutcomeProfile:
    points: tuple[ClassPoint, ...] = ()
    if outcome.class_axis in _USABLE_AXES:
        points = _points(outcome, arms)
    return OutcomeProfile(
        id=outcome.id,
        title=outcome.title,
        unit=outcome.unit,
        kind=outcome.kind,
        change_basis=outcome.change_basis,
        role=outcome.role,
        points=points,
    )


def _points(outcome: Outcome, arms: dict[str, Arm]) -> tuple[ClassPoint, ...]:
    numbers: dict[tuple[str, str], set[str]] = defaultdict(set)
    weeks: dict[tuple[str, str], float | None] = {}
    for cell in outcome.cells:
        if cell.value is not None:
            place = (cell.class_title, cell.category)
            numbers[place].add(cell.group_id)
            time = cell.time or outcome.time
            weeks.setdefault(place, time.weeks if time else None)
    categories: dict[str, set[str]] = defaultdict(set)
    for title, category in numbers:
        categories[title].add(category)
    found = []
    known: dict[frozenset[str], tuple[Pair, ...]] = {}
    for (title, category), group_ids in numbers.items():
        if len(categories[title]) != 1:
            continue
        ids = frozenset(group_ids)
        if ids not in known:
            groups = [group for group in outcome.groups if group.id in ids and group.kind == "arm"]
            known[ids] = _pairs(groups, arms) if len(groups) > 1 else ()
        if known[ids]:
            found.append(ClassPoint(title, category, weeks[title, category], known[ids]))
    return tuple(found)


def _pairs(groups: list[ResultGroup], arms: dict[str, Arm]) -> tuple[Pair, ...]:
    """Every other arm against the one comparator: placebo first, then sham, no intervention, active; else the first posted."""
    kinds: dict[str, Comparator] = {group.id: comparator_of(group, arms) for group in groups}
    reference = groups[0]
    for control in _CONTROLS:
        matching = [group for group in groups if kinds[group.id] == control]
        if matching:
            reference = matching[0]
            break
    return tuple(
        Pair(group.id, reference.id, kinds[reference.id], _agents(group, arms)) for group in groups if group.id != reference.id
    )


def comparator_of(group: ResultGroup, arms: dict[str, Arm]) -> Comparator:
    """What kind of comparator a group is, from its own words, else from the registered arm it is linked to."""
    if group.control not in ("unknown", "none"):
        return group.control
    arm = arms.get(group.link.arm_label) if group.link else None
    if arm is not None:
        match arm.type:
            case "placebo comparator":
                return "placebo"
            case "sham comparator":
                return "sham"
            case "no intervention":
                return "no intervention"
            case "active comparator":
                return "active"
    return group.control


def _agents(group: ResultGroup, arms: dict[str, Arm]) -> tuple[str, ...]:
    arm = arms.get(group.link.arm_label) if group.link else None
    names = [agent(dose.intervention) for dose in group.doses if dose.intervention]
    if arm is not None:
        names += [agent(name) for name in arm.interventions]
    return tuple(dict.fromkeys(name for name in names if name))
