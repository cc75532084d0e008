"""What reinforcement learning asks: pairs as questions with posted verdicts, evenly over verdicts and over flips.

Most pairs keep the source's verdict, so an even draw is needed for copying to be worth no more than a coin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import cycle, islice, zip_longest
from typing import NamedTuple

from deepimagine_training.examples import changes_of, posed, states_of
from deepimagine_training.recipe import DataRecipe
from deepimagine_training.rows import PairRow
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.sides import Side, hash_share
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.state import Perturbation, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.trials.results import Verdict


class Task(NamedTuple):
    """A pair as the engine asks it, with what was posted.

    `step` and `question` are of the change that is asked now, `later` those that come after it (see `chains`); `start` is the
    source, where all of them begin. `target` is never seen by the policy.
    """

    row: PairRow
    start: State
    step: Step
    question: Question
    later: tuple[Perturbation, ...]
    target: State

    @property
    def flips(self) -> bool | None:
        """Whether the posted verdict is another than the source's; `None` where the source has none."""
        return self.row.source_verdict != self.row.target_verdict if self.row.has_verdicts else None


def task_of(row: PairRow) -> Task:
    """The task of a pair, at its first change.

    Raises:
        RefusedError: it cannot be asked: there is no change, or one does not apply.
        BadInputError: the row cannot be read.
    """
    start, target = states_of(row)
    changes = changes_of(row)
    if not changes:
        raise RefusedError(f"Pair {row.id} differs in nothing that can be asked.")
    step, question = posed(start, changes[0])
    configuration = step.target
    for change in changes[1:]:
        configuration = apply(configuration, change.change)
    return Task(row, start, step, question, changes[1:], target)


def tasks_of(rows: Iterable[PairRow], data: DataRecipe, side: Side) -> tuple[list[Task], dict[str, int]]:
    """The tasks of `side` that a recipe allows and that have a posted verdict, and how many rows were left out, by reason.

    Raises:
        BadInputError: a row cannot be read.
    """
    found: list[Task] = []
    left_out: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.side != side or row.kind not in data.kinds or (data.factors and row.factor not in data.factors):
            continue
        if row.target_verdict == "undetermined":
            left_out["without a posted verdict"] += 1
            continue
        try:
            found.append(task_of(row))
        except RefusedError:
            left_out["not askable"] += 1
    return found, dict(left_out)


def balanced(tasks: Sequence[Task], count: int, seed: int) -> list[Task]:
    """`count` tasks: both verdicts in turn, flips and others in turn within each, approximate pairs first within those.

    The rarer kinds come again when they are used up, so that any stretch of the list has the same mix.

    Raises:
        BadInputError: a verdict is missing altogether.
    """
    sides = [_in_turn(tasks, verdict, seed) for verdict in _VERDICTS]
    if not all(sides):
        raise BadInputError(
            f"All {len(tasks):,} pairs have the same posted verdict, from which nothing can be told apart.",
            "Draw pairs of more trials, or allow more factors in data.factors.",
        )
    wheels = cycle([cycle(side) for side in sides])
    return [next(wheel) for wheel in islice(wheels, count)]


def evenly(tasks: Sequence[Task], limit: int, seed: int) -> list[Task]:
    """At most `limit` of `tasks`, none twice, in the order of `balanced`."""
    met, not_met = (_in_turn(tasks, verdict, seed) for verdict in _VERDICTS)
    drawn = (task for turn in zip_longest(met, not_met) for task in turn if task is not None)
    return list({task.row.id: task for task in drawn}.values())[:limit]


_VERDICTS: tuple[Verdict, Verdict] = ("met", "not met")


def _in_turn(tasks: Sequence[Task], verdict: Verdict, seed: int) -> list[Task]:
    """The tasks of one verdict: a flip, another, a flip, and so on; the rarer of the two again from its start while the other
    lasts. Those whose source has no verdict come last among the others."""

    def place(task: Task) -> tuple[bool, bool, float]:
        return task.flips is None, task.row.kind != "approximate", hash_share(f"rl {seed}", task.row.id)

    kinds: dict[bool, list[Task]] = {True: [], False: []}
    for task in sorted(tasks, key=place):
        if task.row.target_verdict == verdict:
            kinds[bool(task.flips)].append(task)
    flips, others = kinds[True], kinds[False]
    if not flips or not others:
        return flips or others
    longest = max(len(flips), len(others))
    turns = zip(islice(cycle(flips), longest), islice(cycle(others), longest), strict=True)
    return [task for turn in turns for task in turn]
