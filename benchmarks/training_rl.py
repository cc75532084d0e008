"""How fast `train grpo` takes a step beside TRL's own `GRPOTrainer`, on the same model, prompts and machine, in turn.

    python benchmarks/training_rl.py --data DIR

DIR holds registry records. Both sample four completions of each of four prompts and learn from them four at a time; TRL's
trainer has bfloat16 and checkpointing off and a reward that costs nothing, ours fills in the answer form and grades it. Prints
a row of markdown; the bar is twice as fast.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from machine import describe_machine
from side_by_side import SIDES, Pace, alternate, base, draw, pacing

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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of registry records")
    parser.add_argument("--side", choices=SIDES, help="be one of the two sides, told through standard input")
    parser.add_argument("--folder", type=Path, help="of the pairs of a side")
    options = parser.parse_args()
    if options.side:
        {"ours": ours, "plain": plain}[options.side](options.folder, Pace(STEPS))
        return 0
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        draw(options.data, Path(name))
        taken = alternate(Path(__file__), Path(name), STEPS)
    times = sum(taken["plain"].seconds) / sum(taken["ours"].seconds)
    kept = times >= BAR_TIMES
    found = f"{times:.1f} times as fast: steps of {taken['ours'].step:.1f} and {taken['plain'].step:.1f} s"
    memory = f"{taken['ours'].peak / 1e9:.1f} GB against {taken['plain'].peak / 1e9:.1f} GB"
    sys.stdout.write(
        f"| `train grpo` beside `GRPOTrainer`, 4 samples of 4 prompts a step | {found}, {memory} | {BAR_TIMES:g} times | "
        f"{'kept' if kept else 'missed'} |\n"
    )
    sys.stderr.write(f"{describe_machine()}, load {load:.1f} at the start\n")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
