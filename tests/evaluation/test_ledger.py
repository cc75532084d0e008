"""The ledger of looks at a watched set: every scoring is entered, the same one once, and old lines stay readable."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation import ct_open, ledger
from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import QuestionSet
from tests.evaluation.ct_open_made import CUTOFF, other_records, superiority_records, written

ROOT = Path(__file__).parents[2]


@pytest.fixture
def asked(tmp_path: Path) -> QuestionSet:
    return ct_open.read(written(tmp_path / "made.pickle", {**superiority_records(), **other_records()}), CUTOFF)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with one commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "file").write_text("x")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "file"), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(("git", "-C", str(folder), *words), check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    return folder


def predictions(asked: QuestionSet, met: float = 1.0) -> Predictions:
    header = Header(
        system="always-met",
        what="x",
        set_name=asked.name,
        set_sha256=asked.sha256,
        questions=len(asked.questions),
        model="gemma",
        model_sha256="a" * 64,
        adapter_sha256="b" * 64,
        corpus="starter",
        corpus_version="1234",
    )
    found = {}
    for question in asked.questions:
        rest = (1 - met) / (len(question.options) - 1)
        shares = (met, *[rest] * (len(question.options) - 1))
        found[question.id] = Prediction(question_id=question.id, probabilities=shares)
    return Predictions(header, found)


def test_a_look_is_entered_with_commit_model_and_scores(asked: QuestionSet, checkout: Path):
    path = checkout / "docs" / "looks.jsonl"
    entry = ledger.enter(path, asked, predictions(asked))
    head = subprocess.run(("git", "-C", checkout, "rev-parse", "HEAD"), capture_output=True, text=True, check=True)
    assert (entry.commit, entry.changed) == (head.stdout.strip(), False)
    assert (entry.model_sha256, entry.adapter_sha256, entry.corpus) == ("a" * 64, "b" * 64, "starter 1234")
    assert (entry.set_name, entry.set_sha256) == ("made", asked.sha256)
    assert ledger.read(path) == [entry]
    (checkout / "file").write_text("y")
    assert ledger.enter(path, asked, predictions(asked, 0.9)).changed
    assert ledger.looks(ledger.read(path), asked.sha256) == 2
    assert ledger.looks(ledger.read(path), "other") == 0


def test_every_class_is_scored(asked: QuestionSet):
    found = ledger.verdicts(asked, predictions(asked, 0.75))
    assert list(found) == ["superiority", "comparative effect", "endpoint"]
    superiority, effect, endpoint = found.values()
    assert (superiority.questions, effect.questions, endpoint.questions) == (8, 1, 2)
    assert superiority.balanced_accuracy.value == pytest.approx(0.5)
    assert superiority.macro_f1.value == pytest.approx((2 * 4 / 12 + 0) / 2)
    assert superiority.brier.value == pytest.approx((0.25**2 + 0.75**2) / 2)
    assert effect.balanced_accuracy.value == 1, "better said of worse is a difference still"
    assert effect.brier.value == pytest.approx((0.75**2 + 0.875**2 + 0.125**2) / 2)


def test_the_same_predictions_are_the_same_look(asked: QuestionSet, checkout: Path):
    path = checkout / "looks.jsonl"
    first = ledger.enter(path, asked, predictions(asked))
    assert ledger.enter(path, asked, predictions(asked)) == first
    assert len(ledger.read(path)) == 1
    ledger.enter(path, asked, predictions(asked, 0.99))
    other = predictions(asked)
    ledger.enter(path, asked, Predictions(replace(other.header, system="another"), other.by_id))
    assert len(ledger.read(path)) == 3


def test_the_first_lines_stay_readable(tmp_path: Path, asked: QuestionSet, checkout: Path):
    path = checkout / "looks.jsonl"
    ledger.enter(path, asked, predictions(asked))
    fields = json.loads(path.read_text())
    fields["verdicts"] = fields.pop("by_class")["superiority"]
    for name in ("set_name", "said"):
        del fields[name]
    path.write_text(json.dumps(fields) + "\n")
    assert ledger.read(path)[0].by_class["superiority"].questions == 8
    ledger.enter(path, asked, predictions(asked))
    assert [set(entry.by_class) for entry in ledger.read(path)] == [
        {"superiority"},
        {"superiority", "comparative effect", "endpoint"},
    ]


def test_the_committed_ledger_is_readable():
    entries = ledger.read(ROOT / ledger.LEDGER)
    assert len(entries) >= 7
    rule = next(entry for entry in entries if entry.system == "comparator-rule")
    assert round(100 * (rule.by_class["superiority"].macro_f1.value or 0), 1) == 47.5


def test_what_cannot_be_entered(tmp_path: Path, asked: QuestionSet, checkout: Path):
    outside = tmp_path / "outside" / "looks.jsonl"
    with pytest.raises(RefusedError, match="no git checkout"):
        ledger.check(outside)
    with pytest.raises(RefusedError, match="no git checkout"):
        ledger.enter(outside, asked, predictions(asked))
    assert not outside.parent.exists()
    partial = predictions(asked)
    partial.by_id.pop(asked.questions[0].id)
    path = checkout / "looks.jsonl"
    with pytest.raises(BadInputError, match="has no prediction"):
        ledger.enter(path, asked, partial)
    assert not path.exists()
    for damaged in ("{", "[]", "{}"):
        path.write_text(damaged)
        with pytest.raises(BadInputError, match="is damaged"):
            ledger.read(path)
    assert ledger.read(tmp_path / "none.jsonl") == []


def test_the_published_floors_come_out(shared_data: Path):
    """Always the commonest answer, on Winter, as published: no model is scored."""
    asked = ct_open.read(shared_data / "ct_open" / "Winter_2025.pickle")
    said = predictions(asked)
    for question in asked.questions:
        if question.kind == "comparative effect":
            said.by_id[question.id] = Prediction(question_id=question.id, probabilities=(0.0, 0.0, 1.0))
    found = ledger.verdicts(asked, said)
    floors = {kind: round(100 * (each.macro_f1.value or 0), 1) for kind, each in found.items()}
    assert floors == {"superiority": 38.9, "comparative effect": 46.1, "endpoint": 45.2}
    assert found["superiority"].macro_f1.trials == 249
