"""The engine over the scripted backend: what is asked, in which batch, with which seed, and how every run ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelInfo,
    TextArrived,
)
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.errors import CorpusError, ModelError
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import (
    Aggregated,
    AnchorChosen,
    PathwayDone,
    ReasoningEvent,
    RunFinished,
    RunStarted,
    StepEstimated,
    StepFailed,
    TokensArrived,
)
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.request import KeptStep, StepEdit, WhatIf
from deepimagine_tui.trials.model import Trial
from tests.reasoning.engine.support import (
    Clock,
    Source,
    Spy,
    anchor_state,
    ask,
    estimated,
    made_trial,
    planned,
    ref,
    signed_outcome,
    survival_outcome,
    to_dose,
    to_enrolment,
    to_japan,
    what_if,
)


def finish(events: Sequence[ReasoningEvent]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


def answering(**answers: str) -> ScriptedBackend:
    return ScriptedBackend(answer=lambda request: {"direction": "down", "verdict": "met", **answers})


class Placed(ScriptedBackend):
    """A backend of files that lie somewhere on this machine."""

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, path="/somewhere/models/base.gguf", adapter="/somewhere/adapter.gguf")


def test_a_run_names_the_files_of_its_model_and_not_where_they_lie() -> None:
    start = ask(what_if(to_dose(50.0)), Placed())[0]
    assert isinstance(start, RunStarted)
    assert (start.model.path, start.model.adapter) == ("base.gguf", "adapter.gguf")


def stating(probability: float) -> ScriptedBackend:
    chances = {"met": probability, "not met": 1 - probability}
    answers = {"direction": "down", "arm_value": "-0.8", "comparator_value": "-0.1", "verdict": "met"}
    return ScriptedBackend(lambda request: ScriptedOutput(" Because.", answers, {"verdict": chances}))


def test_a_run_is_a_start_an_anchor_steps_and_one_end() -> None:
    events = ask(what_if(to_dose(50.0), to_japan()))
    kinds = [kind for kind, _ in groupby(type(event).__name__ for event in events)]
    step = ["StepPlanned", "TokensArrived", "StepEstimated"]
    assert kinds == ["RunStarted", "AnchorChosen", *step, *step, "PathwayDone", "RunFinished"]
    assert finish(events).outcome == "answered"
    assert [event.seq for event in events] == list(range(len(events)))
    assert len({event.at for event in events}) == len(events)
    assert all(event.at.endswith("Z") for event in events)


def test_a_dose_carries_the_comparator_over_as_observed_and_both_arms_change_with_the_country() -> None:
    first, second = estimated(ask(what_if(to_dose(50.0), to_japan())))
    assert first.state.comparator_value == anchor_state().comparator_value
    assert first.state.arm_value is not None
    assert first.state.arm_value.status == "imagined"
    assert first.state.arm_value.dispersion == 0.8
    assert "carried over" in first.state.arm_value.note
    assert second.state.comparator_value is not None
    assert second.state.comparator_value.status == "imagined"
    assert second.state.contrast is not None
    assert second.state.contrast.number.status == "imagined"


def test_a_share_carries_no_dispersion_since_its_own_follows_from_value_and_n() -> None:
    state = estimated(ask(what_if(to_dose(50.0), anchor=ref(outcome="bbbb"))))[0].state
    assert state.arm_value is not None
    assert (state.arm_value.dispersion, state.arm_value.n, state.arm_value.note) == (None, 200, "")
    assert state.z_test is not None


def test_the_imagined_result_is_what_the_next_step_starts_from() -> None:
    backend = Spy(answering(arm_value="-0.93", comparator_value="-0.11"))
    events = ask(what_if(to_dose(50.0), to_japan()), backend)
    assert "Value in Glivazin 50 mg once daily: -0.93" in backend.prompts[1]
    assert planned(events)[1].source_state_id == estimated(events)[0].state.id


def test_a_step_that_lands_on_a_posted_result_reveals_it_after_the_answer_and_goes_on_from_the_imagined_one() -> None:
    backend = Spy(answering(arm_value="-0.93", comparator_value="-0.11"))
    events = ask(what_if(to_dose(25.0), to_japan()), backend)
    assert [event.can_be_checked for event in planned(events)] == [True, False]
    revealed = estimated(events)[0].revealed
    assert revealed is not None
    assert revealed.arm_value is not None
    assert (revealed.arm_value.value, revealed.arm_value.status) == (-0.78, "observed")
    assert revealed.source.group_id == "OG002"
    assert revealed.error == pytest.approx(abs(-0.93 + 0.78) / 0.8)
    assert revealed.copy_error == pytest.approx(abs(-0.66 + 0.78) / 0.8)
    assert "-0.78" not in "".join(backend.prompts)
    assert estimated(events)[1].revealed is None


def test_all_ready_steps_of_all_requests_and_pathways_are_one_batch() -> None:
    backend = Spy()
    requests = [
        what_if(to_dose(50.0), to_japan(), run_id="a", samples=3),
        what_if(to_japan(), to_dose(50.0), run_id="b", samples=2),
        what_if(to_dose(25.0), run_id="c"),
    ]
    events = ask(requests, backend)
    assert [len(batch) for batch in backend.batches] == [6, 5]
    assert len({request.request_id for batch in backend.batches for request in batch}) == 11
    for request in requests:
        own = [event for event in events if event.run_id == request.run_id]
        assert [event.seq for event in own] == list(range(len(own)))
        assert finish(own).outcome == "answered"


def test_events_of_requests_interleave() -> None:
    events = ask([what_if(to_dose(50.0), run_id="a"), what_if(to_japan(), run_id="b")])
    order = [run_id for run_id, _ in groupby(e.run_id for e in events if isinstance(e, TokensArrived))]
    assert len(order) > 2


def test_seeds_differ_by_pathway_and_step_and_repeat_with_the_run() -> None:
    def seeds(seed: int) -> list[int]:
        backend = Spy()
        ask(what_if(to_dose(50.0), to_japan(), samples=4, seed=seed), backend)
        return [request.seed for batch in backend.batches for request in batch]

    assert len(set(seeds(7))) == 8
    assert seeds(7) == seeds(7)
    assert not set(seeds(7)) & set(seeds(8))
    assert all(0 <= seed < 2**32 for seed in seeds(2**32 - 1))


def test_the_prompt_is_the_same_over_the_pathways_of_a_what_if() -> None:
    backend = Spy()
    ask(what_if(to_dose(50.0), samples=5), backend)
    assert len(set(backend.prompts)) == 1


def test_the_same_question_to_the_same_model_gives_the_same_run() -> None:
    request = what_if(to_dose(50.0), to_japan(), to_enrolment(400), samples=2)

    def untimed() -> list[ReasoningEvent]:
        return [replace(event, seconds=0.0) if isinstance(event, StepEstimated) else event for event in ask(request)]

    assert untimed() == untimed()


def test_settings_reach_the_backend() -> None:
    backend = Spy()
    ask(what_if(to_dose(50.0), max_reasoning_tokens=33), backend)
    assert backend.batches[0][0].max_reasoning_tokens == 33


def test_p_met_is_the_models_own_and_says_so() -> None:
    met = estimated(ask(what_if(to_dose(50.0)), stating(0.88)))[0].state.met
    assert met is not None
    assert (met.verdict, met.probability, met.how, met.calibrated) == ("met", 0.88, "logits", False)
    assert met.mass == pytest.approx(1.0)


def test_the_verdict_is_the_likelier_label() -> None:
    met = estimated(ask(what_if(to_dose(50.0)), stating(0.2)))[0].state.met
    assert met is not None
    assert met.verdict == "not met"


def test_without_probabilities_p_met_is_a_frequency_over_samples_and_says_so() -> None:
    written = iter(["met", "met", "not met", "met"])
    backend = ScriptedBackend(answer=lambda _: {"direction": "down", "arm_value": "-0.8", "verdict": next(written)})
    events = ask(what_if(to_dose(50.0), samples=4), backend)
    single = estimated(events)[0].state.met
    aggregated = next(event for event in events if isinstance(event, Aggregated))
    assert single is not None
    assert (single.probability, single.how) == (None, "none")
    assert aggregated.met is not None
    assert (aggregated.met.probability, aggregated.met.how, aggregated.met.samples) == (0.75, "samples", 4)
    assert (aggregated.agreement, aggregated.answered) == (3, 4)


def test_one_sample_is_not_aggregated() -> None:
    assert not [event for event in ask(what_if(to_dose(50.0))) if isinstance(event, Aggregated)]


def test_a_z_test_stands_beside_the_verdict_and_a_disagreement_is_said() -> None:
    backend = ScriptedBackend(answer=lambda _: {"direction": "down", "arm_value": "-0.8", "verdict": "not met"})
    step = estimated(ask(what_if(to_dose(50.0)), backend))[0]
    assert step.state.z_test is not None
    assert step.state.z_test.met
    assert not step.state.z_test.agrees
    assert any("z-test" in warning for warning in step.warnings)


def test_a_word_against_its_number_is_flagged_and_kept() -> None:
    step = estimated(ask(what_if(to_dose(50.0)), answering(arm_value="-0.1")))[0]
    assert step.stated_direction == "down"
    assert step.state.arm_value is not None
    assert step.state.arm_value.value == -0.1
    assert any("said down" in warning for warning in step.warnings)


@pytest.mark.parametrize("value", ["140", "-3"])
def test_an_impossible_share_is_flagged_and_kept(value: str) -> None:
    step = estimated(ask(what_if(to_dose(50.0), anchor=ref(outcome="bbbb")), answering(arm_value=value)))[0]
    assert step.state.arm_value is not None
    assert step.state.arm_value.value == float(value)
    assert any("no possible share" in warning for warning in step.warnings)


def test_enrolment_is_arithmetic_and_asks_no_model() -> None:
    backend = Spy()
    small, large = (estimated(ask(what_if(to_enrolment(n)), backend))[0] for n in (40, 4000))
    assert backend.batches == []
    assert small.kind == "arithmetic"
    for step in (small, large):
        assert step.state.arm_value is not None
        assert (step.state.arm_value.value, step.state.arm_value.status) == (-0.66, "derived")
        assert step.state.met is not None
        assert step.state.met.status == "derived"
        assert step.state.met.how == "arithmetic"
    assert small.state.met is not None
    assert large.state.met is not None
    assert small.state.met.probability is not None
    assert large.state.met.probability is not None
    assert small.state.met.probability < large.state.met.probability
    assert small.state.z_test is not None
    assert large.state.z_test is not None
    assert large.state.z_test.z == pytest.approx(small.state.z_test.z * 10, rel=0.02)


def test_enrolment_after_an_imagined_step_is_imagined() -> None:
    last = estimated(ask(what_if(to_dose(50.0), to_enrolment(100))))[-1]
    assert last.state.arm_value is not None
    assert last.state.arm_value.status == "imagined"
    assert last.state.met is not None
    assert last.state.met.status == "imagined"


def test_an_edited_step_is_the_users_and_everything_after_it_says_so() -> None:
    request = what_if(to_dose(50.0), to_japan())
    assert isinstance(request.question, WhatIf)
    edited = replace(request, question=replace(request.question, edits=(StepEdit(0, -1.5),)))
    backend = Spy()
    first, second = estimated(ask(edited, backend))
    assert first.kind == "entered"
    assert first.state.arm_value is not None
    assert (first.state.arm_value.value, first.state.arm_value.status) == (-1.5, "entered")
    assert first.state.comparator_value == anchor_state().comparator_value
    assert first.state.met is not None
    assert first.state.met.status == "entered"
    assert [len(batch) for batch in backend.batches] == [1]
    assert second.state.arm_value is not None
    assert second.state.arm_value.after_entered
    assert second.state.contrast is not None
    assert second.state.contrast.number.after_entered


def test_kept_steps_are_taken_over_and_not_asked_again() -> None:
    request = what_if(to_dose(50.0), to_japan())
    before = estimated(ask(request))[0]
    kept = KeptStep(0, 0, before.state, before.reasoning, before.completion)
    backend = Spy()
    again = estimated(ask(replace(request, run_id="run-2", parent="run-1", kept=(kept,)), backend))
    assert again[0].kind == "kept"
    assert again[0].state == before.state
    assert again[0].completion == before.completion
    assert [len(batch) for batch in backend.batches] == [1]


def test_a_kept_step_does_not_stand_after_one_that_was_edited() -> None:
    request = what_if(to_dose(50.0), to_japan())
    before = estimated(ask(request))[1]
    kept = (KeptStep(0, 1, before.state, before.reasoning, before.completion),)
    edited = replace(request, question=replace(request.question, edits=(StepEdit(0, -1.5),)), kept=kept)
    assert [step.kind for step in estimated(ask(edited))] == ["entered", "model"]


def test_what_the_user_entered_is_not_graded() -> None:
    request = what_if(to_dose(25.0))
    edited = replace(request, question=replace(request.question, edits=(StepEdit(0, -0.8),)))
    revealed = estimated(ask(edited))[0].revealed
    assert revealed is not None
    assert revealed.arm_value is not None
    assert (revealed.error, revealed.direction_right, revealed.verdict_right, revealed.brier) == (None, None, None, None)
    assert "entered" in revealed.why


def test_a_side_that_was_not_entered_does_not_turn_the_question_to_the_contrast() -> None:
    request = what_if(to_japan(), to_dose(50.0))
    edited = replace(request, question=replace(request.question, edits=(StepEdit(0, -1.5),)))
    backend = Spy()
    ask(edited, backend)
    assert [slot.name for slot in backend.batches[0][0].slots] == ["direction", "arm_value", "verdict"]


class CancelAfter(Spy):
    """Sets `cancel` when the n-th event of its life comes."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        for event in super().generate(batch, cancel):
            self.left -= 1
            if self.left == 0:
                cancel.set()
            yield event


