"""Walking only what matters most of a path, where steps are few: what an evaluation of many questions can afford."""

from __future__ import annotations

from typing import NamedTuple

from deepimagine_tui.reasoning import difference
from deepimagine_tui.reasoning.difference import Path
from deepimagine_tui.reasoning.state import Configuration
from deepimagine_tui.trials.factors import ARITHMETIC, Factor

CONSEQUENTIAL: tuple[Factor, ...] = ("outcome", "dose", "arm", "comparator", "time_frame")
"""What is walked while there are steps left, the most consequential first: what is measured, given, and given against it."""
CIRCUMSTANCES: tuple[Factor, ...] = ("population", "context", "geography")
"""What is left out, but for the first of these where nothing else differs, so that there is a step to ask about."""


class Lean(NamedTuple):
    """A path of few steps, and the factors that differ and are not walked."""

    path: Path
    unwalked: tuple[Factor, ...]


def lean_path(source: Configuration, target: Configuration, max_steps: int) -> Lean:
    """The path from `source` over its `max_steps` most consequential changes, in walking order. Arithmetic ones cost nothing
    and do not count; `max_steps` 0 walks everything."""
    full = difference.path(source, target)
    if not max_steps:
        return Lean(full, ())
    differing: tuple[Factor, ...] = tuple(dict.fromkeys(change.factor for change in full.perturbations))
    kept: list[Factor] = [factor for factor in differing if factor in ARITHMETIC]
    left = max_steps
    consequential: list[Factor] = [factor for factor in CONSEQUENTIAL if factor in differing]
    circumstances: list[Factor] = [factor for factor in CIRCUMSTANCES if factor in differing]
    for factor in consequential or circumstances[:1]:
        steps = sum(change.factor == factor for change in full.perturbations)
        if steps <= left:
            kept.append(factor)
            left -= steps
    walked = difference.path(source, target, factors=frozenset(kept))
    return Lean(Path(walked.perturbations, full.unknown_factors), tuple(factor for factor in differing if factor not in kept))
