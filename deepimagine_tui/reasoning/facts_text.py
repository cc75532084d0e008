"""How the facts of a configuration, its results and a change read in a prompt. Every text passes through `plain`."""

from __future__ import annotations

import math
import re

import msgspec

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning import describe
from deepimagine_tui.reasoning.asked import Asked
from deepimagine_tui.reasoning.derived import share_of
from deepimagine_tui.reasoning.opening_words import times_text
from deepimagine_tui.reasoning.plain import plain
from deepimagine_tui.reasoning.scales import share_unit
from deepimagine_tui.reasoning.state import (
    ArmSpec,
    Configuration,
    ContrastEstimate,
    DoseChange,
    Number,
    OutcomeSpec,
    Perturbation,
    Population,
    State,
)
from deepimagine_tui.trials.model import CountrySites, Eligibility
from deepimagine_tui.trials.units import dose_ratio

LABEL_LIMIT = 48
"""The most characters of an arm's label within the answer form."""

_ABBREVIATED = re.compile(r"\s*\((?:hr|or|rr|log)\)\s*$", re.I)
"""What the registry adds to the name of a scale."""
_PARENTHESES = re.compile(r"\s*\([^()]*\)")
_CONTROLS = {"placebo": "placebo", "sham": "sham", "no intervention": "no intervention", "active": "active control"}


class Detail(msgspec.Struct, frozen=True):
    """How much of a configuration a prompt states; numbers are limits, of items or of characters."""

    baseline: bool = True
    thresholds: bool = True
    countries: int = 6
    conditions: int = 4
    arm_details: bool = True
    title: int = 300
    free_text: int = 300


def configuration_lines(configuration: Configuration, detail: Detail) -> list[str]:
    """What is studied, where, in whom and how it is measured, one fact a line; unknown facts have no line."""
    context = configuration.context
    lines = [_line("Condition", list_text(configuration.population.conditions, detail.conditions, "; "))]
    lines.append(_line("Phase", ", ".join(context.phases)))
    lines.append(_line("Masking", context.masking))
    lines.append(_line("Background", plain(context.background, detail.free_text)))
    lines.append(_line("Countries", countries_text(configuration.geography, detail.countries)))
    lines.append(_line("Population", population_text(configuration.population, detail)))
    lines.append(_line("Participants", "" if configuration.enrolment is None else str(configuration.enrolment)))
    lines.append(_line("Arm", arm_text(configuration.arm, detail)))
    if configuration.comparator is not None:
        lines.append(_line("Comparator", arm_text(configuration.comparator, detail, comparator=True)))
    lines.append(_line("Outcome", outcome_text(configuration, detail)))
    return [line for line in lines if line]


def result_lines(source: State, wants: Asked) -> list[str]:
    """The source state's own results. The value that is asked for comes last of the values, next to the change."""
    arm_label, comparator_label = short_labels(source.configuration)
    outcome = source.configuration.outcome
    arm = _value_line(arm_label, source.arm_value, outcome)
    compared = source.configuration.comparator is not None
    comparator = _value_line(comparator_label, source.comparator_value, outcome) if compared else ""
    lines = [comparator, arm] if wants.arm and not wants.comparator else [arm, comparator]
    if source.contrast is not None and source.contrast.number.value is not None:
        lines.append(f"{contrast_label(source.contrast)}: {contrast_text(source.contrast)}")
    if source.met is not None and source.met.verdict != "undetermined":
        lines.append(f"Verdict: {source.met.verdict}")
    return [line for line in lines if line]


def change_line(source: Configuration, perturbation: Perturbation, target: Configuration, detail: Detail) -> str:
    """The single change: factor, before -> after, and the ratio when it is one dose against another."""
    name = perturbation.factor.replace("_", " ")
    before, after = (plain(text, detail.free_text) for text in (perturbation.before, perturbation.after))
    ratio = dose_ratio_text(source.arm, perturbation)
    return f"Change of {name}: {before} -> {after}{f' ({ratio})' if ratio else ''}"


def dose_ratio_text(arm: ArmSpec, perturbation: Perturbation) -> str:
    """How many times the old dose the new one is; empty where the two cannot be compared."""
    if not isinstance(perturbation.change, DoseChange):
        return ""
    for old in arm.doses:
        try:
            times = dose_ratio(perturbation.change.dose, old)
            return "the same in all" if math.isclose(times, 1) else f"{times_text(times)} times the dose"
        except RefusedError:
            continue
    return ""


def short_labels(configuration: Configuration) -> tuple[str, str]:
    """The labels of k1 and k2 in the answer form: short, without a colon, and different from one another."""
    arm = _short(configuration.arm)
    if configuration.comparator is None:
        return arm, ""
    comparator = _short(configuration.comparator)
    return (arm, comparator) if arm != comparator else (f"{arm} (arm)", f"{comparator} (comparator)")


def contrast_label(contrast: ContrastEstimate) -> str:
    """The line under which a contrast is stated and asked for, e.g. `Hazard ratio`."""
    scale = plain(_ABBREVIATED.sub("", contrast.scale), LABEL_LIMIT).replace(":", " ")
    return (scale[:1].upper() + scale[1:]) or "Difference"


