"""CT Open's superiority questions: what is read, that nothing is run, and that every look is entered into the ledger."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest
from deepimagine_training import winter
from deepimagine_training.inputs import opened
from deepimagine_training.winter import Forecasted
from msgspec.structs import replace

from deepimagine_tui.backends import catalogue
from deepimagine_tui.backends.protocol import GenerationFailed, GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput, rule_answers
from deepimagine_tui.errors import BadInputError, CancelledError, ExitCode, ModelError, RefusedError
from deepimagine_tui.evaluation import ct_open
from deepimagine_tui.evaluation.ledger import read
from deepimagine_tui.evaluation.questions import QuestionSet
from tests.cli.conftest import Cli, cli, plain_environment
from tests.evaluation.ct_open_made import SECRET, pickled
from tests.training.answering import MODEL, Told
from tests.training.made import many_trials, write
from tests.training.test_clinifact import claims
from tests.training.test_clinifact import row as claim

__all__ = ["cli", "plain_environment"]


@pytest.fixture
def asked(tmp_path: Path) -> QuestionSet:
    return winter.superiority(ct_open.read(pickled(tmp_path / "made.pickle"), "2025-01-31"))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("records") / "made", many_trials(12))


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


def test_the_published_floors_come_out(shared_data: Path):
    """The two rules' macro-F1 on Winter as published: no model is scored."""
    winter_set = winter.superiority(ct_open.read(shared_data / "ct_open" / "Winter_2025.pickle"))
    assert len(winter_set.questions) == 470
    for rule, published in ((winter.always_met, 38.9), (winter.comparator_rule, 47.5)):
        found = winter.score(winter_set, rule(winter_set)).macro_f1
        assert round(100 * (found.value or 0), 1) == published
        assert found.trials == 249


def test_rules_are_scored_over_every_question(asked: QuestionSet):
    found = winter.score(asked, winter.comparator_rule(asked))
    assert found.macro_f1.value == pytest.approx((8 / 9 + 6 / 7) / 2)
    assert found.balanced_accuracy.value == pytest.approx((1 + 3 / 4) / 2)
    with pytest.raises(BadInputError, match="8 questions have no forecast"):
        winter.score(asked, {})


def test_the_regression_learns_from_other_trials_alone(asked: QuestionSet, records: Path, tmp_path: Path):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    with opened(str(records), tmp_path, Event()) as corpus:
        everything = winter.comparisons(corpus, [], Event())
        one = everything[0].nct_id
        left = winter.comparisons(corpus, [one], Event())
        stopped = Event()
        stopped.set()
        with pytest.raises(CancelledError):
            winter.comparisons(corpus, [], stopped)
        programmes = corpus.programmes(one)
        assert {each.nct_id for each in left} == {
            each.nct_id for each in everything if each.nct_id != one and not corpus.programmes(each.nct_id) & programmes
        }
    assert {each.met for each in everything} == {True, False}
    assert all(each.configuration.arm.control not in winter.INERT for each in everything)
    found = winter.logistic_regression(everything, asked)
    turned = replace(asked, keys={})
    assert winter.logistic_regression(everything, turned) == found
    assert all(0 < each.probability < 1 for each in found.values())


def test_claims_teach_the_regression_what_is_assumed_of_them(asked: QuestionSet, records: Path, tmp_path: Path):
    rows = [
        claim("NCT99200001", pValues="['0.001']"),
        claim("NCT99200002", pValues="['0.4', '0.9']"),
        claim("NCT99200003", pValues="['0.4', '0.001']"),
        claim("NCT99200004", pValues="['0.001']", nonInferiorityTypes="['Non-Inferiority']"),
        claim("NCT99100100"),
        claim("NCT09000000"),
    ]
    with opened(str(records), tmp_path, Event()) as corpus:
        assert corpus.has("NCT99100100")
        found = winter.assumed([claims(tmp_path, *rows)], ["NCT09000000"], corpus)
    assert [(each.nct_id, each.met) for each in found] == [("NCT99200001", True), ("NCT99200002", False)]
    assert found[0].configuration.comparator is not None
    assert found[0].configuration.comparator.control == "placebo"
    assert asked.questions


