"""Running a system over a set: in batches, in one order, gone on with after a stop as if there had been none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import CancelledError, RefusedError
from deepimagine_tui.evaluation import predictions, runner
from deepimagine_tui.evaluation.chain import Chain
from deepimagine_tui.evaluation.predictions import JOURNAL, Prediction
from deepimagine_tui.evaluation.questions import THREE_WAY, Question, QuestionSet
from deepimagine_tui.evaluation.rules import Majority
from deepimagine_tui.evaluation.system import SystemFacts
from tests.evaluation.answering import Told, forecast, set_of, source
from tests.evaluation.made_questions import learnt

QUESTIONS = [forecast(number) for number in range(1, 11)]


class Company:
    """Says of each question in which company it was asked, as a quantised model's near-ties do."""

    batch = 4

    def __init__(self, stop_after: int = 99) -> None:
        self.facts = SystemFacts(name="company", what="says who was there")
        self.asked: list[list[str]] = []
        self._stop_after = stop_after

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        if len(self.asked) == self._stop_after:
            cancel.set()
            raise CancelledError("Predicting was stopped.")
        ids = sorted(question.id for question in questions)
        self.asked.append(ids)
        share = int(str(sum(map(ord, "".join(ids))))[-3:]) / 1000
        return [Prediction(question_id=question.id, probabilities=(share, 1 - share)) for question in questions]


def asked() -> QuestionSet:
    return set_of(QUESTIONS)


def test_every_question_is_answered_once_in_batches_by_the_hash_of_its_id(tmp_path: Path):
    system = Company()
    said = runner.run(system, asked(), tmp_path, Event())
    assert said.is_complete
    assert [len(batch) for batch in system.asked] == [4, 4, 2]
    assert list(said.by_id) == [question.id for question in runner.in_order(QUESTIONS)]
    assert list(said.by_id) != [question.id for question in QUESTIONS]
    assert predictions.read(tmp_path).by_id == said.by_id
    turned = runner.run(Company(), set_of(QUESTIONS[::-1]), tmp_path / "turned", Event())
    assert turned.by_id == said.by_id


def test_the_first_questions_are_the_same_in_the_same_company_as_in_a_run_over_all(tmp_path: Path):
    whole = runner.run(Company(), asked(), tmp_path / "whole", Event())
    some = runner.run(Company(), runner.first(asked(), 8), tmp_path / "some", Event())
    assert len(some.by_id) == 8
    assert all(whole.by_id[name] == prediction for name, prediction in some.by_id.items())
    assert runner.first(asked(), 0) == asked()


@pytest.mark.parametrize("lines", [1, 3, 5, 6, 11])
def test_a_run_that_was_killed_anywhere_ends_as_one_that_was_not(tmp_path: Path, lines: int):
    whole = runner.run(Company(), asked(), tmp_path / "whole", Event())
    written = (tmp_path / "whole" / JOURNAL).read_bytes().splitlines(keepends=True)
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / JOURNAL).write_bytes(b"".join(written[:lines]) + b'{"question_id": "NCT98')
    system = Company()
    again = runner.run(system, asked(), killed, Event())
    assert again.by_id == whole.by_id
    assert predictions.read(killed).by_id == whole.by_id
    assert len(system.asked) == 3 - (lines - 1) // 4 if lines < 11 else system.asked == []


def test_a_stop_keeps_what_was_answered_and_the_same_call_goes_on(tmp_path: Path):
    with pytest.raises(CancelledError):
        runner.run(Company(stop_after=2), asked(), tmp_path, Event())
    assert len(predictions.read(tmp_path).by_id) == 8
    system = Company()
    assert runner.run(system, asked(), tmp_path, Event()).is_complete
    assert len(system.asked) == 1


def test_another_system_set_or_setting_in_the_folder_is_refused(tmp_path: Path):
    runner.run(Company(), asked(), tmp_path, Event())
    with pytest.raises(RefusedError):
        runner.run(Majority(learnt()), asked(), tmp_path, Event())
    with pytest.raises(RefusedError):
        runner.run(Company(), replace(asked(), sha256="d" * 64), tmp_path, Event())


def test_progress_counts_questions_with_the_time_left(tmp_path: Path):
    told: list[str] = []
    runner.run(Company(), asked(), tmp_path, Event(), told.append)
    assert [text.partition(",")[0] for text in told] == ["4 of 10 questions", "8 of 10 questions", "10 of 10 questions"]
    assert all(text.endswith(" left") for text in told)


def test_a_system_for_all_at_once_gets_all_at_once(tmp_path: Path):
    said = runner.run(Majority(learnt()), asked(), tmp_path, Event())
    assert len(said.by_id) == 10
    assert said.header.learnt_trials == 40


def test_journals_of_runs_that_no_prediction_names_are_gone_after_going_on(tmp_path: Path):
    def chain(model: Told) -> Chain:
        return Chain(model, source(), learnt(), anchors=3, runs=tmp_path / runner.RUNS)

    some = set_of([*QUESTIONS[:9], forecast(10, THREE_WAY)])
    with pytest.raises(CancelledError):
        runner.run(chain(Told(stop_at=3)), some, tmp_path, Event())
    stopped = set((tmp_path / runner.RUNS).iterdir())
    answered = {prediction.run_id for prediction in predictions.read(tmp_path).by_id.values()}
    assert len(answered) == 8
    said = runner.run(chain(Told()), some, tmp_path, Event())
    found = set((tmp_path / runner.RUNS).iterdir())
    assert {path.name.partition(".")[0] for path in found} == {prediction.run_id for prediction in said.by_id.values()}
    assert len(found) == 11
    assert {path for path in stopped if path.name.partition(".")[0] in answered} <= found
    assert stopped - found
