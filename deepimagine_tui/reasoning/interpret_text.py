"""How a run came to its answer, as plain lines for every surface: a waterfall of its steps, and what agrees with what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from deepimagine_tui.reasoning.interpret import Interpretation, Share, Together
from deepimagine_tui.reasoning.summary import format_probability
from deepimagine_tui.reasoning.waterfall import Bar, Waterfall, waterfall_of

LEAST_BAR = 6
"""Columns below which a bar shows nothing."""
MOST_BAR = 32
_MOVED = 8
_LOGIT = 7


def interpretation_lines(found: Interpretation, width: int) -> list[str]:
    """The block of a run, its heading first, in lines of at most `width` columns; nothing of a run without an answered step."""
    waterfall = waterfall_of(found)
    if waterfall is None:
        return []
    lines = textwrap.wrap(f"What moved the result: {waterfall.says}", width, subsequent_indent="  ")
    lines += _bars(waterfall, width)
    for sentence in agreements(found):
        lines += textwrap.wrap(sentence, width, subsequent_indent="  ")
    return lines


def agreements(found: Interpretation) -> Iterator[str]:
    """What agrees with what in a run, a sentence each."""
    if found.tells_the_facts.total:
        yield f"The reasoning tells the change and its source as they are in {_of(found.tells_the_facts)} steps."
    if found.fits_its_word.total:
        yield f"The stated direction fits the values in {_of(found.fits_its_word)} steps."
    if found.z_agrees.total:
        gap = "" if found.z_gap is None else f"; they lie {format_probability(found.z_gap)} apart on average"
        yield f"A z-test on the values agrees with P(met) in {_of(found.z_agrees)} steps{gap}."
    if found.together is not None:
        yield _together(found.together)


def bar(start: float, end: float, low: float, high: float, room: int, char: str) -> str:
    """A bar from `start` to `end` on an axis of `room` columns from `low` to `high`."""
    span = high - low or 1.0
    first, last = sorted(round((each - low) / span * (room - 1)) for each in (start, end))
    return " " * first + char * (last - first + 1)


def signed(value: float | None) -> str:
    """A move with its sign; a move that rounds to nothing has none."""
    if value is None:
        return "–"
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0"


def _bars(waterfall: Waterfall, width: int) -> Iterator[str]:
    every = [*waterfall.bars, *([waterfall.total] if waterfall.total is not None else [])]
    label = max(len("step"), *(len(each.name) for each in every))
    room = min(width - 2 - label - _MOVED - 2 - _LOGIT - 2, MOST_BAR)
    low, high = waterfall.limits
    yield f"  {'step':<{label}}{'s':>{_MOVED}}  {'logit P':>{_LOGIT}}"
    for each in every:
        shown = room >= LEAST_BAR and low < high and each.moved is not None
        drawn = bar(each.start, each.end, low, high, room, "▒" if each is waterfall.total else "░") if shown else ""
        yield f"  {each.name:<{label}}{_numbers(each)}  {drawn}".rstrip()


def _numbers(each: Bar) -> str:
    return f"{signed(each.moved):>{_MOVED}}  {signed(each.moved_logit):>{_LOGIT}}"


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
