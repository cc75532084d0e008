"""The CPU twin of every recipe that ships: two steps of its own settings on a tiny random model of its base's architecture, and
then a chain in the engine on what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import bases, pair_files, recipes, run_folder, run_manifest, traces
from deepimagine_training.hf_backend import HfBackend
from deepimagine_training.pairs import PairSet
from deepimagine_training.writing import write_facts

from deepimagine_tui.errors import ExitCode
from deepimagine_tui.reasoning.events import RunFinished
from tests.cli.conftest import Cli, cli, plain_environment
from tests.reasoning.engine.support import ask, estimated, to_dose, to_japan, what_if
from tests.support.tiny_model import tiny_gemma3, tiny_qwen35

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
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, small_pairs: PairSet) -> Path:
    """A folder with pairs and their traces."""
    folder = tmp_path_factory.mktemp("twins")
    manifest = pair_files.write(small_pairs, folder / "pairs")
    write_facts(small_pairs.rows, folder / "traces", Event())
    traces.finish(folder / "traces", manifest.data_sha256, 0)
    return folder


@pytest.mark.parametrize("name", recipes.named())
def test_the_twin_of_a_recipe_trains_and_walks_a_chain(cli: Cli, room: Path, tmp_path: Path, name: str):
    recipe = recipes.read(name)
    base = TWINS[recipe.base](tmp_path / "base")
    changed = [word for key, value in (CPU | SMALL).items() for word in ("--set", f"{key}={value}")]
    places = ("--pairs", room / "pairs", "--traces", room / "traces", "--out", tmp_path / "run")
    done = cli("train", "sft", name, *places, "--base", base, *changed, "--json")
    assert done.code == ExitCode.OK, done.err
    run = Path(done.json["runs"][0]["folder"])
    manifest = run_manifest.read(run)
    assert (manifest.steps, manifest.ended) == (2, "complete")
    assert (manifest.recipe.lora, manifest.recipe.sft.batch_size) == (recipe.lora, recipe.sft.batch_size)
    assert manifest.recipe.machine.gradient_checkpointing == recipe.machine.gradient_checkpointing
    assert [record["step"] for record in run_folder.read_log(run) if "loss" in record] == [1, 2]

    backend = HfBackend(bases.load(bases.resolve(str(base))), run / "adapter")
    events = ask(what_if(to_dose(25.0), to_japan(), max_reasoning_tokens=6), backend)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "answered"
    steps = estimated(events)
    assert len(steps) == 2
    assert all(step.state.met is not None and 0 < (step.state.met.probability or 0) < 1 for step in steps)
    assert backend.info.adapter_sha256 == manifest.adapter_sha256


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
