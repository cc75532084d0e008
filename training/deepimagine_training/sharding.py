"""A policy whose parameters may be spread over several processes (FSDP2): the whole of it for sampling, and parameters one by
one. Where nothing is spread, nothing is gathered. Imported only when training begins: it loads torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from deepimagine_training import processes
from deepimagine_training.run_folder import is_first_process

_ADAPTER = "default"


def gathered(parameter: torch.Tensor) -> torch.Tensor:
    """All of a parameter; where it is spread, every process asks for it."""
    return parameter.full_tensor() if isinstance(parameter, DTensor) else parameter


def keep_to_own_layers(model: torch.nn.Module) -> None:
    """Have accelerate shard a model by layers that it has: a language model may also name those of eyes it came with."""
    own = {type(part).__name__ for part in model.modules()}
    model._no_split_modules = [name for name in getattr(model, "_no_split_modules", None) or () if name in own]  # type: ignore[assignment]


@contextmanager
def whole(model: torch.nn.Module) -> Iterator[None]:
    """All parameters are in every process for as long as this lasts, so that each may call the model as often as it needs."""
    parts = [part for part in model.modules() if isinstance(part, FSDPModule)]
    if parts:
        # A first call of the root tells every part whose root it is, which calls of the parts alone would get wrong.
        with torch.no_grad():
            model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=next(model.parameters()).device))
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.set_reshard_after_forward(part is not model, recurse=False)
            part.reshard()


def adapter_of(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copies of the trained parameters, whole, by name; every process asks."""
    return {name: gathered(value.detach()).cpu().clone() for name, value in model.named_parameters() if value.requires_grad}


def save_adapter(model: PeftModel, values: Mapping[str, torch.Tensor], folder: Path) -> None:
    """Write `values`, as `adapter_of` gave them, the way PEFT saves an adapter: the first process does, the others wait."""
    if is_first_process():
        model.save_pretrained(str(folder), selected_adapters=[_ADAPTER], state_dict=dict(values))
    processes.of_first(None)


@torch.no_grad()
def merged(model: PeftModel, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters of the base by its own names, with the adapter in them: W + s B A, in float32, then in the type of W.

    The model itself is not touched: merging into it and out of it again would round its weights each time. Where they are
    spread, every process goes through all of them.

    Args:
        model: With a LoRA adapter.
        prefix: What the base has before its own names where the policy is a part of it.
    """
    layers = {f"{name}.base_layer.weight": layer for name, layer in model.named_modules() if isinstance(layer, LoraLayer)}
    for name, parameter in model.named_parameters():
        if model.prefix in name:
            continue
        found = gathered(parameter.detach())
        layer: Any = layers.get(name)
        if layer is not None:
            up, down = (gathered(part[_ADAPTER].weight.detach()).float() for part in (layer.lora_B, layer.lora_A))
            found = found.float().add(up @ down, alpha=layer.scaling[_ADAPTER]).to(found.dtype)
        plain = name.removeprefix("base_model.model.").replace(".base_layer", "").replace("_checkpoint_wrapped_module.", "")
        yield plain.replace("model.", prefix, 1) if prefix and plain.startswith("model.") else plain, found