@pytest.mark.parametrize("count", [1, 20, 40, 60, 80, 100])
def test_cancelling_anywhere_keeps_the_answered_steps_and_ends_the_run_once(count: int) -> None:
    events = ask(what_if(to_dose(50.0), to_japan(), samples=2), CancelAfter(count))
    whole = ask(what_if(to_dose(50.0), to_japan(), samples=2))
    graph = build_graph(events)
    assert sum(isinstance(event, RunFinished) for event in events) == 1
    assert finish(events).outcome in ("cancelled", "answered")
    if finish(events).outcome == "cancelled":
        assert not any(isinstance(event, StepFailed) for event in events)
        assert f"{len(estimated(events))} answered step" in finish(events).message
    assert all(pathway.done is not None for pathway in graph.pathways)
    assert [e.state for e in estimated(events)] == [e.state for e in estimated(whole)][: len(estimated(events))]


def test_cancelling_before_the_start_asks_nothing() -> None:
    cancel, backend = Event(), Spy()
    cancel.set()
    events = ask([what_if(to_dose(50.0), run_id="a"), what_if(to_japan(), run_id="b")], backend, cancel=cancel)
    assert backend.batches == []
    assert [e.outcome for e in events if isinstance(e, RunFinished)] == ["cancelled", "cancelled"]


