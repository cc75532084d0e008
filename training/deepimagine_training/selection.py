"""Which pairs a run learns from: those of its recipe that can be asked as one step, evenly over what they ask and answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from deepimagine_training.examples import Example, example_of
from deepimagine_training.recipe import DataRecipe
from deepimagine_training.rows import PairRow
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation.sides import Side, hash_share

NO_TRACE = "without a reasoning trace"
NOT_ONE_STEP = "not askable as one step, or with no posted answer"


class Selection(NamedTuple):
    """The examples of one side, and how many rows were left out, by reason."""

    examples: tuple[Example, ...]
    left_out: dict[str, int]


def select(rows: Iterable[PairRow], reasonings: Mapping[str, str], data: DataRecipe, side: Side, seed: int) -> Selection:
    """The examples of `side` that a recipe learns from; `reasonings` by pair id. The same arguments give the same examples, in
    the same order. No number of tokens is known here: what is too long is left out later.

    Where there is a limit, rows are taken in turn from every kind of question and answer (factor, posted direction, verdict),
    so that the commonest answer does not crowd out the others.
    """
    left_out: Counter[str] = Counter()
    found: list[Example] = []
    for row in rows:
        if row.side != side or row.kind not in data.kinds or (data.factors and row.factor not in data.factors):
            continue
        if row.id not in reasonings:
            left_out[NO_TRACE] += 1
            continue
        try:
            found.append(example_of(row, reasonings[row.id]))
        except RefusedError:
            left_out[NOT_ONE_STEP] += 1
    limit = data.sample if side == "train" else data.validation_sample
    if data.balance_verdicts and limit:
        found = _in_turn(found, seed)
    else:
        found.sort(key=lambda example: _place(example, seed))
    if limit and len(found) > limit:
        left_out["over the recipe's sample"] += len(found) - limit
        found = found[:limit]
    return Selection(tuple(found), dict(left_out))


def _in_turn(examples: Sequence[Example], seed: int) -> list[Example]:
    """One of every kind after another, as long as there are any."""
    kinds: dict[tuple[str, ...], list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda example: _place(example, seed)):
        row = example.row
        kinds[row.factor, row.direction or "", row.target_verdict].append(example)
    rounds = max((len(each) for each in kinds.values()), default=0)
    return [each[turn] for turn in range(rounds) for _, each in sorted(kinds.items()) if turn < len(each)]


def _place(example: Example, seed: int) -> float:
    return hash_share(f"sample {seed}", example.row.id)
