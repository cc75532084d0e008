"""How a run came to its answer, as plain lines for every surface: a waterfall of its steps, and what agrees with what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from statistics import fmean

from deepimagine_tui.reasoning.interpret import Footing, Interpretation, Share, Together, Walk
from deepimagine_tui.reasoning.summary import format_probability

LEAST_BAR = 6
"""Columns below which a bar shows nothing."""
MOST_BAR = 32
_MOVED = 8
_LOGIT = 7
_FOLLOWED: dict[Footing, str] = {
    "effect": "k1 against k2, in units of s",
    "contrast": "the contrast, in units of s",
    "value": "k1's value, in units of s",
    "": "no scale for its values",
}


def interpretation_lines(found: Interpretation, width: int) -> list[str]:
    """The block of a run, its heading first, in lines of at most `width` columns; nothing of a run without an answered step."""
    walks = [walk for walk in found.walks if walk.steps]
    if not walks:
        return []
    one_path = len(walks) == 1 or (found.together is not None and found.together.from_one_anchor)
    lines = list(_waterfall(walks, width) if one_path else _by_factor(walks, width))
    for sentence in _agreements(found):
        lines += textwrap.wrap(sentence, width, subsequent_indent="  ")
    return lines


def bar(start: float, end: float, low: float, high: float, room: int, char: str) -> str:
    """A bar from `start` to `end` on an axis of `room` columns from `low` to `high`."""
    span = high - low or 1.0
    first, last = sorted(round((each - low) / span * (room - 1)) for each in (start, end))
    return " " * first + char * (last - first + 1)


def _waterfall(walks: Sequence[Walk], width: int) -> Iterator[str]:
    """The steps of one path; of several seeds, the mean of those that tell."""
    shown = max(walks, key=lambda walk: len(walk.steps))
    of = f", mean of {len(walks)} seeds" if len(walks) > 1 else ""
    yield from textwrap.wrap(f"What moved the result: {_FOLLOWED[shown.footing]}{of}", width, subsequent_indent="  ")
    names = [f"{step.number} {step.factor.replace('_', ' ')}" for step in shown.steps]
    label = max(len(name) for name in [*names, "in all"])
    room = min(width - 2 - label - _MOVED - 2 - _LOGIT - 2, MOST_BAR)
    moves = [_mean([walk.steps[at].moved for walk in walks if at < len(walk.steps)]) for at in range(len(names))]
    logits = [_mean([walk.steps[at].moved_logit for walk in walks if at < len(walk.steps)]) for at in range(len(names))]
    stands = [0.0]
    for move in moves:
        stands.append(stands[-1] + (move or 0.0))
    low, high = min(stands), max(stands)
    bars = room >= LEAST_BAR and low < high
    yield f"  {'step':<{label}}{'s':>{_MOVED}}  {'logit P':>{_LOGIT}}"
    for at, name in enumerate(names):
        drawn = bar(stands[at], stands[at + 1], low, high, room, "░") if bars and moves[at] is not None else ""
        yield f"  {name:<{label}}{_signed(moves[at]):>{_MOVED}}  {_signed(logits[at]):>{_LOGIT}}  {drawn}".rstrip()
    totals = _mean([walk.total for walk in walks]), _mean([walk.total_logit for walk in walks])
    if len(names) > 1:
        drawn = bar(0.0, stands[-1], low, high, room, "▒") if bars and totals[0] is not None else ""
        yield f"  {'in all':<{label}}{_signed(totals[0]):>{_MOVED}}  {_signed(totals[1]):>{_LOGIT}}  {drawn}".rstrip()


def _by_factor(walks: Sequence[Walk], width: int) -> Iterator[str]:
    """Of pathways from several anchors, the mean contribution of each factor."""
    steps = [step for walk in walks for step in walk.steps]
    names = list(dict.fromkeys(step.factor for step in steps))
    label = max(len(name) for name in names)
    yield from textwrap.wrap("What moved the result, on average over the pathways", width, subsequent_indent="  ")
    yield f"  {'step':<{label}}{'s':>{_MOVED}}  {'logit P':>{_LOGIT}}    n"
    for name in names:
        own = [step for step in steps if step.factor == name]
        moved, logit = _mean([step.moved for step in own]), _mean([step.moved_logit for step in own])
        yield f"  {name.replace('_', ' '):<{label}}{_signed(moved):>{_MOVED}}  {_signed(logit):>{_LOGIT}}  {len(own):>3}"


def _agreements(found: Interpretation) -> Iterator[str]:
    if found.fits_its_word.total:
        yield f"The stated direction fits the values in {_of(found.fits_its_word)} steps."
    if found.z_agrees.total:
        gap = "" if found.z_gap is None else f"; they lie {format_probability(found.z_gap)} apart on average"
        yield f"A z-test on the values agrees with P(met) in {_of(found.z_agrees)} steps{gap}."
    if found.together is not None:
        yield _together(found.together)


def _together(found: Together) -> str:
    what = "seeds" if found.from_one_anchor else "pathways"
    parts = [f"{_of(found.agree)} {what} agree on the verdict" if found.agree.total else f"No {what} have a verdict"]
    reach = [f"{found.spread:.2f} s"] if found.spread is not None else []
    reach += [f"{found.spread_logit:.2f} logit P"] if found.spread_logit is not None else []
    if reach:
        parts.append(f"their middle half spans {' and '.join(reach)}")
    return f"{'; '.join(parts)}."


def _of(share: Share) -> str:
    return f"{share.count} of {share.total}"


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _signed(value: float | None) -> str:
    """A move with its sign; a move that rounds to nothing has none."""
    if value is None:
        return "–"
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0"
