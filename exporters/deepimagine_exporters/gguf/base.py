"""The base model that an adapter is for: its architecture, and the sizes that decide in which order its tensors are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from deepimagine_tui.backends.gguf_header import GgufHeader
from deepimagine_tui.errors import BadInputError, ModelError

_OF_MODEL_TYPE = {
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3": "gemma3",
    "gemma3_text": "gemma3",
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3_5": "qwen35",
    "qwen3_5_text": "qwen35",
}
"""transformers' `model_type` -> llama.cpp's architecture, for those whose tensors' order is known here."""

ARCHITECTURES = frozenset(_OF_MODEL_TYPE.values())


class Base(msgspec.Struct, frozen=True):
    """A base model. Heads are counted; those of linear attention are 0 where there is none, each value `linear_width` wide."""

    architecture: str
    blocks: int
    heads: int
    key_heads: int
    linear_key_heads: int = 0
    linear_value_heads: int = 0
    linear_width: int = 0


def of_header(header: GgufHeader) -> Base:
    """The base of a GGUF file.

    Raises:
        ModelError: its architecture is not supported.
    """
    name = header.architecture

    def number(key: str) -> int:
        value = header.values.get(f"{name}.{key}", 0)
        return value if isinstance(value, int) else 0

    _check(name, name)
    value_heads = number("ssm.time_step_rank")
    return Base(
        name,
        number("block_count"),
        number("attention.head_count"),
        number("attention.head_count_kv") or number("attention.head_count"),
        number("ssm.group_count"),
        value_heads,
        number("ssm.inner_size") // value_heads if value_heads else 0,
    )


def of_folder(folder: Path) -> Base:
    """The base of a folder as transformers saves it; of a model that also sees images, its language model.

    Raises:
        BadInputError: it has no readable configuration.
        ModelError: its architecture is not supported.
    """
    path = folder / "config.json"
    try:
        whole: dict[str, Any] = json.loads(path.read_bytes())
        config: dict[str, Any] = whole.get("text_config", whole)
        kind = str(config["model_type"])
        _check(_OF_MODEL_TYPE.get(kind, ""), kind)
        heads = int(config["num_attention_heads"])
        return Base(
            _OF_MODEL_TYPE[kind],
            int(config["num_hidden_layers"]),
            heads,
            int(config.get("num_key_value_heads") or heads),
            int(config.get("linear_num_key_heads", 0)),
            int(config.get("linear_num_value_heads", 0)),
            int(config.get("linear_value_head_dim", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"{path} is not the configuration of a model.", "Copy the folder again.") from error


def _check(architecture: str, told: str) -> None:
    if architecture not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise ModelError(f"No GGUF file can be made of an adapter for {told!r} models.", f"Supported are {known}.")
