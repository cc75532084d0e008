"""Which LoRA adapters a model takes: those that llama.cpp would load silently and answer garbage with are refused."""

from __future__ import annotations

from deepimagine_tui.backends.gguf_header import GgufHeader, Tensor
from deepimagine_tui.errors import ModelError

ORDER_KEY = "deepimagine.adapter.order"
"""Under this key an adapter says in whose order its rows and columns are."""
ORDER = "llama.cpp"

_AGAIN = "Export the adapter again: deepimagine export gguf RUN"
_REORDERED = ("attn_qkv.", "attn_gate.", "ssm_")
"""Tensors of linear attention, whose value heads llama.cpp keeps in another order than transformers."""


def check_adapter(header: GgufHeader, base: GgufHeader) -> None:
    """Refuse a LoRA adapter that llama.cpp would load silently and answer garbage with, or abort on.

    Raises:
        ModelError: it is not a LoRA adapter for `base`, has no scale or no tensors, touches the embeddings or the output, or
            does not say that its rows are in llama.cpp's order where that differs from the trainer's.
    """
    where = header.path
    if header.text("general.type") != "adapter" or header.text("adapter.type") != "lora":
        raise ModelError(f"{where} is not a LoRA adapter.")
    if header.architecture != base.architecture:
        raise ModelError(f"{where} is an adapter for {header.architecture!r}; the model is {base.architecture!r}.")
    if not header.values.get("adapter.lora.alpha"):
        raise ModelError(f"{where} does not state its scale (adapter.lora.alpha).", _AGAIN)
    tensors = {tensor.name: tensor for tensor in header.tensors}
    if not tensors:
        raise ModelError(f"{where} holds no tensors.", _AGAIN)
    known = {tensor.name: tensor for tensor in base.tensors}
    for name in sorted(tensors):
        stem, _, half = name.rpartition(".")
        if stem.startswith(("token_embd.", "output.")):
            raise ModelError(
                f"{where} adapts {stem}, which llama.cpp cannot apply.", "Train without the embeddings and the output."
            )
        first, second = tensors.get(f"{stem}.lora_a"), tensors.get(f"{stem}.lora_b")
        if half not in ("lora_a", "lora_b") or first is None or second is None or stem not in known:
            raise ModelError(f"{where} does not fit the model: {name} has no counterpart.")
        _check_shape(where, known[stem], first, second)
    if _is_reordered(base) and any(_is_linear_attention(name) for name in tensors) and header.text(ORDER_KEY) != ORDER:
        raise ModelError(f"{where} does not say that its linear attention is in llama.cpp's order.", _AGAIN)


def _check_shape(where: str, weight: Tensor, first: Tensor, second: Tensor) -> None:
    """A is (rank, in) and B is (out, rank) for a weight of (out, in); GGUF names the length of a row first."""
    rank = first.shape[-1]
    if first.shape != (weight.shape[0], rank) or second.shape != (rank, weight.shape[-1]):
        sizes = f"{first.shape[0]} x {second.shape[-1]} there and {weight.shape[0]} x {weight.shape[-1]} in the model"
        raise ModelError(
            f"{where} is an adapter for another model: {weight.name} is {sizes}.", "Choose the model that it names."
        )


def _is_reordered(base: GgufHeader) -> bool:
    """Whether the model's linear attention has several value heads to a key head, which is when their order matters."""
    keys = base.values.get(f"{base.architecture}.ssm.group_count")
    values = base.values.get(f"{base.architecture}.ssm.time_step_rank")
    return base.architecture.startswith("qwen35") and keys != values


def _is_linear_attention(name: str) -> bool:
    return any(f".{part}" in name for part in _REORDERED)
