"""Random LoRA adapters as PEFT saves them, and what models answer with one, in transformers and in llama.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def loaded(base: Path) -> Any:
    """The transformers model of a folder or a GGUF file, in 32 bits."""
    import torch
    from transformers import AutoModelForCausalLM

    source = (
        {"pretrained_model_name_or_path": base}
        if base.is_dir()
        else {
            "pretrained_model_name_or_path": base.parent,
            "gguf_file": base.name,
        }
    )
    return AutoModelForCausalLM.from_pretrained(dtype=torch.float32, local_files_only=True, **source).eval()


def random_lora(model: Any, folder: Path, *, size: float = 0.05, seed: int = 3, **config: Any) -> Any:
    """Put a random adapter that changes every answer on `model`, save it to `folder`, and return the adapted model."""
    import torch
    from peft import LoraConfig, get_peft_model

    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"} | config
    adapted: Any = get_peft_model(model, LoraConfig(**settings)).eval()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, values in adapted.named_parameters():
            if "lora_" in name:
                values.copy_(torch.randn(values.shape, generator=random) * size)
    adapted.save_pretrained(folder)
    return adapted


def torch_logits(model: Any, tokens: Sequence[int]) -> np.ndarray:
    """The logits after each token."""
    import torch

    with torch.no_grad():
        logits: np.ndarray = model(input_ids=torch.tensor([list(tokens)])).logits[0].float().numpy()
    return logits


def llama_logits(model: Path, tokens: Sequence[int], adapter: Path | None = None) -> np.ndarray:
    """The logits after the last token, as the app's llama.cpp backend computes them."""
    from deepimagine_tui.backends.llama_model import AbortFlag, LlamaModel, NativeLog
    from deepimagine_tui.backends.wire import Load

    llama = LlamaModel(Load(str(model), 512, sequences=1, threads=1), AbortFlag(), NativeLog())
    llama.use_adapter(str(adapter) if adapter else "")
    count = len(tokens)
    llama.evaluate(tokens, range(count), [0] * count, [False] * (count - 1) + [True])
    return np.array(llama.logits(count - 1), dtype=np.float64)


def divergence(reference: np.ndarray, other: np.ndarray) -> float:
    """The Kullback-Leibler divergence of two next-token distributions given as logits, in nats."""

    def log_probabilities(logits: np.ndarray) -> np.ndarray:
        shifted = logits.astype(np.float64) - logits.max()
        return shifted - np.log(np.exp(shifted).sum())

    first, second = log_probabilities(reference), log_probabilities(other)
    return float((np.exp(first) * (first - second)).sum())
