"""CT Open's question sets: what is read of all three classes, that nothing is run, and that no answer gets into a question."""

from __future__ import annotations

import json
import os
import pickle
from collections import Counter
from pathlib import Path

import pytest

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation import ct_open
from deepimagine_tui.evaluation.questions import THREE_WAY, TWO_WAY
from tests.evaluation.ct_open_made import (
    ARM,
    CUTOFF,
    OTHER,
    SECRET,
    endpoint,
    other_records,
    record,
    superiority_records,
    written,
)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return written(tmp_path / "made.pickle", {**superiority_records(), **other_records()})


def test_superiority_questions_are_read_without_their_answers(made: Path):
    asked = ct_open.read(made, CUTOFF)
    assert asked.is_watched
    assert SECRET not in repr(asked)
    first = asked.questions[0]
    assert (first.nct_id, first.programme, first.kind, first.options) == ("NCT09000000", "NCT09000000", "superiority", TWO_WAY)
    assert (first.target.arm.label, first.target.arm.interventions) == (ARM, ("Glivazin",))
    assert first.target.arm.doses[0].amount == 25
    assert first.target.comparator is not None
    assert first.target.comparator.control == "placebo"
    assert first.comparator_type == "placebo comparator"
    assert (first.target.time.weeks if first.target.time else None) == 24
    assert first.cutoff == CUTOFF
    answers = [asked.key(question).answer for question in asked.questions if question.kind == "superiority"]
    assert answers == ["met", "not met"] * 3 + ["met", "not met"]


def test_the_other_classes_are_read(made: Path):
    asked = ct_open.read(made, CUTOFF)
    effect, whole, listed = asked.questions[-3:]
    assert (effect.kind, effect.options, asked.key(effect).answer) == ("comparative effect", THREE_WAY, "worse")
    assert (effect.target.arm.label, effect.target.comparator and effect.target.comparator.label) == (ARM, OTHER)
    assert (whole.kind, whole.options, asked.key(whole).answer, whole.arms) == ("endpoint", TWO_WAY, "met", (ARM,))
    assert (listed.kind, asked.key(listed).answer, listed.arms) == ("endpoint", "not met", (ARM,))
    assert listed.target.comparator is not None
    assert listed.target.comparator.label == OTHER


@pytest.mark.parametrize(("label", "answer"), [("better", 0), ("worse", 1), ("no difference", 2)])
def test_a_comparative_effect_is_said_of_the_arm(tmp_path: Path, label: str, answer: int):
    effect = dict(other_records())["NCT09000021", endpoint("Time to relapse")]
    options = effect["question_list_of_lists"]
    assert isinstance(options, list)
    records = {("NCT09000021", endpoint("Time to relapse")): record(answer, options[0])}
    asked = ct_open.read(written(tmp_path / "winter_2025.pickle", records))
    assert asked.key(asked.questions[0]).answer == label


def test_json_holds_the_same_questions(made: Path, tmp_path: Path):
    path = tmp_path / "made.json"
    assert ct_open.convert(made, path) == 11
    dumped = json.loads(path.read_text())
    assert dumped[0]["key"] == ["NCT09000000", endpoint("Change From Baseline in HbA1c")]
    assert dumped[0]["value"]["list_of_tuples"] == [[ARM, SECRET, OTHER]]
    one, other = ct_open.read(made, CUTOFF), ct_open.read(path, CUTOFF)
    assert (one.questions, one.keys) == (other.questions, other.keys)
    assert ct_open.reported_texts(path) == ct_open.reported_texts(made)
    assert ct_open.reported_texts(made)["NCT09000000"] == (SECRET,)


def test_the_cutoff_is_that_of_the_published_set_or_given(made: Path, tmp_path: Path):
    with pytest.raises(BadInputError, match="cutoff of made"):
        ct_open.read(made)
    named = written(tmp_path / "Winter_2025.pickle", superiority_records())
    assert {question.cutoff for question in ct_open.read(named).questions} == {"2025-01-31"}
    assert {question.cutoff for question in ct_open.read(named, "2024-12-31").questions} == {"2024-12-31"}


class Harmful:
    """Would move a file when it is read by an unpickler that obeys."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return os.rename, (str(self.path), str(self.path) + ".moved")


def test_a_pickle_that_wants_to_run_code_is_refused(tmp_path: Path):
    path = tmp_path / "harmful.pickle"
    path.write_bytes(pickle.dumps({"x": Harmful(path)}))
    with pytest.raises(BadInputError, match="rename"):
        ct_open.read(path)
    with pytest.raises(BadInputError, match="rename"):
        ct_open.convert(path, tmp_path / "harmful.json")
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({}), pickle.dumps([1]), pickle.dumps({("a", "b"): {}})])
@pytest.mark.parametrize("name", ["winter_2025.pickle", "winter_2025.json"])
def test_what_is_no_question_set_is_refused(tmp_path: Path, content: bytes, name: str):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="question"):
        ct_open.read(path)
    with pytest.raises(NotFoundError):
        ct_open.read(tmp_path / "none.pickle")


def test_a_question_of_no_known_class_is_refused(tmp_path: Path):
    for one in (record(0, label="new_label"), record(0, ["a", "b"]), record(0, ["a", "b", "c", "d"])):
        path = written(tmp_path / "winter_2025.pickle", {("NCT09000001", endpoint("Pain")): one})
        with pytest.raises(BadInputError, match="no question set"):
            ct_open.read(path)


def test_the_published_winter_set_is_read_whole(shared_data: Path, tmp_path: Path):
    path = shared_data / "ct_open" / "Winter_2025.pickle"
    asked = ct_open.read(path)
    assert Counter(question.kind for question in asked.questions) == {
        "superiority": 470,
        "comparative effect": 55,
        "endpoint": 80,
    }
    assert len({question.nct_id for question in asked.questions}) == 314
    assert len(asked.keys) == 605
    answers = Counter((question.kind, asked.key(question).answer) for question in asked.questions)
    assert (answers["superiority", "met"], answers["endpoint", "met"], answers["comparative effect", "no difference"]) == (
        299,
        66,
        47,
    )
    assert {question.cutoff for question in asked.questions} == {"2025-01-31"}
    ct_open.convert(path, tmp_path / "Winter_2025.json")
    assert ct_open.read(tmp_path / "Winter_2025.json").questions == asked.questions


def test_no_reported_result_of_winter_is_in_a_question(shared_data: Path):
    path = shared_data / "ct_open" / "Winter_2025.pickle"
    said = {text for texts in ct_open.reported_texts(path).values() for text in texts if len(text) > 40}
    assert len(said) > 5_000
    written_out = repr(ct_open.read(path).questions)
    assert not [text for text in said if text in written_out]
