"""How the factors of a configuration read to a person: short, in one line, without claims."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from deepimagine_tui.reasoning.state import ArmSpec, Configuration, Context, Number, OutcomeSpec, Population
from deepimagine_tui.text import one_line
from deepimagine_tui.trials.concepts.time_points import point_text
from deepimagine_tui.trials.concepts.time_points import weeks as weeks_of
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import CountrySites, Eligibility, Threshold
from deepimagine_tui.trials.results import TimePoint

NOT_STATED = "not stated"
_SHOWN_COUNTRIES = 3
_SHOWN_CONDITIONS = 3
_LONGEST_TIME = 60
_OLDEST = 100
"""A greatest age from here on is no limit."""
_UNITS = r"(?:minute|min|hour|hr|day|week|wk|month|mo|year|yr)s?"
_JUST_A_TIME = re.compile(
    rf"^(?:at |by |up to |through |until |for |after )?(?:the end of )?"
    rf"(?:{_UNITS}[ -]?\d+(?:\.\d+)?|\d+(?:\.\d+)?[ -]?{_UNITS})(?: (?:after|post|from|of|on)\b[^\d,;()]*)?$",
    re.I,
)
_TELLS_NOTHING = re.compile(
    r"^(?:(?:study |treatment |dose )?(?:arm|group|cohort|regimen|part|stage)?[ #:-]*(?:\d{1,3}|[a-h]|[ivx]{1,4})"
    r"|(?:the )?(?:arm|group|cohort|treatment|intervention|experimental|active|control|comparator)(?: (?:arm|group))?"
    r"|(?:experimental|active comparator|placebo comparator)[ :]*)$",
    re.I,
)
_BASES = {"flat": "", "per kg": "/kg", "per m2": "/m2"}
_FREQUENCIES = {
    1.0: "once daily",
    2.0: "twice daily",
    3.0: "three times daily",
    4.0: "four times daily",
    0.5: "every other day",
}


def number_text(value: float) -> str:
    """A number as a person writes it: at most six significant digits, no exponent below a million."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e9 else f"{value:.6g}"


def rounded(value: float, digits: int = 3) -> str:
    """A number that nobody posted or typed: so many significant digits, but whole digits all."""
    if not math.isfinite(value):
        return "not a number"
    decimals = digits - 1 - math.floor(math.log10(abs(value))) if value else 0
    return number_text(round(value, max(decimals, 0)))


def value_text(number: Number) -> str:
    """The value of a number, or why there is none. What was posted or typed is shown in full, anything else to four digits."""
    if number.value is None:
        return one_line(number.note) or "no value"
    return number_text(number.value) if number.status in ("observed", "entered") else rounded(number.value, 4)


def frequency_text(times_per_day: float | None) -> str:
    """`once daily`, `weekly`, `every 4 weeks`; empty when unknown."""
    if times_per_day is None or times_per_day <= 0:
        return ""
    known = _FREQUENCIES.get(round(times_per_day, 3))
    if known:
        return known
    if times_per_day > 1:
        return f"{number_text(round(times_per_day, 2))} times daily"
    days = 1 / times_per_day
    weeks = days / 7
    if abs(weeks - round(weeks)) < 0.02:
        return "weekly" if round(weeks) == 1 else f"every {round(weeks)} weeks"
    return f"every {number_text(round(days, 1))} days"


def amount_text(dose: Dose) -> str:
    """`10 mg`, `5 mg/kg`; for a titrated dose the amounts stepped through."""
    steps = "-".join(number_text(step) for step in dose.titration) if len(dose.titration) > 1 else number_text(dose.amount)
    return f"{steps} {dose.unit}{_BASES[dose.basis]}"


def dose_text(dose: Dose) -> str:
    """The amount with its frequency where known: `10 mg once daily`."""
    return f"{amount_text(dose)} {frequency_text(dose.times_per_day)}".strip()


def doses_text(doses: Iterable[Dose]) -> str:
    """All doses of an arm, the agents named when there are several."""
    listed = tuple(doses)
    if len(listed) == 1:
        return dose_text(listed[0])
    return " + ".join(f"{dose.intervention} {dose_text(dose)}".strip() for dose in listed) or NOT_STATED


def arm_text(arm: ArmSpec | None) -> str:
    """The label of one side, and what is given where the label does not tell (`Arm 2 (Placebo)`); `no comparator` for a
    single-arm state."""
    if arm is None:
        return "no comparator"
    if not _TELLS_NOTHING.match(arm.label.strip()):
        return arm.label
    given = " + ".join(arm.interventions) or (arm.control if arm.control not in ("none", "unknown") else "")
    doses = doses_text(arm.doses) if len(arm.doses) == 1 else ""
    return f"{arm.label} ({f'{given} {doses}'.strip()})" if given else arm.label