def test_closing_the_events_closes_the_backends() -> None:
    closed = []

    class Closing(Spy):
        def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
            try:
                yield from super().generate(batch, cancel)
            finally:
                closed.append(True)

    stream = imagine([what_if(to_dose(50.0))], Closing(), Source(), Event())
    for event in stream:
        if isinstance(event, TokensArrived):
            break
    stream.close()  # type: ignore[attr-defined]  # imagine is a generator
    assert closed == [True]


def test_a_failed_sequence_fails_its_step_and_not_the_others() -> None:
    outputs = iter([GenerationFailed("", "the model stopped (out of memory?)", "Press r.", restartable=True)])
    good = ScriptedOutput(" So.", {"direction": "down", "arm_value": "-0.8", "verdict": "met"})
    events = ask(what_if(to_dose(50.0), samples=3), ScriptedBackend(lambda _: next(outputs, good)))
    failed = [event for event in events if isinstance(event, StepFailed)]
    assert [(f.kind, f.restartable, f.message) for f in failed] == [
        ("model stopped", True, "the model stopped (out of memory?)")
    ]
    assert [event.complete for event in events if isinstance(event, PathwayDone)] == [False, True, True]
    assert finish(events).outcome == "answered"
    assert "2 of 3" in finish(events).message


def test_a_run_fails_when_nothing_answered() -> None:
    events = ask(what_if(to_dose(50.0)), ScriptedBackend([GenerationFailed("", "the model stopped", restartable=True)]))
    assert (finish(events).outcome, finish(events).message) == ("failed", "the model stopped")


