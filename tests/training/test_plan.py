"""Plans: every shipped recipe is planned, and what cannot fit is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("yaml")
pytest.importorskip("datasets")
pytest.importorskip("torch")
pytest.importorskip("transformers")

from deepimagine_training import pair_files, recipes
from deepimagine_training.base_shape import KNOWN, BaseShape, shape_of
from deepimagine_training.counting import count
from deepimagine_training.memory import grpo_parts, sft_parts, total
from deepimagine_training.pairs import PairSet
from deepimagine_training.plan import Plan, Speed, assumed_speed, plan, step_flops
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, ExitCode, NotFoundError, RefusedError
from tests.cli.conftest import Cli, cli, plain_environment

__all__ = ["cli", "plain_environment"]

SMALL = BaseShape(
    base="small",
    architecture="Gemma3ForCausalLM",
    layers=18,
    hidden=640,
    heads=4,
    vocabulary=262_144,
    parameters=268_098_176,
    body=100_326_016,
    linear_features=237_312,
    context=32_768,
)


@pytest.fixture(scope="session")
def pairs_folder(small_pairs: PairSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "pairs"
    pair_files.write(small_pairs, folder)
    return folder


def made(name: str, changes: dict[str, str] | None = None, **given: object) -> Plan:
    recipe = recipes.read(name, changes)
    return plan(recipe, shape_of(recipe.base), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", recipes.named())
@pytest.mark.parametrize("sharding", ["", "fsdp"])
def test_every_shipped_recipe_fits_what_it_states(name: str, sharding: str, pairs_folder: Path):
    if sharding and recipes.read(name).machine.device == "cpu":
        with pytest.raises(RefusedError, match="GPUs only"):
            made(name, {"machine.sharding": sharding})
        return
    recipe = recipes.read(name, {"machine.sharding": sharding} if sharding else {})
    counted = count(recipe, pairs_folder)
    planned = plan(recipe, shape_of(recipe.base), counted)
    sft, grpo = planned.stages
    assert counted.train == sum(counted.by_factor.values()) > 0
    assert sft.steps >= 1
    assert 0 < sft.seconds < float("inf")
    operators = len(counted.by_factor) if recipe.operators == "per factor" else 1
    assert grpo.steps == recipe.grpo.max_steps * operators
    for stage in planned.stages:
        assert 0 < stage.memory_gb <= recipe.machine.memory_gb


def test_sharding_takes_less_memory_of_each_process():
    ddp, fsdp = (made("gemma-3-12b", {"machine.sharding": kind}).stages[0].memory_gb for kind in ("ddp", "fsdp"))
    assert fsdp < ddp / 2


@pytest.mark.parametrize(("tokens", "generations", "more"), [("1024", "2", True), ("8192", "8", False)])
def test_a_sharded_policy_that_samples_is_whole_in_each_process(tokens: str, generations: str, more: bool):
    """The larger of the two counts: the whole policy as it samples, or what a step goes back through."""
    changes = {"machine.sharding": "fsdp", "data.max_tokens": tokens, "grpo.generations": generations}
    recipe = recipes.read("gemma-3-12b", changes)
    parts = {part.name: part.bytes for part in grpo_parts(recipe, shape_of(recipe.base))}
    policy = parts["weights"] * recipe.machine.processes
    step = parts["gathered layers"] + parts["activations"] + parts["head"]
    assert (policy > step) is more
    assert step + parts["whole policy"] == pytest.approx(max(policy, step))


@pytest.mark.parametrize(
    ("batch", "length", "recomputed", "measured_gb"),
    [
        (1, 512, "false", 3.21),
        (2, 512, "false", 4.1),
        (4, 260, "false", 4.17),
        (8, 260, "true", 3.58),
        (4, 512, "true", 3.5),
        (8, 512, "true", 5.01),
    ],
)
def test_memory_is_near_what_was_measured(batch: int, length: int, recomputed: str, measured_gb: float):
    """Measured: the largest resident set of `train sft` on the embedded base, the first over an hour of it."""
    changes = {
        "sft.batch_size": str(batch),
        "data.max_tokens": str(length),
        "machine.gradient_checkpointing": recomputed,
    }
    estimate = total(sft_parts(recipes.read("laptop", changes), SMALL)) / 1e9
    assert measured_gb * 0.95 < estimate < measured_gb * 1.15


def test_memory_of_reinforcement_is_near_what_was_measured():
    """Measured: the largest resident set of `train grpo` in docs/benchmarks.md, four samples of each of four prompts a step."""
    estimate = total(grpo_parts(recipes.read("laptop"), SMALL)) / 1e9
    assert 3.6 * 0.95 < estimate < 3.6 * 1.15


def test_memory_of_an_80_gb_recipe_is_its_arithmetic():
    gb = {part.name: part.bytes / 1e9 for part in sft_parts(recipes.read("gemma-3-12b"), shape_of("google/gemma-3-12b-it"))}
    recipe = recipes.read("gemma-3-12b")
    assert (recipe.machine.sharding, recipe.machine.gradient_checkpointing) == ("ddp", True)
    queries, keys, wide, inner = 16 * 256, 8 * 256, 3840, 15_360
    features = 7 * wide + 2 * queries + 2 * keys + 3 * inner
    tokens = recipe.sft.batch_size * recipe.data.max_tokens
    assert gb["weights"] == pytest.approx(11.77 * 2, rel=0.01)
    assert gb["adapter, gradients, optimiser"] == pytest.approx(recipe.lora.r * 48 * features * 16 / 1e9, rel=0.01)
    assert gb["activations"] == pytest.approx(tokens * 2 * (48 * wide + features + 5 * wide) / 1e9, rel=0.01)
    assert gb["head"] == pytest.approx(128 * 262_208 * 4 * 2 / 1e9)


def test_memory_of_reinforcement_has_each_prompt_once_on_a_cpu_and_in_every_sample_on_a_gpu():
    def activations(name: str, generations: int) -> float:
        recipe = recipes.read(name, {"grpo.generations": str(generations)})
        return next(part.bytes for part in grpo_parts(recipe, shape_of(recipe.base)) if part.name == "activations")

    read, written = 512 - 48, 48 + 32
    ratio = (read + 8 * written) / (read + 4 * written)
    assert activations("laptop", 8) / activations("laptop", 4) == pytest.approx(ratio)
    assert activations("qwen3.5-9b", 16) / activations("qwen3.5-9b", 8) == pytest.approx(2)


def test_steps_follow_from_examples_batches_and_epochs(pairs_folder: Path):
    recipe = recipes.read("laptop")
    counted = count(recipe, pairs_folder)
    once, twice, large = (
        made("laptop", changes, counted=counted).stages[0] for changes in ({}, {"sft.epochs": "2"}, {"sft.accumulation": "16"})
    )
    assert once.steps == -(-counted.train // 8)
    assert twice.steps == 2 * once.steps
    assert large.steps == -(-counted.train // 16)
    assert made("laptop", {"sft.max_steps": "2"}, counted=counted).stages[0].steps == 2
    by_factor = made("laptop", {"operators": "per factor"}, counted=counted).stages[0]
    assert by_factor.steps == sum(-(-examples // 8) for examples in counted.by_factor.values())


def test_what_is_too_long_is_counted_and_left_out(pairs_folder: Path):
    recipe = recipes.read("laptop", {"data.max_tokens": "20"})
    counted = count(recipe, pairs_folder)
    assert counted.train == 0
    assert counted.left_out["train: too long"] > 0
    assert any("no example" in note for note in plan(recipe, SMALL, counted).notes)


def test_time_follows_from_the_speed():
    slow, fast = (made("laptop", speed=Speed(flops, "given")).stages[0].seconds for flops in (1e10, 1e11))
    assert slow == pytest.approx(10 * fast)
    limited = made("laptop", {"sft.max_minutes": "1"}, speed=Speed(1e10, "given")).stages[0]
    assert limited.stops_at == pytest.approx(limited.steps * 60 / limited.seconds, abs=1)
    assert assumed_speed(recipes.read("laptop"), cores=4).flops == 2 * assumed_speed(recipes.read("laptop"), cores=2).flops


def test_reinforcement_reads_a_prompt_once_for_its_samples_and_walks_chains(pairs_folder: Path):
    counted = replace(count(recipes.read("laptop"), pairs_folder), questions=1.0, tokens=1000.0, completion_tokens=60.0)

    def seconds(samples: int, questions: float = 1.0) -> float:
        planned = made("laptop", {"grpo.generations": str(samples)}, counted=replace(counted, questions=questions))
        return planned.stages[1].seconds

    assert seconds(4) < 1.5 * seconds(2)
    assert seconds(4, questions=2.0) > 1.2 * seconds(4)
    assert count(recipes.read("laptop"), pairs_folder).questions >= 1


def test_recomputation_costs_one_more_pass_of_the_body():
    plain, recomputed = (
        step_flops(recipes.read("laptop", {"machine.gradient_checkpointing": kind}), SMALL, 1000, 0)
        for kind in ("false", "true")
    )
    assert recomputed == 6 * SMALL.body * 1000
    assert plain == 4 * SMALL.body * 1000


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("laptop", {"data.max_tokens": "32769"}, "32,769 tokens.*reads 32,768"),
        ("laptop", {"sft.batch_size": "8"}, "needs about .* GB.*activations"),
        ("laptop", {"machine.memory_gb": "1"}, "needs about"),
        ("qwen3.5-9b", {"machine.gradient_checkpointing": "false"}, "activations alone"),
        ("qwen3.5-9b", {"machine.memory_gb": "20"}, "weights alone"),
        ("qwen3.5-9b", {"machine.sharding": "none"}, "how they train together"),
        ("qwen3.5-9b", {"machine.nodes": "3"}, "spread evenly over 3 nodes"),
        ("qwen3.5-9b", {"machine.processes": "7", "grpo.prompts": "16"}, "spread evenly over 7"),
        ("qwen3.5-9b", {"grpo.vllm_server": ""}, "names none"),
        ("laptop", {"grpo.rollouts": "vllm", "grpo.vllm_server": "http://127.0.0.1:1"}, "needs a GPU"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(name: str, changes: dict[str, str], says: str):
    with pytest.raises(RefusedError, match=says) as refused:
        made(name, changes)
    assert refused.value.hint


def test_the_shape_of_a_folder_is_that_of_its_configuration(tmp_path: Path):
    from transformers import AutoConfig

    said = dict(KNOWN["gemma-270m"])
    AutoConfig.for_model(said.pop("model_type"), **said).save_pretrained(tmp_path / "model")
    assert shape_of(str(tmp_path / "model")) == replace(shape_of("gemma-270m"), base="model")
    assert shape_of("gemma-270m") == replace(SMALL, base="gemma-270m")


def test_published_sizes_are_those_of_the_models():
    assert shape_of("google/gemma-3-12b-it").parameters == pytest.approx(11.77e9, rel=0.01)
    assert shape_of("Qwen/Qwen3.5-9B").parameters == pytest.approx(8.95e9, rel=0.01)
    assert shape_of("gemma-270m").adapter(16) * 2 == pytest.approx(7.6e6, rel=0.01)


def test_a_base_that_is_not_there_or_no_model(tmp_path: Path):
    with pytest.raises(NotFoundError, match="nobody/nothing"):
        shape_of("nobody/nothing")
    with pytest.raises(BadInputError):
        shape_of(str(tmp_path))


def test_the_command_tells_a_plan_and_writes_nothing(cli: Cli, pairs_folder: Path, tmp_path: Path):
    told = cli("train", "plan", "laptop", "--pairs", pairs_folder, "--set", "sft.epochs=2")
    assert told.code == ExitCode.OK, told.err
    for words in ("epochs: 2", "268 M parameters", "GB", "TFLOP/s", "deepimagine train sft laptop", "sft.epochs=2"):
        assert words in told.out
    as_json = cli("train", "plan", "qwen3.5-9b", "--tflops", "400", "--json").json
    assert as_json["plan"]["speed"] == {"flops": 4e14, "source": "as given by --tflops"}
    assert "vllm serve" in as_json["commands"]["server"]
    refused = cli("train", "plan", "laptop", "--set", "data.max_tokens=99999")
    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")


def test_measuring_without_examples_is_told(cli: Cli):
    told = cli("train", "plan", "laptop", "--measure")
    assert told.code == ExitCode.USAGE
    assert "--pairs FOLDER and --traces FOLDER" in told.err
