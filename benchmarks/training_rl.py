"""How fast `train grpo` takes a step beside TRL's own `GRPOTrainer`, on the same model, prompts and machine, in turn.

    python benchmarks/training_rl.py --data DIR

DIR holds registry records. Both sample four completions of each of four prompts and learn from them four at a time; TRL's
trainer has bfloat16 and checkpointing off and a reward that costs nothing, ours fills in the answer form and grades it. Prints
a row of markdown; the bar is twice as fast.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from side_by_side import Pace, base, measured, pacing, row

if TYPE_CHECKING:
    from deepimagine_training.recipe import Recipe

BAR_TIMES = 2.0
STEPS = 2


def recipe() -> Recipe:
    """The laptop recipe for a few steps, on pairs of one change: TRL's trainer cannot walk a chain."""
    from deepimagine_training import recipes

    few = {"grpo.max_steps": STEPS, "data.validation_sample": 1, "data.kinds": "natural"}
    rare = {"grpo.save_every": 1000, "grpo.evaluate_every": 1000}
    return recipes.read("laptop", {key: str(value) for key, value in {**few, **rare}.items()})


def ours(folder: Path, pace: Pace) -> None:
    """`train grpo`, from the base."""
    from deepimagine_training import grpo

    grpo.train(recipe(), base(), folder / "pairs", folder / "run", Event(), told=pace.heard)


def plain(folder: Path, pace: Pace) -> None:
    """TRL's trainer on the same prompts."""
    from datasets import Dataset
    from deepimagine_training import bases, grpo, sft
    from trl import GRPOConfig, GRPOTrainer

    wanted = recipe()
    loaded = bases.load(base())
    tasks = grpo.prepare(wanted, folder / "pairs", loaded.tokenizer).train
    settings = GRPOConfig(
        output_dir=str(folder / "plain"),
        max_steps=STEPS,
        per_device_train_batch_size=wanted.grpo.generations,
        gradient_accumulation_steps=wanted.grpo.prompts,
        num_generations=wanted.grpo.generations,
        max_completion_length=wanted.grpo.max_reasoning_tokens,
        learning_rate=wanted.grpo.learning_rate,
        scale_rewards="none",
        shuffle_dataset=False,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    loaded.tokenizer.padding_side = "left"
    trainer = GRPOTrainer(
        model=loaded.model,
        reward_funcs=_length,
        args=settings,
        train_dataset=Dataset.from_dict({"prompt": [task.question.prompt for task in tasks]}),
        processing_class=loaded.tokenizer,
        peft_config=sft.lora(wanted),
        callbacks=[pacing(pace)],
    )
    trainer.train()


def _length(completions: list[str], **_: object) -> list[float]:
    return [len(text) / 100 for text in completions]


def main() -> int:
    """Measure, print, and compare with the bar."""
    taken = measured(Path(__file__), __doc__, {"ours": ours, "plain": plain}, STEPS)
    if taken is None:
        return 0
    text, kept = row("`train grpo` beside `GRPOTrainer`, 4 samples of 4 prompts a step", "as fast", taken, BAR_TIMES)
    sys.stdout.write(text)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
