"""The report on a set: made systems get what they deserve, foreign journals are refused, and incomplete ones are said so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.evaluation import floors, published, scoring_report
from deepimagine_tui.evaluation.ct_open_metrics import CLASSES
from deepimagine_tui.evaluation.interpretability import Interpretability
from deepimagine_tui.evaluation.metrics import EVERY
from deepimagine_tui.evaluation.predictions import Prediction, Predictions
from deepimagine_tui.evaluation.questions import MET
from deepimagine_tui.evaluation.scoring_report import Report, score
from tests.evaluation.answering_systems import at_random, journal, made_set, with_share
from tests.evaluation.made_questions import learnt


def test_made_systems_get_what_they_deserve():
    asked = made_set(120)
    perfect, wrong = journal(asked, "perfect", with_share(1.0)), journal(asked, "wrong", with_share(0.0))
    always = journal(asked, "always", lambda question, key: Prediction(question_id=question.id, probabilities=(1.0, 0.0)))
    report = score(asked, [perfect, wrong, always, journal(asked, "random", at_random(1))])
    f1 = {system.name: report.of(system.name, "superiority", "macro-F1") for system in report.systems}
    values = {name: found.value for name, found in f1.items() if found is not None}
    # Of 240 questions 160 are met: F1 of met is 2 * 160 / (240 + 160), of not met 0.
    assert (values["perfect"], values["wrong"], values["always"]) == (1, 0, pytest.approx(0.4))
    random_one = report.of("random", "superiority", "AUROC")
    assert random_one is not None
    assert random_one.lower is not None
    assert random_one.upper is not None
    assert random_one.lower < 0.5 < random_one.upper
    found = report.against("wrong", "superiority", "Brier")
    assert found is not None
    assert (found.estimate.value, found.word) == (-1, "better")
    assert report.judged == "perfect"


def test_what_the_report_is_of():
    asked = made_set(10, watched=True, kinds=("superiority", "comparative effect"))
    report = score(asked, [journal(asked, "one", with_share(0.9))], looks=7)
    assert (report.questions, report.trials, report.programmes, report.looks) == (40, 10, 10, 7)
    superiority, effect = report.classes
    assert superiority.posted == {"met": 14, "not met": 6}
    assert effect.posted == {"better": 14, "worse": 0, "no difference": 6}
    assert report.systems[0].answered == 40


def test_the_judged_system_is_deepimagine_else_the_first_else_who_is_named():
    asked = made_set()
    journals = [journal(asked, name, at_random(place)) for place, name in enumerate(("direct", "deepimagine", "rag"))]
    assert score(asked, journals).judged == "deepimagine"
    assert score(asked, journals[:1]).judged == "direct"
    assert score(asked, journals, judged="rag").judged == "rag"
    with pytest.raises(BadInputError, match="No predictions of nobody"):
        score(asked, journals, judged="nobody")


def test_equal_names_are_told_apart_by_their_settings():
    asked = made_set()
    few, many, again = (
        journal(asked, "rag", at_random(place), settings={"anchors": k, "seed": 7}) for place, k in enumerate((3, 7, 7))
    )
    assert [system.name for system in score(asked, [few, many, again]).systems] == [
        "rag [anchors 3]",
        "rag [anchors 7]",
        "rag [anchors 7] #2",
    ]


def test_foreign_and_empty_journals_are_refused():
    asked = made_set()
    one = journal(asked, "one", with_share(1.0))
    with pytest.raises(RefusedError, match="of another question set"):
        score(asked, [Predictions(replace(one.header, set_sha256="0" * 64), one.by_id)])
    with pytest.raises(RefusedError, match="does not have: other"):
        score(asked, [Predictions(one.header, {"other": Prediction(question_id="other", probabilities=(1.0, 0.0))})])
    with pytest.raises(BadInputError, match="answered nothing yet"):
        score(asked, [Predictions(one.header, {})])
    with pytest.raises(BadInputError, match="no predictions to score"):
        score(asked, [])


def test_an_incomplete_journal_is_scored_on_what_it_answered():
    asked = made_set(12, watched=True)
    half = journal(asked, "half", with_share(1.0), limit=12)
    whole = journal(asked, "whole", with_share(1.0))
    report = score(asked, [whole, half])
    assert [system.answered for system in report.systems] == [24, 12]
    assert report.systems[0].published is not None
    assert report.systems[1].published is None, "published metrics are of all questions"
    found = report.against("half", "superiority", "accuracy")
    assert found is not None
    assert (found.estimate.rows, found.estimate.trials) == (12, 6)


def test_a_watched_set_is_scored_by_the_published_rules_too():
    asked = made_set(12, watched=True)
    report = score(asked, [journal(asked, "one", with_share(0.8))])
    told = report.systems[0].published
    assert told is not None
    assert told.by_class["superiority"].macro_f1 == 1
    ours = report.of("one", "superiority", "cross-entropy")
    assert ours is not None
    assert ours.value == pytest.approx(told.by_class["superiority"].cross_entropy)
    assert score(made_set(), [journal(made_set(), "one", with_share(0.8))]).systems[0].published is None


def test_fallbacks_are_counted_apart():
    asked = made_set()
    ids = [question.id for question in asked.questions]
    why = {ids[0]: "no answer", ids[1]: "no anchor", ids[2]: "no anchor"}
    one = journal(asked, "one", with_share(1.0))
    changed = {key: replace(each, fallback=why.get(key, "")) for key, each in one.by_id.items()}
    row = score(asked, [Predictions(one.header, changed)]).systems[0]
    assert (row.no_answer, row.no_anchor) == (1, 2)


def test_interpretability_goes_with_the_system_whose_runs_were_kept():
    asked = made_set()
    told = Interpretability(models=("gemma",), runs=3, measures=())
    report = score(asked, [journal(asked, name, at_random(1)) for name in ("a", "b")], interpretability=[None, told])
    assert list(report.interpretability) == ["b"]


def test_the_rules_are_added_where_they_are_missing():
    asked = made_set()
    half = journal(asked, "deepimagine", with_share(0.9), limit=10)
    added = floors.missing(asked, [half], learnt())
    assert [each.header.system for each in added] == ["majority", "comparator-rule"]
    assert all(set(each.by_id) == set(half.by_id) for each in added), "on the questions that were answered"
    assert floors.missing(asked, [half, *added], learnt()) == []
    rule = score(asked, [half, *added]).of("comparator-rule", "superiority", "accuracy")
    assert rule is not None
    assert rule.value == sum(asked.key(question).answer == MET for question in asked.questions[:10]) / 10


def test_a_report_is_read_back_from_its_file(tmp_path: Path):
    asked = made_set(12, watched=True)
    report = score(asked, [journal(asked, name, at_random(2), model="gemma") for name in ("one", "two")], looks=2)
    path = tmp_path / scoring_report.REPORT
    scoring_report.write(path, report)
    assert scoring_report.read(path) == scoring_report.read(tmp_path) == report
    with pytest.raises(NotFoundError):
        scoring_report.read(tmp_path / "none.json")
    path.write_text("{")
    with pytest.raises(BadInputError, match="is damaged"):
        scoring_report.read(path)
    for changed, error in ((replace(report, format="x"), BadInputError), (replace(report, schema_version=9), NewerSchemaError)):
        path.write_bytes(msgspec.json.encode(changed))
        with pytest.raises(error):
            scoring_report.read(path)


def test_the_same_journals_give_the_same_report():
    asked = made_set()
    reports: list[Report] = [
        score(asked, [journal(asked, "one", at_random(4)), journal(asked, "two", at_random(5))]) for _ in "ab"
    ]
    assert reports[0] == reports[1]
    assert {each.slice for each in reports[0].scores} == {EVERY}


def test_published_rows_have_every_class_and_the_means_that_were_worked_out():
    for name, best, mean in (("Summer_2025", "Gemini-3.1-Pro Preview", 74.24), ("Winter 2025", "o3-mini + RAG", 67.63)):
        rows = published.rows(name)
        assert len(rows) == 13
        assert all(set(row.macro_f1) == set(row.balanced_accuracy) == set(CLASSES) for row in rows)
        assert rows[0].system == best
        assert sum(rows[0].macro_f1.values()) / 3 == pytest.approx(mean, abs=0.01)
        assert [row.system for row in rows if row.is_flagged] == ["Claude Opus 4.5 + RAG", "Claude Opus 4.5"]
    assert published.rows("natural pairs, test") == ()