def contrast_text(contrast: ContrastEstimate) -> str:
    """The posted estimate with its interval and p."""
    interval = contrast.number.interval
    text = "not known" if contrast.number.value is None else _rounded(contrast.number.value)
    if interval is not None and interval.lower is not None and interval.upper is not None:
        text += f" ({interval.level:g}% CI {_rounded(interval.lower)} to {_rounded(interval.upper)})"
    return f"{text}, {plain(contrast.p_text, 24)}" if contrast.p_text else text


def arm_text(arm: ArmSpec, detail: Detail, *, comparator: bool = False) -> str:
    """An arm by its label; in full also what is given and at which doses, and for a comparator what kind of control it is.

    Placebos that only keep the masking are left out of what is given.
    """
    label = plain(describe.arm_text(arm), 80)
    if not detail.arm_details:
        return label
    parts = [label]
    names = [name for name in map(plain, arm.interventions) if not _known_from(label, name)]
    if names:
        parts.append(list_text(tuple(names), 4))
    several = len({dose.intervention for dose in arm.doses}) > 1
    texts = [(dose.intervention if several else "", describe.dose_text(dose)) for dose in arm.doses]
    doses = [f"{name} {text}".strip() for name, text in texts if text.casefold() not in label.casefold()]
    if doses:
        parts.append(plain(", ".join(doses[:4])))
    if comparator and arm.control in _CONTROLS and arm.control not in label.casefold():
        parts.append(_CONTROLS[arm.control])
    return "; ".join(parts)


def outcome_text(configuration: Configuration, detail: Detail) -> str:
    """The measure, its unit, when it is read and which direction is the better one."""
    outcome = configuration.outcome
    parts = [plain(outcome.title, detail.title)]
    parts += [plain(part, 60) for part in (outcome.class_title, outcome.category) if part]
    parts += [plain(outcome.unit, 60)] if outcome.unit else []
    if configuration.time is not None and configuration.time.text:
        parts.append(f"time: {plain(describe.time_text(configuration.time), 80)}")
    if outcome.benefit != "unknown":
        parts.append(f"{outcome.benefit} is better")
    return "; ".join(parts)


def population_text(population: Population, detail: Detail) -> str:
    """Who could enrol, with parsed thresholds and baseline means; text that nothing parsed is quoted."""
    parts = [eligibility_text(population.eligibility)]
    if detail.thresholds:
        parts += [describe.threshold_text(threshold) for threshold in population.eligibility.thresholds]
    if detail.baseline:
        parts += [
            f"baseline {plain(f.measure, 40)} {describe.number_text(f.value)} {plain(f.unit, 30)}" for f in population.baseline
        ]
    if population.free_text:
        parts.append(f'"{plain(population.free_text, detail.free_text)}"')
    return "; ".join(part.strip() for part in parts if part)


def eligibility_text(eligibility: Eligibility) -> str:
    """Sex, if one only, and ages."""
    sex = eligibility.sex if eligibility.sex in ("female", "male") else ""
    return f"{sex} {describe.age_text(eligibility)}".strip()


def countries_text(countries: tuple[CountrySites, ...], limit: int) -> str:
    """Countries by site count, with how many more there are."""
    return list_text(tuple(plain(place.country, 40) for place in countries), limit)


def list_text(items: tuple[str, ...], limit: int, separator: str = ", ") -> str:
    """At most `limit` items, then how many are left out."""
    shown = separator.join(plain(item, 80) for item in items[:limit])
    return f"{shown} and {len(items) - limit} more" if len(items) > limit else shown


def _value_line(label: str, number: Number | None, outcome: OutcomeSpec) -> str:
    if number is None:
        return ""
    if number.value is None:
        return f"Value in {label}: {plain(number.note) or 'not known'}"
    return f"Value in {label}: {describe.number_text(number.value)}{_spread_text(number, outcome)}"


def _spread_text(number: Number, outcome: OutcomeSpec) -> str:
    """Dispersion and n, `(SD 0.8, n 220)`; of a count also the share that it is, `(46% of n 24)`."""
    parts = []
    if number.dispersion is not None and number.dispersion_kind in ("SD", "SE"):
        parts.append(f"{number.dispersion_kind} {describe.number_text(number.dispersion)}")
    share = share_of(number, outcome)
    if share is not None and number.n is not None and not _is_percent(number, outcome):
        parts.append(f"{_rounded(100 * share)}% of n {number.n}")
    elif number.n is not None:
        parts.append(f"n {number.n}")
    return f" ({', '.join(parts)})" if parts else ""


def _is_percent(number: Number, outcome: OutcomeSpec) -> bool:
    return math.isclose(share_unit(number, outcome), 100)


def _known_from(label: str, name: str) -> bool:
    """Whether an intervention adds nothing to an arm's label: it is named there, or is a placebo."""
    return name.casefold() in label.casefold() or "placebo" in name.casefold()


def _rounded(value: float) -> str:
    """Four significant digits: what was computed is not known better."""
    return describe.number_text(float(f"{value:.4g}"))


def _short(arm: ArmSpec) -> str:
    """The label without the placebos that only keep the masking, `Drug A 10 mg` for `Drug A 10 mg + Drug B placebo`."""
    parts = plain(describe.arm_text(arm)).replace(":", " ").split(" + ")
    given = [part for part in parts if "placebo" not in part.casefold()]
    label = " + ".join(given or parts)
    if len(label) > LABEL_LIMIT:
        label = _PARENTHESES.sub("", label).strip() or label
    return plain(label, LABEL_LIMIT) or "the arm"


def _line(name: str, text: str) -> str:
    return f"{name}: {plain(text)}" if text else ""
