"""The protocol section: identity, design, arms, eligibility, sites. v2-shaped objects in, model structs out."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

from deepimagine_tui.trials.concepts import terms
from deepimagine_tui.trials.concepts.ages import age_years, thresholds
from deepimagine_tui.trials.concepts.dose_text import DoseReader
from deepimagine_tui.trials.concepts.numbers import parse_count
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm, CountrySites, Eligibility, Intervention, PartialDate, PlannedOutcome
from deepimagine_tui.trials.registry.fields import Log, Node, child, clean, each, flag, paragraphs, text, texts
from deepimagine_tui.trials.registry.groups import group_doses

_ISO = re.compile(r"^\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$")
_KIND_PREFIX = re.compile(r"^[A-Za-z ]+: ")
_PLANNED: tuple[tuple[Literal["primary", "secondary", "other"], str], ...] = (
    ("primary", "primaryOutcomes"),
    ("secondary", "secondaryOutcomes"),
    ("other", "otherOutcomes"),
)
_INERT = re.compile(r"\bplacebo\b|\bsham\b|\bvehicle\b")
ENROLMENT_SENTINEL = 99_999_999
"""The registry's placeholder for an enrolment that nobody gave."""

_LIMITLESS = frozenset({"", "n/a", "na", "none"})


def partial_date(node: Node, key: str, path: str, log: Log) -> PartialDate | None:
    """A date struct of the registry; `None` when absent or no date."""
    struct = child(node, key, path, log)
    value = text(struct, "date", f"{path}.{key}", log)
    if not value:
        return None
    if not _ISO.match(value):
        log.add(f"{path}.{key}.date", "not-a-date", f"Expected a date, found {value!r}.")
        return None
    return PartialDate(value, terms.date_kind(text(struct, "type", f"{path}.{key}", log)))


def posted_date(node: Node, key: str, fallback: str, path: str, log: Log) -> PartialDate | None:
    """A posting date; older records hold only the day of submission, which stands in with its kind unknown."""
    posted = partial_date(node, key, path, log)
    if posted is not None:
        return posted
    submitted = text(node, fallback, path, log)
    return PartialDate(submitted) if _ISO.match(submitted) else None


def enrolment(design: Node, path: str, log: Log) -> tuple[int | None, str]:
    """How many were enrolled and the registry's word for its kind; `None` for the sentinel 99999999."""
    info = child(design, "enrollmentInfo", path, log)
    at = f"{path}.enrollmentInfo"
    kind = text(info, "type", at, log)
    written = text(info, "count", at, log)
    if not written:
        return None, kind
    count = parse_count(written)
    if count is None:
        log.add(f"{at}.count", "not-a-count", f"Expected a whole number, found {written!r}.")
    elif count >= ENROLMENT_SENTINEL:
        log.add(f"{at}.count", "enrolment-sentinel", f"{count} stands for an enrolment that is not known.")
        return None, kind
    return count, kind


def phases(design: Node, path: str, log: Log) -> tuple[str, ...]:
    """The phases, `early 1` to `4`; empty when not applicable."""
    found: list[str] = []
    for index, value in enumerate(texts(design, "phases", path, log)):
        phase = terms.phase(value)
        if phase is None:
            log.add(f"{path}.phases[{index}]", "unknown-phase", f"{value!r} is no phase.")
        elif phase:
            found.append(phase)
    return tuple(found)


def eligibility(module: Node, path: str, log: Log) -> tuple[Eligibility, str]:
    """Who could enrol, and the criteria as text."""
    criteria = paragraphs(module, "eligibilityCriteria", path, log)
    ages: list[float | None] = []
    for key in ("minimumAge", "maximumAge"):
        written = text(module, key, path, log)
        age = age_years(written)
        if age is None and written.lower() not in _LIMITLESS:
            log.add(f"{path}.{key}", "not-an-age", f"{written!r} is no age.")
        ages.append(age)
    found = Eligibility(
        sex=terms.sex(text(module, "sex", path, log)),
        minimum_age=ages[0],
        maximum_age=ages[1],
        healthy_volunteers=flag(module, "healthyVolunteers", path, log),
        thresholds=thresholds(criteria),
    )
    return found, criteria


