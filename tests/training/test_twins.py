"""The CPU twin of every recipe that ships: two supervised steps of its own settings on a tiny random model of its base's
architecture, two of reinforcement from there, the export to GGUF, and a chain in the engine on what was trained and on what was
exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import bases, pair_files, recipes, run_folder, run_manifest, traces
from deepimagine_training.hf_backend import HfBackend
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.recipe import Recipe
from deepimagine_training.writing import write_facts
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import ExitCode
from deepimagine_tui.reasoning.events import RunFinished
from tests.cli.conftest import Cli, cli, plain_environment
from tests.reasoning.engine.support import ask, estimated, to_dose, to_japan, what_if
from tests.support.converter import for_tiny_models
from tests.support.tiny_model import tiny_gemma3, tiny_qwen35
from tests.training.made import many_trials, write

__all__ = ["cli", "plain_environment"]

TWINS: dict[str, Callable[[Path], Path]] = {
    "gemma-270m": tiny_gemma3,
    "google/gemma-3-12b-it": tiny_gemma3,
    "Qwen/Qwen3.5-9B": tiny_qwen35,
}
"""By the base of a recipe, a tiny model of the same class."""
CPU = {
    "machine.device": "cpu",
    "machine.processes": "1",
    "machine.nodes": "1",
    "machine.precision": "float32",
    "machine.sharding": "none",
}
SMALL = {
    "data.factors": "dose",
    "data.sample": "16",
    "data.validation_sample": "2",
    "data.max_tokens": "4096",
    "sft.max_steps": "2",
    "grpo.max_steps": "2",
    "grpo.prompts": "2",
    "grpo.generations": "2",
    "grpo.max_reasoning_tokens": "6",
}
SAMPLED_HERE = {"grpo.rollouts": "transformers", "grpo.vllm_server": ""}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs of every side and their traces."""
    folder = tmp_path_factory.mktemp("twins")
    with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
        drawn = draw(corpus)
    manifest = pair_files.write(drawn, folder / "pairs")
    write_facts(drawn.rows, folder / "traces", Event())
    traces.finish(folder / "traces", manifest.data_sha256, 0)
    return folder


class Trained(NamedTuple):
    recipe: Recipe
    base: Path
    supervised: Path
    reinforced: Path


@pytest.fixture(params=recipes.named())
def trained(cli: Cli, request: pytest.FixtureRequest, room: Path, tmp_path: Path) -> Trained:
    """A twin after both of its stages."""
    recipe = recipes.read(request.param)
    base = TWINS[recipe.base](tmp_path / "base")
    changed = [word for key, value in (CPU | SMALL | SAMPLED_HERE).items() for word in ("--set", f"{key}={value}")]
    learns = (request.param, "--pairs", room / "pairs", "--base", base, *changed, "--json")
    sft = cli("train", "sft", *learns, "--traces", room / "traces", "--out", tmp_path / "sft")
    assert sft.code == ExitCode.OK, sft.err
    grpo = cli("train", "grpo", *learns, "--from", tmp_path / "sft", "--out", tmp_path / "grpo")
    assert grpo.code == ExitCode.OK, grpo.err
    supervised, reinforced = (Path(done.json["runs"][0]["folder"]) for done in (sft, grpo))
    return Trained(recipe, base, supervised, reinforced)


def test_the_twin_of_a_recipe_trains_is_exported_and_walks_a_chain(
    cli: Cli, trained: Trained, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe, base, supervised, run = trained
    first, manifest = run_manifest.read(supervised), run_manifest.read(run)
    assert (first.stage, first.steps, first.ended) == ("sft", 2, "complete")
    assert (manifest.stage, manifest.steps, manifest.ended) == ("grpo", 2, "complete")
    assert manifest.parent == first.run_id
    assert (first.recipe.lora, first.recipe.sft.batch_size) == (recipe.lora, recipe.sft.batch_size)
    assert manifest.recipe.grpo.learning_rate == recipe.grpo.learning_rate
    assert manifest.recipe.machine.gradient_checkpointing == recipe.machine.gradient_checkpointing
    assert [record["step"] for record in run_folder.read_log(supervised) if "loss" in record] == [1, 2]
    assert [record["step"] for record in run_folder.read_log(run) if "reward" in record] == [1, 2]

    backend = HfBackend(bases.load(bases.resolve(str(base))), run / "adapter")
    assert backend.info.adapter_sha256 == manifest.adapter_sha256
    expected = probabilities(backend)
    assert len(expected) == 2

    pytest.importorskip("llama_cpp")
    from deepimagine_tui.backends.llama import LlamaBackend

    monkeypatch.setenv("DEEPIMAGINE_HOME", str(tmp_path / "home"))
    for_tiny_models(tmp_path / "converter", monkeypatch)
    done = cli("export", "gguf", run, "--type", "F16", "--pairs", room / "pairs", "--prompts", 1, "--base", base)
    assert done.code == ExitCode.OK, done.err
    llama = LlamaBackend(Path(done.out.splitlines()[0]), threads=1)
    try:
        assert probabilities(llama) == pytest.approx(expected, abs=0.02)
    finally:
        llama.close()
    assert run_manifest.read(run).gguf[0].parity["verdict_agreement"] == 1.0


def probabilities(backend: ModelBackend) -> list[float]:
    """P(met) after each step of a chain of two that is answered greedily."""
    asked = what_if(to_dose(25.0), to_japan(), max_reasoning_tokens=6)
    events = ask(replace(asked, settings=replace(asked.settings, temperature=0.0)), backend)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "answered"
    found = [step.state.met.probability for step in estimated(events) if step.state.met is not None]
    return [share for share in found if share is not None]


def test_every_twin_is_of_the_class_of_its_base(tmp_path: Path):
    classes = {
        base: type(bases.load(bases.resolve(str(make(tmp_path / str(number))))).model).__name__
        for number, (base, make) in enumerate(TWINS.items())
    }
    assert classes == {
        "gemma-270m": "Gemma3ForCausalLM",
        "google/gemma-3-12b-it": "Gemma3ForCausalLM",
        "Qwen/Qwen3.5-9B": "Qwen3_5ForCausalLM",
    }
