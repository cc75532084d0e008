"""The two posted arm values that a contrast is about, on the scale that contrasts are posted on.

Source fields: the cells of both groups; the class and category that the comments, the title or a plain "Yes" single out.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import Cell, Outcome

_PROPORTION = re.compile(r"percent|%|proportion|probability|rate")
_WORD = re.compile(r"[a-z0-9]+")
_YES = ("yes", "responder", "responders", "success")


def compared_values(outcome: Outcome, a_id: str, b_id: str, class_title: str, said: str) -> list[tuple[float, float]]:
    """The values (a, b) of every class and category that a contrast of two groups may be about; usually one pair.

    Counts of people are given as a percentage of those analysed, since differences and ratios of counts are posted so.
    `said` is
    what the analysis says in words: it singles out a category, else the outcome's title does, else "Yes" among two.
    """
    values: dict[tuple[str, str], list[float | None]] = {}
    for cell in outcome.cells:
        if cell.value is not None and cell.group_id in (a_id, b_id) and class_title in ("", cell.class_title):
            pair = values.setdefault((cell.class_title, cell.category), [None, None])
            pair[cell.group_id == b_id] = as_compared(cell, outcome)
    found = {key: (pair[0], pair[1]) for key, pair in values.items() if pair[0] is not None and pair[1] is not None}
    categories = {category for _, category in found}
    if len(categories) > 1:
        chosen = _singled_out(categories, f"{said} {outcome.title}".lower())
        found = {key: pair for key, pair in found.items() if key[1] == chosen} if chosen is not None else found
    return [(a, b) for a, b in found.values() if a is not None and b is not None]


def as_compared(cell: Cell, outcome: Outcome) -> float | None:
    """A cell's value as contrasts use it: a count of people in percent of those analysed, anything else as posted."""
    if outcome.kind == "share" and cell.value is not None and cell.n and counts_people(outcome.parameter, outcome.unit):
        return 100 * cell.value / cell.n
    return cell.value


@lru_cache(maxsize=2048)
def counts_people(parameter: str, unit: str) -> bool:
    """Whether the values of a share are counts rather than percentages or proportions."""
    return parameter.startswith("count of") or not _PROPORTION.search(unit.lower())


def _singled_out(categories: set[str], said: str) -> str | None:
    spoken = set(_WORD.findall(said))
    named = [category for category in categories if category and set(_WORD.findall(category.lower())) <= spoken]
    if len(named) == 1:
        return named[0]
    yes = [category for category in categories if category.lower() in _YES]
    return yes[0] if len(yes) == 1 and len(categories) == 2 else None
