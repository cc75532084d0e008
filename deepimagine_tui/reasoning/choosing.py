"""Which posted results of a trial can be anchors, and which one a few typed words, or none, mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.agents import agent_of, is_same, ratio
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.matching import Option, choose, find, listed
from deepimagine_tui.reasoning.naming import choose_arm
from deepimagine_tui.reasoning.parts import is_comparison, other_part
from deepimagine_tui.reasoning.posted import find_cell, is_start, places, time_of, usable
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.specs import arm_spec_of_class, arm_spec_of_group
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.words import plain, same_weeks
from deepimagine_tui.trials.concepts.time_points import weeks
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Cell, Outcome

CONTROL_ORDER = ("placebo", "sham", "no intervention", "active", "unknown", "none")
_HIGH = re.compile(r"\b(?:high(?:est|er)?|maximum)[- ]dos(?:e|age)\b", re.I)
_INDEX = re.compile(r"^o?(\d{1,4})$")


class AnchorChoice(msgspec.Struct, frozen=True):
    """A posted result that can be an anchor. `number` counts the trial's outcomes from 1; `where` names class and category;
    `weeks` is when it was measured; `comparator` is `None` for a single arm."""

    ref: AnchorRef
    number: int
    outcome: str
    role: str
    unit: str
    where: str
    weeks: float | None
    arm: ArmSpec
    comparator: ArmSpec | None

    @property
    def label(self) -> str:
        """The choice in one line."""
        place = f" [{self.where}]" if self.where else ""
        against = f" vs {self.comparator.label}" if self.comparator else ""
        return f"{self.number} {self.outcome}{place}: {self.arm.label}{against}"


def anchor_choices(trial: Trial) -> tuple[AnchorChoice, ...]:
    """Every result of `trial` that can be an anchor, in the order posted.

    k1 is never a placebo, a sham or no intervention unless every arm is; k2 is any other arm that got something else
    (`parts.is_comparison`). A single arm is a choice only where no two arms have values.
    """
    return tuple(choice for number in range(1, len(trial.outcomes) + 1) for choice in choices_of(trial, number))


def default_anchor(
    trial: Trial, *, arm: str | None = None, comparator: str | None = None, outcome: str | None = None
) -> AnchorRef:
    """The anchor that is meant when little or nothing is said.

    Defaults: the first primary outcome with values in two or more arms (else the first such outcome of any role, else a single
    arm); of several times the latest, of other classes the first; as k1 the highest dose; as k2 placebo, else sham, no
    intervention or an active control, else the lowest dose. Texts are group ids, titles or words of them, doses (`10 mg`), or
    for the outcome its number; `HbA1c @ week 24` names a class.

    Raises:
        UsageError: a text fits nothing or several things; the hint lists the choices.
        RefusedError: the trial has no result that can be an anchor.
    """
    if not trial.has_results:
        raise RefusedError(f"{trial.nct_id} has no posted results to start from.", "Forecast it instead.")
    choices: Sequence[AnchorChoice] = anchor_choices(trial)
    if not choices:
        raise RefusedError(f"No posted value of {trial.nct_id} can be an anchor: none belongs to an arm.")
    if outcome is not None:
        choices = _with_outcome(trial, choices, outcome)
    if arm is not None:
        choices = _with_side(choices, arm, "arm", lambda choice: choice.arm)
    if comparator is not None:
        choices = _with_side([c for c in choices if c.comparator], comparator, "comparator", lambda choice: choice.comparator)
    first = min(choices, key=lambda choice: (choice.comparator is None, choice.role != "primary", choice.number))
    same_outcome = [choice for choice in choices if choice.number == first.number]
    here = default_place(same_outcome)
    k1 = highest_dose(dict.fromkeys(choice.arm for choice in here))
    return default_comparator(trial, [choice for choice in here if choice.arm == k1]).ref


def choices_of(trial: Trial, number: int) -> Iterator[AnchorChoice]:
    """The choices of one outcome of `trial`, counted from 1."""
    outcome = trial.outcomes[number - 1]
    if outcome.class_axis == "arm":
        yield from _arms_as_classes(trial, number, outcome)
        return
    groups = [group for group in outcome.groups if group.kind == "arm"]
    specs = {group.id: arm_spec_of_group(trial, group) for group in groups}
    for class_title, category in places(outcome):
        cells = [(specs[g.id], cell) for g in groups if (cell := find_cell(outcome, g.id, class_title, category)) is not None]
        pairs = [pair for pair in _pairs(outcome, cells) if is_comparison(trial, outcome, pair[0][0], pair[1][0])]
        for (first, cell), (second, _) in pairs:
            ref = AnchorRef(trial.nct_id, outcome.id, first.group_id, second.group_id, class_title, category)
            yield _choice(ref, number, outcome, cell, first, second)
        if not pairs:
            yield from _single_arms(trial, number, outcome, class_title, category)


def _pairs(outcome: Outcome, cells: list[tuple[ArmSpec, Cell]]) -> Iterator[tuple[tuple[ArmSpec, Cell], tuple[ArmSpec, Cell]]]:
    tested = [side for side in cells if side[0].control not in INERT] or cells
    for first in tested:
        for second in cells:
            if first is not second and usable(outcome, first[0].group_id, second[0].group_id, (first[1], second[1])):
                yield first, second


def _single_arms(trial: Trial, number: int, outcome: Outcome, class_title: str, category: str) -> Iterator[AnchorChoice]:
    for group in outcome.groups:
        cell = find_cell(outcome, group.id, class_title, category)
        if group.kind in ("arm", "whole study") and cell is not None and cell.value is not None:
            ref = AnchorRef(trial.nct_id, outcome.id, group.id, None, class_title, category)
            yield _choice(ref, number, outcome, cell, arm_spec_of_group(trial, group), None)


def _arms_as_classes(trial: Trial, number: int, outcome: Outcome) -> Iterator[AnchorChoice]:
    for group in outcome.groups:
        for category in dict.fromkeys(cell.category for cell in outcome.cells):
            cells = [
                (arm_spec_of_class(trial, outcome, group, cell.class_title), cell)
                for cell in outcome.cells
                if cell.group_id == group.id and cell.category == category and cell.value is not None and cell.class_title
            ]
            for (first, cell), (second, _) in _pairs(outcome, cells):
                ref = AnchorRef(trial.nct_id, outcome.id, group.id, group.id, first.class_title, category, second.class_title)
                yield _choice(ref, number, outcome, cell, first, second)


def _choice(
    ref: AnchorRef, number: int, outcome: Outcome, cell: Cell, arm: ArmSpec, comparator: ArmSpec | None
) -> AnchorChoice:
    class_title = "" if ref.comparator_class_title else ref.class_title
    time = time_of(outcome, cell)
    where = ": ".join(part for part in (class_title, ref.category) if part)
    weeks_after = time.weeks if time else None
    return AnchorChoice(ref, number, outcome.title, outcome.role, outcome.unit, where, weeks_after, arm, comparator)


def outcome_number(trial: Trial, choices: Sequence[AnchorChoice], text: str) -> int | None:
    """Which outcome of `trial`, from 1, a text means: its number (`2`, `O2`), id, title or words of it, before any `@`.

    `None` when no outcome among `choices` fits.

    Raises:
        UsageError: there is no outcome of that number, or several fit; the hint lists them.
        RefusedError: the outcome has nothing to start from.
    """
    title = text.partition("@")[0].strip()
    index = _INDEX.match(plain(title))
    if index is None:
        with_choices = {choice.number for choice in choices}
        named = [(n, outcome) for n, outcome in enumerate(trial.outcomes, 1) if n in with_choices]
        found = find(title, [Option(n, outcome.title, (str(n), outcome.id)) for n, outcome in named], "outcome")
        return found.value if found else None
    number = int(index[1])
    if not 1 <= number <= len(trial.outcomes):
        raise UsageError(f"There is no outcome {number}.", f"{trial.nct_id} has outcomes 1 to {len(trial.outcomes)}.")
    if all(choice.number != number for choice in choices):
        raise RefusedError(f"Outcome {number}, {trial.outcomes[number - 1].title}, has no value of an arm to start from.")
    return number


def _with_outcome(trial: Trial, choices: Sequence[AnchorChoice], text: str) -> list[AnchorChoice]:
    number = outcome_number(trial, choices, text)
    if number is None:
        titles = dict.fromkeys((choice.number, choice.outcome) for choice in choices)
        hint = listed([Option(n, title, (str(n),)) for n, title in titles])
        raise UsageError(f"No outcome of {trial.nct_id} is {text!r}.", f"There are: {hint}.")
    return choices_at([choice for choice in choices if choice.number == number], text.partition("@")[2].strip())


def choices_at(choices: list[AnchorChoice], text: str) -> list[AnchorChoice]:
    """Those of one outcome's `choices` at the time or class that a text names; all of them when it is empty.

    Raises:
        UsageError: there is no such class, or several; the hint lists them.
    """
    if not text:
        return choices
    at = weeks(text)
    timed = [c for c in choices if at is not None and c.weeks is not None and same_weeks(c.weeks, at)]
    if timed:
        return timed
    where = choose(text, [Option(name, name) for name in dict.fromkeys(choice.where for choice in choices)], "class")
    return [choice for choice in choices if choice.where == where]


def _with_side(
    choices: Sequence[AnchorChoice], text: str, what: str, side: Callable[[AnchorChoice], ArmSpec | None]
) -> list[AnchorChoice]:
    """The choices whose `side` is what `text` means, matched among the arms of the first outcome that can decide it."""
    problem: UsageError | None = None
    for number in dict.fromkeys(choice.number for choice in sorted(choices, key=lambda c: (c.role != "primary", c.number))):
        here = [choice for choice in choices if choice.number == number]
        arms = dict.fromkeys(arm for choice in here if (arm := side(choice)) is not None)
        try:
            chosen = choose_arm(text, tuple(arms), what)
        except UsageError as error:
            problem = problem or error
            continue
        return [choice for choice in here if side(choice) == chosen]
    raise problem or UsageError(f"No {what} is {text!r}.")


def default_place(choices: list[AnchorChoice]) -> list[AnchorChoice]:
    """The latest time, or else the first class and category after the start, of one outcome's choices."""
    choices = [choice for choice in choices if not is_start(choice.where)] or choices
    times = [choice.weeks for choice in choices if choice.weeks is not None]
    if len(set(times)) > 1:
        choices = [choice for choice in choices if choice.weeks == max(times)]
    first = choices[0].where
    return [choice for choice in choices if choice.where == first]


