"""Reinforcement learning whose reasoning a vLLM server samples, on a tiny random model and a server that is made up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

pytest.importorskip("trl", reason="the `training` extra is not installed")

from deepimagine_training import bases, grpo, pair_files, run_folder, run_manifest
from deepimagine_training.encoding import prompt_ids
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import draw
from deepimagine_training.recipe import DataRecipe, GrpoRecipe, LoraRecipe, Recipe

from deepimagine_tui.errors import NetworkError
from tests.support.vllm_server import FakeVllm, do_without_vllm, vllm_server
from tests.training.made import many_trials, write
from tests.training.made_policy import WORDS, wordy_gemma3

PROMPTS, GENERATIONS, TOKENS = 2, 3, 12


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base and pairs of every side."""
    folder = tmp_path_factory.mktemp("vllm")
    wordy_gemma3(folder / "base")
    with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
        pair_files.write(draw(corpus), folder / "pairs")
    return folder


@pytest.fixture(autouse=True)
def without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    do_without_vllm(lambda where, name, value: monkeypatch.setattr(where, name, value, raising=False))


@pytest.fixture
def server(room: Path) -> Iterator[FakeVllm]:
    with vllm_server(*spoken(room / "base")) as fake:
        yield fake


def spoken(base: Path) -> tuple[list[int], int]:
    """The tokens of the words that the server says, and of a line's end."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    return tokenizer.convert_tokens_to_ids([f" {word}" for word in WORDS]), tokenizer.convert_tokens_to_ids("Ċ")


def recipe(url: str, **change: Any) -> Recipe:
    settings = {"max_steps": 2, "learning_rate": 1e-2, "save_every": 1, "evaluate_every": 2, "temperature": 0.7} | change
    wanted = GrpoRecipe(
        prompts=PROMPTS, generations=GENERATIONS, max_reasoning_tokens=TOKENS, rollouts="vllm", vllm_server=url, **settings
    )
    return Recipe(
        name="tiny", base="base", data=DataRecipe(validation_sample=2, max_tokens=4096), lora=LoraRecipe(4, 8), grpo=wanted
    )


def train(room: Path, out: Path, wanted: Recipe, base: str = "base") -> run_manifest.Manifest:
    return grpo.train(wanted, bases.resolve(str(room / base)), room / "pairs", out, Event())


def checkpoints(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "checkpoints").glob("checkpoint-*"))


def test_the_server_is_asked_for_reasoning_as_the_recipe_says(room: Path, server: FakeVllm, tmp_path: Path):
    manifest = train(room, tmp_path / "run", recipe(server.url))
    assert (manifest.steps, manifest.ended) == (2, "complete")
    assert len(server.asked) == 2
    for body in server.asked:
        assert (body["model"], body["n"], body["max_tokens"], body["temperature"]) == ("tiny", GENERATIONS, TOKENS, 0.7)
        assert (body["top_p"], body["stop"], body["logprobs"]) == (1.0, ["\n"], 0)
        assert len(body["prompt"]) == PROMPTS
    assert server.asked[0]["seed"] != server.asked[1]["seed"]
    loaded = bases.load(bases.resolve(str(room / "base")))
    prepared = grpo.prepare(recipe(server.url), room / "pairs", loaded.tokenizer)
    at_last = {
        tuple(prompt_ids(loaded.tokenizer, task.question.prompt)): task.row.id for task in prepared.train if not task.later
    }
    asked = [tuple(prompt) for body in server.asked for prompt in body["prompt"]]
    known = [(prompt, task) for prompt, task in zip(asked, prepared.train, strict=True) if not task.later]
    assert known
    assert all(at_last[prompt] == task.row.id for prompt, task in known)


def test_what_the_server_writes_is_rewarded(room: Path, server: FakeVllm, tmp_path: Path):
    train(room, tmp_path / "run", recipe(server.url))
    records = [one for one in run_folder.read_log(tmp_path / "run") if "reward" in one]
    choices = [server.sampled(body) for body in server.asked]
    # The line's end is a choice as well, and the verdict is learnt from.
    written = [sum(len(choice["token_ids"]) + 1 for choice in of_step) / len(of_step) for of_step in choices]
    assert [one["completion_tokens"] for one in records] == pytest.approx(written)
    with vllm_server([server.words[0]], server.line_end) as mumbling:
        train(room, tmp_path / "other", recipe(mumbling.url))
    others = [one for one in run_folder.read_log(tmp_path / "other") if "reward" in one]
    assert records[0]["reward"] > others[0]["reward"], (
        "words on the topic keep the guard-rails, one word over and over does not"
    )


def test_the_server_gets_the_base_with_the_adapter_in_it_before_each_step(room: Path, server: FakeVllm, tmp_path: Path):
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    train(room, tmp_path / "run", recipe(server.url, save_every=1))
    sent = [path for path in server.order if path in ("/finish_weight_update", "/reset_prefix_cache", "/v1/completions")]
    assert sent == ["/finish_weight_update", "/reset_prefix_cache", "/v1/completions"] * 2
    base = AutoModelForCausalLM.from_pretrained(room / "base", dtype=torch.float32)
    names = {name: tuple(value.shape) for name, value in base.named_parameters()}
    for push in server.pushes:
        assert {name: shape for name, _, shape in push.announced} == names
        assert {kind for _, kind, _ in push.announced} == {"float32"}
        assert push.came.keys() == names.keys()
    for name, value in base.named_parameters():
        assert server.pushes[0].came[name] == pytest.approx(value.detach().numpy(), abs=1e-6), "a new adapter changes nothing"
    merged = PeftModel.from_pretrained(base, str(tmp_path / "run" / "checkpoints" / "checkpoint-1")).merge_and_unload()
    changed = 0
    for name, value in merged.named_parameters():
        assert server.pushes[1].came[name] == pytest.approx(value.detach().numpy(), abs=1e-5)
        changed += int(abs(server.pushes[1].came[name] - server.pushes[0].came[name]).max() > 0)
    assert changed == 14, "every linear layer of both blocks"


def test_sending_weights_leaves_the_policy_as_it_is(room: Path):
    import torch
    from deepimagine_training.sft import lora
    from deepimagine_training.sharding import merged
    from peft import get_peft_model

    model = bases.load(bases.resolve(str(room / "base")), "bfloat16").model
    policy = get_peft_model(model, lora(recipe("")))
    for name, value in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value.data)
    before = {name: value.clone() for name, value in policy.state_dict().items()}
    sent = dict(merged(policy))
    assert all(value.dtype == torch.bfloat16 for value in sent.values())
    assert all(torch.equal(value, before[name]) for name, value in policy.state_dict().items())


def test_weights_have_the_names_of_a_base_that_also_sees_images(room: Path, server: FakeVllm, tmp_path: Path):
    from transformers import AutoModelForImageTextToText

    seeing = seeing_gemma3(room / "base", tmp_path / "seeing")
    wanted = recipe(server.url, max_steps=1)
    grpo.train(wanted, bases.resolve(str(seeing)), room / "pairs", tmp_path / "run", Event())
    names = {name for name, _ in AutoModelForImageTextToText.from_pretrained(seeing).named_parameters()}
    pushed = {name for name, _, _ in server.pushes[0].announced}
    assert pushed < names
    assert {name for name in names - pushed if "language_model" in name} == set()


def seeing_gemma3(language: Path, folder: Path) -> Path:
    """Write a Gemma 3 with eyes to `folder`, whose language model is that of `language`."""
    import torch
    from transformers import AutoConfig, AutoTokenizer, Gemma3Config, Gemma3ForConditionalGeneration, SiglipVisionConfig

    text = AutoConfig.from_pretrained(language)
    eyes = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, image_size=28, patch_size=14
    )
    torch.manual_seed(0)
    config = Gemma3Config(text_config=text, vision_config=eyes, mm_tokens_per_image=4, eos_token_id=1, bos_token_id=2)
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(language).save_pretrained(folder)
    return folder


def test_a_run_that_is_gone_on_with_asks_for_what_it_would_have(room: Path, tmp_path: Path):
    words, line_end = spoken(room / "base")
    with vllm_server(words, line_end) as whole:
        train(room, tmp_path / "whole", recipe(whole.url, max_steps=3))
    with vllm_server(words, line_end, answers=2) as dying, pytest.raises(NetworkError, match="does not answer any more"):
        train(room, tmp_path / "cut", recipe(dying.url, max_steps=3))
    assert checkpoints(tmp_path / "cut") == ["checkpoint-1", "checkpoint-2"]
    assert not (tmp_path / "cut" / "manifest.json").exists()
    with vllm_server(words, line_end) as elsewhere:
        train(room, tmp_path / "cut", recipe(elsewhere.url, max_steps=3))
    assert elsewhere.asked == whole.asked[2:]
    for name in ("loss", "reward"):
        ours, theirs = ([one[name] for one in run_folder.read_log(tmp_path / run) if name in one] for run in ("cut", "whole"))
        assert ours == pytest.approx(theirs, rel=1e-3, abs=1e-5)


def test_a_server_that_is_down_is_told_before_anything_is_loaded(room: Path, tmp_path: Path):
    with vllm_server([5], 6) as fake:
        url = fake.url
    with pytest.raises(NetworkError, match="No vLLM server answers") as told:
        train(room, tmp_path / "run", recipe(url))
    assert "train plan" in told.value.hint
    assert not (tmp_path / "run").exists()


def test_a_server_that_takes_no_weights_is_told(room: Path, tmp_path: Path):
    with vllm_server(*spoken(room / "base"), dev_mode=False) as fake, pytest.raises(NetworkError, match="DEV_MODE"):
        train(room, tmp_path / "run", recipe(fake.url))
