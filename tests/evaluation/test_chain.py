"""`deepimagine`: lean chains by the engine, steps by its question, and how answers become probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationFailed, GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedOutput
from deepimagine_tui.errors import CancelledError, ModelError
from deepimagine_tui.evaluation.asking import MAX_PROMPT_TOKENS, read_asked
from deepimagine_tui.evaluation.chain import Chain
from deepimagine_tui.evaluation.questions import THREE_WAY, Question
from deepimagine_tui.reasoning.anchors import AnchorSearch
from deepimagine_tui.reasoning.events import Aggregated, AnchorChosen, RunStarted
from deepimagine_tui.reasoning.journal import read_events
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION
from deepimagine_tui.reasoning.state import Configuration, State
from tests.evaluation.answering import Told, forecast, says, source, step
from tests.evaluation.made_questions import learnt, predict
from tests.reasoning.engine.support import Source

ANSWERS = {"direction": "up", "arm_value": "1", "comparator_value": "2", "verdict": "not met"}


def test_the_steps_of_many_questions_are_decoded_in_one_batch_and_stay_lean():
    model = Told()
    said = predict(Chain(model, source(), learnt(), anchors=3), [forecast(number) for number in range(1, 5)])
    assert len(said) == 4
    assert max(map(len, model.batches)) == 12
    for batch in model.batches:
        assert {request.max_reasoning_tokens for request in batch} == {64}
        assert {request.temperature for request in batch} == {0.0}
    assert max(model.count_tokens(model.prompts)) < MAX_PROMPT_TOKENS
    assert all("Value in Placebo" in prompt and "Value in Glivazin" in prompt for prompt in model.prompts)


def test_p_of_two_options_is_the_aggregates_and_the_run_is_kept_as_the_app_keeps_it(tmp_path: Path):
    chain = Chain(Told(says(0.7)), source(), learnt(), anchors=3, runs=tmp_path)
    (said,) = predict(chain, [forecast()])
    assert said.fallback == ""
    events = read_events(tmp_path / f"{said.run_id}.jsonl")
    assert not events.problems
    aggregated = next(event for event in events.events if isinstance(event, Aggregated))
    assert aggregated.met is not None
    assert said.probabilities == pytest.approx((aggregated.met.probability, 1 - (aggregated.met.probability or 0)))
    assert said.probabilities[0] == pytest.approx(0.7)
    started = events.events[0]
    assert isinstance(started, RunStarted)
    assert started.request.name == forecast().id
    assert len(said.used) == sum(isinstance(event, AnchorChosen) for event in events.events) == 3
    assert said.prompt_tokens > 0
    assert said.completion_tokens > 0


def test_three_options_are_run_both_ways_about():
    model = Told(says(0.6))
    (said,) = predict(Chain(model, source(1), learnt(), anchors=1), [forecast(options=THREE_WAY)])
    # Both ways .6: better = worse = .6 * .4, no difference = .4 * .4, over their sum .64.
    assert said.probabilities == pytest.approx((0.375, 0.375, 0.25))
    assert any("Change of arm" in prompt for prompt in model.prompts)


class OneWay(Source):
    """Finds an anchor only for an arm that is a dose of the drug."""

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        return self.search if target.arm.doses else AnchorSearch()


def test_where_the_second_run_of_three_options_has_no_answer_it_counts_as_the_base_rate():
    found = source(1)
    (said,) = predict(
        Chain(Told(says(0.6)), OneWay(*found.trials.values(), search=found.search), learnt(), anchors=1),
        [forecast(options=THREE_WAY)],
    )
    # P(met) .6 and the base rate .5: .3, .2 and .2, over their sum .7.
    assert said.probabilities == pytest.approx((3 / 7, 2 / 7, 2 / 7))


def test_without_an_anchor_or_an_answer_it_is_the_base_rate_and_says_which():
    (nothing,) = predict(Chain(Told(), Source(), learnt()), [forecast()])
    assert (nothing.fallback, nothing.probabilities) == ("no anchor", (0.5, 0.5))
    assert nothing.used == ()
    silent = Told(lambda request: " So.")
    (unread,) = predict(Chain(silent, source(), learnt()), [forecast()])
    assert unread.fallback == "no answer"
    assert len(unread.used) == 3


def test_a_step_is_the_engines_question_of_one_step_and_gives_the_imagined_state(tmp_path: Path):
    model = Told(says(0.7))
    kept = tmp_path / "asked.jsonl"
    (said,) = predict(Chain(model, source(), learnt(), kept_in=kept), [step()])
    assert "Change of dose: 10 mg once daily -> 50 mg" in model.prompts[0]
    assert model.batches[0][0].operator == "dose"
    assert said.probabilities == pytest.approx((0.7, 0.3))
    assert said.state is not None
    assert said.state.arm_value is not None
    assert said.state.arm_value.value == -0.5
    assert said.direction == "up"
    assert said.stated == "no clear change"
    assert [answer.prompt for answer in read_asked(kept).values()] == model.prompts


def test_where_all_are_steps_more_are_asked_at_once_and_whole():
    model = Told(says(0.7))
    chain = Chain(model, source(), learnt(), are_steps=True)
    steps = [step(number) for number in range(chain.batch)]
    said = predict(chain, steps)
    assert [len(batch) for batch in model.batches] == [len(steps)]
    assert len(steps) > Chain(Told(), source(), learnt()).batch
    assert [prediction.question_id for prediction in said] == [question.id for question in steps]
    long = replace(step(), source=with_condition(step().source, "A condition with many words " * 100))
    texts = []
    for alone in (True, False):
        model = Long(says(0.7))
        predict(Chain(model, source(), learnt(), are_steps=alone), [long])
        texts += model.prompts
    assert len(texts[0]) > len(texts[1])
    assert "anchors" not in chain.facts.settings
    assert chain.facts.prompt_version == PROMPT_VERSION


class Long(Told):
    """A model to which every prompt is longer than a lean one may be."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [MAX_PROMPT_TOKENS + 1 for _ in texts]


