"""Which way round a two-group contrast was posted.

Source fields: the posted arm values, then the comments; never the order of the groups, because both orders are about equally
common.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from deepimagine_tui.trials.concepts.numbers import decimals
from deepimagine_tui.trials.results import ContrastKind, Orientation, ValueKind

TOLERANCE = 0.25
"""How far, relative to the difference of the arm values, an adjusted estimate may lie from it."""

CLEAR_LOG_RATIO = 0.05
"""From this log ratio on, the side of the null on which arm values and estimate lie is taken as it is."""

FAINT_LOG_RATIO = 0.02
"""Down to this log ratio it is, where both are of about one size; below, nothing is said."""

_FREE = re.compile(r"\bsurviv|[- ]free\b|\bfree of\b|\bwithout\b|\bremain")
_HAZARD = re.compile(r"\bhazards?\b|\bhr\b")
_MINUS = re.compile(r"\bminus\b|\s[-–−]\s")
_OVER = re.compile(
    r"/|\bdivided by\b|\bover\b|\brelative to\b|\bversus\b|\bvs\b|\bcompared (?:to|with)\b|\bin comparison (?:to|with)\b"
)
_STOP = re.compile(r"[.;,()\n:=]")
_REACH = 60
_WORD = re.compile(r"[a-z0-9.]+")
# fmt: off
_NOISE = frozenset({
    "arm", "group", "the", "of", "and", "with", "a", "an", "in", "for", "to", "treatment", "difference", "ratio",
    "hazard", "odds", "mean", "risk", "mg", "is", "was", "minus", "versus", "estimate", "between",
})
# fmt: on


def from_values(
    kind: ContrastKind, estimate: float, null: float | None, pairs: Sequence[tuple[float, float]], inverse: bool
) -> Orientation:
    """The orientation that the arm values show; `unknown` when they show none or contradict one another.

    `pairs` are the posted values (a, b) of every class that the contrast may be about. A difference must lie within
    `TOLERANCE` of
    one of the two differences; a ratio must lie clearly on one side of its null, as the arm values do; on the other side
    where it is `inverse` to them.
    """
    votes: set[Orientation] = set()
    for a, b in pairs:
        vote: Orientation = "unknown"
        if kind == "difference":
            vote = _difference(estimate, a, b)
        elif kind == "ratio" and null:
            vote = _ratio(estimate / null, a, b, inverse)
        if vote != "unknown":
            votes.add(vote)
    return votes.pop() if len(votes) == 1 else "unknown"


def is_inverse(scale: str, values: ValueKind, title: str) -> bool:
    """Whether a larger estimate means smaller values: the hazard ratio of a time, or of being free of an event."""
    return bool(_HAZARD.search(scale)) and (values == "time to event" or bool(_FREE.search(title.lower())))


def _difference(estimate: float, a: float, b: float) -> Orientation:
    gap = a - b
    if estimate == 0 or gap == 0:
        return "unknown"
    rounding = 1.5 * 10.0 ** -min(decimals(estimate), max(decimals(a), decimals(b)))
    margin = max(TOLERANCE * abs(gap), min(rounding, abs(gap) / 2))
    if abs(estimate - gap) <= margin:
        return "a-b"
    return "b-a" if abs(estimate + gap) <= margin else "unknown"


def _ratio(estimate: float, a: float, b: float, inverse: bool) -> Orientation:
    if estimate <= 0 or a <= 0 or b <= 0:
        return "unknown"
    posted, seen = math.log(estimate), math.log(a / b)
    smaller = min(abs(posted), abs(seen))
    if smaller < CLEAR_LOG_RATIO and (smaller < FAINT_LOG_RATIO or abs(abs(posted) - abs(seen)) > smaller):
        return "unknown"
    same_side = (posted > 0) == (seen > 0)
    return "a/b" if same_side is not inverse else "b/a"


@lru_cache(maxsize=4096)
def from_comments(kind: ContrastKind, a_title: str, b_title: str, *comments: str) -> Orientation:
    """The orientation that a comment states (`Drug minus placebo`, `A / B`, `A versus B` for a ratio); `unknown` when none
    does."""
    pattern: re.Pattern[str]
    first: Literal["a-b", "a/b"]
    second: Literal["b-a", "b/a"]
    if kind == "difference":
        pattern, first, second = _MINUS, "a-b", "b-a"
    elif kind == "ratio":
        pattern, first, second = _OVER, "a/b", "b/a"
    else:
        return "unknown"
    a_words, b_words = _words(a_title), _words(b_title)
    only_a, only_b = a_words - b_words, b_words - a_words
    votes: set[Orientation] = set()
    for comment in map(str.lower, comments):
        for found in pattern.finditer(comment):
            left, right = _beside(comment, found.start(), found.end())
            if left & only_a and right & only_b and not left & only_b and not right & only_a:
                votes.add(first)
            elif left & only_b and right & only_a and not left & only_a and not right & only_b:
                votes.add(second)
    return votes.pop() if len(votes) == 1 else "unknown"


def _beside(comment: str, start: int, end: int) -> tuple[frozenset[str], frozenset[str]]:
    """The words before and after a separator, within its clause."""
    before, after = comment[max(0, start - _REACH) : start], comment[end : end + _REACH]
    return _words(_STOP.split(before)[-1]), _words(_STOP.split(after)[0])


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.lower()) if word not in _NOISE)
