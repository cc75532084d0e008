"""Made-up training runs, written as a trainer writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepimagine_training import recipes, run_manifest
from deepimagine_training.pair_files import CorpusUsed
from deepimagine_training.run_folder import RunFolder
from deepimagine_training.run_manifest import BaseUsed, DataUsed, Manifest

INPUTS = {"pairs": "a" * 64, "traces": "b" * 64}


def made_run(
    path: Path,
    *,
    steps: int = 20,
    finished: bool = True,
    overrides: Mapping[str, str] | None = None,
    held_out_loss: float = 1.25,
    inputs: Mapping[str, str] = INPUTS,
) -> RunFolder:
    """A run of the laptop recipe whose loss falls by 0.05 a step, held out every five."""
    recipe = recipes.read("laptop", overrides)
    with RunFolder(path) as folder:
        begun = folder.begin(recipe, inputs)
        for step in range(1, steps + 1):
            folder.log({"stage": "sft", "step": step, "loss": 3.0 - 0.05 * step, "epoch": step / steps, "seconds": 2.0 * step})
            if step % 5 == 0:
                folder.log({"stage": "sft", "step": step, "held_out_loss": 3.1 - 0.05 * step, "seconds": 2.0 * step})
        if finished:
            folder.finish(
                Manifest(
                    run_id=begun.run_id,
                    stage="sft",
                    recipe=recipe,
                    seed=recipe.seed,
                    base=BaseUsed("gemma-270m", "gguf", "c" * 64, "gemma3"),
                    data=DataUsed(
                        inputs["pairs"], inputs["traces"], CorpusUsed("made", "1", "2024-01-01", 12, 12), "sides-1", 160, 32, {}
                    ),
                    cutoff="2023-05-01",
                    prompt_version="step-1",
                    libraries=run_manifest.libraries(),
                    machine=run_manifest.machine(),
                    started=begun.started,
                    seconds=2.0 * steps,
                    steps=steps,
                    tokens=1000,
                    metrics={"held_out_loss": held_out_loss, "last_loss": 3.0 - 0.05 * steps},
                    trained_on=("NCT00000001", "NCT00000002"),
                    adapter_sha256="d" * 64,
                    ended="complete",
                )
            )
    return folder
