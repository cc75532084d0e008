"""How alike a posted comparison and a target are: in [0, 1], as a weighted mean of named parts. Pure and deterministic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from deepimagine_tui.corpus.comparisons import ClassPoint, OutcomeProfile, Pair, Profile
from deepimagine_tui.corpus.words import agent, content_words, fold, words
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Eligibility

WEIGHTS: Mapping[str, float] = {
    "condition": 0.24,
    "intervention": 0.22,
    "comparator": 0.10,
    "outcome": 0.22,
    "unit": 0.06,
    "population": 0.04,
    "phase": 0.05,
    "time": 0.04,
    "geography": 0.02,
    "enrolment": 0.01,
}
"""What each part counts. A part that the target does not state is left out, and the others keep their proportions."""

_SAME = 0.999
_DIFFERS: tuple[tuple[Factor, tuple[str, ...]], ...] = (
    ("geography", ("geography",)),
    ("context", ("condition", "phase")),
    ("arm", ("intervention",)),
    ("comparator", ("comparator",)),
    ("outcome", ("outcome", "unit")),
    ("time_frame", ("time",)),
    ("population", ("population",)),
    ("enrolment", ("enrolment",)),
)
_KIND_SHARE = 0.25


class RetrievalTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What anchors are sought for. Everything may be left empty; what is empty is not compared.

    `conditions` and `interventions` are names or terms, `intervention_kinds` the registry's (`drug`, `biological`, …);
    `comparator` is `placebo`, `sham`, `no intervention`, `active` or a name; `time_weeks` after start; `phases` as in
    `Trial.phases`; `ages` the age limits and sex.
    """

    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    intervention_kinds: tuple[str, ...] = ()
    comparator: str = ""
    outcome_title: str = ""
    unit: str = ""
    time_weeks: float | None = None
    phases: tuple[str, ...] = ()
    ages: Eligibility | None = None
    countries: tuple[str, ...] = ()
    enrolment: int | None = None


class Sought(msgspec.Struct, frozen=True):
    """A target prepared for comparing with many candidates. `rarity` weighs the target's words; others weigh `usual`."""

    target: RetrievalTarget
    conditions: frozenset[str]
    agents: frozenset[str]
    outcome: frozenset[str]
    unit: frozenset[str]
    comparator: str
    rarity: Mapping[str, float]
    usual: float


def prepare(target: RetrievalTarget, rarity: Mapping[str, float]) -> Sought:
    """The target's words, computed once. `rarity` is the inverse document frequency of words of the target."""
    usual = sum(rarity.values()) / len(rarity) if rarity else 1.0
    return Sought(
        target=target,
        conditions=condition_words(target.conditions),
        agents=agent_words(target.interventions),
        outcome=content_words(target.outcome_title),
        unit=unit_words(target.unit),
        comparator=fold(target.comparator).strip(),
        rarity=rarity,
        usual=usual,
    )


def condition_words(conditions: Iterable[str]) -> frozenset[str]:
    """The telling words of diseases."""
    return frozenset().union(*(content_words(condition) for condition in conditions))


def agent_words(interventions: Iterable[str]) -> frozenset[str]:
    """The words of the substances given, without placebo."""
    names = (agent(name) for name in interventions)
    return frozenset(word for name in names for word in name.split()) - {"placebo"}


def overlap(wanted: frozenset[str], found: frozenset[str], sought: Sought) -> float:
    """Jaccard similarity of two sets of words, each word weighed by its rarity."""
    both = sum(sought.rarity.get(word, sought.usual) for word in wanted & found)
    either = sum(sought.rarity.get(word, sought.usual) for word in wanted | found)
    return both / either if either else 0.0


def trial_parts(sought: Sought, profile: Profile) -> dict[str, float]:
    """The parts that are the same for every comparison of a trial."""
    target = sought.target
    parts: dict[str, float] = {}
    if sought.conditions:
        parts["condition"] = _condition(sought, profile)
    if target.phases:
        parts["phase"] = _phase(target.phases, profile.phases)
    if target.ages:
        parts["population"] = _population(target.ages, profile)
    if target.countries:
        parts["geography"] = _jaccard(target.countries, profile.countries)
    if target.enrolment:
        parts["enrolment"] = _near(target.enrolment, profile.enrolment)
    return parts


def pair_parts(sought: Sought, profile: Profile, pair: Pair) -> dict[str, float]:
    """The parts that depend on which two arms are compared."""
    target = sought.target
    parts: dict[str, float] = {}
    if sought.agents or target.intervention_kinds:
        found = agent_words(pair.agents or profile.agents)
        same_kind = _jaccard(target.intervention_kinds, profile.kinds)
        parts["intervention"] = (1 - _KIND_SHARE) * overlap(sought.agents, found, sought) + _KIND_SHARE * same_kind
        if sought.agents and sought.agents == found:
            parts["intervention"] = 1.0
    if sought.comparator:
        parts["comparator"] = _comparator(sought.comparator, pair, profile)
    return parts