def outcome_text(outcome: OutcomeSpec) -> str:
    """Title, class and category where there are any, and unit."""
    parts = [outcome.title, *(part for part in (outcome.class_title, outcome.category) if part)]
    return ", ".join([": ".join(parts), outcome.unit] if outcome.unit else [": ".join(parts)])


def time_text(time: TimePoint | None) -> str:
    """The single time that the text names: as written where it names just that (`6 months`), else in words of our own (`Week 0,
    week 30` is `week 30`). Where it names none, its beginning."""
    if time is None or not time.text:
        return NOT_STATED
    named = weeks_of(time.text)
    if named is not None and named > 0 and time.weeks is not None and not _JUST_A_TIME.match(time.text.strip()):
        return point_text(named)
    if len(time.text) <= _LONGEST_TIME:
        return time.text
    return time.text[: _LONGEST_TIME - 1].rstrip(" ,;") + "…"


def geography_text(countries: tuple[CountrySites, ...]) -> str:
    """Up to three countries by name, else how many."""
    if not countries:
        return NOT_STATED
    if len(countries) > _SHOWN_COUNTRIES:
        return f"{len(countries)} countries"
    return ", ".join(f"{place.country} {place.sites}" if place.sites else place.country for place in countries)


def range_text(lower: float | None, upper: float | None) -> str:
    """`7-10`, `at least 18`, `at most 65`."""
    if lower is not None and upper is not None:
        return f"{number_text(lower)}-{number_text(upper)}"
    if lower is not None:
        return f"at least {number_text(lower)}"
    return f"at most {number_text(upper)}" if upper is not None else NOT_STATED


def age_text(eligibility: Eligibility) -> str:
    """`age 18-75`, `age at least 18`; empty where no age limits who can take part."""
    oldest = eligibility.maximum_age if eligibility.maximum_age is not None and eligibility.maximum_age < _OLDEST else None
    if eligibility.minimum_age is None and oldest is None:
        return ""
    return f"age {range_text(eligibility.minimum_age, oldest)}"


def threshold_text(threshold: Threshold) -> str:
    """`HbA1c 7-10 %`."""
    return f"{threshold.measure} {range_text(threshold.lower, threshold.upper)} {threshold.unit}".strip()


def population_text(population: Population) -> str:
    """Conditions, sex, ages, thresholds, and unparsed text labelled as such."""
    eligibility = population.eligibility
    more = len(population.conditions) - _SHOWN_CONDITIONS
    conditions = ", ".join(population.conditions[:_SHOWN_CONDITIONS]) + (f" and {more} more" if more > 0 else "")
    parts = [conditions] if conditions else []
    if eligibility.sex in ("female", "male"):
        parts.append(eligibility.sex)
    parts += [age_text(eligibility)] if age_text(eligibility) else []
    if eligibility.healthy_volunteers and not population.conditions:
        parts.append("healthy volunteers")
    parts.extend(threshold_text(threshold) for threshold in eligibility.thresholds)
    if population.free_text:
        parts.append(f'as typed, not parsed: "{population.free_text}"')
    return "; ".join(parts) or NOT_STATED


def context_text(context: Context) -> str:
    """Phase, masking, start year, background and sponsor class, as far as known."""
    parts = [f"phase {'/'.join(context.phases)}"] if context.phases else []
    if context.masking:
        parts.append("open label" if context.masking == "none" else f"{context.masking} masked")
    if context.start_year is not None:
        parts.append(f"start {context.start_year}")
    if context.background:
        parts.append(f"background {context.background}")
    if context.sponsor_class:
        parts.append(f"sponsor {context.sponsor_class}")
    return ", ".join(parts) or NOT_STATED


def factor_text(factor: Factor, configuration: Configuration) -> str:
    """What `configuration` has at `factor`, as shown to a person."""
    match factor:
        case "geography":
            return geography_text(configuration.geography)
        case "context":
            return context_text(configuration.context)
        case "arm":
            return arm_text(configuration.arm)
        case "dose":
            return doses_text(configuration.arm.doses)
        case "comparator":
            return arm_text(configuration.comparator)
        case "outcome":
            return outcome_text(configuration.outcome)
        case "time_frame":
            return time_text(configuration.time)
        case "population":
            return population_text(configuration.population)
        case "enrolment":
            return NOT_STATED if configuration.enrolment is None else str(configuration.enrolment)
