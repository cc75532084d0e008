"""More to learn from: comparisons without a posted verdict, with that of the z-test on their values."""

from __future__ import annotations

from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation.classical import Known, known, weights_of
from deepimagine_tui.evaluation.derived_verdicts import derived
from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts, sides_of
from deepimagine_tui.evaluation.questions import MET, NOT_MET
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.ztest import z_test
from tests.evaluation.made_questions import asked, learnt
from tests.evaluation.test_forecasts_of_corpus import corpus

__all__ = ["corpus"]


def test_what_nobody_posted_is_answered_by_the_values(corpus: Corpus):
    found, posted = derived(corpus, Event()), forecasts(corpus, Event())
    assert found.questions
    for question in found.questions:
        state = found.key(question).target
        assert state is not None
        assert state.met is None or state.met.verdict == "undetermined"
        tested = z_test(state)
        assert tested is not None
        assert found.key(question).answer == (MET if tested.met else NOT_MET)
        assert question.target.outcome.role in ("primary", "secondary")
    assert not {question.id for question in found.questions} & {question.id for question in posted.questions}


def test_no_trial_left_out_nor_its_programme_teaches(corpus: Corpus):
    found = derived(corpus, Event())
    one = found.questions[0]
    left = derived(corpus, Event(), [one.nct_id])
    assert {each.programme for each in left.questions} == {each.programme for each in found.questions} - {one.programme}
    sides = sides_of(corpus, Event())
    train = derived(corpus, Event(), side="train")
    assert {sides.of(each.nct_id) for each in train.questions} <= {"train"}
    stopped = Event()
    stopped.set()
    with pytest.raises(CancelledError):
        derived(corpus, stopped)


def test_derived_examples_are_learnt_where_they_are_wanted_and_weigh_half():
    examples = learnt(4).examples
    more = [asked(trial, outcome="Overall survival") for trial in range(10, 14)]
    keys = {one.id: replace(examples.key(examples.questions[0]), question_id=one.id) for one in more}
    both = Learnt(examples, replace(examples, questions=tuple(more), keys=keys))
    assert len(known(both).questions) == 8
    rows: Known = known(both, with_derived=True)
    assert len(rows.questions) == 12
    assert rows.weights[8:].sum() == pytest.approx(rows.weights[:8].sum() / 2)
    assert both.base_rates == learnt(4).base_rates
    alone = weights_of(rows.questions[:8], rows.met[:8], ["claims"] * 8)
    assert alone == pytest.approx(1)
