"""When two parts of configurations count as the same: arms, outcomes, countries, conditions. For paths and landings alike."""

from __future__ import annotations

from deepimagine_tui.reasoning.agents import agent_of, agents_of, same_doses
from deepimagine_tui.reasoning.state import ArmSpec, OutcomeSpec, Population
from deepimagine_tui.reasoning.typed.countries import country_key
from deepimagine_tui.reasoning.words import class_rest, condition_key, measure_key, plain, unit_key
from deepimagine_tui.trials.model import CountrySites

SAME_SHARES = 0.1
"""Total variation between two distributions of sites over countries up to which the geography is the same."""
SAME_MEASURE = 0.75
"""The share of words that two titles of one measure have in common, at least."""

INERT = ("placebo", "sham", "no intervention")


def same_agents(a: ArmSpec, b: ArmSpec, same_trial: bool = False) -> bool:
    """Whether two arms are of the same agents, doses aside, or the same kind of inert control.

    Within one trial another label is another arm, unless what differs is a dose.
    """
    if plain(a.label) == plain(b.label):
        return a.control == b.control or "unknown" in (a.control, b.control)
    if same_trial and (not a.doses or not b.doses or same_doses(a, b)):
        return False
    if a.control in INERT or b.control in INERT:
        return a.control == b.control
    first, second = agents_of(a), agents_of(b)
    return bool(first) and first == second


def differ_as_regimens(a: ArmSpec, b: ArmSpec) -> bool:
    """Whether doses differ in a way that single doses cannot express: several of one agent."""
    if not a.doses or not b.doses or same_doses(a, b):
        return False
    return any(len({agent_of(dose, arm) for dose in arm.doses}) < len(arm.doses) for arm in (a, b))


def same_outcome(a: OutcomeSpec, b: OutcomeSpec) -> bool:
    """Whether two outcomes are one measure on one scale, as far as both say: words, unit, kind, change basis."""
    if a.outcome_id and a.outcome_id == b.outcome_id:
        return (class_rest(a.class_title), a.category) == (class_rest(b.class_title), b.category)
    if a.kind != b.kind and "unknown" not in (a.kind, b.kind):
        return False
    if a.change_basis != b.change_basis and "unknown" not in (a.change_basis, b.change_basis):
        return False
    if a.unit and b.unit and unit_key(a.unit) != unit_key(b.unit):
        return False
    if plain(class_rest(a.class_title)) != plain(class_rest(b.class_title)) or plain(a.category) != plain(b.category):
        return False
    first, second = measure_key(a.title), measure_key(b.title)
    return first == second or len(first & second) / len(first | second) >= SAME_MEASURE


def same_countries(a: tuple[CountrySites, ...], b: tuple[CountrySites, ...]) -> bool:
    """Whether two geographies are close: by shares of sites where all are counted, else the same countries."""
    first, second = _shares(a), _shares(b)
    if first is None or second is None:
        return {country_key(place.country) for place in a} == {country_key(place.country) for place in b}
    return sum(abs(first.get(name, 0) - second.get(name, 0)) for name in {*first, *second}) / 2 <= SAME_SHARES


def _shares(countries: tuple[CountrySites, ...]) -> dict[str, float] | None:
    total = sum(place.sites for place in countries)
    if not total or not all(place.sites for place in countries):
        return {country_key(countries[0].country): 1.0} if len(countries) == 1 else None
    shares: dict[str, float] = {}
    for place in countries:
        shares[country_key(place.country)] = shares.get(country_key(place.country), 0.0) + place.sites / total
    return shares


def same_conditions(a: Population, b: Population) -> bool | None:
    """Whether two populations have the same conditions, by their names or by the registry's vocabulary; `None` where either
    names none. A broader term beside a narrower one (`Diabetes Mellitus` beside its type 2) adds nothing."""
    if not a.conditions or not b.conditions:
        return None
    first, second = ({_narrowest(each.conditions), _narrowest(each.condition_terms)} - {frozenset()} for each in (a, b))
    return bool(first & second)


def _narrowest(names: tuple[str, ...]) -> frozenset[frozenset[str]]:
    keys = set(map(condition_key, names))
    return frozenset(key for key in keys if not any(key < other for other in keys))
