"""Probes of a set of natural pairs: planned once a trial, asked in batches that a stop cannot spoil, read as measures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest, ModelBackend
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.errors import BadInputError, ModelError, RefusedError
from deepimagine_tui.evaluation import interpretability, probing
from deepimagine_tui.evaluation.intervals import Estimate
from deepimagine_tui.evaluation.probing import Asked, Header
from deepimagine_tui.evaluation.questions import Key, Question, QuestionSet
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.observed import observed_state
from tests.reasoning.engine.support import Source, Spy, made_trial, ref, stack, to_dose
from tests.reasoning.test_interpret import saying

TRIALS = tuple(f"NCT9900000{number}" for number in range(1, 8))
SOURCE = Source(*(made_trial(nct_id) for nct_id in TRIALS))
HEADER = Header(model="made", corpus="made up", corpus_version="1", set_name="made", set_sha256="0" * 64)


def pair(nct_id: str) -> Question:
    source = observed_state(made_trial(nct_id), ref(nct_id=nct_id))
    change = stack(source.configuration, to_dose(50.0))[0]
    target = apply(source.configuration, change.change)
    return Question(
        id=f"pair of {nct_id}",
        nct_id=nct_id,
        programme=nct_id,
        kind="natural pair",
        target=target,
        source=source,
        changes=(change,),
        factor="dose",
    )


def pairs(*nct_ids: str) -> QuestionSet:
    questions = tuple(map(pair, nct_ids))
    keys = {question.id: Key(question_id=question.id, answer="met") for question in questions}
    return QuestionSet(name="made", sha256="0" * 64, questions=questions, keys=keys)


def probed(folder: Path, backend: ModelBackend, nct_ids: Sequence[str] = TRIALS) -> Callable[[str], Estimate]:
    planned = probing.plan(pairs(*nct_ids), SOURCE, seeds=3)
    probing.ask(planned, HEADER, backend, SOURCE, folder, Event())
    measures = interpretability.read_runs(folder).measures
    return lambda name: next(each.estimate for each in measures if (each.name, each.factor) == (name, ""))


def copying() -> ScriptedBackend:
    return saying((-0.66, -0.08, "no clear change", 0.7))


class Stopping(Spy):
    """A model that is gone after so many batches of its own."""

    def __init__(self, batches: int) -> None:
        super().__init__(copying())
        self.left = batches

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        if not self.left:
            raise ModelError("The model is gone.")
        self.left -= 1
        return super().generate(batch, cancel)


def test_every_trial_is_probed_once_in_all_four_ways() -> None:
    planned = probing.plan(pairs(*TRIALS[:2]), SOURCE)
    assert [[each.probe.kind for each in trial] for trial in planned] == [["seeds", "return", "order", "dose ladder"]] * 2
    assert len(probing.plan(pairs(*TRIALS), SOURCE, trials=3)) == 3


def test_a_state_that_the_corpus_does_not_hold_is_not_probed() -> None:
    with pytest.raises(BadInputError, match="can be probed"):
        probing.plan(pairs("NCT99000001"), Source(made_trial("NCT99000002")))


def test_a_model_that_copies_shows_no_movement_and_does_not_mind_the_order(tmp_path: Path) -> None:
    said = probed(tmp_path, copying())
    for name in (interpretability.MOVE, interpretability.MOVE_P, interpretability.AWAY, interpretability.BACK):
        assert said(name).value == pytest.approx(0)
    for name in (interpretability.ORDER, interpretability.ORDER_P, interpretability.TAU, interpretability.IN_ORDER):
        assert said(name).value == 0
    for name in (interpretability.LEVEL, interpretability.ORDER_VERDICT, interpretability.BACK_VERDICT, interpretability.SEEDS):
        assert said(name).value == 1
    order = said(interpretability.ORDER)
    assert (order.rows, order.trials, order.lower, order.upper) == (7, 7, 0, 0)


def test_a_model_that_answers_by_its_turn_minds_the_order(tmp_path: Path) -> None:
    turns = [(-0.9 + number / 100, -0.08, "down", 0.9 - number / 100) for number in range(80)]
    said = probed(tmp_path, saying(*turns), TRIALS[:2])
    assert (said(interpretability.ORDER).value or 0) > 0
    assert (said(interpretability.ORDER_P).value or 0) > 0


def test_a_stop_keeps_whole_batches_and_the_rest_is_asked_later(tmp_path: Path) -> None:
    planned = probing.plan(pairs(*TRIALS[:2]), SOURCE, seeds=3)
    with pytest.raises(ModelError):
        probing.ask(planned, HEADER, Stopping(3), SOURCE, tmp_path, Event())
    kept = probing.read(tmp_path).asked
    assert len({each.probe.anchor.nct_id for each in kept}) == probing.BATCH
    backend = Spy(copying())
    found = probing.ask(planned, HEADER, backend, SOURCE, tmp_path, Event())
    assert found.asked[: len(kept)] == kept
    assert len({request.request_id.split("/")[0] for batch in backend.batches for request in batch}) == 8
    run_ids = {run_id for each in found.asked for run_id in each.run_ids}
    assert {path.stem for path in (tmp_path / "runs").iterdir()} == run_ids
    nothing = Spy(copying())
    assert probing.ask(planned, HEADER, nothing, SOURCE, tmp_path, Event()) == found
    assert nothing.batches == []


def test_another_model_needs_another_folder(tmp_path: Path) -> None:
    planned: list[list[Asked]] = probing.plan(pairs(TRIALS[0]), SOURCE)
    probing.ask(planned, HEADER, copying(), SOURCE, tmp_path, Event())
    other = Header(model="other", corpus="made up", corpus_version="1", set_name="made", set_sha256="0" * 64)
    with pytest.raises(RefusedError):
        probing.ask(planned, other, copying(), SOURCE, tmp_path, Event())


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    planned = probing.plan(pairs(TRIALS[0]), SOURCE)
    before = probing.ask(planned, HEADER, copying(), SOURCE, tmp_path, Event())
    with (tmp_path / probing.JOURNAL).open("ab") as stream:
        stream.write(b'{"probe"')
    assert probing.read(tmp_path) == before
    assert probing.ask(planned, HEADER, copying(), SOURCE, tmp_path, Event()) == before