def countries(module: Node, path: str, log: Log) -> tuple[CountrySites, ...]:
    """Sites per country, most first."""
    sites: Counter[str] = Counter()
    for at, site in each(module, "locations", path, log):
        only = text(site, "countryOnly", at, log)
        if only:
            sites[only] += 0
        else:
            country = text(site, "country", at, log)
            if country:
                sites[country] += 1
    return tuple(CountrySites(name, count) for name, count in sorted(sites.items(), key=lambda pair: (-pair[1], pair[0])))


def planned_outcomes(module: Node, path: str, log: Log) -> tuple[PlannedOutcome, ...]:
    """The outcomes of the protocol, primary first."""
    found: list[PlannedOutcome] = []
    for role, key in _PLANNED:
        for at, item in each(module, key, path, log):
            found.append(PlannedOutcome(role, text(item, "measure", at, log), text(item, "timeFrame", at, log)))
    return tuple(found)


def arms_and_interventions(module: Node, path: str, log: Log) -> tuple[tuple[Arm, ...], tuple[Intervention, ...]]:
    """The registered arms with their doses, and the interventions, each once."""
    merged: dict[tuple[str, str], Intervention] = {}
    described: list[tuple[str, frozenset[str], str]] = []
    for at, item in each(module, "interventions", path, log):
        name = text(item, "name", at, log)
        kind = terms.words(text(item, "type", at, log))
        others = texts(item, "otherNames", at, log)
        known = merged.get((name, kind))
        merged[name, kind] = Intervention(name, kind, tuple(dict.fromkeys((*(known.other_names if known else ()), *others))))
        labels = frozenset(map(clean, texts(item, "armGroupLabels", at, log)))
        described.append((name, labels, text(item, "description", at, log)))
    interventions = tuple(merged.values())
    readers: dict[tuple[str, ...], DoseReader] = {}
    arms = tuple(_arm(item, at, interventions, described, readers, log) for at, item in each(module, "armGroups", path, log))
    if len(arms) == 1 and not arms[0].interventions and not any(labels for _, labels, _ in described):
        names = tuple(dict.fromkeys(item.name for item in interventions))
        arms = (Arm(arms[0].label, arms[0].type, names, arms[0].doses),)
    return arms, interventions


def _arm(
    item: Node,
    at: str,
    interventions: tuple[Intervention, ...],
    described: list[tuple[str, frozenset[str], str]],
    readers: dict[tuple[str, ...], DoseReader],
    log: Log,
) -> Arm:
    label = text(item, "label", at, log)
    names = tuple(dict.fromkeys(_KIND_PREFIX.sub("", name, count=1) for name in texts(item, "interventionNames", at, log)))
    doses: tuple[Dose, ...] = ()
    if not names or not all(_INERT.search(name.lower()) for name in names):
        doses = group_doses(label, text(item, "description", at, log), _reader(names, interventions, readers))
        if not doses:
            for name, labels, description in described:
                if label in labels:
                    doses += _reader((name,), interventions, readers).find(description)
    written = text(item, "type", at, log)
    kind = terms.arm_type(written)
    if kind == "unknown" and written:
        log.add(f"{at}.type", "unknown-arm-type", f"{written!r} is no type of arm.")
    for dose in doses:
        if not dose.intervention:
            log.add(at, "dose-without-agent", f"Whose dose {dose.text!r} is, is not said.")
    return Arm(label, kind, names, tuple(dict.fromkeys(doses)))


def _reader(
    names: tuple[str, ...], interventions: tuple[Intervention, ...], readers: dict[tuple[str, ...], DoseReader]
) -> DoseReader:
    """The reader of the doses of these interventions, or of all where none of them was registered."""
    if names not in readers:
        readers[names] = DoseReader(tuple(known for known in interventions if known.name in names) or interventions)
    return readers[names]
