"""How many examples and tokens a recipe would learn from, counted without a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from deepimagine_training import pair_files
from deepimagine_training.recipe import Recipe
from deepimagine_training.rows import PairRow
from deepimagine_training.selection import select
from deepimagine_training.tasks import balanced, tasks_of

CHARACTERS_PER_TOKEN = 3.25
"""Of a prompt with its answer, by Gemma 3's tokenizer; the numbers in it make tokens short."""
_REASONING = "x" * 160
"""Stands for the reasoning where no traces are named: as long as a usual one."""


class Counted(msgspec.Struct, frozen=True):
    """The examples of a recipe. Tokens are means per training example; `by_factor` counts training examples; `left_out` by
    side and reason. `questions` is how many reinforcement asks of a task in the mean: one for each step of its chain."""

    train: int
    validation: int
    tokens: float
    completion_tokens: float
    longest: int
    by_factor: dict[str, int]
    left_out: dict[str, int]
    questions: float = 1.0


def count(recipe: Recipe, pairs: Path, reasonings: dict[str, str] | None = None) -> Counted:
    """Count the examples of a folder of pairs; `reasonings` by pair id, or one of usual length for every pair.

    Raises:
        DeepImagineError: the pairs cannot be read.
    """
    rows = pair_files.load_rows(pairs, ("train", "validation"))
    known = {row.id: _REASONING for row in rows} if reasonings is None else reasonings
    sides = {side: select(rows, known, recipe.data, side, recipe.seed) for side in ("train", "validation")}
    left_out = {f"{side}: {why}": number for side, chosen in sides.items() for why, number in chosen.left_out.items()}
    lengths, completions = [], []
    by_factor: dict[str, int] = {}
    for example in sides["train"].examples:
        completion = len(example.completion) / CHARACTERS_PER_TOKEN
        length = len(example.prompt) / CHARACTERS_PER_TOKEN + completion
        if length > recipe.data.max_tokens:
            left_out["train: too long"] = left_out.get("train: too long", 0) + 1
            continue
        lengths.append(length)
        completions.append(completion)
        by_factor[example.row.factor] = by_factor.get(example.row.factor, 0) + 1
    return Counted(
        train=len(lengths),
        validation=len(sides["validation"].examples),
        tokens=_mean(lengths),
        completion_tokens=_mean(completions),
        longest=round(max(lengths, default=0)),
        by_factor=by_factor,
        left_out=left_out,
        questions=_questions(recipe, rows) if recipe.grpo.run else 1.0,
    )


def _questions(recipe: Recipe, rows: Sequence[PairRow]) -> float:
    """Of the tasks as they are drawn; 1 where they have one verdict, or none, and nothing can be drawn."""
    tasks, _ = tasks_of(rows, recipe.data, "train")
    if len({task.row.target_verdict for task in tasks}) < 2:
        return 1.0
    return _mean([1.0 + len(task.later) for task in balanced(tasks, recipe.grpo.prompts * recipe.grpo.max_steps, recipe.seed)])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
