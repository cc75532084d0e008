"""Pairs as questions: what is asked, and that nothing of the target's results is in it."""

from __future__ import annotations

from threading import Event

import msgspec
import pytest
from deepimagine_training import backtest
from deepimagine_training.examples import changes_of
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import PairSet, draw
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.evaluation.sides import SIDES
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.difference import perturbation
from deepimagine_tui.reasoning.state import BaselineFact, Configuration, Population, PopulationChange
from deepimagine_tui.trials.factors import ARITHMETIC
from tests.training.made import many_trials, write


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    folder = tmp_path_factory.mktemp("drawn")
    with opened(str(write(folder / "made", many_trials(30))), folder, Event()) as corpus:
        return draw(corpus)


def reached(question: backtest.Question) -> Configuration:
    assert question.source is not None
    configuration = question.source.configuration
    for change in question.changes:
        configuration = apply(configuration, change.change)
    return configuration


@pytest.mark.parametrize("side", SIDES)
def test_natural_pairs_are_one_step_of_their_side(drawn: PairSet, side: str):
    found = backtest.natural(drawn.rows, side)  # type: ignore[arg-type]  # a parameter's text
    rows = {row.id: row for row in drawn.rows}
    again = backtest.natural(drawn.rows[::-1], side)  # type: ignore[arg-type]  # a parameter's text
    assert (again.sha256, again.questions) == (found.sha256, found.questions)
    known = [row for row in drawn.rows if row.target_verdict != "undetermined" or row.direction is not None]
    assert {question.id for question in found.questions} == {
        row.id for row in known if (row.side, row.kind, row.data) == (side, "natural", "registry") and len(changes_of(row)) == 1
    }
    for question in found.questions:
        row, key = rows[question.id], found.key(question)
        assert (row.side, row.kind, question.kind) == (side, "natural", "natural pair")
        assert (question.nct_id, question.programme, question.factor) == (row.target_nct, row.target_programme, row.factor)
        assert len(question.changes) == 1
        assert question.target == reached(question)
        assert (key.answer or "undetermined", key.direction) == (row.target_verdict, row.direction)
        assert question.cutoff < key.posted == row.target_posted
        assert key.target is not None
        assert key.target.nct_id == row.target_nct


def test_approximate_pairs_are_walked_factor_by_factor(drawn: PairSet):
    seen = 0
    for side in SIDES:
        rows = [row for row in drawn.rows if (row.side, row.kind) == (side, "approximate")]
        if not rows:
            with pytest.raises(BadInputError, match=side):
                backtest.approximate(drawn.rows, side)
            continue
        found = backtest.approximate(drawn.rows, side)
        assert {question.id for question in found.questions} <= {row.id for row in rows}
        for question in found.questions:
            seen += 1
            row = next(row for row in rows if row.id == question.id)
            assert question.source is not None
            assert question.source.nct_id == row.source_nct != question.nct_id
            assert [change.factor for change in question.changes] == [change.factor for change in changes_of(row)]
            assert not {change.factor for change in question.changes} & ARITHMETIC
            assert question.target == reached(question)
    assert seen


def test_the_targets_baseline_is_not_told(drawn: PairSet):
    row = next(row for row in drawn.rows if row.kind == "approximate" and row.target_verdict != "undetermined")
    source = backtest.states_of(row)[0].configuration
    people = Population(("Asthma",), baseline=(BaselineFact("the canary's weight", 77.7731, "kg"),))
    change = PopulationChange(people)
    told = (perturbation(change, source, apply(source, change)),)
    planted = replace(row, perturbations=msgspec.json.encode(told).decode())
    assert "77.7731" in planted.perturbations
    found = backtest.approximate([planted], row.side)
    assert found.questions[0].changes[0].factor == "population"
    written = msgspec.json.encode(found.questions).decode()
    assert "Asthma" in written
    assert "77.7731" not in written


def test_no_value_of_the_target_is_in_a_question(drawn: PairSet):
    """The target's results get other values than anything else has; none of them is told."""
    rows = []
    for row in drawn.rows:
        target = backtest.states_of(row)[1]
        canaries = {
            name: replace(number, value=88.8881)
            for name in ("arm_value", "comparator_value")
            if (number := getattr(target, name)) is not None
        }
        rows.append(replace(row, target_state=msgspec.json.encode(replace(target, **canaries)).decode()))
    for side in SIDES:
        found = backtest.natural(rows, side)
        assert "88.8881" in msgspec.json.encode(found.keys).decode()
        assert "88.8881" not in msgspec.json.encode(found.questions).decode()


def test_the_same_pairs_give_the_same_set(drawn: PairSet):
    shuffled = sorted(drawn.rows, key=lambda row: row.id)
    assert backtest.natural(shuffled, "test") == backtest.natural(drawn.rows, "test")
    assert backtest.natural(drawn.rows, "test").sha256 != backtest.natural(drawn.rows, "train").sha256
    with pytest.raises(BadInputError):
        backtest.natural([], "test")
