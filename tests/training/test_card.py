"""The card of an adapter, and what the app makes of it: the default model, the badge, the Models screen."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from threading import Event

import deepimagine_assets.adapter
import pytest
from deepimagine_exporters.report_markdown import markdown_document
from deepimagine_training import backtest, card, run_manifest
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.run_manifest import GgufFile, Manifest
from msgspec.structs import replace

from deepimagine_tui import files, paths
from deepimagine_tui.backends import adapter_facts, catalogue, embedded
from deepimagine_tui.backends.catalogue import Catalogue
from deepimagine_tui.backends.facts import model_facts
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput, rule_answers
from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.errors import ExitCode, RefusedError
from deepimagine_tui.evaluation import floors, runner, scoring_report
from deepimagine_tui.evaluation.chain import Chain
from deepimagine_tui.evaluation.classical import random_forest
from deepimagine_tui.evaluation.scoring_report import Report
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.reasoning.anchors import CorpusAnchors
from deepimagine_tui.tui.app import DeepImagineApp
from deepimagine_tui.tui.screens.models import ModelTable
from deepimagine_tui.tui.widgets.text_pane import TextPane
from tests.cli.conftest import Cli, cli, plain_environment
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf
from tests.training.answering import Told, certain
from tests.training.made import many_trials, write
from tests.training.made_runs import made_run
from tests.tui.test_models import CatalogueServices
from tests.tui.waiting import until

__all__ = ["cli", "plain_environment"]

MARKDOWN = partial(markdown_document, folder="")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("gguf", reason="the `training` extra is not installed")
    return write_tiny_adapter(tmp_path_factory.mktemp("adapter") / "laptop-sft-adapter.gguf")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, adapter: Path) -> Report:
    """Scores of a model that knows every answer, of this adapter on the base of `made_run`."""
    pytest.importorskip("sklearn", reason="the `evaluation` extra is not installed")
    folder = tmp_path_factory.mktemp("scores")
    with opened(str(write(folder / "made", many_trials(30))), folder, Event()) as corpus:
        rows = draw(corpus).rows
    asked, examples = backtest.natural(rows, "test"), backtest.natural(rows, "train")
    learnt = Learnt(examples.take(frozenset(question.id for question in examples.questions[:200])))
    tuned = ModelInfo("Told", "llama.cpp", 8192, sha256="c" * 64, adapter="a.gguf", adapter_sha256=files.sha256(adapter))
    untuned = replace(tuned, adapter="", adapter_sha256="")
    source = CorpusAnchors(open_starter())
    systems = [
        Chain(Told(certain(rows, 0.51), untuned), source, learnt, are_steps=True),
        Chain(Told(certain(rows), tuned), source, learnt, are_steps=True),
        random_forest(learnt),
    ]
    said = [runner.run(system, asked, folder / str(at), Event()) for at, system in enumerate(systems)]
    return scoring_report.score(asked, [*said, *floors.missing(asked, said, learnt)])


@pytest.fixture
def run(tmp_path: Path, adapter: Path) -> Path:
    """A finished run with its adapter as GGUF."""
    folder = tmp_path / "runs" / "mine"
    made_run(folder)
    (folder / "gguf").mkdir()
    (folder / "gguf" / adapter.name).write_bytes(adapter.read_bytes())
    run_manifest.add_gguf(folder, [GgufFile(adapter.name, "adapter", files.sha256(adapter), adapter.stat().st_size, {})])
    return folder


@pytest.fixture
def scores(tmp_path: Path, report: Report) -> Path:
    scoring_report.write(tmp_path / "scores.json", report)
    return tmp_path / "scores.json"


def test_a_card_says_what_was_learnt_and_who_is_beaten(run: Path, scores: Path, tmp_path: Path, adapter: Path, cli: Cli):
    told = cli("train", "card", run, "--scores", scores, "--out", tmp_path / "out", "--json")
    assert told.code == ExitCode.OK, told.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["card.json", "card.md", adapter.name, "manifest.json"]
    made = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    assert made == told.json["card"]
    assert made["adapter_sha256"] == files.sha256(tmp_path / "out" / adapter.name)
    brief = "\n".join(made["brief"])
    for words in (
        "160 pairs",
        "posted until 2023-05-01",
        "better than",
        "untuned base",
        "trials",
        "on flips",
        "read their results",
    ):
        assert words in brief
    text = (tmp_path / "out" / "card.md").read_text("utf-8")
    for words in (
        "## Training",
        "### By factor",
        "#### Dose",
        "#### Dose, flips",
        "random-forest",
        "more-dose",
        "LoRA r",
        "sides-1",
    ):
        assert words in text
    assert run_manifest.read(tmp_path / "out") == run_manifest.read(run)


def test_a_model_that_is_no_better_is_not_called_so(run: Path, adapter: Path, report: Report):
    same = tuple(
        replace(each, word="not distinguishable", estimate=replace(each.estimate, lower=-0.1, upper=0.1))
        for each in report.differences
    )
    made = card.make(run_manifest.read(run), adapter, replace(report, differences=same))
    brief = "\n".join(made.brief)
    assert "better than copy-anchor" not in brief
    assert "not distinguishable from untuned base, random-forest, majority" in brief
    assert re.search(r"not shown to be better than the base rate in: \w+ \(\d+ trials\)", brief)


def of_other_header(report: Report, **other: str) -> Report:
    rows = tuple(
        replace(row, header=replace(row.header, **other)) if row.name == report.judged else row for row in report.systems
    )
    return replace(report, systems=rows)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda manifest, report: (manifest, replace(report, nct_ids=("NCT00000001",))), "held out and trained on"),
        (lambda manifest, report: (manifest, of_other_header(report, adapter_sha256="e" * 64)), "another adapter or base"),
        (lambda manifest, report: (manifest, of_other_header(report, model_sha256="e" * 64)), "another adapter or base"),
        (lambda manifest, report: (manifest, replace(report, classes=())), "of natural pairs"),
        (lambda manifest, report: (replace(manifest, gguf=()), report), "not exported from that run"),
    ],
)
def test_a_card_that_would_flatter_is_refused(run: Path, adapter: Path, report: Report, change, why: str):
    manifest, scored = change(run_manifest.read(run), report)
    with pytest.raises(RefusedError, match=why):
        card.make(manifest, adapter, scored)


def test_a_rule_is_scored_on_what_it_speaks_of_alone(report: Report):
    assert report.of("more-dose", "natural pair", "Brier") is None
    dose = report.of("more-dose", "natural pair", "direction")
    every = report.of("majority", "natural pair", "direction")
    assert dose is not None
    assert every is not None
    assert 0 < dose.rows < every.rows


def test_a_big_adapter_is_not_shipped(run: Path, scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(card, "MOST_BYTES", 10)
    with pytest.raises(RefusedError, match="smaller lora"):
        card.ship(run, scores, tmp_path / "out", MARKDOWN)
    assert not (tmp_path / "out").exists()


def test_hours_are_those_of_the_runs_it_began_from_too(run: Path, scores: Path, tmp_path: Path):
    first = run_manifest.read(run)
    later: Manifest = replace(first, run_id="later", parent=first.run_id, stage="grpo", seconds=7160.0)
    (run.parent / "second" / "gguf").mkdir(parents=True)
    run_manifest.write(run.parent / "second", later)
    source = run / "gguf" / first.gguf[0].name
    (run.parent / "second" / "gguf" / source.name).write_bytes(source.read_bytes())
    made = card.ship(run.parent / "second", scores, tmp_path / "out", MARKDOWN)
    assert made.hours == 2.0
    assert "(sft then grpo) in 2.0 hours" in made.brief[0]


@pytest.fixture
def shipped(run: Path, scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app with this adapter as the shipped one, and a tiny model as the embedded one."""
    card.ship(run, scores, tmp_path / "adapter", MARKDOWN)
    monkeypatch.setattr(deepimagine_assets.adapter, "FOLDER", tmp_path / "adapter")
    model = write_tiny_gguf(tmp_path / "tiny.gguf")
    monkeypatch.setattr(embedded, "installed", lambda: True)
    monkeypatch.setattr(embedded, "assemble", lambda progress, cancel: model)
    return next((tmp_path / "adapter").glob("*.gguf"))


