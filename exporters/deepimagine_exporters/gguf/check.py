"""Which PEFT adapters can become a GGUF adapter: those that would load silently and answer garbage are refused here.

An adapter that is a GGUF file already is checked by `backends.adapter_check`, whenever a model takes one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from deepimagine_tui.errors import BadInputError, ModelError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

_FACTOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<half>[AB])\.weight")
_OUTER = ("embed_tokens", "lm_head", "lora_embedding")


class Scale(NamedTuple):
    """How strongly an adapter's modules are applied: alpha / r, or alpha / sqrt(r) with rank-stabilised LoRA.

    `alphas` are of the modules that differ from the rest, by a pattern for the end of their names.
    """

    alpha: float
    rank: int
    stabilised: bool
    alphas: dict[str, float]

    @property
    def usual(self) -> float:
        """The alpha of most modules, as llama.cpp takes it: it divides by the rank of each."""
        return self.alpha * (math.sqrt(self.rank) if self.stabilised else 1.0)

    def of(self, module: str, rank: int) -> float:
        """The alpha of a module of this rank, as llama.cpp takes it."""
        alpha = next((value for key, value in self.alphas.items() if re.match(rf"(.*\.)?({key})$", module)), self.alpha)
        return alpha * (math.sqrt(rank) if self.stabilised else 1.0)


def read_scale(adapter: Path) -> Scale:
    """The scale that `adapter_config.json` states.

    Raises:
        BadInputError: it cannot be read, or states no alpha or rank.
        ModelError: it is another kind of adapter than LoRA.
    """
    path = adapter / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_bytes())
        kind = config.get("peft_type")
    except (OSError, ValueError, AttributeError) as error:
        raise BadInputError(f"{adapter} holds no adapter: it has no readable {CONFIG}.", "Name another run.") from error
    if kind != "LORA":
        raise ModelError(f"{adapter} holds an adapter of kind {kind!r}, which llama.cpp cannot apply.", "Train a LoRA.")
    if config.get("fan_in_fan_out"):
        raise ModelError(f"{adapter} holds transposed weights, which llama.cpp cannot apply.", "Train without fan_in_fan_out.")
    alpha, rank = config.get("lora_alpha"), config.get("r")
    if not isinstance(alpha, int | float) or not isinstance(rank, int) or alpha <= 0 or rank <= 0:
        raise BadInputError(f"{path} does not state the adapter's scale (lora_alpha and r).", "Save the adapter again.")
    return Scale(float(alpha), rank, bool(config.get("use_rslora")), config.get("alpha_pattern") or {})


def modules_of(keys: Iterable[str], adapter: Path) -> list[str]:
    """The modules that tensors of these names adapt, e.g. `model.layers.0.self_attn.q_proj`, both factors of each being there.

    Raises:
        BadInputError: there are none, or one of a pair is missing.
        ModelError: one is on the embeddings or the output, or is no factor of a linear layer.
    """
    halves: dict[str, set[str]] = {}
    for key in keys:
        if any(part in key for part in _OUTER):
            raise ModelError(
                f"{adapter} adapts the embeddings or the output, which llama.cpp cannot apply.",
                "Train with target_modules='all-linear', which leaves them out.",
            )
        found = _FACTOR.fullmatch(key)
        if found is None:
            raise ModelError(f"{adapter} holds {key}, which is no part of a plain LoRA.", "Train without DoRA and biases.")
        halves.setdefault(found["module"], set()).add(found["half"])
    if not halves:
        raise BadInputError(f"{adapter} holds no tensors.", "Name another run.")
    for module, have in halves.items():
        if have != {"A", "B"}:
            raise BadInputError(f"{adapter} holds only one factor of {module}.", "Save the adapter again.")
    return sorted(halves)
