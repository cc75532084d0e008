"""Pairs as questions of an evaluation: a posted state, the changes that lead to another one, and that one as the key.

A natural pair is one step within a trial. An approximate pair leads to a similar trial by several changes, walked factor by
factor; of that trial's results nothing is told, its baseline and its actual enrolment included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from deepimagine_training.examples import changes_of, states_of
from deepimagine_training.rows import Kind, PairRow
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.forecasts_of_corpus import day_before, set_of
from deepimagine_tui.evaluation.questions import Key, Question, QuestionClass, QuestionSet
from deepimagine_tui.evaluation.sides import Side, hash_share
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.state import Perturbation, PopulationChange, State

_CLASSES: dict[Kind, QuestionClass] = {"natural": "natural pair", "approximate": "approximate pair"}


def natural(rows: Iterable[PairRow], side: Side) -> QuestionSet:
    """The natural pairs of registry trials of a side that are one step with a posted verdict or direction, by a hash of their
    ids.

    Raises:
        BadInputError: there is none, or a row cannot be read.
    """
    drawn = (row for row in rows if row.data == "registry")
    asked = [one for one in _asked_of(drawn, side, "natural") if len(one[0].changes) == 1]
    return _set(asked, "natural", side)


def approximate(rows: Iterable[PairRow], side: Side) -> QuestionSet:
    """The approximate pairs of a side with a posted verdict or direction, by a hash of their ids.

    Raises:
        BadInputError: there is none, or a row cannot be read.
    """
    return _set(list(_asked_of(rows, side, "approximate")), "approximate", side)


def _set(asked: Sequence[tuple[Question, Key]], kind: Kind, side: Side) -> QuestionSet:
    if not asked:
        raise BadInputError(f"No {kind} pair of the {side} side can be asked.", "Draw pairs of more trials.")
    return set_of(f"{kind} pairs, {side}", asked)


def _asked_of(rows: Iterable[PairRow], side: Side, kind: Kind) -> Iterator[tuple[Question, Key]]:
    some = (row for row in rows if (row.side, row.kind) == (side, kind))
    for row in sorted(some, key=lambda row: hash_share("backtest", row.id)):
        if row.target_verdict == "undetermined" and row.direction is None:
            continue
        source, target = states_of(row)
        changes = tuple(_without_baseline(change) for change in changes_of(row))
        try:
            yield _asked(row, changes, source, target)
        except RefusedError:
            continue


def _asked(row: PairRow, changes: Sequence[Perturbation], source: State, target: State) -> tuple[Question, Key]:
    reached = source.configuration
    for change in changes:
        reached = apply(reached, change.change)
    question = Question(
        id=row.id,
        nct_id=row.target_nct,
        programme=row.target_programme,
        kind=_CLASSES[row.kind],
        target=reached,
        cutoff=day_before(row.target_posted),
        source=source,
        changes=tuple(changes),
        factor=row.factor,
    )
    answer = None if row.target_verdict == "undetermined" else row.target_verdict
    return question, Key(question_id=row.id, answer=answer, direction=row.direction, target=target, posted=row.target_posted)


def _without_baseline(change: Perturbation) -> Perturbation:
    """A change of population without the baseline values, which the target's trial posted with its results."""
    if not isinstance(change.change, PopulationChange):
        return change
    return replace(change, change=PopulationChange(replace(change.change.population, baseline=())))