def test_a_chain_that_stops_half_way_has_no_answer_and_keeps_its_first_step() -> None:
    good = ScriptedOutput(" So.", {"direction": "down", "arm_value": "-0.8", "verdict": "met"})
    events = ask(what_if(to_dose(50.0), to_japan()), ScriptedBackend([good, GenerationFailed("", "the model stopped")]))
    assert finish(events).outcome == "no_answer"
    assert len(estimated(events)) == 1


def test_an_unreadable_answer_is_no_answer_and_keeps_what_was_written() -> None:
    events = ask(what_if(to_dose(50.0)), ScriptedBackend(["I would rather not say."]))
    failed = next(event for event in events if isinstance(event, StepFailed))
    assert failed.kind == "no answer"
    assert failed.completion == "I would rather not say."
    assert finish(events).outcome == "no_answer"


class Broken(Spy):
    """A model that cannot be used from the given batch on."""

    def __init__(self, from_batch: int) -> None:
        super().__init__()
        self.from_batch = from_batch

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        if len(self.batches) == self.from_batch:
            raise ModelError("The model cannot be loaded.", "Choose another.")
        return super().generate(batch, cancel)


@pytest.mark.parametrize("from_batch", [0, 1])
def test_a_model_that_is_gone_ends_every_open_run_with_its_sentence(from_batch: int) -> None:
    requests = [what_if(to_dose(50.0), to_japan(), run_id="long"), what_if(to_dose(25.0), run_id="short")]
    events = ask(requests, Broken(from_batch))
    ends = {event.run_id: event for event in events if isinstance(event, RunFinished)}
    assert ends["long"].outcome == "failed"
    assert (ends["long"].message, ends["long"].hint) == ("The model cannot be loaded.", "Choose another.")
    assert ends["short"].outcome == ("failed" if from_batch == 0 else "answered")
    assert build_graph(e for e in events if e.run_id == "long").pathways[0].done is not None


