"""`deepimagine train sft`: the supervised stage of a recipe."""

from __future__ import annotations

from pathlib import Path

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json


@click.command()
@click.argument("recipe")
@click.option(
    "--pairs", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="The pairs that `train pairs` drew."
)
@click.option(
    "--traces", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Their reasoning, from `train traces`."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder of the run. Default: by the recipe's name."
)
@click.option("--base", metavar="MODEL", help="Another base than the recipe's: gemma-270m, a GGUF file, a folder, a hub id.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value of the recipe, e.g. sft.epochs=2.")
@as_json
def sft(
    recipe: str,
    pairs: Path,
    traces: Path,
    out: Path | None,
    base: str | None,
    settings: tuple[str, ...],
    json_output: bool,
) -> None:
    """Train an adapter on pairs and their reasoning.

    RECIPE is the name of one that is shipped (`laptop`) or a YAML file. An unfinished run in the folder is gone on with from
    its last checkpoint; Ctrl-C stops after the step that runs and keeps one. The run writes to its folder only, its manifest
    last.
    """
    from deepimagine_training import bases, recipes, sft
    from deepimagine_training.extras import extra
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path, overrides_of

    extra("trl")
    resolved = recipes.read(recipe, overrides_of(settings, base))
    with stoppable() as cancel, Progress("Training") as progress:
        found = bases.resolve(base_path(resolved.base, cancel))
        folder = out or training_dir() / resolved.name
        manifest = sft.train(resolved, found, pairs, traces, folder, cancel, progress.say)
    if json_output:
        emit_json({"folder": str(folder), "manifest": manifest})
        return
    held_out = manifest.metrics.get("held_out_loss")
    ran = f"{manifest.steps:,} steps in {manifest.seconds / 60:.1f} min on {manifest.data.examples:,} examples"
    emit(f"{folder}\n{ran}; ended: {manifest.ended}")
    if held_out is not None:
        emit(f"Held-out loss {held_out:.4f}")
