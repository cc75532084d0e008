"""Log-probabilities of several completions of one prompt, which is evaluated once for all of them, gradients included.

A step of reinforcement learning on a CPU is mostly the reading of prompts, each as often as it has samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from deepimagine_training.completion_loss import linear_log_probs

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def completions_log_probs(
    model: PreTrainedModel,
    prompt: torch.Tensor,
    completions: torch.Tensor,
    mask: torch.Tensor,
    wanted: torch.Tensor,
    temperature: float = 1.0,
) -> torch.Tensor:
    """The log-probability of every completion token where `wanted`, zero elsewhere, in float32.

    Args:
        model: A causal language model of transformers whose logits are its head applied to its last hidden state.
        prompt: Its token ids, (P,), at least one.
        completions: Token ids, (G, C), padded on the right.
        mask: 1 on the completions' own tokens, (G, C).
        wanted: True where a log-probability is wanted, (G, C).
        temperature: The logits are divided by it.
    """
    count = len(completions)
    last = prompt[-1:].expand(count, 1)
    read = torch.cat([last, completions[:, :-1]], dim=1)
    there = torch.cat([mask.new_ones(count, 1), mask[:, :-1]], dim=1)
    before = prompt[:-1]
    if len(before) and _rereads(model):
        found = model.base_model(input_ids=before[None], use_cache=True)
        cache = found.past_key_values
        cache.reorder_cache(torch.zeros(count, dtype=torch.long, device=prompt.device))
        attended = torch.cat([mask.new_ones(count, len(before)), there], dim=1)
        hidden = model.base_model(input_ids=read, attention_mask=attended, past_key_values=cache, use_cache=True)
    else:
        whole = torch.cat([before.expand(count, -1), read], dim=1)
        attended = torch.cat([mask.new_ones(count, len(before)), there], dim=1)
        hidden = model.base_model(input_ids=whole, attention_mask=attended, use_cache=False)
    states = hidden.last_hidden_state[:, -read.shape[1] :]
    head = cast("torch.nn.Linear", model.get_output_embeddings())  # type: ignore[no-untyped-call]
    values = linear_log_probs(states[wanted] / temperature, head.weight, completions[wanted])
    return torch.zeros(completions.shape, device=completions.device).masked_scatter(wanted, values)


def _rereads(model: PreTrainedModel) -> bool:
    """Whether what a prompt leaves behind can be gone on from with gradients: keys and values can, the states of linear
    attention are overwritten."""
    kinds: Any = getattr(model.config.get_text_config(), "layer_types", None) or ()
    return all(kind in ("full_attention", "sliding_attention") for kind in kinds)