def test_a_backend_that_forgets_a_sequence_does_not_hang_the_run() -> None:
    class Forgetful(Spy):
        def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
            yield TextArrived(batch[0].request_id, " Well", "reasoning")
            yield GenerationFinished(batch[0].request_id, "cancelled", 1, 1, 0.1)

    events = ask(what_if(to_dose(50.0)), Forgetful())
    assert finish(events).outcome == "failed"


def test_a_question_that_cannot_be_asked_ends_its_run_and_leaves_the_others_alone() -> None:
    good = what_if(to_dose(50.0), run_id="good")
    assert isinstance(good.question, WhatIf)
    bad = replace(good, run_id="bad", question=replace(good.question, anchor=ref("OG000")))
    events = ask([bad, good])
    ends = {event.run_id: event for event in events if isinstance(event, RunFinished)}
    assert ends["bad"].outcome == "no_answer"
    assert ends["bad"].message
    assert ends["good"].outcome == "answered"


def test_an_unknown_trial_ends_the_run() -> None:
    events = ask(what_if(to_dose(50.0)), source=Source(made_trial("NCT99000002")))
    assert [type(event).__name__ for event in events] == ["RunStarted", "RunFinished"]
    assert (finish(events).outcome, finish(events).message) == ("no_answer", "NCT99000001 is not here.")


