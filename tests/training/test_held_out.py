"""Asking held-out pairs: which, in what order, and that a stop or a kill loses nothing."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from deepimagine_training import held_out, pair_files, predictions, score_report, scores
from deepimagine_training.baselines import base_rate
from deepimagine_training.held_out import HeldOut, Settings
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import PairSet, draw
from msgspec.structs import replace

from deepimagine_tui.backends import catalogue
from deepimagine_tui.backends.protocol import GenerationFailed
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.errors import BadInputError, CancelledError, ExitCode, ModelError, NotFoundError, RefusedError
from tests.cli.conftest import Cli, cli, plain_environment
from tests.training.answering import MODEL, Told, certain
from tests.training.made import many_trials, write

__all__ = ["cli", "plain_environment"]

SMALL = Settings(batch=3)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    """Pairs of so many trials that there are some on every side."""
    folder = tmp_path_factory.mktemp("drawn")
    with opened(str(write(folder / "made", many_trials(30))), folder, Event()) as corpus:
        return draw(corpus)


@pytest.fixture(scope="module")
def asked(drawn: PairSet) -> list[HeldOut]:
    return held_out.questions(drawn.rows, "test")


def test_arms_and_doses_come_first_and_a_limit_takes_the_same_pairs(drawn: PairSet, asked: list[HeldOut]):
    factors = [one.row.factor for one in asked]
    first = sum(factor in held_out.ALL_OF for factor in factors)
    assert 0 < first < len(factors)
    assert all(factor in held_out.ALL_OF for factor in factors[:first])
    assert all(one.row.side == "test" and one.row.kind == "natural" for one in asked)
    shuffled = held_out.questions(sorted(drawn.rows, key=lambda row: row.id), "test", first + 2)
    assert [one.row.id for one in shuffled] == [one.row.id for one in asked[: first + 2]]


def test_no_question_says_the_targets_result(asked: list[HeldOut]):
    for one in asked:
        if one.row.factor == "dose" and one.target.arm_value is not None and one.step.source.arm_value is not None:
            value = one.target.arm_value.value
            if value not in (one.step.source.arm_value.value, getattr(one.step.source.comparator_value, "value", None)):
                assert f": {value:g} (" not in one.question.prompt


def test_a_side_without_pairs_is_refused():
    with pytest.raises(BadInputError, match="No pair of the test side"):
        held_out.questions([], "test")


def test_answers_are_kept_and_graded_by_the_one_grader(asked: list[HeldOut], tmp_path: Path):
    backend = Told(certain(asked, 0.8))
    answers = held_out.ask(asked, backend, "p", "test", tmp_path, Event(), SMALL)
    header, kept = held_out.read(tmp_path)
    assert kept == answers
    assert (header.model_sha256, header.adapter_sha256, header.side) == (MODEL.sha256, MODEL.adapter_sha256, "test")
    assert [len(batch) for batch in backend.batches[:-1]] == [3] * (len(backend.batches) - 1)
    for one in asked:
        found = predictions.graded(one, answers[one.row.id])
        if one.row.target_verdict != "undetermined":
            assert found.probability == pytest.approx(0.8 if one.row.target_verdict == "met" else 0.2)
            assert found.met == (one.row.target_verdict == "met")
        if found.error is not None:
            assert found.error < 0.01
        if one.row.direction is not None:
            assert found.direction == one.row.direction


def test_a_stop_keeps_whole_batches_and_the_rest_is_asked_in_the_same_company(asked: list[HeldOut], tmp_path: Path):
    whole = Told(certain(asked))
    held_out.ask(asked, whole, "p", "test", tmp_path / "whole", Event(), SMALL)
    with pytest.raises(CancelledError, match="Scoring was stopped"):
        held_out.ask(asked, Told(certain(asked), stop_at=3), "p", "test", tmp_path / "cut", Event(), SMALL)
    path = tmp_path / "cut" / held_out.JOURNAL
    assert len(held_out.read(tmp_path / "cut")[1]) == 6
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    again = Told(certain(asked))
    answers = held_out.ask(asked, again, "p", "test", tmp_path / "cut", Event(), SMALL)
    assert again.batches == whole.batches[1:]
    assert answers.keys() == {one.row.id for one in asked}
    assert held_out.read(tmp_path / "cut")[1].keys() == answers.keys()
    assert held_out.ask(asked, Told(certain(asked), stop_at=1), "p", "test", tmp_path / "cut", Event(), SMALL) == answers


def test_answers_of_another_model_are_not_mixed(asked: list[HeldOut], tmp_path: Path):
    held_out.ask(asked[:3], Told(certain(asked)), "p", "test", tmp_path, Event(), SMALL)
    renamed = Told(certain(asked), replace(MODEL, name="Renamed"))
    assert len(held_out.ask(asked[:3], renamed, "p", "test", tmp_path, Event(), SMALL)) == 3
    for info, pairs in ((replace(MODEL, adapter_sha256="c" * 64), "p"), (MODEL, "other pairs")):
        with pytest.raises(RefusedError, match="another model, other pairs"):
            held_out.ask(asked[:3], Told(certain(asked), info), pairs, "test", tmp_path, Event(), SMALL)


def test_what_cannot_be_answered_is_kept_apart(asked: list[HeldOut], tmp_path: Path):
    one = asked[0]
    failed = Told(lambda request: GenerationFailed(request.request_id, "No."))
    small = Told(certain(asked), replace(MODEL, context_length=80))
    for name, backend, why in (("failed", failed, "No."), ("small", small, "too long")):
        answers = held_out.ask([one], backend, "p", "test", tmp_path / name, Event(), SMALL)
        found = predictions.graded(one, answers[one.row.id])
        assert why in found.problem
        assert (found.met, found.probability, found.direction, found.error) == (None, None, None, None)
    crash = Told(lambda request: GenerationFailed(request.request_id, "It stopped.", restartable=True))
    with pytest.raises(ModelError, match="It stopped"):
        held_out.ask([one], crash, "p", "test", tmp_path / "crash", Event(), SMALL)
    with pytest.raises(ModelError, match="nothing to score"):
        held_out.ask([one], ScriptedBackend(), "p", "test", tmp_path / "demo", Event(), SMALL)


def test_damage_is_named(tmp_path: Path):
    with pytest.raises(NotFoundError):
        held_out.read(tmp_path)
    (tmp_path / held_out.JOURNAL).write_text('{"nothing": 1}\n')
    with pytest.raises(BadInputError, match="is damaged"):
        held_out.read(tmp_path)


def test_no_answer_is_wrong_for_accuracy_and_the_base_rate_for_brier(drawn: PairSet, asked: list[HeldOut]):
    decided = [one for one in asked if one.row.target_verdict != "undetermined"]
    silent = predictions.System(
        "silent",
        "",
        frozenset({"verdict", "direction"}),
        {one.row.id: predictions.Prediction(problem="none") for one in decided},
    )
    rate = base_rate(held_out.questions(drawn.rows, "train"))
    made = scores.score(decided, [silent], rate)
    accuracy, brier = made.of("silent", "accuracy"), made.of("silent", "Brier")
    assert accuracy is not None
    assert brier is not None
    assert accuracy.value == 0.0
    expected = sum((rate - (one.row.target_verdict == "met")) ** 2 for one in decided) / len(decided)
    assert brier.value == pytest.approx(expected)
    assert made.systems[0].no_answers == len(decided)


def test_a_report_compares_only_what_both_were_asked(drawn: PairSet, asked: list[HeldOut], tmp_path: Path):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    train = held_out.questions(drawn.rows, "train")
    held_out.ask(asked, Told(certain(asked)), "p", "test", tmp_path / "tuned", Event(), SMALL)
    untuned = Told(certain(asked, 0.51), replace(MODEL, adapter="", adapter_sha256=""))
    held_out.ask(asked[:12], untuned, "p", "test", tmp_path / "base", Event(), SMALL)
    tuned, base = held_out.read(tmp_path / "tuned"), held_out.read(tmp_path / "base")
    made = score_report.report(train, asked, tuned, [base])
    assert (made.pairs, made.available) == (12, len(asked))
    names = [system.name for system in made.scores.systems]
    assert names[:3] == [score_report.MODEL, score_report.UNTUNED, "copying"]
    assert {"majority", "base rate", "logistic regression", "random forest"} < set(names)
    score_report.write(tmp_path, made)
    assert score_report.read(tmp_path) == made
    with pytest.raises(RefusedError, match="other pairs, another side"):
        score_report.report(train, asked, tuned, [(replace(base[0], pairs_sha256="other"), base[1])])


def test_the_command_scores_a_model_and_goes_on_where_it_was(
    drawn: PairSet, asked: list[HeldOut], tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    pair_files.write(drawn, tmp_path / "pairs")
    command = ["train", "score", "--pairs", tmp_path / "pairs", "--side", "test", "--limit", "40", "--model", "scripted"]
    refused = cli(*command, "--out", tmp_path / "scores")
    assert refused.code == ExitCode.MODEL
    assert "nothing to score" in refused.err
    backend = Told(certain(asked))
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: backend)
    told = cli(*command, "--out", tmp_path / "scores")
    assert told.code == ExitCode.OK, told.err
    assert [len(batch) for batch in backend.batches] == [held_out.BATCH, 40 - held_out.BATCH]
    for words in ("40 of", "macro-F1", "copying", "random forest", "flips", "trials"):
        assert words in told.out
    untuned = Told(certain(asked, 0.51), replace(MODEL, adapter="", adapter_sha256=""))
    pairs_sha256 = held_out.read(tmp_path / "scores")[0].pairs_sha256
    held_out.ask(asked[:40], untuned, pairs_sha256, "test", tmp_path / "base", Event())
    again = cli(*command, "--out", tmp_path / "scores", "--against", tmp_path / "base", "--json")
    assert again.code == ExitCode.OK, again.err
    assert len(backend.batches) == 2
    report = again.json["report"]
    assert report["pairs"] == 40
    assert [system["name"] for system in report["scores"]["systems"]][:2] == ["model", "untuned base"]


def test_names_are_short_and_tell_adapters_apart():
    assert held_out.name_of(replace(MODEL, name="Gemma 3 270M", adapter_sha256="")) == "gemma-3-270m"
    assert held_out.name_of(replace(MODEL, name="Gemma 3 270M")) == "gemma-3-270m-bbbbbbbb"