def with_condition(start: State | None, condition: str) -> State:
    """The state with another condition."""
    assert start is not None
    population = replace(start.configuration.population, conditions=(condition,))
    return replace(start, configuration=replace(start.configuration, population=population))


def test_a_pair_of_several_factors_is_walked_change_by_change_with_others_in_one_batch():
    model = Told(says(0.7))
    said = predict(Chain(model, source(), learnt()), [step(1, several=True), step(2), forecast()])
    steps = [batch for batch in model.batches if batch[0].request_id.startswith("step")]
    assert [[request.request_id for request in batch] for batch in steps] == [["step-1#0", "step-2#0"], ["step-1#1"]]
    assert said[0].state is not None
    assert said[0].state.configuration.outcome.title == "Change in fasting glucose"
    assert [each.question_id for each in said] == ["step-1", "step-2", forecast().id]


def test_a_step_without_a_readable_answer_is_the_base_rate_without_a_state():
    silent = Told(lambda request: " So.")
    (said,) = predict(Chain(silent, source(), learnt()), [step()])
    assert (said.fallback, said.state, said.direction) == ("no answer", None, None)


def test_a_verdict_without_a_probability_counts_as_all_but_certain():
    certain = Told(lambda request: ScriptedOutput(" So.", {slot.name: ANSWERS[slot.name] for slot in request.slots}))
    for question in (step(), forecast()):
        (said,) = predict(Chain(certain, source(1), learnt(), anchors=1), [question])
        assert said.fallback == ""
        assert said.probabilities[1] == pytest.approx(1.0, abs=1e-3)


class Crashing(Told):
    """Answers its first batch, then its host is gone."""

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        if len(self.batches) == 1:
            for request in batch:
                yield GenerationFailed(request.request_id, "The model's process ended.", "", restartable=True)
        else:
            yield from super().generate(batch, cancel)


def test_a_model_that_is_gone_ends_the_run_and_is_not_taken_for_silence(tmp_path: Path):
    chain = Chain(Crashing(), source(), learnt(), runs=tmp_path)
    with pytest.raises(ModelError, match="process ended"):
        predict(chain, [far()])


def test_a_stop_is_told():
    with pytest.raises(CancelledError):
        Chain(Told(stop_at=1), source(), learnt()).predict([far()], Event())


def far() -> Question:
    """A question two steps away."""
    question = forecast()
    return replace(
        question, target=replace(question.target, outcome=replace(question.target.outcome, title="Change in weight"))
    )
