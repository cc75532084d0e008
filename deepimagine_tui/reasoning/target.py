"""What a forecast aims at: a trial as it was planned, without anything written after the fact, or one made up by the user."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.choosing import CONTROL_ORDER, highest_dose
from deepimagine_tui.reasoning.matching import Option, choose
from deepimagine_tui.reasoning.naming import choose_arm
from deepimagine_tui.reasoning.parts import other_part
from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.reasoning.specs import arm_spec_of_arm, base_configuration
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Context, Population
from deepimagine_tui.reasoning.typed.context import parse_context
from deepimagine_tui.reasoning.typed.geography import parse_geography
from deepimagine_tui.reasoning.typed.population import parse_population
from deepimagine_tui.reasoning.typed.setting import free_arm
from deepimagine_tui.reasoning.typed.times import parse_time
from deepimagine_tui.reasoning.words import plain, tokens
from deepimagine_tui.trials.concepts.time_points import time_point
from deepimagine_tui.trials.model import PartialDate, PlannedOutcome, Trial

_INDEX = re.compile(r"^o?(\d{1,4})$")


def as_planned(trial: Trial) -> Trial:
    """`trial` without every field that was written after the fact: status, why stopped, actual dates and enrolment, flow,
    limitations and all results. What is left was, or could have been, registered before the first participant."""
    return replace(
        trial,
        status="",
        start=_anticipated(trial.start),
        primary_completion=_anticipated(trial.primary_completion),
        completion=_anticipated(trial.completion),
        results_posted=None,
        last_updated=None,
        enrolment=trial.enrolment if trial.enrolment_kind == "anticipated" else None,
        enrolment_kind="anticipated" if trial.enrolment_kind == "anticipated" else "unknown",
        outcomes=(),
        flow=None,
        baseline=None,
        adverse_events=None,
        prose=None,
        problems=(),
    )


def _anticipated(date: PartialDate | None) -> PartialDate | None:
    return date if date is not None and date.kind == "anticipated" else None


def target_of(
    trial: Trial, *, outcome: str | None = None, arm: str | None = None, comparator: str | None = None
) -> Configuration:
    """The configuration that `trial` plans: registered arms, a planned outcome, and the rest as registered.

    Defaults as for anchors: the first primary outcome, the highest dose, placebo else another control. Texts are titles or
    words of them, doses, or the number of the planned outcome.

    Raises:
        UsageError: a text fits nothing or several things; the hint lists the choices.
        RefusedError: the trial plans no outcome or names no arm.
    """
    plan = as_planned(trial)
    planned = _planned_outcome(plan, outcome)
    arms = _arms(plan)
    k1 = choose_arm(arm, arms, "arm") if arm is not None else highest_dose(arms)
    others = [each for each in arms if each != k1]
    if comparator is not None:
        k2: ArmSpec | None = choose_arm(comparator, others, "comparator")
    else:
        k2 = min(others, key=lambda each: (other_part(k1, each), CONTROL_ORDER.index(each.control)), default=None)
    time = time_point(planned.time_frame)
    return base_configuration(plan, k1, k2, planned_spec(planned.title, role=planned.role), time)


def _planned_outcome(plan: Trial, text: str | None) -> PlannedOutcome:
    planned = plan.planned_outcomes
    if not planned:
        raise RefusedError(f"{plan.nct_id} plans no outcome that could be forecast.", "Name one, with its unit and time.")
    if text is None:
        return next((each for each in planned if each.role == "primary"), planned[0])
    index = _INDEX.match(plain(text))
    if index:
        number = int(index[1])
        if not 1 <= number <= len(planned):
            raise UsageError(f"There is no planned outcome {number}.", f"{plan.nct_id} plans outcomes 1 to {len(planned)}.")
        return planned[number - 1]
    return choose(text, [Option(each, each.title, (str(n),)) for n, each in enumerate(planned, 1)], "planned outcome")


def _arms(plan: Trial) -> tuple[ArmSpec, ...]:
    if plan.arms:
        return tuple(arm_spec_of_arm(arm) for arm in plan.arms)
    names = [item.name for item in plan.interventions]
    inert = [name for name in names if {"placebo", "sham"} & set(tokens(name))]
    tested = [name for name in names if name not in inert]
    if not tested:
        raise RefusedError(f"{plan.nct_id} names no arm and no intervention.", "Make up a target instead.")
    arms = [ArmSpec(" + ".join(tested), tuple(tested), control="none")]
    return (*arms, ArmSpec(inert[0], (inert[0],), control="placebo")) if inert else tuple(arms)


def target_from_fields(
    *,
    condition: str,
    arm: str,
    outcome: str,
    comparator: str | None = "placebo",
    unit: str = "",
    time: str | None = None,
    countries: str | None = None,
    population: str | None = None,
    context: str | None = None,
    enrolment: int | None = None,
) -> Configuration:
    """A target that is no registered trial, from texts as typed: `arm="Drug B 5 mg once daily"`, `time="week 24"`,
    `context="phase 3, double blind"`. What is left out is unknown, and no pathway walks it.

    Raises:
        UsageError: a text is not understood.
    """
    for name, text in (("condition", condition), ("arm", arm), ("outcome", outcome)):
        if not text.strip():
            raise UsageError(f"A target needs {name}.", 'E.g. condition "Type 2 diabetes", arm "Drug B 5 mg", outcome "HbA1c".')
    if enrolment is not None and enrolment < 1:
        raise UsageError(f"{enrolment} is no number of participants.", "Write a whole number from 1.")
    people = Population(tuple(part.strip() for part in condition.split(";") if part.strip()))
    return Configuration(
        arm=_with_named_doses(free_arm(arm)),
        comparator=free_arm(comparator) if comparator else None,
        outcome=planned_spec(outcome, unit),
        time=parse_time(time)[0] if time else None,
        geography=parse_geography(countries)[0] if countries else (),
        context=parse_context(context, Context())[0] if context else Context(),
        population=parse_population(population, people)[0] if population else people,
        enrolment=enrolment,
    )


def _with_named_doses(arm: ArmSpec) -> ArmSpec:
    """Unnamed doses given to the only agent there is."""
    if len(arm.interventions) != 1:
        return arm
    agent = arm.interventions[0]
    return replace(arm, doses=tuple(replace(dose, intervention=dose.intervention or agent) for dose in arm.doses))
