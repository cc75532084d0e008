"""When something was measured, in weeks after start. Source fields: class titles, then the outcome's title and time frame."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from deepimagine_tui.trials.results import TimePoint

_WEEKS = {
    "minute": 1 / 10080,
    "hour": 1 / 168,
    "day": 1 / 7,
    "week": 1.0,
    "month": 365.25 / 84,
    "year": 365.25 / 7,
    "wk": 1.0,
    "yr": 365.25 / 7,
}
_WORDS = {
    word: number
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
} | {"eighteen": 18, "twenty-four": 24, "thirty": 30}
_UNIT = r"(minute|hour|day|week|month|year|wk|yr)s?"
_NUMBER = r"(\d+(?:\.\d+)?|" + "|".join(_WORDS) + r")"
_AFTER = re.compile(rf"\b{_NUMBER}(?:st|nd|rd|th)?[\s-]*{_UNIT}\b")
_BEFORE = re.compile(rf"\b{_UNIT}[\s-]*#?\s*(\d+(?:\.\d+)?)\b(?!\s*(?:-|to|through|and)\s*\d+(?!\s*{_UNIT}))")
_SHORT = re.compile(r"\b([DWMY])\s?(\d{1,3})\b")
_SHORT_UNIT = {"D": "day", "W": "week", "M": "month", "Y": "year"}
_LIST = re.compile(
    rf"\b{_UNIT}[\s-]*\d+(?:\.\d+)?(?:\s*(?:,|and|or|&|to|through|-|–|/)+\s*)+\d+(?:\.\d+)?\b(?!\s*{_UNIT})"
    rf"|\b\d+(?:\.\d+)?(?:\s*(?:,|and|or|&|to|through|-|–|/)+\s*)+\d+(?:\.\d+)?[\s-]*{_UNIT}\b",
)
_DIGIT = re.compile(r"\d")
_START = re.compile(
    r"\b(?:baseline|pre-?dose|pre-?treatment|screening|randomi[sz]ation|enrol?lment|day (?:0|1)|week 0|pre-?vaccination)\b",
)
_EVERY = re.compile(rf"\b(?:every|each|per)\s+(?:{_NUMBER}[\s-]*)?{_UNIT}")
_CYCLE = re.compile(r"\bcycles?\b")


@lru_cache(maxsize=16384)
def weeks(text: str) -> float | None:
    """Weeks after start that `text` names, rounded to 4 decimals; `None` when it names none or several.

    The start itself (`Baseline`) counts as 0 only when nothing else is named: `Baseline, Week 12` is 12. `up to 24 weeks` is
    24.
    Cycles have no length here, so a time within a cycle is unknown.
    """
    written, text = text, text.lower()
    if not _DIGIT.search(text) and _WORDS.keys().isdisjoint(text.replace("-", " ").split()):
        return 0.0 if _START.search(text) and not _CYCLE.search(text) else None
    if _CYCLE.search(text):
        return None
    rest = _EVERY.sub(" ", text)
    if _LIST.search(rest):
        return None
    found = {_as_weeks(number, unit) for number, unit in _AFTER.findall(rest)}
    rest = _AFTER.sub(" ", rest)
    found |= {_as_weeks(match[1], match[0]) for match in _BEFORE.findall(rest)}
    if not found:
        found = {_as_weeks(number, _SHORT_UNIT[unit]) for unit, number in _SHORT.findall(written)}
    later = {value for value in found if value > 1 / 7 + 1e-9}
    candidates = later if later and (later != found or _START.search(text)) else found
    if len(candidates) == 1:
        return candidates.pop()
    if not candidates and _START.search(text):
        return 0.0
    return None


def _as_weeks(number: str, unit: str) -> float:
    return round(float(_WORDS.get(number, 0) or number) * _WEEKS[unit], 4)


@lru_cache(maxsize=16384)
def time_point(text: str) -> TimePoint | None:
    """The time that `text` names, with its weeks where they can be read; `None` when the text is empty."""
    return TimePoint(text, weeks(text)) if text else None


def point_text(weeks: float) -> str:
    """A time in weeks after the start in its most natural unit: `week 30`, `day 5`, `hour 6`, `month 18`, `year 5`; 0 is
    `baseline`."""
    if not weeks:
        return "baseline"
    units = (
        ("year", weeks / _WEEKS["year"], 3, math.inf),
        ("week", weeks, 1, math.inf),
        ("month", weeks / _WEEKS["year"] * 12, 1, math.inf),
        ("day", weeks * 7, 1, 120),
        ("hour", weeks * 168, 1, 168),
        ("minute", weeks * 10080, 1, 90),
    )
    for name, count, least, most in units:
        if least <= round(count) <= most and abs(count - round(count)) < 0.02:
            return f"{name} {round(count)}"
    return f"week {weeks:.1f}" if weeks >= 1 else f"hour {weeks * 168:.2g}"
