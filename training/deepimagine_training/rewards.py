"""The reward of one sampled reasoning with the answer that followed it, by the one grader.

The verdict earns 1 - (P(met) - met)^2, a proper score: only the true probability is worth most. A label that was sampled earns
nothing by itself, since rewarding one realised outcome ruins calibration (arXiv 2607.00164).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from deepimagine_training.guard_rails import Rail, broken_rail
from deepimagine_training.tasks import Task
from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.reasoning import prompts, scoring
from deepimagine_tui.reasoning.parse import ParsedAnswer, ParseProblem, parse
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.steps import answered

DIRECTION_WEIGHT = VALUE_WEIGHT = 0.25
"""What a right direction and an exact value are worth, beside 1 for the verdict: they say less, and say it without a chance."""
BROKEN = -0.5
"""What a broken guard-rail earns, and nothing else then: less than any answer that keeps them."""
CUT = -0.1
"""What reasoning earns besides that did not come to its end within the limit."""


class Reward(msgspec.Struct, frozen=True):
    """What a completion earns, part by part; a part that cannot be graded is `None`.

    `verdict` is 1 - (P(met) - met)^2, `direction` 1 if right else 0, `value` exp(-e), all in [0, 1]; `rails` is at most 0.
    """

    verdict: float | None
    direction: float | None
    value: float | None
    rails: float
    broken: Rail | None = None

    @property
    def total(self) -> float:
        """The weighted sum."""
        verdict, direction, value = self.verdict or 0.0, self.direction or 0.0, self.value or 0.0
        return verdict + DIRECTION_WEIGHT * direction + VALUE_WEIGHT * value + self.rails


def reward(task: Task, completion: str, probability: float | None, *, cut: bool = False) -> Reward:
    """Grade a completion: its reasoning and the filled form, as a backend returns it.

    Args:
        task: What was asked, and what was posted.
        completion: The text after the prompt.
        probability: P(met) of the policy at the verdict slot after this very text; `None` earns nothing on the verdict.
        cut: Whether the token limit ended the reasoning.
    """
    answer = parse(completion, task.question.slots)
    if isinstance(answer, ParseProblem):
        return _broken("form")
    rail = broken_rail(answer.reasoning, task.question.prompt)
    if rail is not None:
        return _broken(rail)
    imagined = imagined_state(task, answer, probability)
    stated: Any = answer.choices.get(prompts.DIRECTION)
    graded = scoring.grade(task.start, imagined, task.target, task.step.factor, stated)
    return Reward(
        verdict=1 - graded.brier if graded.brier is not None else None,
        direction=float(graded.direction_right) if graded.direction_right is not None else None,
        value=math.exp(-graded.error) if graded.error is not None else None,
        rails=CUT if cut else 0.0,
    )


def imagined_state(task: Task, answer: ParsedAnswer, probability: float | None) -> State:
    """The state that an answer to a task's question leads to."""
    return answered(task.step, answer, task.question.asked, _verdict_slot(answer, probability))[0]


def _broken(rail: Rail) -> Reward:
    return Reward(None, None, None, BROKEN, rail)


def _verdict_slot(answer: ParsedAnswer, probability: float | None) -> SlotFilled | None:
    if probability is None or prompts.VERDICT not in answer.choices:
        return None
    shares = {prompts.MET: probability, prompts.NOT_MET: 1 - probability}
    return SlotFilled("", prompts.VERDICT, answer.choices[prompts.VERDICT], shares, None, "logits")