def test_a_corpus_that_cannot_be_read_fails_the_run() -> None:
    class Locked(Source):
        def trial(self, nct_id: str) -> Trial:
            raise CorpusError("The corpus is locked.", "Close the other program.")

    end = finish(ask(what_if(to_dose(50.0)), source=Locked()))
    assert (end.outcome, end.message, end.hint) == ("failed", "The corpus is locked.", "Close the other program.")


def test_the_start_says_everything_needed_to_repeat_the_run() -> None:
    request = what_if(to_dose(50.0))
    started = ask(request)[0]
    assert isinstance(started, RunStarted)
    assert started.request == request
    assert (started.corpus_name, started.corpus_version, started.data_date) == ("made up", "1", "2026-01-31")
    assert started.model.demo


@pytest.mark.parametrize(("trained_on", "seen"), [(None, None), (frozenset({"NCT99000001"}), True), (frozenset(), False)])
def test_a_trial_that_the_adapter_was_trained_on_is_marked(trained_on: frozenset[str] | None, seen: bool | None) -> None:
    events = imagine([what_if(to_dose(50.0))], ScriptedBackend(), Source(), Event(), trained_on=trained_on, clock=Clock())
    anchor = next(event for event in events if isinstance(event, AnchorChosen))
    assert anchor.seen_in_training is seen


class Short(Spy):
    """A model with a context of `length` tokens of one character each."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    @property
    def info(self):
        return replace(self.inner.info, context_length=self.length)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]


def test_a_prompt_that_does_not_fit_is_shortened_by_the_stated_rules() -> None:
    long = replace(signed_outcome(), title="Change in HbA1c " + "as assessed centrally " * 12)
    source = Source(made_trial("NCT99000001", long))
    full = planned(ask(what_if(to_dose(50.0)), source=source))[0]
    assert full.shortened == ""
    events = ask(what_if(to_dose(50.0)), Short(len(full.prompt) + 96 + 60), source)
    step = planned(events)[0]
    assert step.shortened.endswith("outcome title cut to 120 characters")
    assert len(step.prompt) < len(full.prompt)
    assert finish(events).outcome == "answered"


def test_a_prompt_that_cannot_fit_fails_its_step() -> None:
    events = ask(what_if(to_dose(50.0)), Short(200))
    failed = next(event for event in events if isinstance(event, StepFailed))
    assert failed.kind == "too long"
    assert finish(events).outcome == "no_answer"


def test_a_contrast_is_imagined_where_medians_were_not_reached() -> None:
    source = Source(made_trial("NCT99000001", survival_outcome()))
    backend = ScriptedBackend(answer=lambda _: {"direction": "down", "contrast": "0.61", "verdict": "met"})
    step = estimated(ask(what_if(to_japan(), anchor=ref("OG002", "cccc")), backend, source))[0]
    assert step.state.arm_value is None
    assert step.state.contrast is not None
    assert (step.state.contrast.number.value, step.state.contrast.number.status) == (0.61, "imagined")
    assert step.state.contrast.scale == "hazard ratio"
    assert step.state.met is not None
    assert step.state.met.verdict == "met"
