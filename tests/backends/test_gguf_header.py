"""What a GGUF header tells, and the one sentence each unusable file gets."""

from __future__ import annotations

import struct
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.gguf_header import GgufHeader, Tensor, check_model, read_header
from deepimagine_tui.errors import BadInputError, DeepImagineError, ModelError, NotFoundError
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf


def test_a_header_tells_architecture_quantisation_and_context(tiny_gguf: Path) -> None:
    header = read_header(tiny_gguf)
    check_model(header)
    assert (header.architecture, header.quantisation, header.context_length) == ("llama", "F32", 2048)
    assert (header.name, header.licence, header.chat_template) == ("Tiny random", "cc0-1.0", "")
    assert header.parameters > 100_000
    assert header.size_bytes == tiny_gguf.stat().st_size < 1_000_000


def test_a_chat_template_is_found(tmp_path: Path) -> None:
    assert "<turn>" in read_header(write_tiny_gguf(tmp_path / "chat.gguf", chat=True)).chat_template


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        read_header(tmp_path / "none.gguf")


@pytest.mark.parametrize("content", [b"", b"GG", b"%PDF-1.7 and more", b"\0" * 64])
def test_another_file_is_not_a_gguf(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="is not a GGUF file"):
        read_header(path)


@pytest.mark.parametrize("kept", [4, 7, 30, 500, 5000, -1])
def test_a_cut_off_file_is_named_so(tmp_path: Path, tiny_gguf: Path, kept: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_gguf.read_bytes()[:kept])
    with pytest.raises(BadInputError, match="is cut off"):
        read_header(path)


def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 9, 0, 0))
    with pytest.raises(BadInputError, match="version 9"):
        read_header(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(8, 6000), byte=st.integers(0, 255))
def test_a_damaged_header_is_an_error_of_ours_or_readable(tmp_path: Path, tiny_gguf: Path, position: int, byte: int) -> None:
    content = bytearray(tiny_gguf.read_bytes())
    content[position] = byte
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    try:
        quantisation = read_header(path).quantisation
    except DeepImagineError:
        return
    assert isinstance(quantisation, str)


def test_an_adapter_is_not_a_model_and_an_embedding_model_does_not_write(tmp_path: Path, tiny_adapter: Path) -> None:
    with pytest.raises(ModelError, match="is an adapter, not a model"):
        check_model(read_header(tiny_adapter))
    with pytest.raises(ModelError, match="does not generate text"):
        check_model(read_header(write_tiny_gguf(tmp_path / "bert.gguf", architecture="bert")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alpha": None}, "does not state its scale"),
        ({"tensors": ()}, "holds no tensors"),
        ({"tensors": ("token_embd.weight",)}, "cannot apply"),
        ({"tensors": ("output.weight",)}, "cannot apply"),
        ({"tensors": ("blk.9.attn_q.weight",)}, "does not fit"),
        ({"architecture": "gemma3"}, "is an adapter for 'gemma3'"),
    ],
)
def test_adapters_that_would_load_and_be_garbage_are_refused(tmp_path: Path, tiny_gguf: Path, changes: dict, said: str) -> None:
    adapter = write_tiny_adapter(tmp_path / "adapter.gguf", **changes)
    with pytest.raises(ModelError, match=said):
        check_adapter(read_header(adapter), read_header(tiny_gguf))


def test_an_adapter_of_other_sizes_is_for_another_model(tmp_path: Path, tiny_gguf: Path) -> None:
    adapter = write_tiny_adapter(tmp_path / "adapter.gguf", tensors=("blk.0.ffn_down.weight",))
    with pytest.raises(ModelError, match=r"another model: blk.0.ffn_down.weight is 64 x 64 there and 128 x 64 in the model"):
        check_adapter(read_header(adapter), read_header(tiny_gguf))


@pytest.mark.parametrize(("key_heads", "order", "refused"), [(2, "", True), (4, "", False), (2, "llama.cpp", False)])
def test_linear_attention_in_an_order_that_is_not_stated_is_refused(key_heads: int, order: str, refused: bool) -> None:
    def header(values: dict, *tensors: Tensor) -> GgufHeader:
        return GgufHeader("a.gguf", 0, {"general.architecture": "qwen35"} | values, tensors)

    heads = {"qwen35.ssm.group_count": key_heads, "qwen35.ssm.time_step_rank": 4}
    base = header(heads, Tensor("blk.0.ssm_out.weight", 512, "F16", (32, 16)))
    facts = {"general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 8.0}
    factors = (
        Tensor("blk.0.ssm_out.weight.lora_a", 64, "F16", (32, 2)),
        Tensor("blk.0.ssm_out.weight.lora_b", 32, "F16", (2, 16)),
    )
    adapter = header(facts | ({"deepimagine.adapter.order": order} if order else {}), *factors)
    with pytest.raises(ModelError, match="order") if refused else nullcontext():
        check_adapter(adapter, base)


def test_a_fitting_adapter_passes_and_a_model_is_not_one(tiny_gguf: Path, tiny_adapter: Path) -> None:
    base = read_header(tiny_gguf)
    check_adapter(read_header(tiny_adapter), base)
    with pytest.raises(ModelError, match="is not a LoRA adapter"):
        check_adapter(base, base)
