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
    last. A recipe with an operator per factor makes a run for each factor, in a folder of its name.
    """
    from deepimagine_training import bases, operators, recipes, run_manifest, sft
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path, overrides_of
    from deepimagine_tui.extras import extra

    extra("trl")
    resolved = recipes.read(recipe, overrides_of(settings, base))
    folder = out or training_dir() / resolved.name
    runs = {folder: resolved}
    if resolved.operators == "per factor":
        runs = {folder / factor: one for factor, one in operators.recipes_of(resolved, pairs).items()}
    with stoppable() as cancel, Progress("Training") as progress:
        found = bases.resolve(base_path(resolved.base, cancel))
        made = {}
        for place, one in runs.items():
            if len(runs) > 1 and run_manifest.finished(place, one):
                made[place] = run_manifest.read(place)
                continue
            made[place] = sft.train(one, found, pairs, traces, place, cancel, progress.say)
    if json_output:
        emit_json({"runs": [{"folder": str(place), "manifest": manifest} for place, manifest in made.items()]})
        return
    for place, manifest in made.items():
        ran = f"{manifest.steps:,} steps in {manifest.seconds / 60:.1f} min on {manifest.data.examples:,} examples"
        emit(f"{place}\n{ran}; ended: {manifest.ended}")
        if "held_out_loss" in manifest.metrics:
            emit(f"Held-out loss {manifest.metrics['held_out_loss']:.4f}")
