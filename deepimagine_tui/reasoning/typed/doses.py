"""`40 mg`, `sitagliptin: 40 mg`: another dose of one of k1's agents, as typed, with how it compares with the observed one."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.agents import ratio
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.change import replaced_dose
from deepimagine_tui.reasoning.describe import amount_text, dose_text, number_text
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.words import agent_key, names_agent, plain, tokens
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.units import find_doses

_STRENGTH = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:%|percent)$", re.I)
_BIOLOGICAL_UNITS = {"IU", "units"}
"""Of one agent these are the same: insulin is written in either."""
_PLACEBO_WORDS = frozenset({"placebo", "sham", "vehicle", "dummy"})


def parse_dose_of(text: str, arm: ArmSpec) -> tuple[Dose, str]:
    """The dose that `text` gives to one agent of `arm`, and the reading: `40 mg once daily = 4x the observed 10 mg`.

    The agent may stand before a colon. Frequency, basis and route that the text leaves out are those of the dose it replaces.

    Raises:
        UsageError: no dose, several, or one of several agents without saying which; the hint lists the choices.
        RefusedError: the arm gets no agent, the unit is of another kind, or nothing would change.
    """
    if arm.control in INERT:
        raise RefusedError(
            f"{arm.label} is a {arm.control} arm: there is no dose to change.", "Choose an arm that gets the drug."
        )
    agent_text, colon, dose_part = text.rpartition(":")
    names = carried_agents(arm)
    name = _named(agent_text, names) if colon else None
    found = find_doses(dose_part, tuple(names)) or _percent(dose_part)
    if len(found) != 1:
        problem = "states no dose" if not found else f"states {len(found)} doses"
        raise UsageError(f"{text!r} {problem}.", "Write one amount with its unit, e.g. 40 mg once daily.")
    if name is None:
        mentioned = [each for each in names if names_agent(dose_part, each)]
        name = _only(mentioned or list(names), arm, text)
    return _completed(replace(found[0], intervention=name, text=dose_part.strip()), arm)


def carried_agents(arm: ArmSpec) -> tuple[str, ...]:
    """The names of the agents of an arm: those that carry doses, else its interventions but placebos. A dose that names no
    agent is none beside those that do."""
    dosed = dict.fromkeys(dose.intervention for dose in arm.doses)
    if dosed:
        return tuple(filter(None, dosed)) or ("",)
    return tuple(name for name in arm.interventions if not set(tokens(name)) & _PLACEBO_WORDS)


def _percent(text: str) -> tuple[Dose, ...]:
    """A bare strength, `0.1 %`: of a cream, where only its own arm can tell that a percentage is a dose."""
    match = _STRENGTH.match(text.strip())
    return (Dose("", float(match[1]), "%", text.strip()),) if match else ()


def _named(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        if plain(text) == plain(name) or (agent_key(text) and agent_key(text) == agent_key(name)):
            return name
    raise UsageError(
        f"No agent of this arm is {text.strip()!r}.", f"There are: {'; '.join(filter(None, names)) or 'none named'}."
    )


def _only(names: list[str], arm: ArmSpec, text: str) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        return arm.interventions[0] if len(arm.interventions) == 1 else ""
    choices = "; ".join(f'"{name}: {text.strip()}"' for name in names)
    raise UsageError(f"Several agents of {arm.label} carry doses.", f"Say which: {choices}.")


def _completed(dose: Dose, arm: ArmSpec) -> tuple[Dose, str]:
    before = replaced_dose(arm, dose)
    present = "observed" if arm.group_id else "present"
    if before is None:
        return dose, f"{dose_text(dose)}; the {present} dose is not stated"
    if {dose.unit, before.unit} == _BIOLOGICAL_UNITS:
        dose = replace(dose, unit=before.unit)
    if dose.times_per_day is None and before.times_per_day is not None:
        stated_daily = dose.daily_total is not None
        amount = dose.amount / before.times_per_day if stated_daily and before.times_per_day > 1 else dose.amount
        dose = replace(dose, amount=amount, times_per_day=before.times_per_day, daily_total=amount * before.times_per_day)
    dose = replace(dose, route=dose.route or before.route, intervention=before.intervention)
    if dose.basis != before.basis and dose.basis == "flat" and dose.unit == before.unit:
        raise UsageError(
            f"The {present} dose is {amount_text(before)}; {amount_text(dose)} is a flat dose.",
            f"Write {number_text(dose.amount)} {amount_text(before).split(' ', 1)[1]} if that is meant.",
        )
    times = ratio(dose, before)
    if times is None:
        raise RefusedError(
            f"{dose_text(dose)} and the {present} {dose_text(before)} cannot be compared.",
            "Give the dose in the same kind of unit, basis and interval, or change the arm.",
        )
    reading = f"{number_text(round(times, 3))}x the {present} {dose_text(before)}"
    if abs(times - 1) < 1e-9:
        if dose_text(dose) != dose_text(before) and dose.times_per_day != before.times_per_day:
            return dose, f"{dose_text(dose)} = as much in all as the {present} {dose_text(before)}"
        raise RefusedError(f"{dose_text(before)} is the {present} dose: nothing would change.", "Give another dose.")
    return dose, f"{dose_text(dose)} = {reading}"
