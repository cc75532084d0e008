"""Pairs that differ in several changes, walked as the engine walks them: the policy imagines the states between.

Only the last step is rewarded, since only its target was posted; the steps before it are taken with the likeliest answers.
Imported only when training begins: it loads torch and transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Any

from deepimagine_training.examples import posed
from deepimagine_training.hf_tokens import HfTokens
from deepimagine_training.rewards import imagined_state
from deepimagine_training.rollouts import Asked, Rollout, roll_out
from deepimagine_training.tasks import Task
from deepimagine_tui.errors import ModelError
from deepimagine_tui.reasoning.parse import ParseProblem, parse


class Forecaster:
    """A policy that answers with what is likeliest.

    Args:
        model: A causal language model of transformers in evaluation mode.
        tokens: Its vocabulary.
        max_reasoning_tokens: The most that reasoning may take.
        cancel: Set to stop within a token.
    """

    def __init__(self, model: Any, tokens: HfTokens, max_reasoning_tokens: int, cancel: Event) -> None:  # noqa: ANN401  # a transformers model
        self._model = model
        self._tokens = tokens
        self._limit = max_reasoning_tokens
        self._cancel = cancel

    def walked(self, tasks: Sequence[Task]) -> list[Task]:
        """Every task at its last change, asked of the state that the answers to the earlier ones led to.

        Raises:
            CancelledError: it was stopped.
            ModelError: the model's output is not a number, or no answer.
        """
        found = list(tasks)
        while waiting := [at for at, task in enumerate(found) if task.later]:
            for at, answer in zip(waiting, self.answers([found[at] for at in waiting]), strict=True):
                found[at] = _next(found[at], answer)
        return found

    def answers(self, tasks: Sequence[Task]) -> list[Rollout]:
        """The answer to the question that each task is at.

        Raises:
            CancelledError: it was stopped.
            ModelError: the model's output is not a number.
        """
        asked = [Asked(self._tokens.prompt(task.question.prompt), task.question, (0,)) for task in tasks]
        return roll_out(self._model, self._tokens, asked, 0.0, self._limit, self._cancel)


def _next(task: Task, found: Rollout) -> Task:
    answer = parse(found.text, task.question.slots)
    if isinstance(answer, ParseProblem):
        raise ModelError(f"An answer on the way to pair {task.row.id} cannot be read: {answer.reason}.")
    step, question = posed(imagined_state(task, answer, found.probability), task.later[0])
    return task._replace(step=step, question=question, later=task.later[1:])
