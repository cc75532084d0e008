"""`deepimagine train grpo`: the reinforcement stage of a recipe."""

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
@click.option("--from", "parent", metavar="RUN", help="The run whose adapter is gone on from. Default: a new adapter.")
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
    Ctrl-C stops after the step that runs and keeps one. A recipe with an operator per factor makes a run for each factor, in a
    folder of its name: each from RUN, or from the operator of its factor where RUN is a folder of operators.
    """
    from deepimagine_training import bases, operators, recipes
    from deepimagine_training import grpo as training
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path, overrides_of
    from deepimagine_tui.extras import extra

    extra("trl")
    resolved = recipes.read(recipe, overrides_of(settings, base))
    wanted = operators.recipes_in(out or training_dir() / f"{resolved.name}-grpo", resolved, pairs)
    parents = _parents(parent, wanted)
    with stoppable() as cancel, Progress("Training") as progress:
        found = bases.resolve(base_path(resolved.base, cancel))

        def train(place: Path, one: Recipe) -> Manifest:
            return training.train(one, found, pairs, place, cancel, parents.get(place), progress.say)

        made = train_each(wanted, train)
    tell_runs(made, "pairs", _outcome, as_json=json_output)


def _parents(parent: str | None, wanted: dict[Path, Recipe]) -> dict[Path, Path]:
    """The run that each one begins from: the operator of its factor where `parent` is a folder of operators.

    Raises:
        BadInputError: there is no operator of a factor.
        DeepImagineError: as `runs.find`.
    """
    from deepimagine_training import operators, runs

    from deepimagine_tui.errors import BadInputError

    if parent is None:
        return {}
    each = operators.runs_of(parent)
    if not each:
        return dict.fromkeys(wanted, Path(runs.find(parent).path))
    found = {}
    for place, one in wanted.items():
        factor = one.data.factors[0] if len(one.data.factors) == 1 else "all factors together"
        if factor not in each:
            raise BadInputError(
                f"{parent} holds an operator of {', '.join(each)}, and none of {factor}.",
                'Set data.factors to those, with --set operators="per factor".',
            )
        found[place] = each[factor]
    return found


def _outcome(manifest: Manifest) -> list[str]:
    metrics = manifest.metrics
    lines = []
    for when in ("before", "after"):
        flips, others = (_share(metrics.get(f"held_out_{kind}_accuracy_{when}")) for kind in ("flip", "non_flip"))
        lines.append(
            f"Held out {when}: Brier {metrics[f'held_out_brier_{when}']:.4f}; right on flips {flips}, on the others {others}"
        )
    unchanged = "Not kept, since Brier did not improve: the adapter is the one it began from."
    return [*lines, "Kept." if metrics["rl_kept"] else unchanged]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
