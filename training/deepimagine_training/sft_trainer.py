"""TRL's `SFTTrainer` with a loss of its own: a weight on every token, and on a CPU no work at positions without one.

Imported only when training begins: it loads torch, transformers and TRL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from deepimagine_training.completion_loss import completion_log_probs
from deepimagine_training.encoding import Encoded, padded

_IGNORED = -100
"""The label of a position that is in no loss, as transformers has it."""


def collator(padding: int) -> Any:  # noqa: ANN401  # a collate function, as transformers takes it
    """From rows of `input_ids` and `weights` to tensors of one length."""

    def collate(rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        columns = padded([Encoded(tuple(row["input_ids"]), tuple(row["weights"])) for row in rows], padding)
        return {
            name: torch.tensor(values, dtype=torch.float32 if name == "weights" else torch.long)
            for name, values in columns.items()
        }

    return collate


class WeightedSFTTrainer(SFTTrainer):
    """Minimises the weighted mean of the negative log-likelihood over the tokens with a weight."""

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401  # a transformers model, wrapped by accelerate
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """The loss of one batch of `collator`'s; outputs are not available.

        Raises:
            ValueError: outputs were asked for.
        """
        if return_outputs:
            raise ValueError("this trainer computes no logits to return")
        weights = inputs["weights"]
        wanted = weights > 0
        # Several processes call the model as it is wrapped, without which their gradients would stay apart.
        if inputs["input_ids"].device.type == "cpu" and self.accelerator.num_processes == 1:
            base = self.accelerator.unwrap_model(model).get_base_model()
            log_probs = completion_log_probs(base, inputs["input_ids"], inputs["attention_mask"], wanted)
            weight = weights[:, 1:][wanted[:, 1:]]
        else:
            labels = inputs["input_ids"].masked_fill(~wanted, _IGNORED)
            found = model(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], labels=labels, fused_lm_head=True
            )
            log_probs, weight = found.log_probs, weights[:, 1:]
        if model.training:
            self._total_train_tokens += int(inputs["attention_mask"].sum())
        return -(log_probs * weight).sum() / weight.sum().clamp(min=1e-6)

    def prediction_step(
        self,
        model: Any,  # noqa: ANN401  # a transformers model, wrapped by accelerate
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[torch.Tensor, None, None]:
        """The loss of a held-out batch; never logits."""
        prepared = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, prepared).detach(), None, None
