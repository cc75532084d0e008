"""Which groups of a trial can be compared: arms that got different things, and best those of one part of the trial."""

from __future__ import annotations

import re

from deepimagine_tui.reasoning.agents import agents_of, same_doses
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.posted import is_start
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.words import class_rest, plain
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Outcome

_NUMBERED = re.compile(r"\b(part|phase|stage|study|sub-?study|cohort|period)[\s-]*(\d+[a-z]?|[ivx]+[ab]?|[a-d])\b")
_NAMED = re.compile(r"^([\w -]{2,30}?) (trial|study|part|cohort)\s*[:,-]")


def is_comparison(trial: Trial, outcome: Outcome, arm: ArmSpec, comparator: ArmSpec) -> bool:
    """Whether two posted groups differ in what they got.

    They do not where one registered arm is all there is and doses, agents and controls are the same (strata of the
    participants: two histologies, responders, grades), nor where one is only a time (`Day 60`,
    `Pre-infusion`).
    """
    if any(_is_moment(outcome, side) for side in (arm, comparator)):
        return False
    if len(trial.arms) != 1 or not same_doses(arm, comparator):
        return True
    inert = arm.control in INERT, comparator.control in INERT
    return inert[0] != inert[1] or agents_of(arm) != agents_of(comparator)


def other_part(arm: ArmSpec, comparator: ArmSpec) -> bool:
    """Whether two labels name different parts of a trial: `Placebo (Part 1)` beside `Drug (Part 2)`."""
    first, second = _parts(arm.label), _parts(comparator.label)
    return any(first[name] != second[name] for name in first.keys() & second.keys())


def _is_moment(outcome: Outcome, side: ArmSpec) -> bool:
    linked = side.group_id and outcome.group(side.group_id).link is not None
    return not linked and not side.doses and (not class_rest(side.label) or is_start(side.label))


def _parts(label: str) -> dict[str, str]:
    text = plain(label)
    found = {match[1]: match[2] for match in _NUMBERED.finditer(text)}
    named = _NAMED.match(text)
    return found | {named[2]: named[1]} if named else found
