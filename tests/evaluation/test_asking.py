"""Asking a batch of prompts: what comes back, what is shortened, what ends a run, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationRequest,
    ModelInfo,
    Slot,
    TextArrived,
)
from deepimagine_tui.backends.scripted import ScriptedOutput
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, NotFoundError
from deepimagine_tui.evaluation.asking import Prompt, ask, read_asked
from deepimagine_tui.evaluation.persistent import Persistent
from tests.evaluation.answering import MODEL, REMOTE, Told, says

VERDICT = (Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),)


def prompts(count: int = 3) -> list[Prompt]:
    return [Prompt(str(number), (f"Question {number}\nReasoning:",), VERDICT, seed=number) for number in range(count)]


def test_every_prompt_of_a_batch_is_answered_together_with_its_probabilities():
    model = Told(says(0.7))
    answers = ask(prompts(), model, Event())
    assert [len(batch) for batch in model.batches] == [3]
    assert [request.seed for request in model.batches[0]] == [7, 8, 9]
    assert list(answers) == ["0", "1", "2"]
    one = answers["1"]
    assert one.slots["verdict"].probabilities == pytest.approx({"met": 0.7, "not met": 0.3})
    assert one.completion.endswith("\nVerdict: met")
    assert one.prompt.startswith("Question 1")
    assert one.completion_tokens > 0


def test_the_first_text_that_fits_is_asked_and_the_last_where_none_is_short():
    long = "word " * 400
    model = Told()
    texts = (f"{long}\nReasoning:", "Short.\nReasoning:")
    ask(
        [Prompt("a", texts, VERDICT), Prompt("b", texts, VERDICT, max_tokens=0), Prompt("c", texts[:1], VERDICT)],
        model,
        Event(),
    )
    assert [prompt[:5] for prompt in model.prompts] == ["Short", "word ", "word "]


def test_what_does_not_fit_the_context_is_a_problem_of_that_prompt_alone():
    model = Told(info=replace(MODEL, context_length=120))
    answers = ask([Prompt("long", ("word " * 400,), VERDICT), *prompts(1)], model, Event())
    assert answers["long"].problem == "too long for the model's context"
    assert not answers["0"].problem
    assert [request.request_id for request in model.batches[0]] == ["0"]


def test_a_model_that_stopped_ends_the_batch_and_one_failed_answer_does_not():
    def failing(restartable: bool) -> Told:
        def script(request: GenerationRequest) -> ScriptedOutput | GenerationFailed:
            if request.request_id == "1":
                return GenerationFailed("1", "No room.", "A hint.", restartable)
            return says(0.7)(request)  # type: ignore[return-value]

        return Told(script)

    answers = ask(prompts(), failing(False), Event())
    assert [answer.problem for answer in answers.values()] == ["", "No room.", ""]
    with pytest.raises(ModelError, match="No room"):
        ask(prompts(), failing(True), Event())


def test_a_stop_is_told():
    with pytest.raises(CancelledError):
        ask(prompts(), Told(stop_at=1), Event())


def test_prompts_and_answers_are_kept_and_of_a_prompt_asked_again_the_last(tmp_path: Path):
    path = tmp_path / "asked.jsonl"
    ask(prompts(2), Told(says(0.7)), Event(), kept_in=path)
    ask(prompts(1), Told(says(0.4)), Event(), kept_in=path)
    with path.open("ab") as stream:
        stream.write(b'{"id": "torn')
    kept = read_asked(path)
    assert set(kept) == {"0", "1"}
    assert kept["0"].slots["verdict"].probabilities["met"] == pytest.approx(0.4)
    assert kept["1"].prompt == prompts(2)[1].texts[0]
    path.write_bytes(b"nonsense\n")
    with pytest.raises(BadInputError):
        read_asked(path)
    with pytest.raises(NotFoundError):
        read_asked(tmp_path / "none")


class Dropping:
    """Fails so many times for each request before it answers, as a server does whose connections drop in mid-answer."""

    def __init__(self, times: int, info: ModelInfo = REMOTE, *, restartable: bool = False) -> None:
        self._inner, self._times, self._restartable = Told(), times, restartable
        self.info = info
        self.tries: dict[str, int] = {}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._inner.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        for request in batch:
            self.tries[request.request_id] = self.tries.get(request.request_id, 0) + 1
        good = [request for request in batch if request.request_id == "0" or self.tries[request.request_id] > self._times]
        for request in batch:
            if request not in good:
                yield TextArrived(request.request_id, " Half", "reasoning")
                yield GenerationFailed(request.request_id, "The answer was cut off.", "", self._restartable)
        yield from self._inner.generate(good, cancel)

    def close(self) -> None:
        """Nothing to free."""


def test_a_server_is_asked_again_for_what_it_dropped_alone_and_half_an_answer_is_forgotten():
    server = Dropping(2)
    answers = ask(prompts(), Persistent(server, first_wait=0.0), Event())
    assert server.tries == {"0": 1, "1": 3, "2": 3}
    assert {answer.completion for answer in answers.values()} == {" The drug works.\nVerdict: met"}


def test_a_server_that_stays_away_ends_the_run_and_a_local_model_is_not_asked_again():
    with pytest.raises(ModelError, match="cut off"):
        ask(prompts(), Persistent(Dropping(99), first_wait=0.0), Event())
    local = Dropping(1, MODEL, restartable=True)
    with pytest.raises(ModelError, match="cut off"):
        ask(prompts(), Persistent(local, first_wait=0.0), Event())
    assert local.tries == {"0": 1, "1": 1, "2": 1}
    own = Dropping(1, MODEL)
    answers = ask(prompts(), Persistent(own, first_wait=0.0), Event())
    assert [answer.problem for answer in answers.values()] == ["", "The answer was cut off.", "The answer was cut off."]
