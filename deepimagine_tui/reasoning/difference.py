"""In which factors two configurations differ, and the path from one to the other, one factor at a time.

A factor that either side does not state is not walked: it is named as unknown. What counts as a difference is stated here,
once.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning.agents import agent_of, is_same, same_doses
from deepimagine_tui.reasoning.alike import (
    INERT,
    differ_as_regimens,
    same_agents,
    same_conditions,
    same_countries,
    same_outcome,
)
from deepimagine_tui.reasoning.change import apply, title_without_time
from deepimagine_tui.reasoning.describe import dose_text, factor_text
from deepimagine_tui.reasoning.state import (
    ArmChange,
    ArmSpec,
    Change,
    ComparatorChange,
    Configuration,
    Context,
    ContextChange,
    DoseChange,
    EnrolmentChange,
    GeographyChange,
    OutcomeChange,
    Perturbation,
    Population,
    PopulationChange,
    TimeFrameChange,
)
from deepimagine_tui.reasoning.words import agent_key, class_rest, plain, same_weeks
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor
from deepimagine_tui.trials.model import CountrySites, Threshold
from deepimagine_tui.trials.results import TimePoint

__all__ = ["Path", "differs", "factor_of", "path", "perturbation", "same_outcome"]

_LISTED: dict[Factor, tuple[str, str]] = {"population": ("; ", "no such limit"), "context": (", ", "not stated")}
"""The factors whose text lists several facts: what stands between these, and what reads for one that is not there."""
SAME_YEARS = 4
"""Start years up to this far apart are one era of care; a larger gap is a difference of context."""


class Path(msgspec.Struct, frozen=True):
    """What to change, in walking order, to get from one configuration to another; `unknown_factors` could not be compared."""

    perturbations: tuple[Perturbation, ...]
    unknown_factors: tuple[Factor, ...]


def path(
    source: Configuration,
    target: Configuration,
    *,
    same_trial: bool = False,
    factors: frozenset[Factor] = frozenset(WALKING_ORDER),
) -> Path:
    """The single-factor changes that lead from `source` to `target` in everything that both state; of `factors` alone.

    `same_trial` holds where both are of one trial: there a label tells arms apart that share their agents.
    """
    current = source
    steps: list[Perturbation] = []
    unknown: list[Factor] = []
    for factor in WALKING_ORDER:
        if factor not in factors:
            continue
        changes = _changes(factor, current, target, same_trial)
        if changes is None:
            unknown.append(factor)
            continue
        for change in changes:
            after = apply(current, change)
            steps.append(perturbation(change, current, after))
            current = after
    return Path(tuple(steps), tuple(unknown))


def perturbation(
    change: Change, before: Configuration, after: Configuration, typed: str = "", reading: str = ""
) -> Perturbation:
    """`change` with its factor and both values as a person reads them."""
    factor = factor_of(change)
    if isinstance(change, DoseChange) and len(after.arm.doses) > 1:
        agent = agent_key(change.dose.intervention)
        old = next((dose for dose in before.arm.doses if agent_of(dose, before.arm) == agent), None)
        name = change.dose.intervention
        texts = f"{name} {dose_text(old) if old else 'not stated'}", f"{name} {dose_text(change.dose)}"
    else:
        texts = factor_text(factor, before), factor_text(factor, after)
    if factor in _LISTED:
        texts = _unlike(*texts, *_LISTED[factor])
    return Perturbation(factor, texts[0], texts[1], change, typed, reading)


def _unlike(before: str, after: str, separator: str, nothing: str) -> tuple[str, str]:
    """What two lists of facts do not share; both whole where they read the same."""
    first, second = before.split(separator), after.split(separator)
    left = [part for part in first if part not in second], [part for part in second if part not in first]
    if not any(left):
        return before, after
    return separator.join(left[0]) or nothing, separator.join(left[1]) or nothing


def factor_of(change: Change) -> Factor:
    """The factor that a change belongs to."""
    match change:
        case DoseChange():
            return "dose"
        case ArmChange():
            return "arm"
        case ComparatorChange():
            return "comparator"
        case OutcomeChange():
            return "outcome"
        case TimeFrameChange():
            return "time_frame"
        case GeographyChange():
            return "geography"
        case PopulationChange():
            return "population"
        case ContextChange():
            return "context"
        case EnrolmentChange():
            return "enrolment"


def differs(factor: Factor, a: Configuration, b: Configuration, *, same_trial: bool = False) -> bool | None:
    """Whether two configurations differ in a factor; `None` where either does not state it."""
    changes = _changes(factor, a, b, same_trial)
    return None if changes is None else bool(changes)


def _changes(factor: Factor, source: Configuration, target: Configuration, same_trial: bool) -> tuple[Change, ...] | None:
    """The changes of one factor that are needed; empty when none is, `None` when the factor is unknown on either side."""
    match factor:
        case "geography":
            return _geography(source.geography, target.geography)
        case "context":
            return _context(source.context, target.context)
        case "arm":
            return _arm(source.arm, target.arm, same_trial)
        case "dose":
            return _dose(source.arm, target.arm)
        case "comparator":
            return _comparator(source.comparator, target.comparator, same_trial)
        case "outcome":
            return _outcome(source, target)
        case "time_frame":
            return _time(source.time, target.time)
        case "population":
            return _population(source.population, target.population)
        case "enrolment":
            if source.enrolment is None or target.enrolment is None:
                return None
            return () if source.enrolment == target.enrolment else (EnrolmentChange(target.enrolment),)


def _geography(source: tuple[CountrySites, ...], target: tuple[CountrySites, ...]) -> tuple[Change, ...] | None:
    if not source or not target:
        return None
    return () if same_countries(source, target) else (GeographyChange(target),)


def _context(source: Context, target: Context) -> tuple[Change, ...] | None:
    pairs = [
        (bool(source.phases and target.phases), source.phases == target.phases),
        (bool(source.masking and target.masking), source.masking == target.masking),
        (source.start_year is not None and target.start_year is not None, _same_years(source.start_year, target.start_year)),
        (bool(source.background and target.background), agent_key(source.background) == agent_key(target.background)),
        (bool(source.sponsor_class and target.sponsor_class), source.sponsor_class == target.sponsor_class),
    ]
    if not any(known for known, _ in pairs):
        return None
    if all(same for known, same in pairs if known):
        return ()
    merged = Context(
        target.phases or source.phases,
        target.masking or source.masking,
        source.start_year if target.start_year is None else target.start_year,
        target.background or source.background,
        target.sponsor_class or source.sponsor_class,
    )
    return (ContextChange(merged),)


def _same_years(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= SAME_YEARS


def _arm(source: ArmSpec, target: ArmSpec, same_trial: bool) -> tuple[Change, ...]:
    if same_agents(source, target, same_trial) and not differ_as_regimens(source, target):
        return ()
    return (ArmChange(target),)


def _dose(source: ArmSpec, target: ArmSpec) -> tuple[Change, ...] | None:
    if source.control in INERT and target.control in INERT:
        return ()
    if not source.doses or not target.doses:
        same = not source.doses and not target.doses and plain(source.label) == plain(target.label)
        return () if same else None
    if same_doses(source, target):
        return ()
    before = {agent_of(dose, source): dose for dose in source.doses}
    after = {agent_of(dose, target): dose for dose in target.doses}
    shared = [(before[agent], dose) for agent, dose in after.items() if agent in before]
    if not shared:
        return None
    return tuple(DoseChange(replace(new, intervention=old.intervention)) for old, new in shared if not is_same(
        replace(old, intervention=""), replace(new, intervention="")))  # fmt: skip


def _comparator(source: ArmSpec | None, target: ArmSpec | None, same_trial: bool) -> tuple[Change, ...] | None:
    if source is None and target is None:
        return ()
    if target is None:
        return None
    if source is None or not same_agents(source, target, same_trial):
        return (ComparatorChange(target),)
    same = source.control in INERT or not source.doses or not target.doses or same_doses(source, target)
    return () if same else (ComparatorChange(target),)


def _outcome(source: Configuration, target: Configuration) -> tuple[Change, ...] | None:
    """Another measure brings its own time where times cannot be compared; else its title waits for the time to be walked."""
    if not source.outcome.title or not target.outcome.title:
        return None
    if same_outcome(source.outcome, target.outcome):
        return ()
    later = _time(source.time, target.time)
    if later is None:
        return (OutcomeChange(target.outcome, target.time),)
    if not later:
        return (OutcomeChange(target.outcome),)
    title = title_without_time(target.outcome.title, target.time)
    class_title = class_rest(target.outcome.class_title)
    if (title, class_title) == (target.outcome.title, target.outcome.class_title):
        return (OutcomeChange(target.outcome),)
    return (OutcomeChange(replace(target.outcome, title=title, class_title=class_title, outcome_id="")),)


def _time(source: TimePoint | None, target: TimePoint | None) -> tuple[Change, ...] | None:
    if source is None or target is None:
        return None
    if source.weeks is None or target.weeks is None:
        return () if source.text and plain(source.text) == plain(target.text) else None
    return () if same_weeks(source.weeks, target.weeks) else (TimeFrameChange(target),)


def _population(source: Population, target: Population) -> tuple[Change, ...] | None:
    a, b = source.eligibility, target.eligibility
    bounds = _bounds(a.thresholds), _bounds(b.thresholds)
    shared = set(bounds[0]) & set(bounds[1])
    conditions = same_conditions(source, target)
    ages = a.minimum_age is not None or a.maximum_age is not None, b.minimum_age is not None or b.maximum_age is not None
    pairs = [
        (conditions is not None, conditions is True),
        ("unknown" not in (a.sex, b.sex), a.sex == b.sex),
        (all(ages), (a.minimum_age, a.maximum_age) == (b.minimum_age, b.maximum_age)),
        (bool(shared), all(bounds[0][name] == bounds[1][name] for name in shared)),
        (bool(source.free_text or target.free_text), source.free_text == target.free_text),
    ]
    if not any(known for known, _ in pairs):
        return None
    if all(same for known, same in pairs if known):
        return ()
    eligibility = replace(
        a,
        sex=a.sex if b.sex == "unknown" else b.sex,
        minimum_age=b.minimum_age if ages[1] else a.minimum_age,
        maximum_age=b.maximum_age if ages[1] else a.maximum_age,
        healthy_volunteers=a.healthy_volunteers if b.healthy_volunteers is None else b.healthy_volunteers,
        thresholds=b.thresholds or a.thresholds,
    )
    has_conditions = bool(target.conditions)
    merged = Population(
        target.conditions if has_conditions else source.conditions,
        eligibility,
        target.baseline,
        target.free_text,
        target.condition_terms if has_conditions else source.condition_terms,
    )
    return (PopulationChange(merged),)


def _bounds(thresholds: tuple[Threshold, ...]) -> dict[str, tuple[float | None, float | None]]:
    return {plain(threshold.measure): (threshold.lower, threshold.upper) for threshold in thresholds}
