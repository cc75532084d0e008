"""What `train sft` and `train grpo` share: their options, and the runs that a recipe makes."""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import Command, as_json

if TYPE_CHECKING:
    from deepimagine_training.recipe import Recipe
    from deepimagine_training.run_manifest import Manifest


def stage_options(command: Command) -> Command:
    """The recipe, what it learns from, and where the run is kept."""
    for option in (
        as_json,
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value, e.g. data.max_tokens=400."),
        click.option(
            "--base", metavar="MODEL", help="Another base than the recipe's: gemma-270m, a GGUF file, a folder, a hub id."
        ),
        click.option(
            "-o",
            "--out",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Folder of the run. Default: by the recipe's name.",
        ),
        click.option(
            "--pairs",
            type=click.Path(path_type=Path),
            required=True,
            metavar="FOLDER",
            help="The pairs that `train pairs` drew.",
        ),
        click.argument("recipe"),
    ):
        command = option(command)
    return command


def train_each(wanted: Mapping[Path, Recipe], train: Callable[[Path, Recipe], Manifest]) -> dict[Path, Manifest]:
    """Train what is wanted, one after another, without those operators that are finished. Should a library take the process
    down, the calls it was in are written to standard error.

    Raises:
        DeepImagineError: as `train`.
    """
    from deepimagine_training import run_manifest

    if not faulthandler.is_enabled() and sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)
    made = {}
    for place, recipe in wanted.items():
        done = len(wanted) > 1 and run_manifest.finished(place, recipe)
        made[place] = run_manifest.read(place) if done else train(place, recipe)
    return made


def tell_runs(made: Mapping[Path, Manifest], examples: str, lines: Callable[[Manifest], list[str]], *, as_json: bool) -> None:
    """Print what came of a stage, once for all processes that trained together.

    Args:
        examples: What its examples are called.
        lines: What else is said of a run.
        as_json: Whether in JSON.
    """
    from deepimagine_training.run_folder import is_first_process

    if not is_first_process():
        return
    if as_json:
        emit_json({"runs": [{"folder": str(place), "manifest": manifest} for place, manifest in made.items()]})
        return
    for place, manifest in made.items():
        ran = f"{manifest.steps:,} steps in {manifest.seconds / 60:.1f} min on {manifest.data.examples:,} {examples}"
        emit("\n".join([str(place), f"{ran}; ended: {manifest.ended}", *lines(manifest)]))
