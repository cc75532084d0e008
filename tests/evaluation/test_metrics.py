"""Metrics by hand-computed values, by scikit-learn where it has them, and their intervals under repeated rows."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec.structs import replace

from deepimagine_tui.evaluation import metrics
from deepimagine_tui.evaluation.graded import NO_ANSWER, Graded, grade
from deepimagine_tui.evaluation.intervals import Estimate, Weights, estimate
from deepimagine_tui.evaluation.metrics import EVERY, Metric, Slice, measure, reliability
from deepimagine_tui.evaluation.predictions import Fallback, Prediction, UsedTrial
from deepimagine_tui.evaluation.questions import MET, NOT_MET, THREE_WAY, TWO_WAY, Key, Question
from deepimagine_tui.evaluation.statistics import auroc, bin_of, calibration_error, skill
from deepimagine_tui.reasoning.calibration import Calibration, FittedOn, Quantile
from deepimagine_tui.reasoning.state import (
    ArmSpec,
    Configuration,
    DoseChange,
    Interval,
    MetEstimate,
    Number,
    OutcomeSpec,
    Perturbation,
    State,
)
from deepimagine_tui.trials.dose import Dose
from tests.evaluation.made_questions import asked

SAID = (0.9, 0.8, 0.3, 0.6, 0.2, 0.5, 0.7, 0.1)
TRUTH = (True, True, False, False, False, True, False, True)


def answered(
    shares: Sequence[float],
    truth: Sequence[bool],
    trials: Sequence[int] | None = None,
    fallbacks: Sequence[Fallback] | None = None,
) -> list[Graded]:
    """Two-way answers, each of its own trial where nothing else is said."""
    found = []
    for place, (share, is_met) in enumerate(zip(shares, truth, strict=True)):
        question = asked(trials[place] if trials else place, outcome=f"Outcome {place}")
        prediction = Prediction(
            question_id=question.id,
            probabilities=(share, 1 - share),
            fallback=fallbacks[place] if fallbacks else "",
        )
        found.append(grade(question, Key(question_id=question.id, answer=MET if is_met else NOT_MET), prediction))
    return found


def by_id(answers: Sequence[Graded]) -> dict[str, Graded]:
    return {each.question.id: each for each in answers}


def value(metric: Metric, answers: Sequence[Graded]) -> float:
    """A metric without its interval."""
    measured = measure(metric, [answers])
    assert measured is not None
    return float(measured.statistics[0](np.ones((1, len(measured.rows.trials))))[0])


def scored(answers: Sequence[Graded], metric: Metric, part: Slice = EVERY) -> Estimate:
    found = [each for each in metrics.scores("one", by_id(answers)) if (each.metric, each.slice) == (metric, part)]
    assert len(found) == 1
    return found[0].estimate


def test_verdict_metrics_by_hand():
    answers = answered((0.9, 0.8, 0.3, 0.6), (True, False, False, True))
    # Said met, met, not met, met: of two met both are right, of two not met one.
    assert value("accuracy", answers) == pytest.approx(3 / 4)
    assert value("balanced accuracy", answers) == pytest.approx((2 / 2 + 1 / 2) / 2)
    assert value("macro-F1", answers) == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)
    assert value("Brier", answers) == pytest.approx((0.01 + 0.64 + 0.09 + 0.16) / 4)
    assert value("cross-entropy", answers) == pytest.approx(-math.log(0.9 * 0.2 * 0.7 * 0.6) / 4)
    # Of four pairs (met, not met): .9 over .8 and .3, .6 over .3 alone.
    assert value("AUROC", answers) == pytest.approx(3 / 4)
    # Bins .9, .8, .3 and .6 hold one each.
    assert value("ECE", answers) == pytest.approx((0.1 + 0.8 + 0.3 + 0.4) / 4)


@pytest.mark.parametrize("ties", [False, True])
def test_scikit_learn_agrees(ties: bool):
    sklearn = pytest.importorskip("sklearn.metrics")
    drawn = random.Random(3)
    shares = [round(drawn.random(), 1 if ties else 6) for _ in range(200)]
    truth = [drawn.random() < share * 0.6 + 0.2 for share in shares]
    answers = answered(shares, truth)
    said = [share >= 0.5 for share in shares]
    assert value("macro-F1", answers) == pytest.approx(sklearn.f1_score(truth, said, average="macro"))
    assert value("balanced accuracy", answers) == pytest.approx(sklearn.balanced_accuracy_score(truth, said))
    assert value("accuracy", answers) == pytest.approx(sklearn.accuracy_score(truth, said))
    assert value("AUROC", answers) == pytest.approx(sklearn.roc_auc_score(truth, shares))
    assert value("Brier", answers) == pytest.approx(sklearn.brier_score_loss(truth, shares))
    clipped = np.clip(shares, 1e-12, 1 - 1e-12)
    assert value("cross-entropy", answers) == pytest.approx(sklearn.log_loss(truth, clipped))


def test_weights_count_as_repeated_rows():
    sklearn = pytest.importorskip("sklearn.metrics")
    drawn = np.random.default_rng(5)
    weights: Weights = drawn.integers(0, 4, size=(7, len(SAID))).astype(np.float64)
    weights[0] = 0
    area, error = auroc(SAID, TRUTH)(weights), calibration_error(SAID, TRUTH)(weights)
    assert math.isnan(area[0])
    assert math.isnan(error[0])
    for row, found, gap in zip(weights[1:], area[1:], error[1:], strict=True):
        assert found == pytest.approx(sklearn.roc_auc_score(TRUTH, SAID, sample_weight=row))
        repeated = [place for place, times in enumerate(row) for _ in range(int(times))]
        alone = calibration_error([SAID[place] for place in repeated], [TRUTH[place] for place in repeated])
        assert gap == pytest.approx(alone(np.ones((1, len(repeated))))[0])


def test_calibration_error_takes_the_mean_of_a_bin():
    # .62 and .68 are one bin, of which one is met: |.65 - .5|; .1 is another, whose lower end is in it.
    found = calibration_error((0.62, 0.68, 0.1), (True, False, False))(np.ones((1, 3)))
    assert found[0] == pytest.approx(2 / 3 * 0.15 + 1 / 3 * 0.1)
    assert [bin_of(share) for share in (0.0, 0.1, 0.3, 0.7, 0.999, 1.0)] == [0, 1, 3, 7, 9, 9]


def test_one_kind_of_answer_has_no_area():
    assert scored(answered((0.9, 0.2), (True, True)), "AUROC") == Estimate(None, None, None, 2, 2, 2)


def test_no_answer_is_wrong_and_counts_as_the_base_rate():
    answers = answered((0.9, 0.7), (True, True), fallbacks=("", "no answer"))
    assert answers[1].said == NO_ANSWER
    assert value("accuracy", answers) == 0.5
    assert value("macro-F1", answers) == pytest.approx(2 * 1 / (2 + 1))
    assert value("Brier", answers) == pytest.approx((0.1**2 + 0.3**2) / 2)
    assert value("cross-entropy", answers) == pytest.approx(-math.log(0.9 * 0.7) / 2)


def test_no_anchor_answers_by_its_base_rate():
    answers = answered((0.9, 0.7), (True, True), fallbacks=("", "no anchor"))
    assert answers[1].said == MET
    assert answers[1].fallback == "no anchor"
    assert value("accuracy", answers) == 1


def test_a_certain_error_has_a_finite_cross_entropy():
    assert value("cross-entropy", answered((0.0, 1.0), (True, True))) == pytest.approx(-math.log(1e-12) / 2)


def test_the_likelier_option_counts_and_no_threshold_is_chosen():
    # Every P(met) is under one half: no threshold between .1 and .4 is looked for.
    assert value("balanced accuracy", answered((0.4, 0.4, 0.1, 0.1), (True, True, False, False))) == 0.5


def test_a_comparative_effect_is_counted_as_a_difference_or_none():
    question = asked(1, options=THREE_WAY, kind="comparative effect")
    prediction = Prediction(question_id=question.id, probabilities=(0.4, 0.25, 0.35))
    found = grade(question, Key(question_id=question.id, answer="worse"), prediction)
    assert (found.truth, found.said, found.share) == ("different", "different", pytest.approx(0.65))
    assert found.loss == pytest.approx(-math.log(0.25))
    assert found.squares == pytest.approx((0.4**2 + 0.75**2 + 0.35**2) / 2)
    none = grade(question, Key(question_id=question.id, answer="no difference"), prediction)
    assert (none.truth, none.said) == ("no difference", "different"), "the likeliest of three is chosen before they are joined"


def test_what_a_system_does_not_speak_of_is_not_scored():
    silent = answered((0.5, 0.5), (True, False))
    silent = [replace(each, fallback="not said", posted_direction="up") for each in silent]
    said = [replace(silent[0], direction="up"), silent[1]]
    assert measure("Brier", [said]) is None
    assert measure("accuracy", [said, said]) is None
    assert scored(said, "direction").rows == 1
    assert scored(said, "direction").value == 1
    assert not any(each.met.rows for each in reliability("one", by_id(said)))


def test_an_undetermined_verdict_is_scored_by_direction_alone():
    question = asked(1)
    prediction = Prediction(question_id=question.id, probabilities=(0.9, 0.1), direction="up")
    found = [grade(question, Key(question_id=question.id, answer=None, direction="up"), prediction)]
    assert measure("macro-F1", [found]) is None
    assert value("direction", found) == 1


def test_direction_is_balanced_over_three_and_no_answer_is_wrong():
    directions = (("up", "up"), ("up", "down"), ("down", "down"), ("no clear change", None))
    found = []
    for place, (posted, said) in enumerate(directions):
        question = asked(place)
        prediction = Prediction(question_id=question.id, probabilities=(0.5, 0.5), direction=said, stated="up")  # type: ignore[arg-type]
        found.append(grade(question, Key(question_id=question.id, answer=None, direction=posted), prediction))  # type: ignore[arg-type]
    assert value("direction", found) == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert value("stated direction", found) == pytest.approx((1 + 0 + 0) / 3)


def test_a_system_without_directions_does_not_speak_of_them():
    question = asked(1)
    prediction = Prediction(question_id=question.id, probabilities=(0.9, 0.1))
    found = [grade(question, Key(question_id=question.id, answer=MET, direction="up"), prediction)]
    for metric in metrics.VALUES:
        assert measure(metric, [found]) is None


# Values: a positive measure has g = ln and s = 1, so that e is the logarithm of the ratio.
OUTCOME = OutcomeSpec(
    "Titre", unit="titre", parameter="mean", kind="positive", benefit="higher", analysis_set="intention to treat"
)
DOSES = (Dose("Glivazin", 10.0, "mg", "10 mg"), Dose("Glivazin", 20.0, "mg", "20 mg"))


def state(titre: float, status: str = "observed", interval: Interval | None = None, verdict: str = "met") -> State:
    configuration = Configuration(ArmSpec("Glivazin", ("Glivazin",), doses=DOSES[:1]), ArmSpec("Placebo"), OUTCOME)
    precision = {} if status == "imagined" else {"dispersion_kind": "SE", "dispersion": titre / 20, "n": 100}
    number = Number(titre, status, "titre", interval=interval, **precision)  # type: ignore[arg-type]
    met = MetEstimate(verdict, "observed")  # type: ignore[arg-type]
    return State("s", "NCT00000001", configuration, number, Number(50.0, "observed", "titre"), met=met)


def step(
    trial: int,
    imagined: float | None,
    posted: float,
    interval: Interval | None = None,
    verdict: str = "met",
    calibration: Calibration | None = None,
) -> Graded:
    """A change of dose from a titre of 100, imagined and posted."""
    question = asked(trial)
    question = Question(
        id=question.id,
        nct_id=question.nct_id,
        programme=question.programme,
        kind="natural pair",
        target=question.target,
        source=state(100.0),
        changes=(Perturbation("dose", "10 mg", "20 mg", DoseChange(DOSES[1])),),
        factor="dose",
    )
    prediction = Prediction(
        question_id=question.id,
        probabilities=(0.8, 0.2),
        state=None if imagined is None else state(imagined, "imagined", interval),
        fallback="no answer" if imagined is None else "",
        used=(UsedTrial("NCT00000001", ""),),
    )
    posted_state = state(posted, verdict=verdict)
    key = Key(question_id=question.id, answer=verdict, direction="up", target=posted_state)
    return grade(question, key, prediction, calibration)


def test_values_are_graded_by_the_one_grader():
    found = [step(1, 200.0, 400.0), step(2, 150.0, 200.0), step(3, 210.0, 200.0), step(4, None, 200.0)]
    errors = [math.log(2), math.log(4 / 3), math.log(1.05)]
    assert [each.error for each in found] == [*(pytest.approx(error) for error in errors), None]
    assert value("median e", found) == pytest.approx(math.log(4 / 3))
    assert value("skill over copying", found) == pytest.approx(1 - math.log(4 / 3) / math.log(2))
    copied = [step(place, 100.0, 200.0) for place in range(3)]
    assert value("skill over copying", copied) == pytest.approx(0)
    assert value("direction", found) == pytest.approx(3 / 4), "the one without an answer is wrong"


def test_skill_is_unknown_where_copying_makes_no_error():
    assert np.isnan(skill((0.5,), (0.0,))(np.ones((1, 1)))[0])


def test_coverage_is_of_the_posted_values_inside():
    narrow, wide = Interval(140.0, 160.0, 90.0, "PI"), Interval(None, 400.0, 90.0, "PI")
    found = [step(1, 150.0, 200.0, narrow), step(2, 150.0, 200.0, wide), step(3, 150.0, 200.0)]
    assert [each.covered for each in found] == [0.0, 1.0, None]
    assert value("coverage", found) == 0.5
    assert [each.level for each in found] == [90.0, 90.0, None]


def test_coverage_by_a_calibration_leaves_out_what_it_was_fitted_on():
    # e is ln 2, ln 1.5 and ln 1.1; the interval reaches .5 to either side.
    quantile = Quantile("positive", 1, 0.5, trials=30)
    fitted_on = FittedOn("validation", "", "x", trials=("NCT00000004",))
    calibration = Calibration(90.0, (quantile,), fitted_on=fitted_on)
    found = [step(trial, titre, 200.0, calibration=calibration) for trial, titre in enumerate((100.0, 300.0, 220.0, 100.0), 1)]
    assert [each.covered for each in found] == [0.0, 1.0, 1.0, None]
    assert [each.level for each in found] == [90.0, 90.0, 90.0, None]
    assert step(1, 100.0, 200.0, calibration=Calibration(90.0)).covered is None, "not calibrated"


def test_flips_and_factors_are_slices():
    found = [step(1, 150.0, 200.0), step(2, 150.0, 200.0, verdict="not met"), step(3, 150.0, 200.0, verdict="not met")]
    assert [each.is_flip for each in found] == [False, True, True]
    assert scored(found, "accuracy", Slice("flips", "flips")).value == 0
    assert scored(found, "accuracy", Slice("flips", "non-flips")).value == 1
    assert scored(found, "accuracy", Slice("factor", "dose")).rows == 3
    assert {part.text for part in metrics.slices(by_id(found), found[0].question.kind)} >= {"All", "Dose", "Dose, non-flips"}
    of_dose = scored(found, "accuracy", Slice("flips", "non-flips", "dose"))
    assert of_dose.rows == sum(each.is_flip is False and each.question.factor == "dose" for each in found)
    assert "anchors" not in {each.kind for each in metrics.slices(by_id(found), "natural pair")}, "a step has one source"


def test_anchors_are_counted_by_trial():
    found = []
    for place, count in enumerate((0, 1, 2, 3, 7)):
        question = asked(place)
        used = tuple(UsedTrial(f"NCT{each:08}", "") for each in range(count))
        prediction = Prediction(question_id=question.id, probabilities=(0.9, 0.1), used=(*used, *used[:1]))
        found.append(grade(question, Key(question_id=question.id, answer=MET if place else NOT_MET), prediction))
    rows = [scored(found, "accuracy", Slice("anchors", name)) for name, _, _ in metrics.ANCHORS]
    assert [row.rows for row in rows] == [1, 2, 2]
    assert [row.value for row in rows] == [0, 1, 1]


def test_classes_are_scored_apart():
    two = answered((0.9,), (True,))
    question = asked(5, options=THREE_WAY, kind="comparative effect")
    prediction = Prediction(question_id=question.id, probabilities=(0.0, 0.0, 1.0))
    three = grade(question, Key(question_id=question.id, answer="better"), prediction)
    found = metrics.scores("one", by_id([*two, three]))
    accuracy = {each.question_class: each.estimate.value for each in found if each.metric == "accuracy"}
    assert accuracy == {"superiority": 1, "comparative effect": 0}


def test_repeating_the_rows_of_a_trial_narrows_nothing():
    drawn = random.Random(9)
    shares = [drawn.random() for _ in range(40)]
    truth = [drawn.random() < share for share in shares]
    once = answered(shares, truth, list(range(40)))
    often = answered(shares * 5, truth * 5, list(range(40)) * 5)
    for metric in ("macro-F1", "Brier", "AUROC", "ECE", "cross-entropy"):
        first, second = scored(once, metric), scored(often, metric)  # type: ignore[arg-type]
        assert (second.rows, second.trials) == (200, 40)
        assert (second.value, second.lower, second.upper) == pytest.approx((first.value, first.lower, first.upper))
    apart = scored(answered(shares * 5, truth * 5, list(range(200))), "Brier")
    clustered = scored(often, "Brier")
    assert clustered.upper is not None
    assert clustered.lower is not None
    assert apart.upper is not None
    assert apart.lower is not None
    assert clustered.upper - clustered.lower > 2 * (apart.upper - apart.lower), "as rows of their own they would"


def test_differences_are_paired_on_common_questions():
    drawn = random.Random(4)
    truth = [drawn.random() < 0.5 for _ in range(60)]
    perfect, inverted = (answered([float(is_met == right) for is_met in truth], truth) for right in (True, False))
    missing = by_id(inverted[:50])
    found = {each.metric: each for each in metrics.differences("good", by_id(perfect), "bad", missing) if each.slice == EVERY}
    assert found["accuracy"].estimate == Estimate(1.0, 1.0, 1.0, 50, 50, 50)
    assert (found["accuracy"].word, found["Brier"].word) == ("better", "better")
    same = metrics.differences("good", by_id(perfect), "twin", by_id(perfect))
    assert {each.word for each in same} == {"not distinguishable"}
    assert "coverage" not in {each.metric for each in same}


def test_a_difference_by_anchors_goes_by_the_first_system():
    questions = [asked(place) for place in range(4)]

    def system(counts: Sequence[int]) -> dict[str, Graded]:
        found = {}
        for question, count in zip(questions, counts, strict=True):
            used = tuple(UsedTrial(f"NCT{each:08}", "") for each in range(count))
            said = Prediction(question_id=question.id, probabilities=(0.9, 0.1), used=used)
            found[question.id] = grade(question, Key(question_id=question.id, answer=MET), said)
        return found

    found = metrics.differences("a", system((0, 0, 0, 3)), "b", system((0, 3, 3, 3)))
    rows = {each.slice.name: each.estimate.rows for each in found if each.metric == "accuracy"}
    assert rows == {"all": 4, "0 anchors": 3, "3+ anchors": 1}


def test_reliability_bins_hold_what_was_said_and_met():
    bins = reliability("one", by_id(answered((0.62, 0.68, 0.05), (True, False, False))))
    assert len(bins) == 10
    assert (bins[6].said, bins[6].met.value, bins[6].met.rows) == (pytest.approx(0.65), 0.5, 2)
    assert (bins[0].said, bins[0].met.value) == (0.05, 0)
    assert (bins[3].said, bins[3].met) == (None, Estimate(None, None, None, 0, 0, 0))


def test_a_bin_in_which_all_agree_is_not_certain():
    sure = reliability("one", by_id(answered([0.95] * 10, [True] * 10)))[9].met
    assert (sure.value, sure.upper) == (1, 1)
    # Of ten independent trials all are met with probability .025 where the share is .025^(1/10).
    assert sure.lower == pytest.approx(0.025 ** (1 / 10))


def test_no_score_is_certain_where_all_are_right():
    found = answered([0.95] * 8, [True] * 8)
    accuracy, f1 = scored(found, "accuracy"), scored(found, "macro-F1")
    assert (accuracy.value, accuracy.upper) == (1, 1)
    assert accuracy.lower == pytest.approx(0.025 ** (1 / 8))
    assert (f1.value, f1.lower, f1.upper) == (1, None, None)
    none = scored(answered([0.05] * 8, [True] * 8), "accuracy")
    assert (none.lower, none.upper) == (0, pytest.approx(1 - 0.025 ** (1 / 8)))
    assert scored(answered([0.95] * 3, [True] * 3), "accuracy").lower is None, "three programmes are too few"


def test_measures_of_unequal_lengths_are_no_measure():
    with pytest.raises(ValueError, match="zip"):
        measure("accuracy", [answered((0.9, 0.1), (True, True)), answered((0.9,), (True,))])


def test_two_options_are_counted_as_they_are():
    found = answered(SAID, TRUTH)
    assert {each.said for each in found} <= set(TWO_WAY)
    better = [replace(each, said=each.truth or "") for each in found]
    measured = measure("macro-F1", [found, better])
    assert measured is not None
    assert estimate(measured.statistics[1], measured.rows).value == 1
