"""One operator for each factor: a recipe as one recipe for every factor that there are training pairs of."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from deepimagine_training import pair_files
from deepimagine_training.recipe import Recipe
from deepimagine_training.run_folder import BEGUN, training_dir
from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.factors import WALKING_ORDER


def recipes_in(folder: Path, recipe: Recipe, pairs: Path) -> dict[Path, Recipe]:
    """What is trained one after another, by the folder of its run: `recipe` itself, or where it wants an operator per factor,
    one of every factor in walking order.

    Raises:
        BadInputError: there is no training pair of any factor that it wants.
        DeepImagineError: the pairs cannot be read.
    """
    if recipe.operators == "joint":
        return {folder: recipe}
    known = {row.factor for row in pair_files.load_rows(pairs, ("train",))}
    wanted = [factor for factor in WALKING_ORDER if factor in known and factor in (recipe.data.factors or WALKING_ORDER)]
    if not wanted:
        raise BadInputError(f"{pairs} holds no training pair of a factor that {recipe.name} wants.", "Draw other pairs.")
    return {
        folder / factor: replace(recipe, operators="joint", data=replace(recipe.data, factors=(factor,))) for factor in wanted
    }


def runs_of(run: str) -> dict[str, Path]:
    """The runs of the operators below a folder, by factor in walking order; none where it is one run, or nothing.

    Args:
        run: The folder, or its name among the runs that were given none.
    """
    for whole in (Path(run), training_dir() / run):
        found: dict[str, Path] = {factor: whole / factor for factor in WALKING_ORDER if (whole / factor / BEGUN).is_file()}
        if found:
            return found
    return {}
