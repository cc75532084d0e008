"""The order of rows and columns in llama.cpp's tensors, where it is another than in transformers'.

llama.cpp's converter (`conversion/llama.py` and `conversion/qwen.py` there) reorders two kinds of weights: queries and keys of
Llama, whose rotary halves it interleaves, and the value heads of Qwen3.5's linear attention, which transformers groups by key
head and llama.cpp tiles over them. Low-rank factors follow: B its weight's rows, A its columns. Gemma and the other Qwen
models are kept as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from deepimagine_exporters.gguf.base import Base

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Order = NDArray[np.intp]


class Orders(NamedTuple):
    """Which row and which column of transformers' weight is put at each place; `None` leaves them as they are."""

    rows: Order | None = None
    columns: Order | None = None


def orders(base: Base, module: str, outputs: int, inputs: int) -> Orders:
    """The orders for the weight (`outputs`, `inputs`) of a linear layer, e.g. `model.layers.0.self_attn.q_proj`."""
    layer = module.rpartition(".")[2]
    if base.architecture == "llama" and layer in ("q_proj", "k_proj"):
        return Orders(rows=_interleaved(outputs, base.heads if layer == "q_proj" else base.key_heads))
    if base.architecture != "qwen35" or ".linear_attn." not in module or base.linear_key_heads == base.linear_value_heads:
        return Orders()
    if layer == "out_proj":
        return Orders(columns=_tiled(base, inputs))
    if layer == "in_proj_qkv":
        return Orders(rows=_tiled(base, outputs))
    return Orders(rows=_tiled(base, outputs)) if layer in ("in_proj_z", "in_proj_a", "in_proj_b") else Orders()


def _interleaved(rows: int, heads: int) -> Order:
    """The two halves of each head's rows, row by row in turn."""
    import numpy as np

    return np.arange(rows).reshape(heads, 2, rows // heads // 2).swapaxes(1, 2).ravel()


def _tiled(base: Base, size: int) -> Order:
    """Value heads tiled over key heads; what precedes the values (queries and keys) stays."""
    import numpy as np

    wide = size if size < base.linear_value_heads * base.linear_width else base.linear_value_heads * base.linear_width
    first = size - wide
    grouped = np.arange(first, size).reshape(base.linear_key_heads, base.linear_value_heads // base.linear_key_heads, -1)
    return np.concatenate([np.arange(first), grouped.swapaxes(0, 1).ravel()])