def test_the_shipped_adapter_is_the_default_and_the_base_can_be_chosen(shipped: Path):
    known = Catalogue.load()
    assert [entry.id for entry in known][:2] == ["gemma-270m", "gemma-270m-base"]
    assert known.default().adapter == str(shipped)
    assert [entry.name.partition(", ")[2] for entry in known][:2] == ["tuned", "untuned"]
    tuned = catalogue.open_backend(known.default()).info
    base = catalogue.open_backend(known.get("gemma-270m-base")).info
    assert (tuned.adapter_sha256, base.adapter_sha256) == (files.sha256(shipped), "")
    assert adapter_facts.trained_on(tuned) == {"NCT00000001", "NCT00000002"}
    assert adapter_facts.trained_on(base) is None
    known.use("gemma-270m-base")
    assert Catalogue.load().default().id == "gemma-270m-base"
    with pytest.raises(RefusedError, match="built in"):
        known.remove("gemma-270m-base")


def test_without_a_shipped_adapter_the_embedded_model_is_listed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deepimagine_assets.adapter, "FOLDER", tmp_path)
    monkeypatch.setattr(embedded, "installed", lambda: True)
    assert [entry.id for entry in Catalogue.load()] == ["gemma-270m", "scripted"]
    assert Catalogue.load().default().adapter == ""
    assert model_facts(Catalogue.load().default()).card == ()


