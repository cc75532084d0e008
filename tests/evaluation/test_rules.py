"""The rules that every system has to beat: what each says of each kind of question."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation import ct_open
from deepimagine_tui.evaluation.intervals import Rows, estimate, macro_f1
from deepimagine_tui.evaluation.options import shares
from deepimagine_tui.evaluation.predictions import NOT_SAID
from deepimagine_tui.evaluation.questions import MET, NOT_MET, THREE_WAY, TWO_WAY, Key, QuestionSet
from deepimagine_tui.evaluation.rules import BaseRate, ComparatorRule, CopyAnchor, Majority, MoreDose
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.anchors import Anchor, AnchorSearch
from deepimagine_tui.reasoning.state import Configuration, DoseChange, MetEstimate, Number, Perturbation, State
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import PartialDate, Trial
from tests.evaluation.made_questions import asked, learnt, met, predict, step


def posted(trial: int, verdict: str, value: float = 1.0) -> State:
    """A posted state with a verdict."""
    at = asked(trial)
    number = Number(value, "observed")
    return State("x", at.nct_id, at.target, number, number, met=MetEstimate(verdict, "derived"))  # type: ignore[arg-type]


class Made:
    """An anchor source that finds the same states for every target, and keeps what it was asked."""

    name, version, data_date = "made", "1", "2024-01-01"

    def __init__(self, *states: State) -> None:
        self.states, self.asked = states, []

    def trial(self, nct_id: str) -> Trial:
        return Trial(nct_id, "A trial", results_posted=PartialDate("2020-02-01"))

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        self.asked.append((nct_id, k, cutoff))
        return AnchorSearch(tuple(Anchor(state, 0.5) for state in self.states[:k]))


def test_the_comparator_rule_goes_by_the_registered_type_before_the_words():
    questions = [
        asked(1, registered="placebo comparator"),
        asked(2, registered="active comparator"),
        asked(3, registered="no intervention", control="unknown"),
        asked(4, registered="sham comparator"),
        asked(5, control="placebo"),
        asked(6, against="Metformin", control="active"),
        asked(7, against=None),
    ]
    assert met(ComparatorRule(), questions) == [1, 0, 1, 1, 1, 0, 0]
    three = [replace(each, options=THREE_WAY, kind="comparative effect") for each in questions[:2]]
    assert [one.probabilities for one in predict(ComparatorRule(), three)] == [(1, 0, 0), (0, 0, 1)]


def test_the_comparator_rule_on_winter_comes_out_as_published(shared_data: Path):
    winter = ct_open.read(shared_data / "ct_open" / "Winter_2025.pickle")
    questions = [question for question in winter.questions if question.kind == "superiority"]
    said = [TWO_WAY[one.probabilities.index(1)] for one in predict(ComparatorRule(), questions)]
    truth = [winter.key(question).answer or "" for question in questions]
    trials = tuple(question.nct_id for question in questions)
    found = estimate(macro_f1(truth, said, TWO_WAY), Rows(trials, trials), count=10)
    assert len(questions) == 470
    assert round(100 * (found.value or 0), 1) == 47.5


def test_the_majority_is_that_of_training_by_factor():
    source = posted(1, MET)
    steps = [step(trial, source, "dose" if trial % 2 else "arm") for trial in range(1, 8)]
    keys = {one.id: Key(question_id=one.id, answer=MET if one.factor == "dose" else NOT_MET) for one in steps}
    system = Majority(Learnt(QuestionSet(name="made", sha256="", questions=tuple(steps), keys=keys)))
    assert met(system, steps) == [float(one.factor == "dose") for one in steps]
    more = learnt(3)
    all_met = {key: replace(value, answer=MET) for key, value in more.examples.keys.items()}
    assert met(Majority(Learnt(replace(more.examples, keys=all_met))), [asked(99)]) == [1]
    three = predict(Majority(more), [asked(99, options=THREE_WAY)])[0]
    assert sorted(three.probabilities) == [0, 0, 1]


def test_the_commonest_direction_and_the_base_rate_are_those_of_the_factor():
    source = posted(1, MET)
    steps = [step(trial, source, "dose" if trial % 2 else "arm") for trial in range(1, 9)]
    up = {one.id: Key(question_id=one.id, answer=MET, direction="up") for one in steps if one.factor == "dose"}
    others = {one.id: Key(question_id=one.id, answer=NOT_MET, direction="down") for one in steps if one.factor == "arm"}
    some = Learnt(QuestionSet(name="made", sha256="", questions=tuple(steps), keys=up | others))
    asks = [*steps[:2], step(9, source, "time_frame"), asked(99)]
    assert [one.direction for one in predict(Majority(some), asks)] == ["up", "down", "up", None]
    assert met(BaseRate(some), asks) == [1, 0, 0.5, 0.5]
    assert {one.fallback for one in predict(BaseRate(some), asks)} == {""}


@pytest.mark.parametrize(("arm", "comparator", "dose", "direction"), [
    (5.0, 3.0, 50.0, "up"),
    (5.0, 3.0, 10.0, "down"),
    (1.0, 3.0, 50.0, "down"),
    (1.0, 3.0, 10.0, "up"),
    (None, 3.0, 50.0, "no clear change"),
])  # fmt: skip
def test_more_dose_moves_further_from_the_comparator(arm: float | None, comparator: float, dose: float, direction: str):
    at = asked(1).target
    old, new = (Dose("Glivazin", value, "mg", f"{value:g} mg") for value in (25.0, dose))
    before = replace(at, arm=replace(at.arm, doses=(old,)), outcome=replace(at.outcome, kind="signed"))
    number = None if arm is None else Number(arm, "observed")
    source = State("x", "NCT00000001", before, number, Number(comparator, "observed"))
    question = replace(step(2, source, "dose"), changes=(Perturbation("dose", old.text, new.text, DoseChange(new)),))
    other = replace(question, id="other", factor="time_frame")
    found = predict(MoreDose(learnt(3)), [question, other, asked(3)])
    assert [one.direction for one in found] == [direction, None, None]
    assert {one.fallback for one in found} == {NOT_SAID}


def test_a_step_copies_its_source():
    system = CopyAnchor(learnt(3))
    found = predict(system, [step(9, posted(8, MET), "dose"), step(9, posted(8, NOT_MET))])
    assert [one.probabilities for one in found] == [(1, 0), (0, 1)]
    assert [one.direction for one in found] == ["no clear change", None]
    assert found[0].state == posted(8, MET)
    silent = predict(system, [step(9, replace(posted(8, MET), met=None))])[0]
    assert silent.fallback == "no anchor"
    assert silent.probabilities == pytest.approx((0.5, 0.5))


def test_a_forecast_copies_its_nearest_anchors_and_says_whose_results_it_saw():
    source = Made(posted(1, MET), posted(2, NOT_MET), posted(3, MET))
    question = replace(asked(50), cutoff="2024-12-31")
    assert met(CopyAnchor(learnt(3), source, 1), [question]) == [1]
    found = predict(CopyAnchor(learnt(3), source, 3), [question])[0]
    assert found.probabilities[0] == pytest.approx(2 / 3)
    assert source.asked == [(question.nct_id, 1, "2024-12-31"), (question.nct_id, 3, "2024-12-31")]
    assert {(one.nct_id, one.posted) for one in found.used} == {(f"NCT{trial:08}", "2020-02-01") for trial in (1, 2, 3)}
    for nothing in (Made(), Made(posted(1, "undetermined"))):
        lost = predict(CopyAnchor(learnt(3), nothing, 3), [question])[0]
        assert lost.fallback == "no anchor"
        assert lost.problem


def test_what_is_cancelled_stops():
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        ComparatorRule().predict([asked(1)], cancel)


def test_three_options_from_two_probabilities():
    assert shares(TWO_WAY, 0.3) == (0.3, 0.7)
    better, worse, same = shares(THREE_WAY, 0.5, 0.5)
    assert better == worse == same == pytest.approx(1 / 3)
    assert shares(THREE_WAY, 0.8, 0.1)[0] > shares(THREE_WAY, 0.8, 0.4)[0]
    assert sum(shares(THREE_WAY, 1.0, 1.0)) == pytest.approx(1)
    assert shares(THREE_WAY, 0.2) == pytest.approx((0.2, 0, 0.8))
