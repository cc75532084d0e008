"""`deepimagine train grpo`: the reinforcement stage of a recipe."""

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
@click.option("--from", "parent", metavar="RUN", help="The run whose adapter is gone on from. Default: a new adapter.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder of the run. Default: by the recipe's name."
)
@click.option("--base", metavar="MODEL", help="Another base than the recipe's: gemma-270m, a GGUF file, a folder, a hub id.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another value, e.g. grpo.max_steps=20.")
@as_json
def grpo(
    recipe: str,
    pairs: Path,
    parent: str | None,
    out: Path | None,
    base: str | None,
    settings: tuple[str, ...],
    json_output: bool,
) -> None:
    """Reward an adapter for forecasts that the registry bears out.

    RECIPE is the name of one that is shipped (`laptop`) or a YAML file. RUN is a name, an id or a folder, as `train runs list`
    shows them. What comes out is kept only if its Brier score on held-out pairs is lower than before; else the run's adapter is
    the one it began from, and its manifest says so. An unfinished run in the folder is gone on with from its last checkpoint;
    Ctrl-C stops after the step that runs and keeps one.
    """
    from deepimagine_training import bases, recipes, runs
    from deepimagine_training import grpo as training
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path, overrides_of
    from deepimagine_tui.extras import extra

    extra("trl")
    resolved = recipes.read(recipe, overrides_of(settings, base))
    begun_from = Path(runs.find(parent).path) if parent is not None else None
    with stoppable() as cancel, Progress("Training") as progress:
        found = bases.resolve(base_path(resolved.base, cancel))
        folder = out or training_dir() / f"{resolved.name}-grpo"
        manifest = training.train(resolved, found, pairs, folder, cancel, begun_from, progress.say)
    if json_output:
        emit_json({"folder": str(folder), "manifest": manifest})
        return
    metrics = manifest.metrics
    ran = f"{manifest.steps:,} steps in {manifest.seconds / 60:.1f} min on {manifest.data.examples:,} pairs"
    emit(f"{folder}\n{ran}; ended: {manifest.ended}")
    for when in ("before", "after"):
        flips, others = (metrics.get(f"held_out_{kind}_accuracy_{when}") for kind in ("flip", "non_flip"))
        emit(
            f"Held out {when}: Brier {metrics[f'held_out_brier_{when}']:.4f}; "
            f"right on flips {_share(flips)}, on the others {_share(others)}"
        )
    emit("Kept." if metrics["rl_kept"] else "Not kept, since Brier did not improve: the adapter is the one it began from.")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
