"""`deepimagine train sft`: the supervised stage of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.training_stage import stage_options, tell_runs, train_each

if TYPE_CHECKING:
    from deepimagine_training.recipe import Recipe
    from deepimagine_training.run_manifest import Manifest


@click.command()
@stage_options
@click.option(
    "--traces", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Their reasoning, from `train traces`."
)
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
    from deepimagine_training import bases, operators, recipes, sft
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path, overrides_of
    from deepimagine_tui.extras import extra

    extra("trl")
    resolved = recipes.read(recipe, overrides_of(settings, base))
    wanted = operators.recipes_in(out or training_dir() / resolved.name, resolved, pairs)
    with stoppable() as cancel, Progress("Training") as progress:
        found = bases.resolve(base_path(resolved.base, cancel))

        def train(place: Path, one: Recipe) -> Manifest:
            return sft.train(one, found, pairs, traces, place, cancel, progress.say)

        made = train_each(wanted, train)
    tell_runs(made, "examples", _held_out, as_json=json_output)


def _held_out(manifest: Manifest) -> list[str]:
    loss = manifest.metrics.get("held_out_loss")
    return [] if loss is None else [f"Held-out loss {loss:.4f}"]
