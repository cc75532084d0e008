"""Ages and numeric eligibility thresholds. Source fields: `minimumAge`, `maximumAge`, then the criteria's text."""

from __future__ import annotations

import html
import re
from functools import lru_cache

from deepimagine_tui.trials.model import Threshold

_AGE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(year|month|week|day|hour|minute)s?\s*$")
_YEARS = {"year": 1.0, "month": 1 / 12, "week": 7 / 365.25, "day": 1 / 365.25, "hour": 1 / 8766, "minute": 1 / 525960}

_MEASURES: tuple[tuple[str, str, str, float, float], ...] = (
    ("HbA1c", r"(?:hba1c|a1c|hemoglobin a1c|glycosylated h(?:a)?emoglobin)", "%", 4, 20),
    ("BMI", r"(?:bmi|body mass index)(?: \(bmi\))?", "kg/m2", 10, 80),
    ("ECOG", r"(?:ecog|zubrod|who performance status|ecog performance status)", "score", 0, 5),
    ("Karnofsky", r"(?:karnofsky|kps)", "%", 10, 100),
    ("LDL-C", r"(?:ldl(?:-c| cholesterol)?)", "mg/dL", 30, 400),
    ("systolic blood pressure", r"(?:systolic blood pressure|sbp)", "mmHg", 70, 250),
    ("ejection fraction", r"(?:ejection fraction|lvef)", "%", 10, 80),
    ("FEV1", r"(?:fev ?1)", "% predicted", 10, 100),
    ("eGFR", r"(?:egfr|glomerular filtration rate|creatinine clearance|crcl)", "mL/min", 5, 150),
    ("platelets", r"(?:platelets?(?: count)?)", "/mm3", 1000, 1000000),
    ("hemoglobin", r"(?<!glycosylated )(?<!glycated )(?:h(?:a)?emoglobin|hgb)(?! a1c)", "g/dL", 4, 20),
    ("MMSE", r"(?:mmse|mini[- ]mental (?:state|status) exam\w*)", "score", 0, 30),
)
_NUM = r"(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"
_LEAST = (
    r"(?:≥|>=|=>|> ?or ?= ?|>|at least|greater than(?: or equal to)?|above|no less than|not less than|minimum(?: of)?|over"
    r"|more than)"
)
_MOST = (
    r"(?:≤|<=|=<|< ?or ?= ?|<|at most|less than(?: or equal to)?|below|no more than|not more than|maximum(?: of)?|under|up to)"
)
_GAP = r"[^\d.;\n<>≤≥=]{0,40}?"
_RANGE = re.compile(rf"{_GAP}(?:between |from |of |[:=(] ?)*{_NUM}\s*%?\s*(?:-|–|to|and)\s*{_NUM}")
_LOWER = re.compile(rf"{_GAP}{_LEAST}\s*{_NUM}")
_UPPER = re.compile(rf"{_GAP}{_MOST}\s*{_NUM}")
_BOTH = re.compile(rf"{_GAP}{_LEAST}\s*{_NUM}\s*%?\s*(?:,|and|but|to)?\s*{_MOST}\s*{_NUM}")
_FINDERS = tuple((name, re.compile(r"\b" + pattern), unit, low, high) for name, pattern, unit, low, high in _MEASURES)
_LITERALS = {
    "HbA1c": ("a1c",),
    "BMI": ("bmi", "body mass"),
    "ECOG": ("ecog", "zubrod", "who perf"),
    "Karnofsky": ("karnof", "kps"),
    "LDL-C": ("ldl",),
    "systolic blood pressure": ("systolic", "sbp"),
    "ejection fraction": ("ejection", "lvef"),
    "FEV1": ("fev",),
    "eGFR": ("gfr", "glomerular", "clearance", "crcl"),
    "platelets": ("platelet",),
    "hemoglobin": ("moglobin", "hgb"),
    "MMSE": ("mmse", "mental"),
}
"""A measure is searched for only where one of these stands: most criteria name few of them."""

_EXCLUSION = re.compile(
    r"^\W*(?:key )?exclusion(?: criteria)?\b|(?<!inclusion/)(?<!inclusion and )(?<!inclusion & )\bexclusion criteria\b", re.M
)
_ALTERNATIVES = re.compile(r"\b(?:one|any|two) (?:or more )?of the(?:se)? following\b|\bpart \d+ only\b")
_REACH = 600
"""How far, in characters, the items below `at least one of the following` are taken to go."""


@lru_cache(maxsize=512)
def age_years(text: str) -> float | None:
    """An age like `18 Years` or `6 Months` in years, rounded to 4 decimals; `None` when it states none (`N/A`)."""
    found = _AGE.match(text.lower())
    return round(float(found[1]) * _YEARS[found[2]], 4) if found else None


def thresholds(criteria: str) -> tuple[Threshold, ...]:
    """The numeric bounds of the inclusion criteria for a closed list of measures, at most one each, in the order of that list.

    Bounds outside a measure's plausible range are not taken, nor anything from the exclusion criteria, nor one of several
    alternatives of which a participant needs to fulfil another.
    """
    text = html.unescape(criteria).lower()
    exclusion = _EXCLUSION.search(text)
    text = text[: exclusion.start()] if exclusion else text
    found: list[Threshold] = []
    for name, pattern, unit, low, high in _FINDERS:
        if not any(literal in text for literal in _LITERALS[name]):
            continue
        for mention in pattern.finditer(text):
            if _ALTERNATIVES.search(text, max(mention.start() - _REACH, 0), mention.start()):
                continue
            bounds = _bounds(text[mention.end() : mention.end() + 90])
            if bounds is not None and all(low <= value <= high for value in bounds if value is not None):
                found.append(Threshold(name, bounds[0], bounds[1], unit))
                break
    return tuple(found)


def _bounds(rest: str) -> tuple[float | None, float | None] | None:
    for pattern in (_BOTH, _RANGE):
        pair = pattern.match(rest)
        if pair:
            lower, upper = _value(pair[1]), _value(pair[2])
            return (lower, upper) if lower <= upper else None
    least, most = _LOWER.match(rest), _UPPER.match(rest)
    if least and (not most or least.end() <= most.end()):
        return _value(least[1]), None
    return (None, _value(most[1])) if most else None


def _value(text: str) -> float:
    return float(text.replace(",", ""))
