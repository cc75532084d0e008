"""The ensemble: what it is made of, that the chain counts only where it helps, and that nobody's own programme teaches it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.evaluation.ensemble import Ensemble
from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import MET, NOT_MET, THREE_WAY, Key, QuestionSet
from deepimagine_tui.evaluation.system import Learnt
from tests.evaluation.made_questions import asked, learnt, met, predict

pytest.importorskip("sklearn", reason="the `evaluation` extra is not installed")

HEADER = Header(
    system="deepimagine",
    what="chains",
    set_name="made",
    set_sha256="0",
    questions=0,
    model="tiny",
    model_sha256="a" * 64,
    prompt_version="7",
)


def riddles(count: int = 30) -> Learnt:
    """Questions that are all alike, met in every second trial."""
    questions = [asked(trial) for trial in range(count)]
    keys = {one.id: Key(question_id=one.id, answer=MET if at % 2 else NOT_MET) for at, one in enumerate(questions)}
    return Learnt(QuestionSet(name="riddles", sha256="1" * 64, questions=tuple(questions), keys=keys))


def chain(some: Learnt, right: float, **more: float) -> Predictions:
    """A chain that gives the posted answer this probability, and others by question id."""
    said = {one.id: right if some.examples.key(one).answer == MET else 1 - right for one in some.examples.questions} | more
    return Predictions(
        HEADER, {key: Prediction(question_id=key, probabilities=(share, 1 - share)) for key, share in said.items()}
    )


def test_without_a_chain_it_says_so_and_is_what_is_expected_and_learnt():
    system = Ensemble(learnt(30))
    assert system.facts.what.endswith("no chain")
    weights = [float(system.facts.settings[name]) for name in ("of expected", "of learnt")]
    assert weights[0] == pytest.approx(2 * weights[1], abs=1e-3)
    assert weights[1] > 0
    questions = [asked(900, "Glivazin 7 mg"), asked(901, "Tolumab 3 mg", outcome="All-cause mortality")]
    found = predict(system, questions)
    assert found[0].probabilities[0] > 0.5 > found[1].probabilities[0]
    assert set(found[0].parts) == {"met", "expected", "learnt"}
    assert found[0].parts["expected"] > found[1].parts["expected"]


def test_the_chain_counts_by_what_it_was_worth_on_the_examples():
    some = riddles()
    yes, no = asked(800), asked(801)
    good = Ensemble(some, [chain(some, 0.8, **{yes.id: 0.9, no.id: 0.1})])
    assert met(good, [yes])[0] > 0.7 > 0.3 > met(good, [no])[0]
    assert good.facts.settings["trials with a chain"] == 30
    assert (good.facts.model, good.facts.prompt_version) == ("tiny", "7")
    wrong = Ensemble(some, [chain(some, 0.2, **{yes.id: 0.9, no.id: 0.1})])
    assert met(wrong, [yes]) == pytest.approx(met(wrong, [no]))
    assert wrong.facts.settings["of chain"] == 0
    few = Ensemble(some, [replace_ids(chain(some, 0.8, **{yes.id: 0.9}), 10)])
    assert few.facts.settings == few.facts.settings | {"trials with a chain": 10, "of chain": 0}


def replace_ids(journal: Predictions, count: int) -> Predictions:
    """The first predictions of a journal alone."""
    return Predictions(journal.header, dict(list(journal.by_id.items())[:count]))


def test_a_question_that_the_chain_gave_up_on_keeps_the_rest():
    some = riddles()
    answered = chain(some, 0.8)
    lost = asked(800)
    given_up = {lost.id: Prediction(question_id=lost.id, probabilities=(0.99, 0.01), fallback="no anchor")}
    system = Ensemble(some, [answered, Predictions(HEADER, given_up)])
    assert met(system, [lost]) == pytest.approx(met(Ensemble(some), [lost]))


def test_three_way_questions_take_the_chains_second_option_for_the_other_way():
    some = riddles()
    question = asked(800, "Glivazin 7 mg", "Tolumab 9 mg", "active", options=THREE_WAY, kind="comparative effect")
    worse = {question.id: Prediction(question_id=question.id, probabilities=(0.05, 0.9, 0.05))}
    found = predict(Ensemble(some, [chain(some, 0.8), Predictions(HEADER, worse)]), [question])[0]
    assert found.probabilities[1] > 0.5
    assert sum(found.probabilities) == pytest.approx(1)


def test_few_programmes_leave_the_parts_as_they_are():
    some = learnt(3)
    assert Ensemble(some).facts.settings["of expected"] == 0.5
    one_programme = tuple(replace(each, programme="NCT00000001") for each in learnt(30).examples.questions)
    together = Learnt(replace(learnt(30).examples, questions=one_programme))
    assert 0 < met(Ensemble(together), [asked(900)])[0] < 1
