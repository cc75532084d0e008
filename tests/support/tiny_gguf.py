"""A random-weight model of under a megabyte, written with the `gguf` package: backend tests need no download."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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


def write_tiny_gguf(
    path: Path,
    *,
    architecture: str = "llama",
    chat: bool = False,
    context_length: int = 2048,
    dtype: Literal["F32", "F16"] = "F32",
    seed: int = 7,
    scale: float = 0.3,
) -> Path:
    """Write a llama-shaped model with a byte-level vocabulary of about 280 tokens to `path`, and return it.

    Greedily decoded, it never ends by itself: the control tokens' logits are 0.
    """
    import gguf

    tokens = [*byte_alphabet(), *(merge.replace(" ", "") for merge in MERGES), "<s>", "</s>", "<turn>", "<end>"]
    special = len(tokens) - 4
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("model")
    writer.add_name("Tiny random")
    writer.add_license("cc0-1.0")
    writer.add_context_length(context_length)
    writer.add_embedding_length(EMBEDDING)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // HEADS)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32 if dtype == "F32" else gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * special + [gguf.TokenType.CONTROL] * 4)
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(special)
    writer.add_eos_token_id(special + 1)
    writer.add_add_bos_token(True)
    if chat:
        writer.add_chat_template(CHAT_TEMPLATE)

    def add(name: str, *shape: int, norm: bool = False) -> None:
        values = np.ones(shape) if norm else rng.standard_normal(shape) * scale
        if name == "output.weight":
            values[special:] = 0.0
        writer.add_tensor(name, values.astype(np.float16 if dtype == "F16" and not norm else np.float32))

    add("token_embd.weight", len(tokens), EMBEDDING)
    add("output.weight", len(tokens), EMBEDDING)
    add("output_norm.weight", EMBEDDING, norm=True)
    for layer in range(LAYERS):
        add(f"blk.{layer}.attn_norm.weight", EMBEDDING, norm=True)
        for part in ("q", "k", "v", "output"):
            add(f"blk.{layer}.attn_{part}.weight", EMBEDDING, EMBEDDING)
        add(f"blk.{layer}.ffn_norm.weight", EMBEDDING, norm=True)
        add(f"blk.{layer}.ffn_gate.weight", FEED_FORWARD, EMBEDDING)
        add(f"blk.{layer}.ffn_up.weight", FEED_FORWARD, EMBEDDING)
        add(f"blk.{layer}.ffn_down.weight", EMBEDDING, FEED_FORWARD)
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

    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    if alpha is not None:
        writer.add_float32("adapter.lora.alpha", alpha)
    for name in tensors:
        rows = FEED_FORWARD if "ffn_up" in name else EMBEDDING
        writer.add_tensor(f"{name}.lora_a", rng.standard_normal((rank, EMBEDDING)).astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", rng.standard_normal((rows, rank)).astype(np.float32))
    _finish(writer)
    return path


def _finish(writer: object) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
