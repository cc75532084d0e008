"""What a step of training holds in memory, in bytes of one process: a sum of named parts, each with its formula.

The counts per token were fitted to runs of Gemma 3 270M in float32 on a CPU, one to eight sequences at a time at two lengths,
with and without recomputing activations, and exceed what was measured by at most 15%; on a GPU they are an estimate from the
same arithmetic.
"""

from __future__ import annotations

import msgspec

from deepimagine_training.base_shape import BaseShape
from deepimagine_training.recipe import Recipe

BYTES = {"float32": 4, "bfloat16": 2}
_ADAPTER_BYTES = 16
"""Of one trained parameter: weight, gradient and AdamW's two moments, in float32 as PEFT keeps them."""
_NORMS = 14
"""Values as wide as the model that norms, residuals and activation functions keep of a token in one layer."""
_ATTENTION_COPIES = 4
"""Matrices of attention scores that are kept of one head where attention is not fused, as on a CPU."""
_HEAD_ROWS = 128
"""Positions whose logits are held at once."""
_HEAD_COPIES_CPU = 3
"""Copies of the head's weights that a CPU's libraries were seen to hold with four and eight sequences at a time; with one
sequence there were none."""
_FORM = 32
"""Tokens of the answer form with its values."""
_RUNTIME = {"cpu": 0.7e9, "cuda": 3e9}
"""Python and its libraries; on a GPU, the context, communication buffers and what the allocator cannot use."""


class Part(msgspec.Struct, frozen=True):
    """One part of the memory, in bytes, and how it was worked out."""

    name: str
    bytes: float
    formula: str


def sft_parts(recipe: Recipe, shape: BaseShape) -> tuple[Part, ...]:
    """The parts of a supervised step whose sequences are all `max_tokens` long: the most it can take."""
    length = recipe.data.max_tokens
    return _parts(recipe, shape, recipe.sft.batch_size * length, length, _head(recipe, shape, recipe.sft.batch_size))


def grpo_parts(recipe: Recipe, shape: BaseShape) -> tuple[Part, ...]:
    """The parts of a reinforcement step, which learns from all samples of a prompt at a time; on a CPU they share what the
    prompt leaves, and the head is worked out in pieces."""
    grpo, length = recipe.grpo, recipe.data.max_tokens
    written = grpo.max_reasoning_tokens + _FORM
    if recipe.machine.device == "cpu":
        tokens = length - grpo.max_reasoning_tokens + grpo.generations * written
        return _parts(recipe, shape, tokens, length, _head(recipe, shape, grpo.generations))
    return _parts(recipe, shape, grpo.generations * length, length, _logits(shape, grpo.generations * written))


def total(parts: tuple[Part, ...]) -> float:
    """The bytes of all parts."""
    return sum(part.bytes for part in parts)


def _parts(recipe: Recipe, shape: BaseShape, tokens: int, length: int, head: Part) -> tuple[Part, ...]:
    """Of a step on `tokens` in sequences of `length`."""
    machine = recipe.machine
    size = BYTES[machine.precision]
    shards = machine.processes if machine.sharding == "fsdp" else 1
    over = f" / {shards} processes" if shards > 1 else ""
    adapter = shape.adapter(recipe.lora.r)
    parts = [
        Part("weights", shape.parameters * size / shards, f"{shape.parameters:,} parameters x {size} bytes{over}"),
        Part(
            "adapter, gradients, optimiser",
            adapter * _ADAPTER_BYTES / shards,
            f"{adapter:,} trained parameters x {_ADAPTER_BYTES} bytes{over}",
        ),
        _activations(recipe, shape, tokens, length),
        head,
        Part("runtime", _RUNTIME[machine.device], "libraries and buffers, a flat allowance"),
    ]
    if shards > 1:
        gathered = 2 * shape.body / shape.layers * size
        parts.insert(1, Part("gathered layers", gathered, "two layers whole at a time"))
    return tuple(parts)


def _activations(recipe: Recipe, shape: BaseShape, tokens: int, length: int) -> Part:
    machine = recipe.machine
    size = BYTES[machine.precision]
    layer = shape.linear_features / shape.layers + _NORMS * shape.hidden
    text = f"features of its linear layers + {_NORMS} x {shape.hidden}"
    if machine.device == "cpu":
        layer += _ATTENTION_COPIES * shape.heads * length
        text += f" + {_ATTENTION_COPIES} x {shape.heads} heads x {length}"
    if machine.gradient_checkpointing:
        kept = tokens * size * (shape.layers * shape.hidden + layer)
        return Part(
            "activations", kept, f"{tokens:,} tokens x {size} bytes x ({shape.layers} x {shape.hidden} + one layer: {text})"
        )
    return Part(
        "activations", tokens * size * shape.layers * layer, f"{tokens:,} tokens x {size} bytes x {shape.layers} x ({text})"
    )


def _head(recipe: Recipe, shape: BaseShape, sequences: int) -> Part:
    """Where the head is worked out in pieces, with so many sequences at a time."""
    pieces = _logits(shape, _HEAD_ROWS)
    if recipe.machine.device == "cuda" or sequences == 1:
        return pieces
    copies = _HEAD_COPIES_CPU * shape.vocabulary * shape.hidden * BYTES[recipe.machine.precision]
    text = f"{_HEAD_COPIES_CPU} copies of {shape.vocabulary:,} x {shape.hidden} + {pieces.formula}"
    return Part("head", copies + pieces.bytes, text)


def _logits(shape: BaseShape, rows: int) -> Part:
    return Part("head", 2 * rows * shape.vocabulary * 4, f"{rows:,} rows of logits and their gradient x {shape.vocabulary:,}")
