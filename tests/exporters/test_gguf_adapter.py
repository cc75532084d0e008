"""Adapters written as GGUF: the same answers as PEFT's own, and one sentence for those that cannot be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_exporters.gguf.adapter import write_adapter
from deepimagine_exporters.gguf.base import of_folder, of_header
from deepimagine_exporters.gguf.metadata import Origin

from deepimagine_tui.backends import embedded
from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.catalogue import EMBEDDED, ensure_ready
from deepimagine_tui.backends.gguf_header import read_header
from deepimagine_tui.errors import BadInputError, DeepImagineError, ModelError
from tests.support.lora import divergence, llama_logits, loaded, random_lora, torch_logits
from tests.support.tiny_gguf import write_tiny_gguf
from tests.support.tiny_model import tiny_gemma3

TOKENS = [3, 40, 77, 12, 201, 98, 5, 66]
ORIGIN = Origin("Tiny tuned", "run-1", "Tiny random", "ab" * 32, "cc0-1.0", "prompts 1", "2020-01-01")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama, whose queries and keys llama.cpp keeps in another order than transformers."""
    return write_tiny_gguf(tmp_path_factory.mktemp("base") / "llama.gguf")


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma3(tmp_path_factory.mktemp("gemma"))


def written(adapter: Path, base: Path, target: Path) -> Path:
    facts = of_folder(base) if base.is_dir() else of_header(read_header(base))
    write_adapter(adapter, facts, ORIGIN, target)
    return target


@pytest.mark.parametrize(
    "config", [{}, {"use_rslora": True}, {"alpha_pattern": {"q_proj": 32}, "rank_pattern": {"down_proj": 2}}], ids=str
)
def test_llama_cpp_answers_with_the_adapter_as_peft_does(llama: Path, tmp_path: Path, config: dict[str, Any]) -> None:
    adapted = random_lora(loaded(llama), tmp_path / "peft", **config)
    adapter = written(tmp_path / "peft", llama, tmp_path / "adapter.gguf")
    check_adapter(read_header(adapter), read_header(llama))
    expected = torch_logits(adapted, TOKENS)[-1]
    assert divergence(expected, llama_logits(llama, TOKENS, adapter)) < 1e-4
    assert divergence(expected, llama_logits(llama, TOKENS)) > 1e-2


def test_the_file_says_where_it_is_from(llama: Path, tmp_path: Path) -> None:
    random_lora(loaded(llama), tmp_path / "peft")
    header = read_header(written(tmp_path / "peft", llama, tmp_path / "adapter.gguf"))
    assert header.values["adapter.lora.alpha"] == 8.0
    assert (header.name, header.licence, header.quantisation) == ("Tiny tuned", "cc0-1.0", "F16")
    assert header.text("general.base_model.0.name") == "Tiny random"
    assert header.text("deepimagine.run_id") == "run-1"
    assert header.text("deepimagine.base_sha256") == "ab" * 32
    assert {tensor.type for tensor in header.tensors} == {"F16"}


@pytest.fixture
def saved(gemma: Path, tmp_path: Path) -> Path:
    random_lora(loaded(gemma), tmp_path / "peft")
    return tmp_path / "peft"


def test_every_linear_layer_of_a_gemma_has_its_name(saved: Path, gemma: Path, tmp_path: Path) -> None:
    header = read_header(written(saved, gemma, tmp_path / "adapter.gguf"))
    stems = {tensor.name.rpartition(".")[0] for tensor in header.tensors}
    layers = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    assert stems == {f"blk.{block}.{layer}.weight" for block in range(2) for layer in layers}
    assert header.architecture == "gemma3"


def reconfigured(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    kept = {key: value for key, value in (config | values).items() if value is not None}
    path.write_text(json.dumps(kept))


def retensored(folder: Path, change: Any) -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "adapter_model.safetensors"
    save_file(change(load_file(path)), path)


Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: reconfigured(folder, lora_alpha=None), "does not state the adapter's scale"),
        (lambda folder: reconfigured(folder, lora_alpha=0), "does not state the adapter's scale"),
        (lambda folder: reconfigured(folder, peft_type="IA3"), "an adapter of kind 'IA3'"),
        (lambda folder: (folder / "adapter_config.json").unlink(), "holds no adapter"),
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"no"), "cannot be read"),
        (lambda folder: retensored(folder, lambda found: {}), "holds no tensors"),
        (
            lambda folder: retensored(folder, lambda found: found | {"base_model.model.lm_head.lora_A.weight": found[Q]}),
            "output",
        ),
        (
            lambda folder: retensored(folder, lambda found: found | {"base_model.model.model.embed_tokens.weight": found[Q]}),
            "embeddings",
        ),
        (lambda folder: retensored(folder, lambda found: {key: found[key] for key in found if key != Q}), "only one factor"),
        (
            lambda folder: retensored(folder, lambda found: found | {Q.replace("lora_A", "lora_magnitude_vector"): found[Q]}),
            "no part of a plain LoRA",
        ),
        (
            lambda folder: retensored(folder, lambda found: {key.replace("q_proj", "wq"): found[key] for key in found}),
            "for another model",
        ),
        (lambda folder: retensored(folder, lambda found: found | {Q: found[Q] * float("nan")}), "no numbers"),
        (lambda folder: retensored(folder, lambda found: found | {Q: found[Q] * 1e9}), "too large"),
    ],
)
def test_what_would_load_and_be_garbage_is_refused(saved: Path, gemma: Path, tmp_path: Path, change: Any, said: str) -> None:
    change(saved)
    with pytest.raises(DeepImagineError, match=said) as raised:
        written(saved, gemma, tmp_path / "adapter.gguf")
    assert isinstance(raised.value, BadInputError | ModelError)
    assert raised.value.hint
    assert not (tmp_path / "adapter.gguf").exists()


def test_an_architecture_whose_order_is_not_known_is_refused(saved: Path, gemma: Path, tmp_path: Path) -> None:
    config = json.loads((gemma / "config.json").read_text()) | {"model_type": "mamba"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="'mamba'"):
        of_folder(tmp_path)


@pytest.mark.model
def test_the_embedded_model_answers_with_an_adapter_as_peft_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not embedded.installed():
        pytest.skip("the embedded model is not installed")
    from threading import Event

    base = ensure_ready(EMBEDDED, lambda share: None, Event())
    adapted = random_lora(loaded(base), tmp_path / "peft", r=16, lora_alpha=32, size=0.02)
    adapter = written(tmp_path / "peft", base, tmp_path / "adapter.gguf")
    assert adapter.stat().st_size < 16e6
    prompts = ([2, 818, 5279, 529, 7001, 563], [2, 75392, 5968, 236787, 1548], [2, *range(3000, 3040)])
    for tokens in prompts:
        expected = torch_logits(adapted, tokens)[-1]
        assert divergence(expected, llama_logits(base, tokens, adapter)) < 0.05
        assert divergence(expected, llama_logits(base, tokens)) > 0.5
