"""A recipe's reinforcement stage in the terms of TRL's trainer. Imported only when training begins: it loads TRL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trl.trainer.grpo_config import GRPOConfig

from deepimagine_training.grpo_trainer import REWARD_WEIGHTS
from deepimagine_training.recipe import Recipe

_CHECKPOINTS_KEPT = 2
LINE_END = "\n"
"""What ends reasoning."""


def arguments(recipe: Recipe, checkpoints: Path) -> GRPOConfig:
    """The settings of a recipe's reinforcement stage, which saves to `checkpoints`."""
    grpo, machine = recipe.grpo, recipe.machine
    samples = grpo.prompts * grpo.generations // machine.processes
    at_once = grpo.generations if samples % grpo.generations == 0 else samples
    served: dict[str, Any] = {
        "use_vllm": True,
        "vllm_mode": "server",
        "vllm_server_base_url": grpo.vllm_server.rstrip("/"),
        "generation_kwargs": {"stop": [LINE_END]},
    }
    on_cpu = machine.device == "cpu"
    return GRPOConfig(
        output_dir=str(checkpoints),
        max_steps=grpo.max_steps,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=samples // at_once,
        num_generations=grpo.generations,
        max_completion_length=grpo.max_reasoning_tokens,
        temperature=grpo.temperature,
        learning_rate=grpo.learning_rate,
        beta=grpo.beta,
        scale_rewards="group" if grpo.scale_rewards else "none",
        reward_weights=list(REWARD_WEIGHTS),
        lr_scheduler_type="constant",
        shuffle_dataset=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=grpo.save_every,
        save_total_limit=_CHECKPOINTS_KEPT,
        eval_strategy="no",
        use_cpu=on_cpu,
        bf16=machine.precision == "bfloat16" and not on_cpu,
        # On a CPU a prompt is read once for its samples, which checkpointing would not allow and need not save memory for.
        activation_checkpointing=machine.gradient_checkpointing and not on_cpu,
        gradient_checkpointing=None,  # type: ignore[arg-type]  # the new name above is used
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        seed=recipe.seed,
        **(served if grpo.rollouts == "vllm" else {}),
    )