def forecaster(share: float = 0.8) -> Told:
    def script(request: GenerationRequest) -> ScriptedOutput:
        return ScriptedOutput(" So.", rule_answers(request), {"verdict": {"met": share, "not met": 1 - share}})

    return Told(script)


def chains(asked: QuestionSet, backend: Told | ScriptedBackend, records: Path, folder: Path) -> Mapping[str, Forecasted]:
    with opened(str(records), folder.parent, Event()) as corpus:
        return winter.chains(asked, backend, corpus, 0.4, folder, Event(), 2)


def test_forecasts_walk_from_anchors_and_are_kept(asked: QuestionSet, records: Path, tmp_path: Path):
    backend = forecaster()
    found = chains(asked, backend, records, tmp_path / "out")
    assert found.keys() == asked.keys.keys()
    assert any(not each.fallback and each.probability == pytest.approx(0.8) for each in found.values())
    assert all(each.probability == 0.4 for each in found.values() if each.fallback)
    assert SECRET not in repr(backend.batches)
    path = tmp_path / "out" / winter.ANSWERS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:9])
    again = forecaster(0.1)
    resumed = chains(asked, again, records, tmp_path / "out")
    last = json.loads(lines[-1])["id"]
    assert {key: each for key, each in resumed.items() if key != last} == {
        key: each for key, each in found.items() if key != last
    }
    other = forecaster()
    other.info = replace(MODEL, adapter_sha256="f" * 64)
    with pytest.raises(RefusedError, match="another model, corpus or setting"):
        chains(asked, other, records, tmp_path / "out")


def test_a_model_that_fails_is_no_forecast(asked: QuestionSet, records: Path, tmp_path: Path):
    with pytest.raises(RefusedError, match="nothing to score"):
        chains(asked, ScriptedBackend(), records, tmp_path / "demo")

    class Broken(Told):
        def generate(self, batch, cancel):
            raise ModelError("It is gone.")

    broken = Broken(lambda request: GenerationFailed(request.request_id, "x"))
    with pytest.raises(ModelError, match="gone"):
        chains(asked, broken, records, tmp_path / "broken")


def test_every_look_is_entered_with_commit_and_model(
    asked: QuestionSet, checkout: Path, records: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("sklearn", reason="the `training` extra is not installed")
    ledger, questions = checkout / "docs" / "ledger.jsonl", tmp_path / "made.pickle"
    told = cli("train", "winter", questions, "--system", "comparator-rule", "--ledger", ledger)
    assert told.code == ExitCode.OK, told.err
    assert "macro-F1" in told.out
    told = cli(
        "train", "winter", questions, "--system", "logistic-regression", "--corpus", records, "--ledger", ledger, "--json"
    )
    assert told.json["looks"] == 2
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: forecaster())
    command = ("train", "winter", questions, "--corpus", records, "--ledger", ledger, "--out", tmp_path / "out")
    told = cli(*command, "--model", "scripted", "--anchors", "2", "--json")
    assert told.code == ExitCode.OK, told.err
    looks = read(ledger)
    head = subprocess.run(("git", "-C", checkout, "rev-parse", "HEAD"), capture_output=True, text=True, check=True)
    assert [look.system for look in looks] == ["comparator-rule", "logistic-regression", "deepimagine"]
    assert {look.commit for look in looks} == {head.stdout.strip()}
    assert not looks[0].changed
    assert (looks[2].model_sha256, looks[2].adapter_sha256) == (MODEL.sha256, MODEL.adapter_sha256)
    assert all(look.set_sha256 == asked.sha256 for look in looks)


def test_without_a_checkout_nothing_is_scored(tmp_path: Path, asked: QuestionSet, cli: Cli):
    told = cli("train", "winter", tmp_path / "made.pickle", "--system", "always-met", "--ledger", tmp_path / "ledger.jsonl")
    assert told.code == ExitCode.REFUSED
    assert "macro-F1" not in told.out
    assert not (tmp_path / "ledger.jsonl").exists()
    (tmp_path / "ledger.jsonl").write_text("{")
    with pytest.raises(BadInputError, match="is damaged"):
        read(tmp_path / "ledger.jsonl")
    assert read(tmp_path / "none.jsonl") == []
    assert asked.questions
