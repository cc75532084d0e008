"""`rag`: the retrieved trials in its prompt, the same as a chain starts from, and what happens without any."""

from __future__ import annotations

from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation.chain import Chain
from deepimagine_tui.evaluation.rag import Rag
from tests.evaluation.answering import MODEL, OTHERS, Told, forecast, says, source, step
from tests.evaluation.made_questions import learnt, predict
from tests.reasoning.engine.support import Source


def test_each_retrieved_trial_is_told_with_its_values_and_its_verdict_before_the_target():
    model = Told(says(0.7))
    (said,) = predict(Rag(model, source(2), learnt(), anchors=2), [forecast()])
    prompt = model.prompts[0]
    for number in (1, 2):
        assert f"Relevant trial {number}: Type 2 Diabetes\nArm: Glivazin 10 mg" in prompt
    assert "Relevant trial 3" not in prompt
    assert prompt.count("Value in Glivazin 10 mg: -0.66") == 2
    assert prompt.count("\nVerdict: met\n") == 2
    assert prompt.index("Relevant trial 2") < prompt.index("The trial:\nTitle: Trial 1 of Glivazin")
    assert said.probabilities == pytest.approx((0.7, 0.3))


def test_it_sees_the_anchors_of_the_chain_and_names_them_with_their_dates():
    (said,) = predict(Rag(Told(), source(), learnt(), anchors=3), [forecast()])
    (chained,) = predict(Chain(Told(), source(), learnt(), anchors=3), [forecast()])
    assert said.used == chained.used
    assert [(used.nct_id, used.posted) for used in said.used] == list(
        zip(OTHERS, ("2015-01-01", "2015-02-01", "2015-03-01"), strict=True)
    )


def test_of_a_step_the_source_alone_is_told():
    model = Told()
    (said,) = predict(Rag(model, source(), learnt()), [step()])
    assert "Value in Glivazin 10 mg: -0.66" in model.prompts[0]
    assert "Relevant trial 2" not in model.prompts[0]
    assert [used.nct_id for used in said.used] == [step().nct_id]


def test_without_a_trial_it_is_the_base_rate_and_the_model_is_not_asked():
    model = Told()
    (said,) = predict(Rag(model, Source(), learnt()), [forecast()])
    assert said.fallback == "no anchor"
    assert said.probabilities == (0.5, 0.5)
    assert "No anchor close enough" in said.problem
    assert model.batches == []


def test_a_long_prompt_is_shortened_to_fit_the_context_with_its_trials_kept():
    question = replace(forecast(), title="A trial of glivazin " * 12)
    whole = Told()
    predict(Rag(whole, source(), learnt()), [question])
    needed = whole.count_tokens(whole.prompts)[0]
    model = Told(info=replace(MODEL, context_length=needed + 60))
    (said,) = predict(Rag(model, source(), learnt()), [question])
    assert said.fallback == ""
    assert model.count_tokens(model.prompts)[0] < needed
    assert "Relevant trial 3" in model.prompts[0]


def test_a_stop_is_told_while_trials_are_looked_for():
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        Rag(Told(), source(), learnt()).predict([forecast()], cancel)
