"""`direct`: what it is told of each kind of question, and what becomes of its answer."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import GenerationRequest, ModelInfo
from deepimagine_tui.backends.scripted import ScriptedOutput
from deepimagine_tui.errors import ModelError
from deepimagine_tui.evaluation.asking import MAX_PROMPT_TOKENS
from deepimagine_tui.evaluation.direct import Direct
from deepimagine_tui.evaluation.questions import THREE_WAY
from tests.evaluation.answering import MODEL, REMOTE, Told, forecast, says, step
from tests.evaluation.made_questions import learnt, predict


def test_the_prompt_describes_the_target_and_ends_where_reasoning_starts():
    model = Told()
    predict(Direct(model, learnt()), [forecast()])
    prompt = model.prompts[0]
    for said in (
        "Title: Trial 1 of Glivazin\n",
        "Condition: Type 2 Diabetes\n",
        "Arm: Glivazin 50 mg",
        "Comparator: Placebo",
        "Outcome: Change in HbA1c; percent; time: Week 24; lower is better",
        "met if the arm is significantly better than the comparator, else not met",
    ):
        assert said in prompt
    assert prompt.endswith("\nReasoning:")
    assert "Value in" not in prompt
    assert model.count_tokens([prompt])[0] < MAX_PROMPT_TOKENS


def test_a_title_that_stands_for_the_condition_is_said_once():
    model, question = Told(), forecast()
    population = replace(question.target.population, conditions=(question.title,))
    predict(Direct(model, learnt()), [replace(question, target=replace(question.target, population=population))])
    assert model.prompts[0].count(question.title) == 1
    assert "Condition:" not in model.prompts[0]


def test_a_step_is_asked_without_anything_of_its_sources_result():
    model = Told()
    predict(Direct(model, learnt()), [step()])
    prompt = model.prompts[0]
    assert "Glivazin 50 mg" in prompt
    assert "-0.66" not in prompt
    assert "Verdict: met\n" not in prompt
    assert "->" not in prompt


def test_three_options_differ_in_their_first_words_and_get_a_probability_each():
    model = Told(says(0.5))
    (said,) = predict(Direct(model, learnt()), [forecast(options=THREE_WAY)])
    assert model.batches[0][0].slots[0].options == (" better", " worse", " no difference")
    assert said.probabilities == pytest.approx((0.5, 0.25, 0.25))
    assert said.mass == pytest.approx(1.0)


def test_an_endpoint_question_asks_whether_it_is_met_in_one_of_its_arms():
    model = Told()
    question = replace(forecast(), kind="endpoint", arms=("Arm A", "Arm B"))
    predict(Direct(model, learnt()), [question])
    assert "met if the trial reaches this outcome in the arm, or in one of several" in model.prompts[0]


def test_several_samples_have_seeds_of_their_own_and_count_their_tokens_together():
    def script(request: GenerationRequest) -> ScriptedOutput:
        return says(0.9 if request.seed % 2 else 0.5)(request)  # type: ignore[return-value]

    model = Told(script)
    (said,) = predict(Direct(model, learnt(), samples=4), [forecast()])
    (once,) = predict(Direct(Told(script), learnt()), [forecast()])
    assert [request.seed for request in model.batches[0]] == [7, 8, 9, 10]
    assert {request.temperature for request in model.batches[0]} == {0.7}
    # Two samples at logit(.9) = 2.197 and two at 0: sigmoid(1.099) = .75.
    assert said.probabilities == pytest.approx((0.75, 0.25), abs=1e-3)
    assert said.completion_tokens == pytest.approx(4 * once.completion_tokens, rel=0.1)


def test_an_answer_without_probabilities_counts_as_all_but_certain():
    model = Told(lambda request: ScriptedOutput(" So.", {"verdict": "not met"}))
    (said,) = predict(Direct(model, learnt()), [forecast()])
    assert said.fallback == ""
    assert said.probabilities[1] == pytest.approx(1.0, abs=1e-3)


def test_without_an_answer_the_base_rate_of_training_counts_and_says_so():
    model = Told(info=replace(MODEL, context_length=60))
    (said,) = predict(Direct(model, learnt()), [forecast()])
    assert (said.fallback, said.probabilities) == ("no answer", (0.5, 0.5))
    assert said.problem == "too long for the model's context"


def test_the_facts_name_the_model_and_what_the_base_rates_are_of():
    facts = Direct(Told(), learnt()).facts
    assert (facts.model, facts.model_sha256, facts.adapter_sha256) == (MODEL.name, MODEL.sha256, MODEL.adapter_sha256)
    assert (facts.base_rate, facts.learnt_trials) == (pytest.approx(0.5), 40)
    assert facts.settings["max_reasoning_tokens"] == 64
    assert facts.settings["temperature"] == 0.0
    assert facts.prompt_version == "", "its prompts are its own, and not the engine's"
    assert Direct(Told(info=REMOTE), learnt()).batch > Direct(Told(), learnt()).batch


def test_the_demo_is_refused():
    demo = ModelInfo(name="demo, no model", backend="scripted", context_length=4096, demo=True)
    with pytest.raises(ModelError, match="no model"):
        Direct(Told(info=demo), learnt())
