"""Reinforcement learning on a tiny random model: what it leaves, that it goes on where it was cut off, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import bases, grpo, pair_files, run_folder, run_manifest
from deepimagine_training.pairs import PairSet
from deepimagine_training.recipe import DataRecipe, GrpoRecipe, LoraRecipe, Recipe
from deepimagine_training.tasks import balanced, evenly, tasks_of
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, CancelledError, ExitCode, ModelError, NewerSchemaError
from tests.cli.conftest import Cli, cli, plain_environment
from tests.training.made_policy import wordy_gemma3

__all__ = ["cli", "plain_environment"]

SETTINGS: dict[str, Any] = {
    "max_steps": 4,
    "prompts": 2,
    "generations": 2,
    "max_reasoning_tokens": 12,
    "learning_rate": 1e-2,
    "save_every": 2,
    "evaluate_every": 2,
}
DATA = DataRecipe(validation_sample=4, max_tokens=4096)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, drawn: PairSet) -> Path:
    """A folder with a base, pairs, and a finished run to go on from."""
    folder = tmp_path_factory.mktemp("grpo")
    wordy_gemma3(folder / "base")
    pair_files.write(drawn, folder / "pairs")
    train(folder, folder / "first", recipe())
    return folder


def recipe(**change: Any) -> Recipe:
    return Recipe(name="tiny", base="base", data=DATA, lora=LoraRecipe(4, 8), grpo=GrpoRecipe(**(SETTINGS | change)))


def train(room: Path, out: Path, wanted: Recipe, cancel: Event | None = None, **more: Any) -> run_manifest.Manifest:
    base = bases.resolve(str(more.pop("base", room / "base")))
    return grpo.train(wanted, base, more.pop("pairs", room / "pairs"), out, cancel or Event(), **more)


def curve(out: Path) -> list[tuple[int, str, float]]:
    names = ("loss", "reward", "held_out_brier", "held_out_flip_accuracy", "completion_tokens")
    return [(one["step"], name, round(one[name], 6)) for one in run_folder.read_log(out) for name in names if name in one]


def weights(run: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(run / "adapter" / "adapter_model.safetensors")


def test_a_run_leaves_an_adapter_a_log_and_a_manifest(room: Path, drawn: PairSet):
    manifest = run_manifest.read(room / "first")
    assert (manifest.stage, manifest.steps, manifest.ended, manifest.parent) == ("grpo", 4, "complete", "")
    assert {step for step, name, _ in curve(room / "first") if name == "reward"} == {1, 2, 3, 4}
    assert [step for step, name, _ in curve(room / "first") if name == "held_out_brier"] == [0, 2, 4]
    training = {nct_id for nct_id, place in drawn.sides.places.items() if place.side == "train"}
    assert manifest.trained_on
    assert set(manifest.trained_on) <= training
    assert manifest.tokens == sum(one for _, name, one in curve(room / "first") if name == "completion_tokens") * 4
    assert not any("embed" in name or "lm_head" in name for name in weights(room / "first"))


def test_flips_and_the_others_are_logged(room: Path):
    logged = run_folder.read_log(room / "first")
    assert any("flip_accuracy" in record for record in logged)
    assert any("non_flip_accuracy" in record for record in logged)
    assert any("rewards/verdict/mean" in record for record in logged)


def test_what_improves_held_out_forecasts_is_kept(room: Path, tmp_path: Path):
    manifest = train(room, tmp_path / "run", recipe(max_steps=16, evaluate_every=16, prompts=4, learning_rate=3e-3))
    metrics = manifest.metrics
    assert metrics["held_out_brier_after"] < metrics["held_out_brier_before"]
    assert metrics["rl_kept"] == 1
    rewards = [value for _, name, value in curve(tmp_path / "run") if name == "reward"]
    assert sum(rewards[-4:]) > sum(rewards[:4])
    assert any(abs(tensor).max() > 0 for name, tensor in weights(tmp_path / "run").items() if "lora_B" in name)


def test_what_does_not_improve_them_is_not_kept(room: Path, tmp_path: Path):
    said: list[str] = []
    manifest = train(room, tmp_path / "run", recipe(max_steps=2, learning_rate=1e-30), parent=room / "first", told=said.append)
    assert manifest.metrics["held_out_brier_after"] >= manifest.metrics["held_out_brier_before"]
    assert manifest.metrics["rl_kept"] == 0
    looks = [line for line in said if line.startswith(("Looking at held-out pairs: 0 of", "Held out at step"))]
    assert [line.split()[0] for line in looks] == ["Looking", "Held"] * 2
    before, after = weights(room / "first"), weights(tmp_path / "run")
    assert before.keys() == after.keys()
    assert all((before[name] == after[name]).all() for name in before)


def test_a_run_goes_on_from_another_s_adapter(room: Path, tmp_path: Path):
    first = run_manifest.read(room / "first")
    manifest = train(room, tmp_path / "run", recipe(max_steps=1), parent=room / "first")
    assert manifest.parent == first.run_id
    assert set(manifest.trained_on) >= set(first.trained_on)
    after = first.metrics["held_out_brier_after" if first.metrics["rl_kept"] else "held_out_brier_before"]
    assert manifest.metrics["held_out_brier_before"] == pytest.approx(after, abs=1e-4)


def test_a_run_that_is_stopped_goes_on_to_the_same_curve(room: Path, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(room, whole, recipe(max_steps=5))

    class Stop(Event):
        """Set once the log has three steps."""

        def is_set(self) -> bool:
            return (cut / "log.jsonl").exists() and any(step >= 3 for step, _, _ in curve(cut))

    with pytest.raises(CancelledError, match="stopped at step"):
        train(room, cut, recipe(max_steps=5), Stop())
    assert not (cut / "manifest.json").exists()
    assert max(step for step, _, _ in curve(cut)) < 5
    manifest = train(room, cut, recipe(max_steps=5))
    assert sorted(curve(cut)) == sorted(curve(whole))
    assert manifest.metrics == run_manifest.read(whole).metrics


def test_a_run_that_is_killed_goes_on_to_the_same_curve(room: Path, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(room, whole, recipe(max_steps=8))
    (tmp_path / "tiny.yaml").write_text("name: tiny\nbase: base\n")
    sets = ["data.validation_sample=4", "data.max_tokens=4096", "lora.r=4", "lora.alpha=8"]
    sets += [f"grpo.{key}={value}" for key, value in (SETTINGS | {"max_steps": 8}).items()]
    command = [sys.executable, "-m", "deepimagine_tui.cli", "train", "grpo", str(tmp_path / "tiny.yaml"), "--out", str(cut)]
    command += ["--pairs", str(room / "pairs"), "--base", str(room / "base"), "--json"]
    command += [part for key in sets for part in ("--set", key)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DEEPIMAGINE_HOME": str(tmp_path / "home"), "PYTHONFAULTHANDLER": "1"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        until = time.monotonic() + 120
        while not (cut / "checkpoints" / "checkpoint-4" / "trainer_state.json").exists() and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (cut / "manifest.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["manifest"]["stage"] == "grpo"
    assert [(step, name) for step, name, _ in curve(cut)] == [(step, name) for step, name, _ in curve(whole)]
    for (_, _, ours), (_, _, theirs) in zip(curve(cut), curve(whole), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-5)


def test_the_command_prints_flips_beside_the_others(room: Path, tmp_path: Path):
    command = [sys.executable, "-m", "deepimagine_tui.cli", "train", "grpo", "laptop", "--from", str(room / "first")]
    command += ["--pairs", str(room / "pairs"), "--base", str(room / "base"), "--out", str(tmp_path / "run")]
    for key, value in {"grpo.max_steps": 1, "grpo.max_reasoning_tokens": 6, "data.max_tokens": 4096}.items():
        command += ["--set", f"{key}={value}"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[2:4]] == ["Held out before", "Held out after"]
    assert all("right on flips" in line and "on the others" in line for line in lines[2:4])
    assert "ept" in lines[4]
    told = [line for line in done.stderr.splitlines() if line.strip()]
    assert [line for line in told if not line.startswith(("Training", "Unpacking"))] == []


def test_a_run_ends_early_when_its_time_is_up_and_says_so(room: Path, tmp_path: Path):
    manifest = train(room, tmp_path / "run", recipe(max_steps=500, max_minutes=0.01))
    assert manifest.ended == "time limit"
    assert 0 < manifest.steps < 500


def test_output_that_is_no_number_ends_the_run(room: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="is not a number"):
        train(room, tmp_path / "run", recipe(learning_rate=1e38, max_steps=20))
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_an_adapter_of_another_base_is_refused(room: Path, tmp_path: Path):
    wordy_gemma3(tmp_path / "other", seed=5)
    with pytest.raises(BadInputError, match="of another base"):
        train(room, tmp_path / "run", recipe(), base=tmp_path / "other", parent=room / "first")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("key", "value", "said"), [("prompt_version", "1", "prompts of version"), ("sides", "sides-0", "sides")]
)
def test_a_run_that_does_not_belong_is_not_gone_on_from(room: Path, tmp_path: Path, key: str, value: str, said: str):
    found = run_manifest.read(room / "first")
    changed = replace(found, prompt_version=value) if key == "prompt_version" else found
    changed = replace(changed, data=replace(found.data, sides_version=value)) if key == "sides" else changed
    (tmp_path / "parent").mkdir()
    run_manifest.write(tmp_path / "parent", changed)
    with pytest.raises(BadInputError, match=said):
        train(room, tmp_path / "run", recipe(), parent=tmp_path / "parent")


def test_pairs_of_another_version_are_refused(room: Path, tmp_path: Path, drawn: PairSet):
    pair_files.write(drawn, tmp_path / "pairs")
    manifest = json.loads((tmp_path / "pairs" / "manifest.json").read_text())
    (tmp_path / "pairs" / "manifest.json").write_text(json.dumps(manifest | {"pairs_version": 99}))
    with pytest.raises(NewerSchemaError):
        train(room, tmp_path / "run", recipe(), pairs=tmp_path / "pairs")


def test_a_recipe_that_leaves_no_question_is_refused(room: Path, tmp_path: Path):
    with pytest.raises(BadInputError, match="holds no train pair with a posted verdict"):
        train(room, tmp_path / "run", replace(recipe(), data=DataRecipe(max_tokens=20)))


def test_tasks_are_even_over_verdicts_and_flips(drawn: PairSet):
    tasks, left_out = tasks_of(drawn.rows, DATA, "train")
    assert left_out["without a posted verdict"] > 0
    chosen = balanced(tasks, 400, seed=3)
    assert chosen == balanced(tasks, 400, seed=3)
    assert len({task.row.id for task in chosen}) < 400
    for start in range(0, 400, 4):
        four = chosen[start : start + 4]
        assert sum(task.row.target_verdict == "met" for task in four) == 2
        assert sum(bool(task.flips) for task in four) == 2
    once = evenly(tasks, 10, seed=3)
    assert len({task.row.id for task in once}) == 10
    with pytest.raises(BadInputError, match="the same posted verdict"):
        balanced([task for task in tasks if task.row.target_verdict == "met"], 4, seed=3)


def test_a_pair_of_several_changes_is_walked_to_its_last(room: Path, drawn: PairSet):
    from deepimagine_training.chains import Forecaster
    from deepimagine_training.hf_tokens import HfTokens

    loaded = bases.load(bases.resolve(str(room / "base")))
    tasks, _ = tasks_of(drawn.rows, DATA, "train")
    far = [task for task in tasks if task.later][:3]
    near = [task for task in tasks if not task.later][:1]
    assert far
    policy = Forecaster(loaded.model, HfTokens(loaded.tokenizer, [1]), 8, Event())
    walked = policy.walked([*far, *near])
    assert walked[-1] == near[0]
    for before, after in zip(far, walked, strict=False):
        assert after.later == ()
        assert after.step.perturbation == before.later[-1]
        assert after.step.source != before.start == after.start
        assert after.target == before.target
    assert all(found.probability is not None for found in policy.answers(walked))


def test_a_recipe_of_operators_goes_on_from_the_operator_of_each_factor(room: Path, tmp_path: Path, cli: Cli):
    (tmp_path / "tiny.yaml").write_text("name: tiny\nbase: base\noperators: per factor\n")
    sets = {**SETTINGS, "max_steps": 1, "max_reasoning_tokens": 6}
    words = ["data.validation_sample=2", "data.max_tokens=4096", "lora.r=4", "lora.alpha=8", "data.factors=dose"]
    words += [f"grpo.{key}={value}" for key, value in sets.items()]
    command = ["train", "grpo", tmp_path / "tiny.yaml", "--pairs", room / "pairs", "--base", room / "base", "--json"]
    command += [part for word in words for part in ("--set", word)]
    first = cli(*command, "--out", tmp_path / "first").json["runs"]
    assert [Path(one["folder"]).name for one in first] == ["dose"]
    then = cli(*command, "--from", tmp_path / "first", "--out", tmp_path / "then").json["runs"]
    assert [one["manifest"]["parent"] for one in then] == [one["manifest"]["run_id"] for one in first]
    missing = cli(*command, "--from", tmp_path / "first", "--out", tmp_path / "other", "--set", "data.factors=outcome")
    assert missing.code == ExitCode.BAD_INPUT
    assert "none of outcome" in missing.err
