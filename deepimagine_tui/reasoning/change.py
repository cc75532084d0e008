"""One factor of a configuration set to another value. Pure, and total over the closed set of changes."""

from __future__ import annotations

import re
from typing import assert_never

from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.agents import agent_of, agents_of
from deepimagine_tui.reasoning.describe import dose_text
from deepimagine_tui.reasoning.state import (
    ArmChange,
    ArmSpec,
    Change,
    ComparatorChange,
    Configuration,
    ContextChange,
    DoseChange,
    EnrolmentChange,
    GeographyChange,
    OutcomeChange,
    OutcomeSpec,
    PopulationChange,
    TimeFrameChange,
)
from deepimagine_tui.reasoning.words import agent_key, class_rest, same_weeks
from deepimagine_tui.trials.concepts.time_points import weeks
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.results import TimePoint

_UNIT = r"(?:minutes?|hours?|days?|weeks?|months?|years?)"
_TIME_PHRASE = re.compile(
    rf"[\s,(-]+(?:at|after|by|to|up to|over|through|until)\s+(?:the\s+)?(?:end of\s+)?"
    rf"(?:{_UNIT}[\s-]*\d+(?:\.\d+)?|\d+(?:\.\d+)?[\s-]*{_UNIT})\b(?:\s+of\s+(?:treatment|therapy))?\)?"
    rf"|\s*[,(-]\s*(?:{_UNIT}[\s-]*\d+(?:\.\d+)?|\d+(?:\.\d+)?[\s-]*{_UNIT})\)?$",
    re.I,
)


def apply(configuration: Configuration, change: Change) -> Configuration:
    """`configuration` with one factor changed.

    `arm` and `dose` touch k1 only, `comparator` k2 only. Ids of posted groups and outcomes are taken away where the value is no
    longer theirs: k1's group by a dose, both groups by another outcome, the outcome by another time; `landing.find_posted`
    finds them again.

    Raises:
        RefusedError: a dose of an agent that k1 does not carry.
    """
    match change:
        case DoseChange(dose=dose):
            return replace(configuration, arm=_with_dose(configuration.arm, dose))
        case ArmChange(arm=arm):
            return replace(configuration, arm=arm)
        case ComparatorChange(comparator=comparator):
            return replace(configuration, comparator=comparator)
        case OutcomeChange(outcome=outcome, time=time):
            changed = replace(configuration, outcome=outcome, time=time or configuration.time)
            if outcome.outcome_id and outcome.outcome_id == configuration.outcome.outcome_id:
                return changed
            k2 = changed.comparator
            return replace(changed, arm=_unposted(changed.arm), comparator=None if k2 is None else _unposted(k2))
        case TimeFrameChange(time=time):
            return replace(configuration, outcome=_at_other_time(configuration.outcome, configuration.time, time), time=time)
        case GeographyChange(countries=countries):
            return replace(configuration, geography=countries)
        case PopulationChange(population=population):
            return replace(configuration, population=population)
        case ContextChange(context=context):
            return replace(configuration, context=context)
        case EnrolmentChange(enrolment=enrolment):
            return replace(configuration, enrolment=enrolment)
        case _:
            assert_never(change)


def replaced_dose(arm: ArmSpec, dose: Dose) -> Dose | None:
    """The dose of `arm` that `dose` takes the place of; `None` when the arm states no dose of that agent.

    Raises:
        RefusedError: the arm does not carry the agent, or states several doses of it.
    """
    wanted = agent_key(dose.intervention)
    same = [other for other in arm.doses if agent_of(other, arm) == wanted] if wanted else list(arm.doses)
    if len(same) > 1:
        raise RefusedError(
            f"{arm.label} has several doses: {', '.join(f'{d.intervention} {dose_text(d)}'.strip() for d in same)}.",
            "Say whose dose changes, or change the arm.",
        )
    if same:
        return same[0]
    agents = agents_of(arm)
    if arm.doses and not (wanted and wanted in agents):
        raise RefusedError(f"{arm.label} has no dose of {dose.intervention}.", "Change the arm instead.")
    if wanted and agents and wanted not in agents:
        raise RefusedError(f"{arm.label} does not carry {dose.intervention}.", "Change the arm instead.")
    return None


def _with_dose(arm: ArmSpec, dose: Dose) -> ArmSpec:
    before = replaced_dose(arm, dose)
    named = dose if dose.intervention or before is None else replace(dose, intervention=before.intervention)
    if before is None:
        doses = (*arm.doses, named)
    else:
        index = arm.doses.index(before)
        doses = (*arm.doses[:index], named, *arm.doses[index + 1 :])
    return ArmSpec(_label(arm, doses), arm.interventions, doses, arm.control)


def _label(arm: ArmSpec, doses: tuple[Dose, ...]) -> str:
    """Agents with their doses: what is given now, whatever the posted label said."""
    by_agent = {agent_of(dose, arm): dose for dose in doses}
    parts = []
    for name in arm.interventions:
        dose = by_agent.pop(agent_key(name), None)
        parts.append(f"{name} {dose_text(dose)}" if dose else name)
    parts.extend(f"{dose.intervention} {dose_text(dose)}".strip() for dose in by_agent.values())
    return " + ".join(parts)


def _unposted(arm: ArmSpec) -> ArmSpec:
    return replace(arm, group_id="", class_title="")


def _at_other_time(outcome: OutcomeSpec, before: TimePoint | None, time: TimePoint) -> OutcomeSpec:
    if before == time:
        return outcome
    return replace(
        outcome, title=title_without_time(outcome.title, before), outcome_id="", class_title=class_rest(outcome.class_title)
    )


def title_without_time(title: str, time: TimePoint | None) -> str:
    """A title without the phrase that names `time`: read at another time, it would be untrue."""
    if time is None or time.weeks is None:
        return title

    def cut(match: re.Match[str]) -> str:
        named = weeks(match[0])
        return "" if named is not None and same_weeks(named, time.weeks or 0.0) else match[0]

    return _TIME_PHRASE.sub(cut, title).strip() or title
