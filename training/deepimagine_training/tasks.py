"""What reinforcement learning asks: pairs as questions with posted verdicts, evenly over verdicts and over flips.

Most pairs keep the source's verdict, so an even draw is needed for copying to be worth no more than a coin.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import cycle, islice, zip_longest
from typing import NamedTuple

from deepimagine_training.examples import Posed, pose, states_of
from deepimagine_training.recipe import DataRecipe
from deepimagine_training.rows import PairRow
from deepimagine_training.sides import Side, hash_share
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.trials.results import Verdict


class Task(NamedTuple):
    """A pair as the engine asks it, with what was posted; `target` is never seen by the policy."""

    row: PairRow
    step: Step
    question: Question
    target: State

    @property
    def flips(self) -> bool | None:
        """Whether the posted verdict is another than the source's; `None` where the source has none."""
        return self.row.source_verdict != self.row.target_verdict if self.row.has_verdicts else None


def task_of(row: PairRow) -> Task:
    """The task of a pair.

    Raises:
        RefusedError: it cannot be asked as one step.
        BadInputError: the row cannot be read.
    """
    posed: Posed = pose(row)
    return Task(row, posed.step, posed.question, states_of(row)[1])


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
            left_out["not askable as one step"] += 1
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
