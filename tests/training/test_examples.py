"""Pairs as the engine's own questions, with what the registry posted as the answer."""

from __future__ import annotations

import pytest
from deepimagine_training import rationale
from deepimagine_training.examples import Example, example_of, pose
from deepimagine_training.pairs import PairSet
from deepimagine_training.recipe import DataRecipe
from deepimagine_training.selection import NO_TRACE, select

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.parse import ParsedAnswer, parse

REASONING = "A higher dose of the same drug lowers it further."


@pytest.fixture(scope="module")
def examples(small_pairs: PairSet) -> list[Example]:
    """Every pair that is one step."""
    return [example_of(row, REASONING) for row in small_pairs.rows if row.kind == "natural"]


def test_a_completion_reads_back_as_what_was_posted(examples: list[Example]):
    assert examples
    for example in examples:
        answer = parse(example.completion, pose(example.row).question.slots)
        assert isinstance(answer, ParsedAnswer)
        assert answer.reasoning == REASONING
        assert answer.choices[prompts.DIRECTION] == (example.row.direction or "no clear change")
        if example.row.target_verdict != "undetermined":
            assert answer.choices[prompts.VERDICT] == example.row.target_verdict
        if prompts.ARM_VALUE in answer.numbers:
            assert example.row.target_arm is not None
            assert answer.numbers[prompts.ARM_VALUE] == pytest.approx(example.row.target_arm.value, rel=1e-3)


def test_what_the_registry_does_not_say_is_marked(examples: list[Example]):
    for example in examples:
        known = {piece.role: piece.known for piece in example.pieces}
        assert known[prompts.VERDICT] == (example.row.target_verdict != "undetermined")
        assert known[prompts.DIRECTION] == (example.row.direction is not None)


def test_no_prompt_holds_a_value_of_the_target_alone(examples: list[Example]):
    for example in (one for one in examples if one.row.factor == "dose"):
        assert example.row.target_arm is not None
        assert example.row.source_arm is not None
        value = f"{example.row.target_arm.value:g}"
        if value != f"{example.row.source_arm.value:g}":
            assert f": {value} " not in example.prompt


def test_pairs_that_differ_in_several_factors_are_no_single_step(small_pairs: PairSet):
    several = [row for row in small_pairs.rows if len([f for f in row.factors if f != "enrolment"]) > 1]
    assert several
    with pytest.raises(RefusedError, match="one step is one change"):
        pose(several[0])


def test_a_sample_takes_every_kind_of_answer_in_turn(small_pairs: PairSet):
    reasonings = {row.id: REASONING for row in small_pairs.rows}
    whole = select(small_pairs.rows, reasonings, DataRecipe(), "train", 7).examples
    kinds = {(one.row.factor, one.row.direction, one.row.target_verdict) for one in whole}
    chosen = select(small_pairs.rows, reasonings, DataRecipe(sample=len(kinds)), "train", 7)
    assert {(one.row.factor, one.row.direction, one.row.target_verdict) for one in chosen.examples} == kinds
    assert sum(chosen.left_out.values()) >= len(whole) - len(kinds)


def test_a_pair_without_reasoning_is_left_out_and_counted(small_pairs: PairSet):
    chosen = select(small_pairs.rows, {}, DataRecipe(), "train", 7)
    assert chosen.examples == ()
    assert chosen.left_out[NO_TRACE] == sum(row.side == "train" for row in small_pairs.rows)


def test_only_the_side_kinds_and_factors_of_the_recipe_are_taken(small_pairs: PairSet):
    reasonings = {row.id: REASONING for row in small_pairs.rows}
    chosen = select(small_pairs.rows, reasonings, DataRecipe(factors=("dose",), kinds=("natural",)), "train", 7)
    assert chosen.examples
    assert {(one.row.side, one.row.kind, one.row.factor) for one in chosen.examples} == {("train", "natural", "dose")}


def test_the_opening_is_asked_and_not_learnt(small_pairs: PairSet):
    opened = 0
    for row in (row for row in small_pairs.rows if row.kind == "natural"):
        question = pose(row).question
        whole = example_of(row, f"{question.opening} {REASONING}")
        assert whole.completion.startswith(f" {REASONING}")
        assert whole.prompt.endswith(f"Reasoning: {question.opening}".rstrip())
        assert rationale.write(row).startswith(question.opening)
        opened += bool(question.opening)
    assert opened
