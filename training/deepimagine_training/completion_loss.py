"""Log-probabilities at the positions that are learnt from, and at no other.

On a CPU, TRL's fused head scores every position of a sequence, whatever the loss mask. With a vocabulary of 262,144 and prompts
many times longer than answers, that is most of the work of a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ROWS = 128
"""Positions scored at once: bounds the logits held in memory to so many times the vocabulary."""


class _LinearLogProbs(torch.autograd.Function):
    """log softmax(h W^T) at y, row by row, with the gradient of h made while the logits are there; W is frozen."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:  # noqa: ANN401  # torch's context
        gradient = torch.empty_like(hidden)
        found = hidden.new_empty(len(hidden), dtype=torch.float32)
        for start in range(0, len(hidden), _ROWS):
            rows = slice(start, start + _ROWS)
            logits = (hidden[rows] @ weight.T).float()
            wanted = labels[rows, None]
            total = logits.logsumexp(-1, keepdim=True)
            found[rows] = (logits.gather(1, wanted) - total)[:, 0]
            # d log p(y) / dh = W[y] - softmax(h W^T) W
            gradient[rows] = weight[wanted[:, 0]] - logits.sub_(total).exp_().to(weight.dtype) @ weight
        ctx.save_for_backward(gradient)
        return found

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # noqa: ANN401  # torch's context
        (gradient,) = ctx.saved_tensors
        return gradient * outer[0][:, None].to(gradient.dtype), None, None


def linear_log_probs(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """log softmax(hidden @ weight.T) at `labels`: (n, d), (vocabulary, d), (n,) -> (n,), in float32. Differentiable in `hidden`
    only: `weight` is taken as frozen, as it is under LoRA."""
    found: torch.Tensor = _LinearLogProbs.apply(hidden, weight, labels)  # type: ignore[no-untyped-call]
    return found


def completion_log_probs(
    model: PreTrainedModel, input_ids: torch.Tensor, attention_mask: torch.Tensor, wanted: torch.Tensor
) -> torch.Tensor:
    """The log-probability of every token where `wanted`, from those before it: (batch, length) each -> (number wanted,).

    `model` is a causal language model of transformers whose logits are its head applied to its last hidden state.

    Raises:
        ValueError: its logits are scaled or capped, and are not that.
    """
    config = model.config.get_text_config()
    if getattr(config, "final_logit_softcapping", None) is not None:
        raise ValueError("the logits of this model are capped")
    hidden = model.base_model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
    before = wanted[:, 1:]
    head = cast("torch.nn.Linear", model.get_output_embeddings())  # type: ignore[no-untyped-call]
    return linear_log_probs(hidden[:, :-1][before], head.weight, input_ids[:, 1:][before])
