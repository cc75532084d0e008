"""Supervised fine-tuning on a tiny random model: what it leaves, what it learns, and that it goes on where it was cut off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import base_shape, bases, measuring, pair_files, run_folder, run_manifest, sft, traces
from deepimagine_training.pairs import PairSet
from deepimagine_training.recipe import DataRecipe, LoraRecipe, Recipe, SftRecipe
from deepimagine_training.writing import write_facts

from deepimagine_tui.errors import BadInputError, CancelledError, ExitCode, ModelError, RefusedError
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION
from tests.cli.conftest import Cli, cli, plain_environment
from tests.support.tiny_model import tiny_gemma3

__all__ = ["cli", "plain_environment"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, drawn: PairSet) -> Path:
    """A folder with a base, pairs and their traces."""
    folder = tmp_path_factory.mktemp("sft")
    tiny_gemma3(folder / "base")
    manifest = pair_files.write(drawn, folder / "pairs")
    write_facts(drawn.rows, folder / "traces", Event())
    traces.finish(folder / "traces", manifest.data_sha256, 0)
    return folder


def recipe(**change: Any) -> Recipe:
    steps = {"max_steps": 4, "batch_size": 2, "save_every": 2, "evaluate_every": 2, "learning_rate": 5e-3, "warmup": 0.0}
    data = DataRecipe(sample=24, validation_sample=2, max_tokens=4096)
    return Recipe(name="tiny", base="base", data=data, lora=LoraRecipe(4, 8), sft=SftRecipe(**(steps | change)))


def train(room: Path, out: Path, wanted: Recipe, cancel: Event | None = None) -> run_manifest.Manifest:
    found = bases.resolve(str(room / "base"))
    return sft.train(wanted, found, room / "pairs", room / "traces", out, cancel or Event())


def curve(out: Path) -> list[tuple[int, str, float]]:
    return [
        (record["step"], name, round(record[name], 6))
        for record in run_folder.read_log(out)
        for name in ("loss", "held_out_loss")
        if name in record
    ]


def test_a_run_leaves_an_adapter_a_log_and_a_manifest(room: Path, tmp_path: Path, drawn: PairSet):
    out = tmp_path / "run"
    manifest = train(room, out, recipe())
    assert run_manifest.read(out) == manifest
    assert (manifest.stage, manifest.steps, manifest.ended) == ("sft", 4, "complete")
    assert {step for step, name, _ in curve(out) if name == "loss"} == {1, 2, 3, 4}
    assert {step for step, name, _ in curve(out) if name == "held_out_loss"} >= {2, 4}
    training = {nct_id for nct_id, place in drawn.sides.places.items() if place.side == "train"}
    assert manifest.trained_on
    assert set(manifest.trained_on) <= training
    assert manifest.data.examples == 24
    assert manifest.cutoff == max(manifest.cutoff, "2008-03-01")
    from safetensors.numpy import load_file

    weights = load_file(out / "adapter" / "adapter_model.safetensors")
    assert any(abs(tensor).max() > 0 for name, tensor in weights.items() if "lora_B" in name)
    assert not any("embed" in name or "lm_head" in name for name in weights)


def test_training_lowers_the_loss(room: Path, tmp_path: Path):
    train(room, tmp_path / "run", recipe(max_steps=40, evaluate_every=40, save_every=40, learning_rate=3e-2))
    losses = [value for _, name, value in curve(tmp_path / "run") if name == "loss"]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_run_that_is_stopped_goes_on_to_the_same_curve(room: Path, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(room, whole, recipe(max_steps=6))
    cancel = Event()

    class Stop(Event):
        """Set once the log has three steps."""

        def is_set(self) -> bool:
            return cancel.is_set() or ((cut / "log.jsonl").exists() and len(curve(cut)) >= 4)

    with pytest.raises(CancelledError, match="stopped at step"):
        train(room, cut, recipe(max_steps=6), Stop())
    assert not (cut / "manifest.json").exists()
    assert 0 < max(step for step, _, _ in curve(cut)) < 6
    train(room, cut, recipe(max_steps=6))
    assert curve(cut) == curve(whole)


def test_a_run_that_is_killed_goes_on_to_the_same_curve(room: Path, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(room, whole, recipe(max_steps=8))
    sets = ["data.sample=24", "data.validation_sample=2", "data.max_tokens=4096", "lora.r=4", "lora.alpha=8", "sft.max_steps=8"]
    sets += ["sft.batch_size=2", "sft.save_every=2", "sft.evaluate_every=2", "sft.learning_rate=5e-3", "sft.warmup=0"]
    (tmp_path / "tiny.yaml").write_text("name: tiny\nbase: base\n")
    command = [sys.executable, "-m", "deepimagine_tui.cli", "train", "sft", str(tmp_path / "tiny.yaml"), "--out", str(cut)]
    command += ["--pairs", str(room / "pairs"), "--traces", str(room / "traces"), "--base", str(room / "base")]
    command += [part for key in sets for part in ("--set", key)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DEEPIMAGINE_HOME": str(tmp_path / "home")}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        until = time.monotonic() + 120
        while not (cut / "checkpoints" / "checkpoint-4" / "trainer_state.json").exists() and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (cut / "manifest.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert [(step, name) for step, name, _ in curve(cut)] == [(step, name) for step, name, _ in curve(whole)]
    for (_, _, ours), (_, _, theirs) in zip(curve(cut), curve(whole), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_run_ends_early_when_its_time_is_up_and_says_so(room: Path, tmp_path: Path):
    manifest = train(room, tmp_path / "run", recipe(max_steps=5000, max_minutes=0.01))
    assert manifest.ended == "time limit"
    assert 0 < manifest.steps < 5000


def test_a_loss_that_is_no_number_ends_the_run(room: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="loss is not a number"):
        train(room, tmp_path / "run", recipe(learning_rate=1e38, max_steps=20, clip=1e38))
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_an_unfinished_run_of_another_recipe_is_not_mixed(room: Path, tmp_path: Path):
    stopped = Event()
    stopped.set()
    with pytest.raises(CancelledError):
        train(room, tmp_path / "run", recipe(), stopped)
    with pytest.raises(RefusedError, match="another recipe"):
        train(room, tmp_path / "run", recipe(learning_rate=1e-4))


def test_traces_of_other_pairs_are_refused(room: Path, tmp_path: Path, drawn: PairSet):
    write_facts(drawn.rows, tmp_path / "traces", Event())
    traces.finish(tmp_path / "traces", "of other pairs", 0)
    found = bases.resolve(str(room / "base"))
    with pytest.raises(BadInputError, match="other pairs"):
        sft.train(recipe(), found, room / "pairs", tmp_path / "traces", tmp_path / "run", Event())


def test_traces_that_go_on_from_other_prompts_are_refused(room: Path, tmp_path: Path):
    shutil.copytree(room / "traces", tmp_path / "traces")
    manifest = tmp_path / "traces" / traces.MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text("utf-8")) | {"prompt_version": "1"}), "utf-8")
    found = bases.resolve(str(room / "base"))
    with pytest.raises(BadInputError, match=f"prompts 1, not {PROMPT_VERSION}"):
        sft.train(recipe(), found, room / "pairs", tmp_path / "traces", tmp_path / "run", Event())


def test_examples_that_are_too_long_are_counted(room: Path, tmp_path: Path):
    short = Recipe(name="tiny", base="base", data=DataRecipe(max_tokens=10))
    with pytest.raises(BadInputError, match="no pair that the recipe tiny can learn from"):
        train(room, tmp_path / "run", short)


def test_the_speed_of_a_recipe_is_measured_by_steps_of_it(room: Path):
    found = bases.resolve(str(room / "base"))
    shape = base_shape.shape_of(str(room / "base"))
    speed = measuring.measure(recipe(), shape, found, room / "pairs", room / "traces", Event())
    assert speed.flops > 0
    assert "3 steps of it on this machine" in speed.source


def test_a_recipe_of_operators_makes_a_run_for_each_factor_and_goes_on_with_those_missing(
    room: Path, tmp_path: Path, drawn: PairSet, cli: Cli
):
    (tmp_path / "tiny.yaml").write_text("name: tiny\nbase: base\noperators: per factor\n")
    sets = ["data.sample=4", "data.validation_sample=0", "data.max_tokens=4096", "lora.r=4", "lora.alpha=8", "sft.max_steps=1"]
    command = [
        "train",
        "sft",
        str(tmp_path / "tiny.yaml"),
        "--out",
        str(tmp_path / "run"),
        "--base",
        str(room / "base"),
        "--json",
    ]
    command += [
        "--pairs",
        str(room / "pairs"),
        "--traces",
        str(room / "traces"),
        *(part for key in sets for part in ("--set", key)),
    ]
    told = cli(*command, "--set", "data.factors=dose,outcome")
    assert told.code == ExitCode.OK, told.err
    first = json.loads(told.out)["runs"]
    assert [Path(one["folder"]).name for one in first] == ["dose", "outcome"]
    again = json.loads(cli(*command, "--set", "data.factors=dose,outcome").out)["runs"]
    assert [one["manifest"]["run_id"] for one in again] == [one["manifest"]["run_id"] for one in first]
    for one in first:
        rows = {row.id: row for row in drawn.rows}
        assert one["manifest"]["recipe"]["data"]["factors"] == [Path(one["folder"]).name]
        assert one["manifest"]["data"]["examples"] <= sum(row.factor == Path(one["folder"]).name for row in rows.values())
