"""What a step of training holds in memory, in bytes of one process: a sum of named parts, each with its formula.

The values per token are counted over the tensors that autograd saves in a step of Gemma 3 270M with a LoRA; how much more than
those an allocator holds, and what the libraries take, were measured on that model in float32 on a CPU, with one, two and four
sequences. On a GPU the parts are an estimate from the same arithmetic.
"""

from __future__ import annotations

import msgspec

from deepimagine_training.base_shape import EMBEDDED, BaseShape
from deepimagine_training.recipe import Recipe

BYTES = {"float32": 4, "bfloat16": 2}
_ADAPTER_BYTES = 16
"""Of one trained parameter: weight, gradient and AdamW's two moments, in float32 as PEFT keeps them."""
_NORMS = 5
"""Values as wide as the model that one layer saves of a token beside its linear layers' features: the inputs of norms, queries
and keys as they are turned, and what activation functions read, less what linear layers share. 4.2 in Gemma 3 270M, 4.6 in
Gemma 3 12B, fewer where no norm follows a block, as in Qwen3.5."""
_HEAD_ROWS = 128
"""Positions whose logits are held at once."""
_HEAD_COPIES = 2
"""Of those logits: themselves, and their exponentials as they are summed."""
_FORM = 32
"""Tokens of the answer form with its values."""
_ALLOCATED = {"cpu": 1.35, "cuda": 1.0}
"""Bytes that are held for each byte of activations: a CPU's allocator keeps holes between blocks that are freed, which were
11% of them with one sequence of 512 tokens and 33 to 37% with two and with four. On a GPU they are in the flat allowance."""
_RECOMPUTED = {"cpu": 6.5, "cuda": 1.0}
"""How often one layer's values are held while it is recomputed and gone back through, with gradients and what is freed late: on
a CPU fitted to peaks of 3.5, 3.6 and 5.0 GB with four sequences of 512 tokens, eight of 260 and eight of 512."""
_RUNTIME = {"cpu": 1.0e9, "cuda": 3e9}
"""Python, its libraries and the tokenizer; on a GPU, the context, communication buffers and what the allocator cannot use."""
_READER = 1.3e9
"""Python, and a GGUF file's vocabulary and key-values as Python objects, while the file is dequantised: 3.5 GB in all was the
most that loading Gemma 3 270M was seen to take."""


class Part(msgspec.Struct, frozen=True):
    """One part of the memory, in bytes, and how it was worked out."""

    name: str
    bytes: float
    formula: str


def sft_parts(recipe: Recipe, shape: BaseShape) -> tuple[Part, ...]:
    """The parts of a supervised step whose sequences are all `max_tokens` long: the most it can take."""
    length = recipe.data.max_tokens
    return _parts(recipe, shape, recipe.sft.batch_size * length, length, _logits(shape, _HEAD_ROWS))


def grpo_parts(recipe: Recipe, shape: BaseShape) -> tuple[Part, ...]:
    """The parts of a reinforcement step, which learns from all samples of a prompt at a time; on a CPU they share what the
    prompt leaves, and the head is worked out in pieces."""
    grpo, length = recipe.grpo, recipe.data.max_tokens
    written = grpo.max_reasoning_tokens + _FORM
    if recipe.machine.device == "cpu":
        tokens, rows = length - grpo.max_reasoning_tokens + grpo.generations * written, _HEAD_ROWS
    else:
        tokens, rows = grpo.generations * length, grpo.generations * written
    parts = _parts(recipe, shape, tokens, length, _logits(shape, rows))
    return parts if _shards(recipe) == 1 else (*parts, _whole(recipe, shape, parts))


def total(parts: tuple[Part, ...]) -> float:
    """The bytes of all parts."""
    return sum(part.bytes for part in parts)


def _parts(recipe: Recipe, shape: BaseShape, tokens: int, length: int, head: Part) -> tuple[Part, ...]:
    """Of a step on `tokens` in sequences of `length`."""
    machine = recipe.machine
    size = BYTES[machine.precision]
    shards = _shards(recipe)
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
    if machine.device == "cpu":
        parts.append(_loading(recipe, shape, sum(part.bytes for part in parts)))
    if shards > 1:
        gathered = 2 * shape.body / shape.layers * size
        parts.insert(1, Part("gathered layers", gathered, "two layers whole at a time"))
    return tuple(parts)


def _shards(recipe: Recipe) -> int:
    """In how many parts the policy lies, one in each process."""
    return recipe.machine.processes if recipe.machine.sharding == "fsdp" else 1


def _whole(recipe: Recipe, shape: BaseShape, parts: tuple[Part, ...]) -> Part:
    """What the whole policy takes beside its shards while samples are drawn and answered (`sharding.whole`), beyond what a step
    holds at other times: then there is nothing to go back through, and no layer is gathered by itself."""
    size = BYTES[recipe.machine.precision]
    stepping = sum(part.bytes for part in parts if part.name in ("gathered layers", "activations", "head"))
    text = f"while it samples: {shape.parameters:,} parameters x {size} bytes, less a step's activations, head and layers"
    return Part("whole policy", max(shape.parameters * size - stepping, 0.0), text)


def _loading(recipe: Recipe, shape: BaseShape, step: float) -> Part:
    """What loading a GGUF file takes beyond a step: all weights twice, as read and as the model's own, and the reader."""
    copies = 2 * shape.parameters * BYTES["float32"]
    taken = copies + _READER if recipe.base == EMBEDDED or recipe.base.endswith(".gguf") else 0.0
    return Part(
        "loading", max(taken - step, 0.0), f"of a GGUF file: 2 x {shape.parameters:,} x 4 bytes + its reader, less a step"
    )


def _activations(recipe: Recipe, shape: BaseShape, tokens: int, length: int) -> Part:
    """What the backward pass needs. On a CPU a layer also saves its attention mask, one value for each two positions."""
    machine = recipe.machine
    size = BYTES[machine.precision]
    layer = shape.linear_features / shape.layers + _NORMS * shape.hidden
    text = f"features of its linear layers + {_NORMS} x {shape.hidden}"
    if machine.device == "cpu":
        layer += length
        text += f" + {length}"
    if machine.gradient_checkpointing:
        times = _RECOMPUTED[machine.device]
        values = shape.layers * shape.hidden + times * layer
        said = f"({shape.layers} x {shape.hidden} + {times:g} times one layer: {text})"
    else:
        values, said = shape.layers * layer, f"{shape.layers} x ({text})"
    held = _ALLOCATED[machine.device]
    return Part(
        "activations", tokens * size * values * held, f"{tokens:,} tokens x {size} bytes x {said} x {held:g} for the allocator"
    )


def _logits(shape: BaseShape, rows: int) -> Part:
    """Of so many positions at a time, in float32."""
    text = f"{rows:,} rows of logits x {_HEAD_COPIES} x {shape.vocabulary:,} x 4 bytes"
    return Part("head", _HEAD_COPIES * rows * shape.vocabulary * 4, text)
