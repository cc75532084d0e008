"""Natural pairs: two posted comparisons of one trial that differ in one factor and are equal in everything else.

Equal means: the other arm of the comparison is the same, and so are, as far as the factor leaves them, outcome, class,
category, time, unit, parameter, change basis and analysis set. A posted comparison never joins a pooled group with its member,
two subgroups or two crossover periods (`reasoning.observed`), arms of two parts of a trial are never compared, since nobody was
randomised between them, and values of the start of a trial are no results.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from msgspec.structs import replace

from deepimagine_training.quota import Quota
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation.comparisons import parts_of
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.reasoning.agents import same_doses
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.difference import path
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, OutcomeSpec, Perturbation, State
from deepimagine_tui.reasoning.words import class_rest, measure_key, plain, unit_key
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import TimePoint

NATURAL_FACTORS: tuple[Factor, ...] = ("arm", "dose", "comparator", "outcome", "time_frame")
"""The factors in which two results of one trial can differ; of the others a registry posts one value a trial."""

_TOGETHER: tuple[tuple[Factor, ...], ...] = (("arm", "dose"), ("comparator",), ("outcome",), ("time_frame",))
"""The same factors, those together between which only the path can tell."""

OVER_QUOTA = "over the number of pairs a trial and factor"

_OF_A_GROUP = 40
"""So many comparisons that could pair with one another are looked at, those with a verdict first, then by hash."""


class DrawnPair(NamedTuple):
    """Two observed states and the changes that lead from the first to the second; `unknown` could not be compared."""

    source: State
    target: State
    perturbations: tuple[Perturbation, ...]
    unknown: tuple[Factor, ...] = ()


def natural_pairs(nct_id: str, states: Iterable[State], quota: Quota, excluded: Counter[str]) -> Iterator[DrawnPair]:
    """The natural pairs among comparisons of the trial `nct_id`, each unordered pair once, while `quota` is not full.

    Whoever takes a pair counts it in `quota` before asking for the next one. Pairs whose two verdicts are known come first,
    among equals a hash decides, and so it does which of the two is the source. `excluded` counts what was not taken, by
    reason.
    """
    groups = _grouped(states)
    for factors in _TOGETHER:
        seen: set[tuple[str, str]] = set()
        for first, second in _candidates(groups[factors[0]]):
            if (first.id, second.id) in seen:
                continue
            seen.add((first.id, second.id))
            if all(quota.is_full((nct_id,), factor) for factor in factors):
                excluded[OVER_QUOTA] += 1
                continue
            if not _equal_otherwise(factors[0], first.configuration, second.configuration):
                excluded["differs in unit, change basis, analysis set or arms as well, or neither comparator is a control"] += 1
                continue
            drawn = _drawn(first, second)
            if drawn is None or drawn.perturbations[0].factor not in factors:
                excluded["differs in more than one factor, or in none"] += 1
            elif quota.is_full((nct_id,), drawn.perturbations[0].factor):
                excluded[OVER_QUOTA] += 1
            else:
                yield drawn


def undetermined(*states: State) -> int:
    """How many of the states have no verdict."""
    return sum(state.met is None or state.met.verdict == "undetermined" for state in states)


def _drawn(first: State, second: State) -> DrawnPair | None:
    """The pair with the changes between them; `None` unless there is exactly one change."""
    try:
        way = path(first.configuration, second.configuration, same_trial=True)
    except RefusedError:
        return None
    if len(way.perturbations) != 1:
        return None
    return DrawnPair(first, second, way.perturbations)


def _grouped(states: Iterable[State]) -> dict[str, dict[Hashable, list[State]]]:
    """By factor, the states that are alike in all but that factor, as far as names tell; `_equal_otherwise` makes sure."""
    groups: dict[str, dict[Hashable, list[State]]] = {factor: defaultdict(list) for factor in NATURAL_FACTORS}
    listed = list(states)
    controls = _controls(listed)
    for state in listed:
        arm, comparator, outcome = state.configuration.arm, state.configuration.comparator, state.configuration.outcome
        assert comparator is not None
        place = outcome.outcome_id, outcome.class_title, outcome.category
        if arm.control in ("none", "unknown"):
            groups["comparator"][place, _group(arm), parts_of(arm)].append(state)
        if _group(comparator) not in controls[place]:
            continue
        groups["arm"][place, _group(comparator), parts_of(arm)].append(state)
        arms = plain(arm.label), plain(comparator.label), arm.class_title, comparator.class_title
        time = _time_key(state.configuration.time)
        if time:
            groups["outcome"][arms, time, outcome.analysis_set].append(state)
        if state.configuration.time is not None and state.configuration.time.weeks is not None:
            groups["time_frame"][arms, _measure(outcome)].append(state)
    return groups


def _controls(states: list[State]) -> dict[tuple[str, str, str], set[tuple[str, str]]]:
    """By place, the groups that arms are compared with there: the inert controls, else the active ones, else every arm."""
    kinds: dict[tuple[str, str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    for state in states:
        outcome, comparator = state.configuration.outcome, state.configuration.comparator
        assert comparator is not None
        kinds[outcome.outcome_id, outcome.class_title, outcome.category][_group(comparator)] = comparator.control
    chosen = {}
    for place, of_group in kinds.items():
        inert = {group for group, control in of_group.items() if control in INERT}
        active = {group for group, control in of_group.items() if control == "active"}
        chosen[place] = inert or active or set(of_group)
    return chosen


def _group(arm: ArmSpec) -> tuple[str, str]:
    return arm.group_id, arm.class_title


def _time_key(time: TimePoint | None) -> str:
    """One text for times that may be the same; empty where no time is stated."""
    if time is None:
        return ""
    return plain(time.text) if time.weeks is None else f"{time.weeks:.0f}" if time.weeks >= 4 else f"{time.weeks:.2f}"


def _measure(outcome: OutcomeSpec) -> Hashable:
    """What has to be the same for two values to be of one measure at two times."""
    return (
        measure_key(outcome.title),
        plain(class_rest(outcome.class_title)),
        plain(outcome.category),
        unit_key(outcome.unit),
        outcome.parameter,
        outcome.kind,
        outcome.change_basis,
        outcome.analysis_set,
        outcome.benefit,
    )


def _candidates(groups: dict[Hashable, list[State]]) -> list[tuple[State, State]]:
    """Pairs within the groups, those with two verdicts first, then by hash; the hash decides which one is the source."""
    pairs = []
    for group in groups.values():
        few = sorted(group, key=lambda state: (_unclear(state), hash_share("state", state.id), state.id))[:_OF_A_GROUP]
        for one, other in combinations(few, 2):
            first, second = (one, other) if one.id < other.id else (other, one)
            at = hash_share("pair", first.id, second.id)
            forward = hash_share("direction", first.id, second.id) < 0.5
            pairs.append((_unclear(one) + _unclear(other), at, (first, second) if forward else (second, first)))
    pairs.sort(key=lambda pair: (pair[0], pair[1], pair[2][0].id, pair[2][1].id))
    return [pair for _, _, pair in pairs]


def _unclear(state: State) -> int:
    """How much of what is asked about a state is not known: its verdict before its direction of benefit."""
    return 2 * undetermined(state) + (state.configuration.outcome.benefit == "unknown")


def _equal_otherwise(factor: Factor, a: Configuration, b: Configuration) -> bool:
    """Whether two configurations of one trial are equal in everything but `factor`; of two comparators one is a control."""
    match factor:
        case "arm":
            return replace(a, arm=b.arm) == b
        case "comparator":
            controls = [arm.control not in ("none", "unknown") for arm in (a.comparator, b.comparator) if arm is not None]
            return any(controls) and replace(a, comparator=b.comparator) == b
        case "time_frame":
            return _same_arms(a, b) and _measure(a.outcome) == _measure(b.outcome)
        case "outcome":
            another = a.outcome.outcome_id != b.outcome.outcome_id
            return another and _same_arms(a, b) and a.outcome.analysis_set == b.outcome.analysis_set
        case _:
            return False


def _same_arms(a: Configuration, b: Configuration) -> bool:
    """Whether the arms of two outcomes are the same arms: by label, agents, control and doses."""
    sides = ((a.arm, b.arm), (a.comparator, b.comparator))
    return all(one is not None and other is not None and _same_arm(one, other) for one, other in sides)


def _same_arm(a: ArmSpec, b: ArmSpec) -> bool:
    same_words = plain(a.label) == plain(b.label) and plain(a.class_title) == plain(b.class_title)
    return same_words and (a.interventions, a.control) == (b.interventions, b.control) and same_doses(a, b)
