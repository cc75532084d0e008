"""Random-weight models of under a megabyte, written with the `gguf` package: backend tests need no download."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

MERGES = (
    "e r",
    "Ġ m",
    "e t",
    "Ġm et",
    "Ġ n",
    "o t",
    "Ġn ot",
    "Ġ u",
    "Ġu p",
    "Ġ d",
    "o w",
    "Ġd ow",
    "Ġdow n",
    "Ġ 1",
    "Ġ -",
    "1 2",
)
EMBEDDING, HEADS, LAYERS, FEED_FORWARD = 64, 4, 2, 128
CONVOLUTION, INNER, STATE, RANK = 4, 128, 16, 8
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<turn>{{ m['role'] }}\n{{ m['content'] }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<turn>model\n{% endif %}"
)


def byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for bytes in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + index) for index, byte in enumerate(others)}
    return [table[byte] for byte in range(256)]


TOKENS = [*byte_alphabet(), *(merge.replace(" ", "") for merge in MERGES), "<s>", "</s>", "<turn>", "<end>"]
SPECIAL = len(TOKENS) - 4


class _Weights:
    """Adds random tensors, the same for the same seed."""

    def __init__(self, writer: Any, seed: int, dtype: str) -> None:
        self._writer = writer
        self._random = np.random.default_rng(seed)
        self._dtype = np.float16 if dtype == "F16" else np.float32

    def random(self, name: str, *shape: int, scale: float = 0.3, quiet_from: int | None = None) -> None:
        values = self._random.standard_normal(shape) * scale
        if quiet_from is not None:
            values[quiet_from:] = 0.0
        self._writer.add_tensor(name, values.astype(self._dtype))

    def ones(self, name: str, *shape: int, value: float = 1.0) -> None:
        self._writer.add_tensor(name, np.full(shape, value, dtype=np.float32))


def _spaced_tokens() -> list[str]:
    """A SentencePiece-like vocabulary, as long as the other, for a tokenizer that puts a space before every text."""
    words = [
        "\u2581",
        "\u2581m",
        "me",
        "\u2581me",
        "\u2581met",
        "\u2581n",
        "\u2581no",
        "\u2581not",
        "\u2581up",
        "12",
        "\u25811",
        "\u2581-",
    ]
    return ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words, *"metnoup"][: len(TOKENS)]


def _add_spaced_tokenizer(writer: Any) -> None:
    import gguf

    tokens = _spaced_tokens()
    tokens += [f"<unused{number}>" for number in range(len(TOKENS) - len(tokens))]
    kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(index) for index in range(len(tokens))])
    writer.add_token_types(kinds + [gguf.TokenType.NORMAL] * (len(tokens) - len(kinds)))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)


def _begin(
    path: Path, architecture: str, context_length: int, dtype: str, *, spaced: bool = False, pre: str = "default"
) -> Any:
    import gguf

    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("model")
    writer.add_name("Tiny random")
    writer.add_license("cc0-1.0")
    writer.add_context_length(context_length)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if dtype == "F32" else gguf.LlamaFileType.MOSTLY_F16)
    if spaced:
        _add_spaced_tokenizer(writer)
        return writer
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS)
    writer.add_token_types([gguf.TokenType.NORMAL] * SPECIAL + [gguf.TokenType.CONTROL] * 4)
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(SPECIAL)
    writer.add_eos_token_id(SPECIAL + 1)
    writer.add_add_bos_token(True)
    return writer


def write_tiny_gguf(
    path: Path,
    *,
    architecture: str = "llama",
    chat: bool = False,
    context_length: int = 2048,
    dtype: Literal["F32", "F16"] = "F32",
    spaced: bool = False,
    pre: str = "default",
    seed: int = 7,
) -> Path:
    """Write a llama-shaped model with a byte-level vocabulary of about 280 tokens to `path`, and return it.

    Greedily decoded, it never ends by itself: the control tokens' logits are 0. `spaced` gives it a tokenizer that puts a space
    before every text; with `pre` "gpt-2" llama.cpp splits text where transformers does.
    """
    writer = _begin(path, architecture, context_length, dtype, spaced=spaced, pre=pre)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    if chat:
        writer.add_chat_template(CHAT_TEMPLATE)
    weights = _Weights(writer, seed, dtype)
    weights.random("token_embd.weight", len(TOKENS), EMBEDDING)
    weights.random("output.weight", len(TOKENS), EMBEDDING, quiet_from=SPECIAL)
    weights.ones("output_norm.weight", EMBEDDING)
    for layer in range(LAYERS):
        weights.ones(f"blk.{layer}.attn_norm.weight", EMBEDDING)
        for part in ("q", "k", "v", "output"):
            weights.random(f"blk.{layer}.attn_{part}.weight", EMBEDDING, EMBEDDING)
        weights.ones(f"blk.{layer}.ffn_norm.weight", EMBEDDING)
        weights.random(f"blk.{layer}.ffn_gate.weight", FEED_FORWARD, EMBEDDING)
        weights.random(f"blk.{layer}.ffn_up.weight", FEED_FORWARD, EMBEDDING)
        weights.random(f"blk.{layer}.ffn_down.weight", EMBEDDING, FEED_FORWARD)
    _finish(writer)
    return path


def write_tiny_recurrent(path: Path, *, seed: int = 7) -> Path:
    """Write a Mamba-shaped model, whose memory cannot be cut, to `path`, and return it."""
    writer = _begin(path, "mamba", 2048, "F32")
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_ssm_conv_kernel(CONVOLUTION)
    writer.add_ssm_inner_size(INNER)
    writer.add_ssm_state_size(STATE)
    writer.add_ssm_time_step_rank(RANK)
    weights = _Weights(writer, seed, "F32")
    weights.random("token_embd.weight", len(TOKENS), EMBEDDING)
    weights.random("output.weight", len(TOKENS), EMBEDDING, quiet_from=SPECIAL)
    weights.ones("output_norm.weight", EMBEDDING)
    for layer in range(LAYERS):
        weights.ones(f"blk.{layer}.attn_norm.weight", EMBEDDING)
        weights.random(f"blk.{layer}.ssm_in.weight", 2 * INNER, EMBEDDING)
        weights.random(f"blk.{layer}.ssm_conv1d.weight", INNER, CONVOLUTION)
        weights.random(f"blk.{layer}.ssm_conv1d.bias", INNER)
        weights.random(f"blk.{layer}.ssm_x.weight", RANK + 2 * STATE, INNER)
        weights.random(f"blk.{layer}.ssm_dt.weight", INNER, RANK)
        weights.random(f"blk.{layer}.ssm_dt.bias", INNER)
        weights.ones(f"blk.{layer}.ssm_a", INNER, STATE, value=-1.0)
        weights.ones(f"blk.{layer}.ssm_d", INNER)
        weights.random(f"blk.{layer}.ssm_out.weight", EMBEDDING, INNER)
    _finish(writer)
    return path


def write_tiny_adapter(
    path: Path,
    *,
    architecture: str = "llama",
    alpha: float | None = 8.0,
    tensors: tuple[str, ...] = ("blk.0.attn_q.weight", "blk.1.ffn_up.weight"),
    rank: int = 4,
    seed: int = 11,
) -> Path:
    """Write a random LoRA adapter for the tiny model to `path`, and return it."""
    import gguf

    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    if alpha is not None:
        writer.add_float32("adapter.lora.alpha", alpha)
    weights = _Weights(writer, seed, "F32")
    for name in tensors:
        weights.random(f"{name}.lora_a", rank, EMBEDDING, scale=1.0)
        weights.random(f"{name}.lora_b", FEED_FORWARD if "ffn_up" in name else EMBEDDING, rank, scale=1.0)
    _finish(writer)
    return path


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
