"""One operator for each factor: a recipe as one recipe for every factor that there are training pairs of."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from deepimagine_training import pair_files
from deepimagine_training.recipe import Recipe
from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.factors import WALKING_ORDER


def recipes_of(recipe: Recipe, pairs: Path) -> dict[str, Recipe]:
    """What is trained one after another when `recipe` wants an operator per factor, by factor in walking order.

    Raises:
        BadInputError: there is no training pair of any factor that it wants.
        DeepImagineError: the pairs cannot be read.
    """
    known = {row.factor for row in pair_files.load_rows(pairs, ("train",))}
    wanted = [factor for factor in WALKING_ORDER if factor in known and factor in (recipe.data.factors or WALKING_ORDER)]
    if not wanted:
        raise BadInputError(f"{pairs} holds no training pair of a factor that {recipe.name} wants.", "Draw other pairs.")
    return {factor: replace(recipe, operators="joint", data=replace(recipe.data, factors=(factor,))) for factor in wanted}
