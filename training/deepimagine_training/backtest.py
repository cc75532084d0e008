"""Pairs as questions of an evaluation: a posted state, the changes that lead to another one, and that one as the key.

A natural pair is one step within a trial. An approximate pair leads to a similar trial by several changes, walked factor by
factor; of that trial's results nothing is told, its baseline and its actual enrolment included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from deepimagine_training import held_out
from deepimagine_training.examples import changes_of, states_of
from deepimagine_training.rows import PairRow
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.forecasts_of_corpus import day_before, set_of
from deepimagine_tui.evaluation.questions import Key, Question, QuestionClass, QuestionSet
from deepimagine_tui.evaluation.sides import Side, hash_share
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.state import Perturbation, PopulationChange, State


def natural(rows: Iterable[PairRow], side: Side) -> QuestionSet:
    """The natural pairs of a side that are one step with a posted verdict or direction, in the order of asking: arms and doses
    first, then the other factors in turn.

    Raises:
        BadInputError: there is none, or a row cannot be read.
    """
    posed = held_out.questions(rows, side)
    asked = (_asked(one.row, "natural pair", (one.step.perturbation,), one.step.source, one.target) for one in posed)
    return set_of(f"natural pairs, {side}", asked)


def approximate(rows: Iterable[PairRow], side: Side) -> QuestionSet:
    """The approximate pairs of a side with a posted verdict or direction, by a hash of their ids.

    Raises:
        BadInputError: there is none, or a row cannot be read.
    """
    found = sorted(
        (row for row in rows if (row.side, row.kind) == (side, "approximate")), key=lambda row: hash_share("backtest", row.id)
    )
    asked = list(_approximate(found))
    if not asked:
        raise BadInputError(f"No approximate pair of the {side} side can be asked.", "Draw pairs of more trials.")
    return set_of(f"approximate pairs, {side}", asked)


def _approximate(rows: Iterable[PairRow]) -> Iterator[tuple[Question, Key]]:
    for row in rows:
        if row.target_verdict == "undetermined" and row.direction is None:
            continue
        source, target = states_of(row)
        changes = tuple(_without_baseline(change) for change in changes_of(row))
        try:
            yield _asked(row, "approximate pair", changes, source, target)
        except RefusedError:
            continue


def _asked(
    row: PairRow, kind: QuestionClass, changes: Sequence[Perturbation], source: State, target: State
) -> tuple[Question, Key]:
    reached = source.configuration
    for change in changes:
        reached = apply(reached, change.change)
    question = Question(
        id=row.id,
        nct_id=row.target_nct,
        programme=row.target_programme,
        kind=kind,
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