def outcome_parts(sought: Sought, outcome: OutcomeProfile, point: ClassPoint) -> dict[str, float]:
    """The parts that depend on what was measured and when."""
    parts: dict[str, float] = {}
    if sought.outcome:
        found = content_words(f"{outcome.title} {point.title}")
        parts["outcome"] = (
            overlap(sought.outcome, found, sought) + overlap(sought.outcome, found & sought.outcome, sought)
        ) / 2
    if sought.unit:
        parts["unit"] = _plain_jaccard(sought.unit, unit_words(outcome.unit))
    if sought.target.time_weeks is not None:
        parts["time"] = _near(sought.target.time_weeks, point.weeks)
    return parts


def unit_words(unit: str) -> frozenset[str]:
    """The words of a unit; `%` and `percentage` are `percent`."""
    return frozenset("percent" if word == "percentage" else word for word in words(unit.replace("%", " percent ")))


def similarity(parts: Mapping[str, float]) -> float:
    """The weighted mean of the parts, rounded so that every machine agrees; 0 when there is none."""
    total = sum(WEIGHTS[name] for name in parts)
    return round(sum(WEIGHTS[name] * value for name, value in parts.items()) / total, 6) if total else 0.0


def differing(parts: Mapping[str, float]) -> tuple[Factor, ...]:
    """The factors in which something differs, in walking order."""
    return tuple(factor for factor, names in _DIFFERS if any(parts.get(name, 1.0) < _SAME for name in names))


def _condition(sought: Sought, profile: Profile) -> float:
    """All names against all, and against each alone; or the target's names one by one, each as far as it is a telling one: a
    disease that is studied under a second name too is no less the same."""
    found = [content_words(name) for name in profile.conditions]
    whole = overlap(sought.conditions, condition_words(profile.conditions), sought)
    alone = max((overlap(sought.conditions, name, sought) for name in found), default=0.0)
    wanted = [name for name in map(content_words, sought.target.conditions) if name]
    most = max((_rarity_of(name, sought) for name in wanted), default=0.0)
    named = (_rarity_of(name, sought) / most * overlap(name, other, sought) for name in wanted for other in found if most)
    return max(whole, alone, max(named, default=0.0))


def _rarity_of(name: frozenset[str], sought: Sought) -> float:
    return sum(sought.rarity.get(word, sought.usual) for word in name)


def _comparator(wanted: str, pair: Pair, profile: Profile) -> float:
    if wanted == pair.comparator:
        return 1.0
    if pair.comparator == "active" and any(word in wanted for name in profile.agents for word in name.split()):
        return 0.8
    inert = {"placebo", "sham", "no intervention"}
    return 0.4 if wanted in inert and pair.comparator in inert else 0.0


def _phase(wanted: tuple[str, ...], found: tuple[str, ...]) -> float:
    if set(wanted) == set(found):
        return 1.0
    if not found:
        return 0.0
    return max(0.0, 1 - min(abs(_rank(one) - _rank(other)) for one in wanted for other in found) / 3) * 0.9


def _rank(phase: str) -> float:
    return 0.5 if phase == "early 1" else float(phase)


def _population(wanted: Eligibility, profile: Profile) -> float:
    low, high = (
        max(wanted.minimum_age or 0.0, profile.minimum_age or 0.0),
        min(_oldest(wanted.maximum_age), _oldest(profile.maximum_age)),
    )
    first, last = (
        min(wanted.minimum_age or 0.0, profile.minimum_age or 0.0),
        max(_oldest(wanted.maximum_age), _oldest(profile.maximum_age)),
    )
    ages = max(0.0, high - low) / (last - first) if last > first else 1.0
    return ages * (1.0 if wanted.sex == profile.sex or "unknown" in (wanted.sex, profile.sex) else 0.5)


def _oldest(age: float | None) -> float:
    return 100.0 if age is None else min(age, 100.0)


def _jaccard(wanted: Iterable[str], found: Iterable[str]) -> float:
    return _plain_jaccard(frozenset(map(fold, wanted)), frozenset(map(fold, found)))


def _plain_jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


def _near(wanted: float, found: float | None) -> float:
    """1 where two amounts are equal, halved where one is twice the other, 0 where one is unknown."""
    if found is None:
        return 0.0
    return math.exp(-abs(math.log((wanted + 0.5) / (found + 0.5)))) if min(wanted, found) >= 0 else float(wanted == found)
