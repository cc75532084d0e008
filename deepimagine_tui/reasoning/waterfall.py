"""The waterfall of a run: the contribution of each step as a bar from where the result stood to where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

import msgspec

from deepimagine_tui.reasoning.interpret import Footing, Interpretation, Walk

FOLLOWED: dict[Footing, str] = {
    "effect": "k1 against k2, in units of s",
    "contrast": "the contrast, in units of s",
    "value": "k1's value, in units of s",
    "": "no scale for its values",
}


class Bar(msgspec.Struct, frozen=True):
    """A contribution of `moved` from `start` to `end`, in units of s, and of `moved_logit` to logit P(met); `None` where values
    cannot be compared or there is no P. `steps` of the run are behind it."""

    name: str
    start: float
    end: float
    moved: float | None
    moved_logit: float | None
    steps: int = 1


class Waterfall(msgspec.Struct, frozen=True):
    """The bars of one path, each from where the one before ended, with their `total`; of pathways from several anchors, where
    each has its own path, the mean of each factor from 0, without a total. `says` is what they are of."""

    says: str
    bars: tuple[Bar, ...]
    total: Bar | None = None

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the greatest place of a bar, 0 among them."""
        places = [0.0, *(place for bar in self.bars for place in (bar.start, bar.end))]
        return min(places), max(places)


def waterfall_of(found: Interpretation) -> Waterfall | None:
    """The waterfall of a run; `None` before a step is answered. Seeds of one path are averaged step by step."""
    walks = [walk for walk in found.walks if walk.steps]
    if not walks:
        return None
    if len(walks) == 1 or (found.together is not None and found.together.from_one_anchor):
        return _one_path(walks)
    return Waterfall("the mean over the pathways, in units of s", tuple(_by_factor(walks)))


def _one_path(walks: Sequence[Walk]) -> Waterfall:
    longest = max(walks, key=lambda walk: len(walk.steps))
    stand, bars = 0.0, []
    for at, step in enumerate(longest.steps):
        own = [walk.steps[at] for walk in walks if at < len(walk.steps)]
        moved = mean_of_known([each.moved for each in own])
        name, after = f"{step.number} {step.factor.replace('_', ' ')}", stand + (moved or 0.0)
        bars.append(Bar(name, stand, after, moved, mean_of_known([each.moved_logit for each in own]), len(own)))
        stand = after
    whole = mean_of_known([walk.total for walk in walks])
    total = Bar("in all", 0.0, whole or 0.0, whole, mean_of_known([walk.total_logit for walk in walks]), len(walks))
    seeds = f", mean of {len(walks)} seeds" if len(walks) > 1 else ""
    return Waterfall(FOLLOWED[longest.footing] + seeds, tuple(bars), total if len(bars) > 1 else None)


def _by_factor(walks: Sequence[Walk]) -> Iterator[Bar]:
    steps = [step for walk in walks for step in walk.steps]
    for factor in dict.fromkeys(step.factor for step in steps):
        own = [step for step in steps if step.factor == factor]
        moved, logit = mean_of_known([step.moved for step in own]), mean_of_known([step.moved_logit for step in own])
        yield Bar(factor.replace("_", " "), 0.0, moved or 0.0, moved, logit, len(own))


def mean_of_known(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are known; `None` of none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