def highest_dose(arms: Iterable[ArmSpec]) -> ArmSpec:
    """The highest dose of the agent whose dose varies over most arms, among the arms that are no control; else the first that
    is called the high dose, else the first.

    An arm that lists several doses of one agent (a regimen) says nothing about that agent.
    """
    listed = list(arms)
    tested = [a for a in listed if a.control in ("none", "unknown")] or [a for a in listed if a.control == "active"] or listed
    carried: dict[str, list[tuple[ArmSpec, Dose]]] = {}
    for arm in tested:
        agents = Counter(agent_of(dose, arm) for dose in arm.doses)
        for dose in arm.doses:
            if agents[agent_of(dose, arm)] == 1:
                carried.setdefault(agent_of(dose, arm), []).append((arm, dose))
    varied = [pairs for pairs in carried.values() if not all(is_same(dose, pairs[0][1]) for _, dose in pairs)]
    if not varied:
        return min(tested, key=lambda arm: _HIGH.search(arm.label) is None)
    best, *rest = max(varied, key=len)
    for pair in rest:
        times = ratio(pair[1], best[1])
        if times is not None and times > 1:
            best = pair
    return best[0]


def default_comparator(trial: Trial, choices: list[AnchorChoice]) -> AnchorChoice:
    """The choice against placebo, sham, nothing, an active control, of k1's part of the trial before others; of several such
    the one that a posted contrast compares with k1; else against the lowest dose of k1's agent."""

    def rank(choice: AnchorChoice) -> tuple[bool, int, bool, float]:
        if choice.comparator is None:
            return True, len(CONTROL_ORDER), True, 0.0
        groups = {choice.ref.arm_group_id, choice.ref.comparator_group_id}
        compared = any(set(contrast.group_ids) == groups for contrast in trial.outcomes[choice.number - 1].contrasts)
        times = [t for a in choice.comparator.doses for b in choice.arm.doses if (t := ratio(a, b)) is not None]
        apart = other_part(choice.arm, choice.comparator)
        return apart, CONTROL_ORDER.index(choice.comparator.control), not compared, min(times, default=1.0)

    return min(choices, key=rank)
