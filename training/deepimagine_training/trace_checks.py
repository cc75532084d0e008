"""Why an answer of a teacher may not become a trace: not right, or its reasoning gives away what it should lead to."""

from __future__ import annotations

import re
from typing import Any, Literal

from deepimagine_training.guard_rails import Rail, broken_rail
from deepimagine_training.tasks import Task
from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.reasoning import prompts, scoring
from deepimagine_tui.reasoning.parse import ParsedAnswer, ParseProblem, parse
from deepimagine_tui.reasoning.state import Number, State
from deepimagine_tui.reasoning.steps import answered

Reason = Literal[
    Rail,
    "no answer",
    "too long",
    "answered early",
    "names a trial",
    "quotes the result",
    "wrong verdict",
    "wrong direction",
    "wrong value",
]

MAX_CHARACTERS = 600
RIGHT_ERROR = 0.2
"""e up to which a value is right where neither verdict nor direction is posted: a small effect by Cohen's convention."""

_TRIAL = re.compile(r"\bNCT\s?\d{6,}|\b[A-Z]{5,}-\d+\b|\b[A-Z]{4,}(?:-\d+)?(?= (?:trial|study)\b)")
"""An NCT id, a name in capitals with a number (SUSTAIN-6), or one before the word trial (the LEADER trial)."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def objection(task: Task, completion: str, verdict: SlotFilled | None, *, cut: bool = False) -> Reason | None:
    """The first reason against the answer `completion`; `None` where its reasoning may become a trace.

    Args:
        task: What was asked, and what was posted.
        completion: Reasoning and the filled form.
        verdict: What the backend told of the verdict slot, if anything.
        cut: Whether the token limit ended the reasoning.
    """
    answer = parse(completion, task.question.slots)
    if isinstance(answer, ParseProblem):
        return "form"
    reasoning, prompt = answer.reasoning, task.question.prompt
    if cut or len(reasoning) > MAX_CHARACTERS:
        return "too long"
    if any(slot.lead.strip().casefold() in reasoning.casefold() for slot in task.question.slots):
        return "answered early"
    if names_trial(reasoning, prompt):
        return "names a trial"
    if quotes_result(reasoning, prompt, task.target):
        return "quotes the result"
    return broken_rail(reasoning, prompt) or _mistake(task, answer, verdict)


def names_trial(reasoning: str, prompt: str) -> bool:
    """Whether `reasoning` names a trial that the prompt does not."""
    return any(match[0] not in prompt for match in _TRIAL.finditer(reasoning))


def quotes_result(reasoning: str, prompt: str, target: State) -> bool:
    """Whether `reasoning` holds a posted number of `target`, as it was posted or rounded, that the prompt does not hold.

    Signs do not matter. A single digit is no quotation: it may count anything.
    """
    posted = _posted(target)
    given = {float(text) for text in _NUMBER.findall(prompt)}
    for text in _NUMBER.findall(reasoning):
        said, decimals = float(text), len(text.partition(".")[2])
        if said in given or (len(text.replace(".", "").lstrip("0")) < 2 and not decimals):
            continue
        if any(abs(said - value) <= 0.5 * 10**-decimals * (1 + 1e-9) for value in posted):
            return True
    return False


def _posted(target: State) -> list[float]:
    """All numbers of a result, without their signs."""
    contrast = target.contrast
    numbers: list[Number | None] = [
        target.arm_value,
        target.comparator_value,
        contrast.number if contrast is not None else None,
    ]
    found = [float(text) for text in _NUMBER.findall(contrast.p_text)] if contrast is not None else []
    for number in numbers:
        if number is not None:
            limits = (number.interval.lower, number.interval.upper) if number.interval is not None else ()
            found += [abs(value) for value in (number.value, *limits) if value is not None]
    return found


def _mistake(task: Task, answer: ParsedAnswer, verdict: SlotFilled | None) -> Reason | None:
    """What is wrong with an answer by the one grader, as the engine would have read it."""
    imagined, _ = answered(task.step, answer, task.question.asked, verdict)
    stated: Any = answer.choices.get(prompts.DIRECTION)
    graded = scoring.grade(task.step.source, imagined, task.target, task.step.factor, stated)
    row = task.row
    if row.target_verdict != "undetermined" and not graded.verdict_right:
        return "wrong verdict"
    if row.direction is not None and not graded.direction_right:
        return "wrong direction"
    unposted = row.target_verdict == "undetermined" and row.direction is None
    if unposted and (graded.error is None or graded.error > RIGHT_ERROR):
        return "wrong value"
    return None
