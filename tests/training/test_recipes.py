"""Recipes: those that ship are read, and a mistake in one is told with its file and key."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from deepimagine_training import recipes
from deepimagine_training.launching import accelerate_config, launch_command, server_command
from deepimagine_training.recipe import Recipe

from deepimagine_tui.errors import BadInputError, DeepImagineError, NewerSchemaError, NotFoundError, UsageError

LEAST = "name: mine\nbase: gemma-270m\n"


@pytest.mark.parametrize("name", recipes.named())
def test_a_shipped_recipe_is_what_its_name_says(name: str):
    recipe = recipes.read(name)
    assert recipe.name == name
    assert list(recipes.flat(recipe)) == list(recipes.keys())


def test_the_recipes_that_ship():
    assert recipes.named() == ("gemma-3-12b", "laptop", "qwen3.5-9b")


def test_the_published_numbers_are_those_of_the_recipe():
    gemma = recipes.read("gemma-3-12b")
    assert (gemma.lora.r, gemma.lora.alpha, gemma.lora.dropout) == (64, 128, 0.1)
    assert (gemma.sft.learning_rate, gemma.sft.schedule, gemma.sft.min_rate) == (2e-5, "cosine_with_min_lr", 0.3)
    assert gemma.sft.warmup == pytest.approx(640 / 3183, abs=0.002)
    assert (gemma.seed, gemma.data.max_tokens, gemma.sft.epochs, gemma.sft.clip) == (42, 8192, 1, 1.0)
    for name in ("gemma-3-12b", "qwen3.5-9b"):
        recipe = recipes.read(name)
        assert recipe.sft.batch_size * recipe.sft.accumulation * recipe.machine.processes == 16


def test_a_file_says_only_what_it_changes(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(LEAST + "sft:\n  learning_rate: 1e-4\ndata:\n  factors: [arm, dose]\n", "utf-8")
    recipe = recipes.read(str(path))
    assert recipe.sft.learning_rate == 1e-4
    assert recipe.data.factors == ("arm", "dose")
    assert recipe.lora == Recipe("x", "y").lora


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sft:\n  learnin_rate: 1.0e-4", r"'sft.learnin_rate'.*Did you mean sft.learning_rate\?"),
        ("lora:\n  rank: 8", r"'lora.rank'.*keys there are: r, alpha, dropout"),
        ("machin:\n  nodes: 2", r"'machin'"),
        ("sft:\n  learning_rate: fast", r"learning_rate"),
        ("sft:\n  learning_rate: -1.0", r"learning_rate"),
        ("sft:\n  batch_size: 0", r"batch_size"),
        ("sft:\n  batch_size: 2.5", r"batch_size"),
        ("machine:\n  precision: float16", r"precision"),
        ("sft: 3", r"sft no keys"),
        ("seed: 1\nseed: 2", r"'seed' twice"),
        ("sft:\n  epochs: 1\n  epochs: 2", r"'epochs' twice"),
        ("name: ../../elsewhere", r"'name' twice"),
        ("sft: [", r"not valid YAML"),
        ("data:\n  kinds: [artificial]", r"kinds"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_key(tmp_path: Path, text: str, says: str):
    path = tmp_path / "mine.yaml"
    path.write_text(f"{LEAST}{text}\n", "utf-8")
    with pytest.raises(BadInputError, match=f"(?s)mine.yaml.*{says}"):
        recipes.read(str(path))


@pytest.mark.parametrize(
    "content", [b"", b"[1, 2]", b"\xff\xfe\x00", b"name: a/b\nbase: c", b"name: a", b"!!python/object:os.system x"]
)
def test_what_is_no_recipe(tmp_path: Path, content: bytes):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"mine.yaml"):
        recipes.read(str(path))


def test_a_newer_recipe_and_an_unknown_one(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(LEAST + "schema_version: 9\nsft:\n  invented_later: 1\n", "utf-8")
    with pytest.raises(NewerSchemaError):
        recipes.read(str(path))
    with pytest.raises(NotFoundError, match=r"Did you mean laptop\?"):
        recipes.read("labtop")


def test_overrides_are_typed_by_the_recipe():
    recipe = recipes.read(
        "laptop",
        {
            "sft.learning_rate": "1e-3",
            "data.factors": "arm, dose",
            "grpo.run": "false",
            "seed": "11",
            "base": "mine.gguf",
            "operators": "per factor",
        },
    )
    assert (recipe.sft.learning_rate, recipe.data.factors, recipe.grpo.run) == (1e-3, ("arm", "dose"), False)
    assert (recipe.seed, recipe.base, recipe.operators) == (11, "mine.gguf", "per factor")
    assert recipes.read("laptop", {"data.factors": ""}).data.factors == ()


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("sft.rate", "1"),
        ("lr", "1"),
        ("sft", "1"),
        ("sft.epochs", "many"),
        ("sft.epochs", "-1"),
        ("data.factors", "arm,colour"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(key: str, given: str):
    with pytest.raises(UsageError, match=f"--set {key}={given}"):
        recipes.read("laptop", {key: given})


def test_each_machine_has_its_launch_command():
    assert launch_command(recipes.read("laptop"), "laptop", "sft").startswith("deepimagine train sft laptop ")
    cases = {
        ("ddp", 1): "ddp.yaml",
        ("fsdp", 1): "fsdp.yaml",
        ("ddp", 2): "multi_node.yaml",
        ("fsdp", 2): "fsdp.yaml",
    }
    for (sharding, nodes), name in cases.items():
        changes = {"machine.sharding": sharding, "machine.nodes": str(nodes), "machine.processes": str(8 * nodes)}
        recipe = recipes.read("qwen3.5-9b", changes)
        words = shlex.split(
            launch_command(recipe, "qwen3.5-9b", "sft", tuple(f"{key}={value}" for key, value in changes.items()))
        )
        assert words[:2] == ["accelerate", "launch"]
        assert Path(words[words.index("--config_file") + 1]).name == name
        assert words[words.index("--num_processes") + 1] == str(8 * nodes)
        assert ("--machine_rank" in words) == (nodes > 1)
        assert f"machine.sharding={sharding}" in words
    words = shlex.split(server_command(recipes.read("qwen3.5-9b")))
    assert words[:7] == ["env", "VLLM_SERVER_DEV_MODE=1", "vllm", "serve", "Qwen/Qwen3.5-9B", "--port", "8000"]
    assert words[words.index("--weight-transfer-config") + 1] == '{"backend": "nccl"}'


def test_on_a_cpu_each_process_is_started():
    words = shlex.split(launch_command(recipes.read("laptop", {"machine.processes": "2"}), "laptop", "sft"))
    assert words[:3] == ["torchrun", "--nproc_per_node", "2"]


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
@pytest.mark.parametrize("nodes", [1, 2])
def test_accelerate_reads_its_files(sharding: str, nodes: int):
    config_args = pytest.importorskip("accelerate.commands.config.config_args")
    recipe = recipes.read("gemma-3-12b", {"machine.sharding": sharding, "machine.nodes": str(nodes), "machine.processes": "16"})
    config = config_args.load_config_from_file(str(accelerate_config(recipe)))
    assert config.distributed_type.value == {"ddp": "MULTI_GPU", "fsdp": "FSDP"}[sharding]
    assert config.mixed_precision == "bf16"


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(DeepImagineError, match=r"deepimagine\[training\]"):
        recipes.read("laptop")
