"""The classical systems: what they learn, from whom, and what they say of each kind of question."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.evaluation.classical import SYSTEMS
from deepimagine_tui.evaluation.questions import MET, THREE_WAY, QuestionSet
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.state import State
from tests.evaluation.made_questions import asked, learnt, met, predict

pytest.importorskip("sklearn", reason="the `evaluation` extra is not installed")

NAMES = sorted(SYSTEMS)
QUESTIONS = [asked(900, "Glivazin 7 mg"), asked(901, "Tolumab 3 mg", outcome="All-cause mortality")]


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_which_outcomes_are_met_and_says_the_same_again(name: str):
    first = met(SYSTEMS[name](learnt()), QUESTIONS)
    assert first[0] > 0.6 > 0.4 > first[1]
    assert met(SYSTEMS[name](learnt()), QUESTIONS) == first
    turned = met(SYSTEMS[name](learnt(turned=True)), QUESTIONS)
    assert turned[0] < 0.4 < 0.6 < turned[1]


@pytest.mark.parametrize("name", NAMES)
def test_three_way_questions_are_asked_both_ways_about(name: str):
    system = SYSTEMS[name](learnt())
    one = asked(902, "Glivazin 7 mg", "Tolumab 9 mg", "active", options=THREE_WAY, kind="comparative effect")
    other = asked(902, "Tolumab 9 mg", "Glivazin 7 mg", "active", options=THREE_WAY, kind="comparative effect")
    found, back = predict(system, [one, other])
    assert sum(found.probabilities) == pytest.approx(1)
    assert found.parts["met"] == pytest.approx(back.parts["met, turned"], abs=0.1)
    alone = predict(system, [asked(903, against=None, options=THREE_WAY)])[0]
    assert alone.probabilities[1] == 0


@pytest.mark.parametrize("name", NAMES)
def test_it_says_a_direction_of_steps_and_of_nothing_else(name: str):
    source = State("x", "NCT00000500", asked(500).target)
    some = learnt()
    steps = [replace(each, id=f"{each.id}/step", source=source) for each in some.examples.questions]
    posted = [some.examples.key(each) for each in some.examples.questions]
    keys = {
        question.id: replace(key, question_id=question.id, direction="up" if key.answer == MET else "down")
        for question, key in zip(steps, posted, strict=True)
    }
    system = SYSTEMS[name](Learnt(QuestionSet(name="made", sha256="", questions=tuple(steps), keys=keys)))
    asks = [replace(each, source=source) for each in QUESTIONS]
    assert [one.direction for one in predict(system, [*asks, QUESTIONS[0]])] == ["up", "down", None]
    assert predict(SYSTEMS[name](some), asks)[0].direction is None


def test_an_example_weighs_by_its_trial_and_verdict():
    few = learnt(30)
    question = next(each for each in few.examples.questions if few.examples.key(each).answer == MET)
    many = [replace(question, id=f"again {at}") for at in range(200)]
    keys = few.examples.keys | {each.id: replace(few.examples.key(question), question_id=each.id) for each in many}
    heavy = Learnt(replace(few.examples, questions=(*few.examples.questions, *many), keys=keys))
    for name in NAMES:
        assert met(SYSTEMS[name](heavy), QUESTIONS)[1] < 0.5


def test_with_one_verdict_it_says_that_and_without_any_it_refuses():
    some = learnt(4)
    all_met = {key: replace(each, answer=MET) for key, each in some.examples.keys.items()}
    none = {key: replace(each, answer=None) for key, each in some.examples.keys.items()}
    for name in NAMES:
        assert met(SYSTEMS[name](Learnt(replace(some.examples, keys=all_met))), QUESTIONS) == [1, 1]
        with pytest.raises(BadInputError, match="no verdict"):
            predict(SYSTEMS[name](Learnt(replace(some.examples, keys=none))), QUESTIONS)


def test_its_facts_say_what_it_learnt_from():
    for name in NAMES:
        facts = SYSTEMS[name](learnt(12)).facts
        assert (facts.name, facts.learnt_trials, facts.base_rate) == (name, 12, 0.5)
        assert facts.learnt_from == learnt(12).examples.sha256
    empty = Learnt(QuestionSet(name="none", sha256="", questions=(), keys={}))
    assert SYSTEMS[NAMES[0]](empty).facts.base_rate == 0.5
