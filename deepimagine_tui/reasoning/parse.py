"""The one parser of completions: engine, evaluation and training read an answer with this and nothing else.

Strict and total: a text is either an answer in exactly the form that was asked for, or a problem with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from deepimagine_tui.backends.protocol import Slot

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
"""What a number slot may hold: an optional sign, digits, at most one decimal point."""

MAX_DIGITS = 40
"""A longer number is not an answer."""


class ParsedAnswer(msgspec.Struct, frozen=True):
    """A completion read back: the reasoning before the form, the choices and the numbers by slot name."""

    reasoning: str
    choices: dict[str, str]
    numbers: dict[str, float]


class ParseProblem(msgspec.Struct, frozen=True):
    """Why a completion is not an answer. `slot` names the slot at which reading stopped, empty where none was found."""

    reason: str
    slot: str = ""


def parse(completion: str, slots: Sequence[Slot]) -> ParsedAnswer | ParseProblem:
    """Read `completion` as reasoning followed by `slots`, each lead followed by its value, in their order, once each.

    A slot's value is the rest of its line, without the space around it. Reasoning may span lines. What follows the last
    slot's line is not part of the answer, unless it starts the form a second time, which makes the answer ambiguous.
    Total: any text and any slots give a result.
    """
    if not slots:
        return ParsedAnswer(completion.strip(), {}, {})
    start = completion.find(slots[0].lead)
    if start < 0:
        return ParseProblem(f"the answer has no line {_shown(slots[0])}", slots[0].name)
    choices: dict[str, str] = {}
    numbers: dict[str, float] = {}
    position = start
    for slot in slots:
        if not completion.startswith(slot.lead, position):
            return ParseProblem(f"the line {_shown(slot)} is missing or not in its place", slot.name)
        position += len(slot.lead)
        end = completion.find("\n", position)
        end = len(completion) if end < 0 else end
        text = completion[position:end].strip()
        position = end
        problem = _read(slot, text, choices, numbers)
        if problem:
            return ParseProblem(problem, slot.name)
    if slots[0].lead in completion[position:]:
        return ParseProblem("the answer is given more than once", slots[0].name)
    return ParsedAnswer(completion[:start].strip(), choices, numbers)


def _read(slot: Slot, text: str, choices: dict[str, str], numbers: dict[str, float]) -> str:
    """Store the value of `slot`; return what is wrong with it, empty if nothing is."""
    if slot.kind == "number":
        if len(text) > MAX_DIGITS or not NUMBER.fullmatch(text) or not text.isascii():
            return f"the line {_shown(slot)} holds {_quoted(text)}, not a number"
        numbers[slot.name] = float(text)
        return ""
    if text not in {option.strip() for option in slot.options}:
        return f"the line {_shown(slot)} holds {_quoted(text)}, not one of {', '.join(o.strip() for o in slot.options)}"
    choices[slot.name] = text
    return ""


def _shown(slot: Slot) -> str:
    return f"“{slot.lead.strip()}”"


def _quoted(text: str) -> str:
    return f"“{text[:40]}”" if text else "nothing"