def test_what_was_trained_on_is_known_of_exports_and_of_nothing_else(run: Path, tmp_path: Path, adapter: Path):
    def seen(path: Path, **info: str) -> frozenset[str] | None:
        return adapter_facts.trained_on(ModelInfo("m", "llama.cpp", 512, path=str(path), **info))

    exported = run / "gguf" / adapter.name
    assert seen(tmp_path / "base.gguf", adapter=str(exported)) == {"NCT00000001", "NCT00000002"}
    merged = run / "gguf" / "merged.gguf"
    merged.write_bytes(b"merged")
    assert seen(merged) is None
    run_manifest.add_gguf(run, [GgufFile(merged.name, "F16", files.sha256(merged), 6, {})])
    assert seen(merged) == {"NCT00000001", "NCT00000002"}
    exported.write_bytes(b"another file")
    assert seen(tmp_path / "base.gguf", adapter=str(exported)) is None
    assert adapter_facts.trained_on(ModelInfo("m", "openai", 512)) is None


def test_a_run_says_of_its_anchor_whether_the_model_was_trained_on_it(
    run: Path, adapter: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
):
    first, second = (trial["nct_id"] for trial in cli("corpus", "search", "--dose-ranging", "--json").json["trials"][:2])
    run_manifest.write(run, replace(run_manifest.read(run), trained_on=(first,)))
    info = ModelInfo("m", "llama.cpp", 8192, sha256="c" * 64, adapter=str(run / "gguf" / adapter.name))
    demo = ScriptedBackend()
    monkeypatch.setattr(
        catalogue,
        "open_backend",
        lambda *given, **named: Told(lambda request: ScriptedOutput(" So.", rule_answers(request)), info),
    )
    for nct_id, seen in ((first, True), (second, False)):
        told = cli("imagine", nct_id, "--set", "geography=Japan", "--json")
        assert told.code == ExitCode.OK, told.err
        assert [event["seen_in_training"] for event in told.lines if event["type"] == "anchor_chosen"] == [seen]
    monkeypatch.setattr(catalogue, "open_backend", lambda *given, **named: demo)
    told = cli("imagine", first, "--set", "geography=Japan", "--json")
    assert [event["seen_in_training"] for event in told.lines if event["type"] == "anchor_chosen"] == [None]


def test_operators_were_trained_on_what_any_of_them_was(tmp_path: Path, adapter: Path):
    whole = tmp_path / "operators"
    for at, factor in enumerate(("arm", "dose"), 1):
        made_run(whole / factor)
        path = whole / "gguf" / f"{factor}.gguf"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(f"{factor}".encode())
        manifest = run_manifest.read(whole / factor)
        run_manifest.write(whole / factor, replace(manifest, trained_on=(f"NCT0000000{at}",)))
        run_manifest.add_gguf(whole / factor, [GgufFile(path.name, "adapter", files.sha256(path), 4, {})])
    info = ModelInfo("m", "llama.cpp", 512, path="base.gguf", adapter=str(whole / "gguf"))
    assert adapter_facts.trained_on(info) == {"NCT00000001", "NCT00000002"}
    (whole / "dose" / "manifest.json").write_text("{")
    assert adapter_facts.trained_on(info) is None


async def test_the_models_screen_shows_the_card_of_the_model_under_the_cursor(shipped: Path):
    Catalogue.load().use("scripted")
    app = DeepImagineApp(CatalogueServices())
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("6")
        table, pane = app.screen.query_one(ModelTable), app.screen.query_one("#card", TextPane)
        await until(pilot, lambda: table.row_count == 3)
        table.move_cursor(row=table.get_row_index("gemma-270m"))
        await until(pilot, lambda: "Held out (natural pairs, test)" in pane.copy_text())
        assert str(shipped) in pane.copy_text()
        table.move_cursor(row=table.get_row_index("gemma-270m-base"))
        await until(pilot, lambda: "No evaluation of this model" in pane.copy_text())


def test_the_card_is_shown_by_the_command(shipped: Path, cli: Cli):
    facts = model_facts(Catalogue.load().get("gemma-270m"))
    assert not paths.models_dir().exists()
    assert any("Held out (natural pairs, test)" in sentence for sentence in facts.card)
    assert "Held out (natural pairs, test)" in cli("models", "info", "gemma-270m").out
    assert cli("models", "info", "gemma-270m", "--json").json["card"] == list(facts.card)
    shipped.write_bytes(shipped.read_bytes() + b"x")
    assert model_facts(Catalogue.load().get("gemma-270m")).card == ()
