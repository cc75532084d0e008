"""An adapter merged into its base's own file, and llama.cpp's quantiser on the result."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")
pytest.importorskip("llama_cpp", reason="the `local` extra is not installed")

from deepimagine_exporters.gguf.adapter import write_adapter
from deepimagine_exporters.gguf.base import of_header
from deepimagine_exporters.gguf.merge import merge
from deepimagine_exporters.gguf.metadata import Origin
from deepimagine_exporters.gguf.quantise import QUANTISED, quantise

from deepimagine_tui.backends.gguf_header import check_model, read_header
from deepimagine_tui.errors import CancelledError, ModelError
from tests.support.lora import divergence, llama_logits, loaded, random_lora, torch_logits
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf

TOKENS = [3, 40, 77, 12, 201, 98, 5, 66]
ORIGIN = Origin("Tiny tuned", "run-1", "Tiny random", "ab" * 32, "cc0-1.0")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base with a chat template, an adapter on it, both merged, and what PEFT answers (`expected.npy`)."""
    folder = tmp_path_factory.mktemp("merge")
    base = write_tiny_gguf(folder / "base.gguf", chat=True)
    adapted = random_lora(loaded(base), folder / "peft")
    np.save(folder / "expected.npy", torch_logits(adapted, TOKENS)[-1])
    write_adapter(folder / "peft", of_header(read_header(base)), ORIGIN, folder / "adapter.gguf")
    merge(base, folder / "adapter.gguf", ORIGIN, folder / "merged.gguf", Event())
    return folder


def test_the_merged_model_answers_as_base_and_adapter_do(room: Path) -> None:
    expected = np.load(room / "expected.npy")
    assert divergence(expected, llama_logits(room / "merged.gguf", TOKENS)) < 1e-4
    assert divergence(expected, llama_logits(room / "base.gguf", TOKENS)) > 1e-2


def test_tokenizer_and_template_are_the_base_s_own_bytes(room: Path) -> None:
    base, merged = read_header(room / "base.gguf"), read_header(room / "merged.gguf")
    check_model(merged)
    old, new = (Path(header.path).read_bytes() for header in (base, merged))
    replaced = {"general.name", "general.file_type"}
    assert {key for key in base.spans if key not in replaced} <= set(merged.spans)
    for key, (begin, end) in base.spans.items():
        if key not in replaced:
            start, stop = merged.spans[key]
            assert new[start:stop] == old[begin:end], key
    assert merged.chat_template == base.chat_template != ""
    assert (merged.name, merged.quantisation) == ("Tiny tuned", "F16")
    assert merged.text("deepimagine.run_id") == "run-1"
    assert [(one.name, one.shape) for one in merged.tensors] == [(one.name, one.shape) for one in base.tensors]


def test_norms_stay_in_32_bits(room: Path) -> None:
    kinds = {tensor.name: tensor.type for tensor in read_header(room / "merged.gguf").tensors}
    assert kinds["output_norm.weight"] == "F32"
    assert kinds["blk.0.attn_q.weight"] == "F16"


@pytest.mark.parametrize("kind", QUANTISED)
def test_the_quantiser_makes_a_model_of_each_type(room: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "small.gguf"
    quantise(room / "merged.gguf", target, kind, Event())
    header = read_header(target)
    assert header.quantisation == kind
    assert header.text("deepimagine.run_id") == "run-1"
    assert divergence(np.load(room / "expected.npy"), llama_logits(target, TOKENS)) < 0.5


def test_a_quantised_base_is_dequantised_before_the_adapter_is_added(room: Path, tmp_path: Path) -> None:
    quantise(room / "base.gguf", tmp_path / "q8.gguf", "Q8_0", Event())
    adapted = random_lora(loaded(tmp_path / "q8.gguf"), tmp_path / "peft")
    merge(tmp_path / "q8.gguf", room / "adapter.gguf", ORIGIN, tmp_path / "merged.gguf", Event())
    expected = torch_logits(adapted, TOKENS)[-1]
    assert divergence(expected, llama_logits(tmp_path / "merged.gguf", TOKENS)) < 1e-4


def test_an_adapter_of_another_model_is_refused(room: Path, tmp_path: Path) -> None:
    strange = write_tiny_adapter(tmp_path / "strange.gguf", tensors=("blk.0.ffn_down.weight",))
    with pytest.raises(ModelError, match="another model"):
        merge(room / "base.gguf", strange, ORIGIN, tmp_path / "merged.gguf", Event())
    assert not (tmp_path / "merged.gguf").exists()


def test_stopping_leaves_nothing_behind(room: Path, tmp_path: Path) -> None:
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError):
        merge(room / "base.gguf", room / "adapter.gguf", ORIGIN, tmp_path / "merged.gguf", cancel)
    with pytest.raises(CancelledError):
        quantise(room / "merged.gguf", tmp_path / "small.gguf", "Q8_0", cancel)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_quantised_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 64)
    with pytest.raises(ModelError, match=r"llama\.cpp cannot make Q8_0 of broken\.gguf"):
        quantise(tmp_path / "broken.gguf", tmp_path / "small.gguf", "Q8_0", Event())
    assert not (tmp_path / "small.gguf").exists()
