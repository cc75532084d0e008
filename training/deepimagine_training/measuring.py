"""How fast a recipe trains on this machine, by a few real steps in a folder that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event

from msgspec.structs import replace

from deepimagine_training import pair_files, sft, traces
from deepimagine_training.base_shape import BaseShape
from deepimagine_training.bases import BaseFacts
from deepimagine_training.counting import count
from deepimagine_training.plan import Speed, step_flops
from deepimagine_training.recipe import Recipe
from deepimagine_training.run_folder import read_log

STEPS = 3
_SHORTEST = 0.05
"""Seconds that a log can tell apart."""


def measure(
    recipe: Recipe,
    shape: BaseShape,
    base: BaseFacts,
    pairs: Path,
    traces_folder: Path,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Speed:
    """Take the first steps of a recipe's supervised stage, in one process, and throw them away.

    Raises:
        DeepImagineError: as `sft.train`.
    """
    sequences = recipe.sft.batch_size * recipe.sft.accumulation
    short = replace(
        recipe,
        data=replace(recipe.data, sample=STEPS * sequences, validation_sample=0),
        sft=replace(recipe.sft, max_steps=STEPS, max_minutes=0.0, save_every=STEPS + 1),
        machine=replace(recipe.machine, processes=1, nodes=1, sharding="none"),
    )
    found = traces.load(traces_folder, pair_files.read_manifest(pairs).data_sha256)
    counted = count(short, pairs, {pair_id: trace.reasoning for pair_id, trace in found.items()})
    with tempfile.TemporaryDirectory(prefix="deepimagine-") as scratch:
        out = Path(scratch) / "run"
        sft.train(short, base, pairs, traces_folder, out, cancel, told)
        seconds = max(max(float(record["seconds"]) for record in read_log(out)) / STEPS, _SHORTEST)
    flops = step_flops(short, shape, sequences * counted.tokens, sequences * counted.completion_tokens)
    return Speed(flops / seconds, f"measured: {STEPS} steps of it on this machine, {seconds:.1f} s each")
