"""CT Open's metrics and submission forms on a fixed file of replies: against the published evaluation's own numbers, and
against the rules worked out here in exact fractions."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from deepimagine_tui.errors import BadInputError, ExitCode, NotFoundError
from deepimagine_tui.evaluation import ct_open, ct_open_metrics, ct_open_replies
from deepimagine_tui.evaluation.ct_open_metrics import PublishedReport
from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import QuestionSet
from tests.cli.conftest import Cli, cli, plain_environment
from tests.evaluation.ct_open_made import CUTOFF, other_records, superiority_records, written

__all__ = ["cli", "plain_environment"]

DATA = Path(__file__).parents[1] / "data" / "ct_open"
MADE = DATA / "made.json"
RUNS = [DATA / f"replies_{run}.json" for run in (1, 2, 3)]

PUBLISHED = [
    {
        "endpoint": (0.575, 0.5751633986928104, 4.703542878723083),
        "superiority": (0.7214285714285715, 0.6607142857142857, 1.9913874350145815),
        "comparative effect": (0.47916666666666663, 0.47619047619047616, 3.0672243012186176),
        "overall": (0.5918650793650794, 0.5706893868658575, 3.2540515383187607),
    },
    {
        "endpoint": (0.4875, 0.46153846153846156, 1.0264278322279021),
        "superiority": (0.4214285714285715, 0.4242424242424242, 0.9048623457480814),
        "comparative effect": (0.875, 0.8035714285714286, 0.6922822568048649),
        "overall": (0.5946428571428571, 0.5631174381174381, 0.8745241449269495),
    },
    {
        "endpoint": (0.4875, 0.46153846153846156, 2.982951148617218),
        "superiority": (0.25, 0.2692307692307692, 5.045254714601397),
        "comparative effect": (0.7708333333333333, 0.7708333333333333, 0.8949554641738738),
        "overall": (0.5027777777777778, 0.500534188034188, 2.9743871091308294),
    },
]
"""Weighted accuracy, macro-F1 and cross-entropy of each file of replies, as CT Open's `evaluation.py` (commit 7a29c11) prints
them."""
OF_ALL_RUNS = {
    "endpoint": (0.5166666666666667, 0.49941344058991116, 2.904307286522734),
    "superiority": (0.46428571428571436, 0.45139582639582637, 2.6471681651213532),
    "comparative effect": (0.7083333333333334, 0.683531746031746, 1.551487340732452),
    "overall": (0.5630952380952382, 0.5447803376724946, 2.367654264125513),
}


@pytest.fixture
def asked() -> QuestionSet:
    return ct_open.read(MADE, CUTOFF)


def said(report: PublishedReport) -> dict[str, tuple[float, float, float | None]]:
    every = {**report.by_class, "overall": report.overall}
    return {kind: (each.weighted_accuracy, each.macro_f1, each.cross_entropy) for kind, each in every.items()}


@pytest.mark.parametrize("run", [0, 1, 2])
def test_a_fixed_file_scores_as_the_published_evaluation_scores_it(asked: QuestionSet, run: int):
    shares = ct_open_replies.read_replies(RUNS[run], asked)
    assert said(ct_open_metrics.score(asked, [shares])) == PUBLISHED[run]


def test_runs_are_averaged_as_published(asked: QuestionSet):
    runs = [ct_open_replies.read_replies(path, asked) for path in RUNS]
    assert said(ct_open_metrics.score(asked, runs)) == OF_ALL_RUNS


def by_the_rules(truth: list[int], chosen: list[int]) -> tuple[Fraction, Fraction]:
    """Weighted accuracy and macro-F1 as exact fractions, from precision and recall."""
    accuracies, f1s = [], []
    for option in {*truth, *chosen}:
        hits = sum(a == b == option for a, b in zip(truth, chosen, strict=True))
        if option in truth:
            accuracies.append(Fraction(hits, truth.count(option)))
        recall = Fraction(hits, truth.count(option)) if option in truth else Fraction(0)
        precision = Fraction(hits, chosen.count(option)) if option in chosen else Fraction(0)
        f1s.append(2 * precision * recall / (precision + recall) if precision + recall else Fraction(0))
    return sum(accuracies, Fraction(0)) / len(accuracies), sum(f1s, Fraction(0)) / len(f1s)


@pytest.mark.parametrize("run", [0, 1, 2])
def test_the_rules_give_the_same_numbers(asked: QuestionSet, run: int):
    shares = ct_open_replies.read_replies(RUNS[run], asked)
    found = ct_open_metrics.score(asked, [shares])
    for kind, scores in found.by_class.items():
        truth, chosen, losses = [], [], []
        for question in (each for each in asked.questions if each.kind == kind):
            right = question.options.index(asked.key(question).answer or "")
            given = shares[question.id]
            best = given.index(max(given))
            losses.append(-math.log(max(given[right] / sum(given), 1e-12)))
            collapse = kind == "comparative effect"
            truth.append(int(right == 2) if collapse else right)
            chosen.append(int(best == 2) if collapse else best)
        accuracy, f1 = by_the_rules(truth, chosen)
        assert (scores.weighted_accuracy, scores.macro_f1) == pytest.approx((float(accuracy), float(f1)), abs=1e-15)
        assert scores.cross_entropy == pytest.approx(sum(losses) / len(losses), abs=1e-9)


def test_confusing_better_with_worse_costs_entropy_alone(asked: QuestionSet):
    effects = asked.take(frozenset(question.id for question in asked.questions if question.kind == "comparative effect"))
    answers = {question.id: question.options.index(effects.key(question).answer or "") for question in effects.questions}
    turned = {name: {0: 1, 1: 0, 2: 2}[at] for name, at in answers.items()}
    right, wrong = (
        ct_open_metrics.score(effects, [{name: [float(place == at) for place in range(3)] for name, at in each.items()}])
        for each in (answers, turned)
    )
    assert right.overall.macro_f1 == wrong.overall.macro_f1 == wrong.overall.weighted_accuracy == 1
    assert right.overall.cross_entropy == pytest.approx(0, abs=1e-11)
    assert (wrong.overall.cross_entropy or 0) > 5


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I would not say.",
        "DECISION: yes",
        "DECISION: (0.3)",
        "DECISION: (0.3, 0.3, 0.4)",
        "DECISION: (0, 0)",
        "DECISION: (-1, 2)",
        "DECISION: (0.3, inf)\nREASON: x",
        "DECISION: (a, b)",
        "DECISION: __import__('os').getcwd()",
    ],
)
def test_a_reply_that_cannot_be_read_is_an_error(asked: QuestionSet, tmp_path: Path, reply: str):
    with pytest.raises(BadInputError, match="reply"):
        ct_open_replies.parse_reply(reply, 2)
    replies = json.loads(RUNS[0].read_text())
    replies[asked.questions[0].id] = reply
    path = tmp_path / "replies.json"
    ct_open_replies.write_replies(path, replies)
    with pytest.raises(BadInputError, match="reply"):
        ct_open_replies.read_replies(path, asked)


def test_every_question_counts(asked: QuestionSet, tmp_path: Path):
    shares = dict(ct_open_replies.read_replies(RUNS[0], asked))
    shares.pop(asked.questions[3].id)
    with pytest.raises(BadInputError, match="1 questions have no prediction"):
        ct_open_metrics.score(asked, [shares])
    with pytest.raises(BadInputError, match="nothing"):
        ct_open_metrics.score(asked, [])
    replies = json.loads(RUNS[0].read_text())
    for change in ({asked.questions[0].id: None}, {"NCT1/0/0": "DECISION: (1, 0)"}):
        changed = {name: reply for name, reply in {**replies, **change}.items() if reply is not None}
        ct_open_replies.write_replies(tmp_path / "r.json", changed)
        with pytest.raises(BadInputError, match="NCT"):
            ct_open_replies.read_replies(tmp_path / "r.json", asked)


def predicted(asked: QuestionSet, shares: Mapping[str, tuple[float, ...]]) -> Predictions:
    header = Header(system="direct", what="x", set_name=asked.name, set_sha256=asked.sha256, questions=len(asked.questions))
    return Predictions(header, {name: Prediction(question_id=name, probabilities=each) for name, each in shares.items()})


def test_predictions_are_written_as_replies_and_read_back_unchanged(asked: QuestionSet, tmp_path: Path):
    shares = ct_open_replies.read_replies(RUNS[0], asked)
    replies = ct_open_replies.replies_of(asked, predicted(asked, shares))
    assert replies[asked.questions[0].id].startswith("DECISION: (")
    ct_open_replies.write_replies(tmp_path / "out.json", replies)
    assert ct_open_replies.read_replies(tmp_path / "out.json", asked) == shares
    keys = ct_open.published_keys(MADE)
    ct_open_replies.write_published(tmp_path / "out.pickle", replies, keys)
    theirs = pickle.loads((tmp_path / "out.pickle").read_bytes())
    assert theirs == {keys[name]: reply for name, reply in replies.items()}
    first = json.loads(MADE.read_text())[0]["key"]
    assert (*first, 0) in theirs
    with pytest.raises(BadInputError, match="has no prediction"):
        ct_open_replies.replies_of(asked, predicted(asked, {}))


def test_choices_for_the_live_challenge_are_written_and_read_back(asked: QuestionSet, tmp_path: Path):
    runs = [ct_open_replies.read_replies(path, asked) for path in RUNS]
    path = tmp_path / "choices.json"
    ct_open_replies.write_choices(path, ct_open_replies.choices_of(asked, runs))
    written = json.loads(path.read_text())
    assert set(written) == {question.id for question in asked.questions}
    assert {len(letters) for letters in written.values()} == {3}
    assert {letter for letters in written.values() for letter in letters} == {"a", "b", "c"}
    choices = ct_open_replies.read_choices(path, asked)
    found = said(ct_open_metrics.score_choices(asked, choices))
    assert {kind: each[:2] for kind, each in found.items()} == {kind: each[:2] for kind, each in OF_ALL_RUNS.items()}
    assert {each[2] for each in found.values()} == {None}


@pytest.mark.parametrize("letters", [["a", "b"], [], ["d", "a", "b"], ["c", "a", "b"], "aab"])
def test_choices_that_the_challenge_would_refuse(asked: QuestionSet, tmp_path: Path, letters: object):
    first = next(question.id for question in asked.questions if question.kind == "superiority")
    path = tmp_path / "choices.json"
    path.write_text(json.dumps({question.id: ["A", "b", "a"] for question in asked.questions} | {first: letters}))
    with pytest.raises(BadInputError):
        ct_open_replies.read_choices(path, asked)
    with pytest.raises(NotFoundError):
        ct_open_replies.read_choices(tmp_path / "none.json", asked)


def test_the_commands_write_what_ct_open_takes(tmp_path: Path, cli: Cli):
    pickled = written(tmp_path / "winter_2025.pickle", {**superiority_records(), **other_records()})
    asked = ct_open.read(pickled)
    folder = tmp_path / "out"
    assert cli("evaluate", "run", pickled, "--system", "comparator-rule", "--out", folder).code == ExitCode.OK
    out = tmp_path / "sent.json"
    assert cli("evaluate", "submit", pickled, folder, "--out", out).code == ExitCode.OK
    assert ct_open_replies.read_replies(out, asked)[asked.questions[0].id] == (1.0, 0.0)
    assert cli("evaluate", "submit", pickled, folder, folder, "--form", "choices", "--out", out).code == ExitCode.OK
    assert [run[asked.questions[0].id] for run in ct_open_replies.read_choices(out, asked)] == [0, 0]
    assert cli("evaluate", "submit", pickled, folder, "--form", "published", "--out", out).code == ExitCode.OK
    assert set(pickle.loads(out.read_bytes())) == set(ct_open.published_keys(pickled).values())
    assert cli("evaluate", "submit", pickled, folder, folder, "--out", out).code == ExitCode.USAGE
    assert cli("evaluate", "submit", MADE, folder, "--out", out).code == ExitCode.BAD_INPUT
    assert cli("evaluate", "convert", pickled, tmp_path / "winter.txt").code == ExitCode.USAGE
    told = cli("evaluate", "convert", pickled, tmp_path / "winter_2025.json", "--json")
    assert told.json["records"] == 11
    assert ct_open.read(tmp_path / "winter_2025.json").questions == asked.questions
