"""How fast `train sft` learns beside TRL's own `SFTTrainer`, on the same model, rows and machine, a step each in turn.

    python benchmarks/training_sft.py --data DIR

DIR holds registry records. TRL's trainer has bfloat16 and checkpointing off, its fastest setting on a CPU. Prints rows of
markdown; the bars are three times the completion tokens a second, and 6 GB.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from side_by_side import Pace, base, measured, pacing, row

if TYPE_CHECKING:
    from deepimagine_training.recipe import Recipe

BAR_TIMES = 3.0
BAR_BYTES = 6e9
STEPS = 3


def recipe() -> Recipe:
    """The laptop recipe for a few steps, with the whole answer form learnt, as a plain trainer learns it."""
    from deepimagine_training import recipes

    laptop = recipes.read("laptop")
    few = {"data.sample": laptop.sft.batch_size * laptop.sft.accumulation * STEPS, "data.validation_sample": 1}
    rare = {"sft.max_steps": STEPS, "sft.form_share": 1, "sft.save_every": 1000, "sft.evaluate_every": 1000}
    return recipes.read("laptop", {key: str(value) for key, value in {**few, **rare}.items()})


def ours(folder: Path, pace: Pace) -> None:
    """`train sft`."""
    from deepimagine_training import sft

    sft.train(recipe(), base(), folder / "pairs", folder / "traces", folder / "run", Event(), pace.heard)


def plain(folder: Path, pace: Pace) -> None:
    """TRL's trainer on the same rows, as prompts and completions."""
    from datasets import Dataset
    from deepimagine_training import bases, pair_files, sft, traces
    from trl import SFTConfig, SFTTrainer

    wanted = recipe()
    loaded = bases.load(base())
    found = traces.load(folder / "traces", pair_files.read_manifest(folder / "pairs").data_sha256)
    reasonings = {pair_id: trace.reasoning for pair_id, trace in found.items()}
    examples = sft.prepare(wanted, folder / "pairs", reasonings, loaded.tokenizer).examples
    settings = SFTConfig(
        output_dir=str(folder / "plain"),
        max_steps=STEPS,
        per_device_train_batch_size=wanted.sft.batch_size,
        gradient_accumulation_steps=wanted.sft.accumulation,
        learning_rate=wanted.sft.learning_rate,
        max_length=None,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    rows = Dataset.from_list([{"prompt": one.prompt, "completion": one.completion} for one in examples])
    trainer = SFTTrainer(
        model=loaded.model,
        args=settings,
        train_dataset=rows,
        processing_class=loaded.tokenizer,
        peft_config=sft.lora(wanted),
        callbacks=[pacing(pace)],
    )
    trainer.train()


def main() -> int:
    """Measure, print, and compare with the bars."""
    taken = measured(Path(__file__), __doc__, {"ours": ours, "plain": plain}, STEPS)
    if taken is None:
        return 0
    wanted = recipe().sft
    what = f"`train sft` beside `SFTTrainer`, {wanted.batch_size} x {wanted.accumulation} sequences a step"
    text, kept = row(what, "as many completion tokens a second", taken, BAR_TIMES, BAR_BYTES)
    sys.stdout.write(text)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
