"""One factor as a user types it (`--set dose="40 mg"`), read as a single change of the present configuration."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.asked import with_unit
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.choosing import (
    AnchorChoice,
    anchor_choices,
    choices_at,
    default_place,
    outcome_number,
)
from deepimagine_tui.reasoning.describe import factor_text
from deepimagine_tui.reasoning.difference import differs, perturbation
from deepimagine_tui.reasoning.naming import find_arm
from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.reasoning.posted import find_cell, time_of
from deepimagine_tui.reasoning.specs import arm_spec_of_arm, arm_spec_of_group, outcome_spec
from deepimagine_tui.reasoning.state import (
    ArmChange,
    ArmSpec,
    Change,
    ComparatorChange,
    Configuration,
    ContextChange,
    Control,
    DoseChange,
    EnrolmentChange,
    GeographyChange,
    OutcomeChange,
    Perturbation,
    PopulationChange,
    State,
    TimeFrameChange,
)
from deepimagine_tui.reasoning.typed.context import parse_context
from deepimagine_tui.reasoning.typed.doses import parse_dose_of
from deepimagine_tui.reasoning.typed.geography import parse_geography
from deepimagine_tui.reasoning.typed.population import parse_population
from deepimagine_tui.reasoning.typed.times import parse_time
from deepimagine_tui.reasoning.words import agent_key, names_agent, plain
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.units import find_doses

_UNKNOWN = "unit and scale unknown"
_COUNT = re.compile(r"^(?:n\s*=\s*)?(\d{1,3}(?:,\d{3})+|\d{1,7})(?:\s*(?:participants|patients|subjects|people))?$", re.I)
_CONTROLS: dict[str, Control] = {
    "placebo": "placebo",
    "vehicle": "placebo",
    "sham": "sham",
    "no treatment": "no intervention",
    "no intervention": "no intervention",
    "observation": "no intervention",
    "untreated": "no intervention",
    "standard of care": "active",
    "usual care": "active",
}


def parse_setting(factor: Factor, text: str, state: State, trial: Trial) -> Perturbation:
    """The change that `text` asks for, with the reading of what was typed. `trial` offers its own arms and outcomes by name.

    Raises:
        UsageError: the text is not understood, or means several things; the hint lists the choices.
        RefusedError: it cannot be changed so, or it is so already.
    """
    if not text.strip():
        raise UsageError(f"No value was given for {factor}.")
    configuration = state.configuration
    change, reading = _read(factor, text.strip(), configuration, trial)
    after = apply(configuration, change)
    if not _changes_anything(factor, configuration, after):
        raise RefusedError(f"{factor_text(factor, configuration)} is what the state has already: nothing would change.")
    return perturbation(change, configuration, after, text, reading)


def _read(factor: Factor, text: str, configuration: Configuration, trial: Trial) -> tuple[Change, str]:
    match factor:
        case "dose":
            dose, reading = parse_dose_of(text, configuration.arm)
            return DoseChange(dose), reading
        case "arm":
            return ArmChange(_arm(text, configuration, trial, "arm")), ""
        case "comparator":
            return ComparatorChange(_arm(text, configuration, trial, "comparator")), ""
        case "outcome":
            return _outcome(text, configuration, trial)
        case "time_frame":
            time, reading = parse_time(text)
            return TimeFrameChange(time), reading
        case "geography":
            countries, reading = parse_geography(text)
            return GeographyChange(countries), reading
        case "population":
            population, reading = parse_population(text, configuration.population)
            return PopulationChange(population), reading
        case "context":
            context, reading = parse_context(text, configuration.context)
            return ContextChange(context), reading
        case "enrolment":
            return EnrolmentChange(_count(text)), ""


def _changes_anything(factor: Factor, before: Configuration, after: Configuration) -> bool:
    match factor:
        case "dose":
            return True
        case "geography":
            typed_counts = any(place.sites for place in after.geography)
            return differs("geography", before, after) is not False or (typed_counts and before.geography != after.geography)
        case "time_frame":
            return differs("time_frame", before, after) is not False
        case "arm" | "comparator":
            pair = (before.arm, after.arm) if factor == "arm" else (before.comparator, after.comparator)
            return pair[0] != pair[1] and (differs(factor, before, after) is not False or _other_group(*pair))
        case "outcome":
            return differs("outcome", before, after) is not False or differs("time_frame", before, after) is True
        case "population" | "context" | "enrolment":
            if factor == "population":
                return replace(before.population, baseline=()) != replace(after.population, baseline=())
            return factor_text(factor, before) != factor_text(factor, after)


def _other_group(before: ArmSpec | None, after: ArmSpec | None) -> bool:
    return bool(
        before and after and after.group_id and (before.group_id, before.class_title) != (after.group_id, after.class_title)
    )


def arms_here(configuration: Configuration, trial: Trial) -> tuple[ArmSpec, ...]:
    """The arms of `trial` that a configuration could have: the result groups of its outcome, else the registered arms."""
    for outcome in trial.outcomes:
        if outcome.id == configuration.outcome.outcome_id and outcome.class_axis != "arm":
            return tuple(arm_spec_of_group(trial, group) for group in outcome.groups if group.kind == "arm")
    return tuple(arm_spec_of_arm(arm) for arm in trial.arms)


def _arm(text: str, configuration: Configuration, trial: Trial, what: str) -> ArmSpec:
    other = configuration.comparator if what == "arm" else configuration.arm
    found = find_arm(text, arms_here(configuration, trial), what)
    if found is not None and other is not None and _is_side(found, other):
        raise RefusedError(f"{found.label} is the other side of the comparison.", "Name another arm.")
    return found or free_arm(text, tuple(item.name for item in trial.interventions))


def _is_side(found: ArmSpec, other: ArmSpec) -> bool:
    return bool(found.group_id) and (found.group_id, found.class_title) == (other.group_id, other.class_title)


def free_arm(text: str, known: Sequence[str] = ()) -> ArmSpec:
    """An arm that no trial has: its agents are the `known` ones that the text names, else its words without the doses."""
    control = _CONTROLS.get(plain(text))
    if control is not None:
        return ArmSpec(text, control=control)
    named = tuple(name for name in known if names_agent(text, name))
    if not named:
        bare = agent_key(text)
        named = (bare,) if bare else ()
    return ArmSpec(text, named, find_doses(text, named))


def _outcome(text: str, configuration: Configuration, trial: Trial) -> tuple[Change, str]:
    choices = anchor_choices(trial)
    number = outcome_number(trial, choices, text)
    if number is None:
        title = text.partition("@")[0].strip()
        time = parse_time(text.partition("@")[2])[0] if "@" in text else None
        spec = with_unit(planned_spec(title))
        read = f"read as {spec.kind} in {spec.unit}" if spec.unit else "unit unknown" if spec.kind != "unknown" else _UNKNOWN
        return OutcomeChange(spec, time), f"not posted by this trial; {read}"
    fitting = choices_at([choice for choice in choices if choice.number == number], text.partition("@")[2].strip())
    same_arms = [choice for choice in fitting if _same_labels(choice, configuration)]
    chosen = default_place(same_arms or fitting)[0]
    outcome = trial.outcomes[number - 1]
    class_title = "" if chosen.ref.comparator_class_title else chosen.ref.class_title
    cell = find_cell(outcome, chosen.ref.arm_group_id, chosen.ref.class_title, chosen.ref.category)
    return OutcomeChange(outcome_spec(outcome, class_title, chosen.ref.category), time_of(outcome, cell) if cell else None), ""


def _same_labels(choice: AnchorChoice, configuration: Configuration) -> bool:
    comparator = configuration.comparator
    if plain(choice.arm.label) != plain(configuration.arm.label) or (choice.comparator is None) != (comparator is None):
        return False
    return choice.comparator is None or comparator is None or plain(choice.comparator.label) == plain(comparator.label)


def _count(text: str) -> int:
    match = _COUNT.match(text)
    count = int(match[1].replace(",", "")) if match else 0
    if count < 1:
        raise UsageError(f"{text!r} is no number of participants.", "Write a whole number from 1, e.g. 400.")
    return count
