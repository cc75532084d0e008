"""`age 18-65`, `female`, `HbA1c 7-10 %`: who is studied, as typed. What is not understood is kept as free text, labelled so."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.state import Population
from deepimagine_tui.reasoning.words import plain
from deepimagine_tui.trials.concepts.ages import age_years, thresholds
from deepimagine_tui.trials.model import Eligibility, Threshold

_NUMBER = r"(\d{1,3}(?:\.\d+)?)"
_AGE_RANGE = re.compile(rf"^(?:ages?|aged)?\s*:?\s*{_NUMBER}\s*(?:-|–|to)\s*{_NUMBER}\s*(?:years?(?: old)?)?$", re.I)
_AGE_LEAST = re.compile(
    rf"^(?:ages?|aged)\s*(?:>=|≥|>|at least|from|over)\s*{_NUMBER}\s*(?:years?)?$"
    rf"|^(?:ages?|aged)\s*{_NUMBER}\s*\+$",
    re.I,
)
_AGE_MOST = re.compile(rf"^(?:ages?|aged)\s*(?:<=|≤|<|at most|up to|under)\s*{_NUMBER}\s*(?:years?)?$", re.I)
_GROUPS = {
    "adults": (18.0, None),
    "adult": (18.0, None),
    "children": (0.0, 17.0),
    "paediatric": (0.0, 17.0),
    "pediatric": (0.0, 17.0),
    "adolescents": (12.0, 17.0),
    "elderly": (65.0, None),
    "older adults": (65.0, None),
}
_SEXES = {
    "female": "female",
    "females": "female",
    "women": "female",
    "women only": "female",
    "male": "male",
    "males": "male",
    "men": "male",
    "men only": "male",
    "both sexes": "all",
    "all sexes": "all",
    "any sex": "all",
}
_THRESHOLD = re.compile(
    r"^(?P<measure>[A-Za-z][\w\s/-]*?(?<!\d)\d?[A-Za-z]?)\s+(?:(?P<low>\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(?P<high>\d+(?:\.\d+)?)"
    r"|(?:>=|≥|>|at least)\s*(?P<least>\d+(?:\.\d+)?)|(?:<=|≤|<|at most)\s*(?P<most>\d+(?:\.\d+)?))"
    r"\s*(?P<unit>[%A-Za-z/][\w/%^]*)?$"
)


def parse_population(text: str, present: Population) -> tuple[Population, str]:
    """`present` with what `text` says about age, sex and thresholds; the rest becomes its free text. Baseline means are of the
    people studied before, so they do not carry over.

    Raises:
        UsageError: the text is empty.
    """
    eligibility = present.eligibility
    unread: list[str] = []
    for item in (part.strip() for part in re.split(r"[,;]|\band\b", text)):
        if not item:
            continue
        read = (
            _with_age(item, eligibility)
            or _with_sex(item, eligibility)
            or _with_both(item, eligibility)
            or _with_threshold(item, eligibility)
        )
        if read is None:
            unread.append(item)
        else:
            eligibility = read
    if eligibility is present.eligibility and not unread:
        raise UsageError("No population was given.", "Write e.g. age 18-65, female, HbA1c 7-10 %.")
    reading = f'not parsed, passed on as typed: "{", ".join(unread)}"' if unread else ""
    return replace(present, eligibility=eligibility, baseline=(), free_text=", ".join(unread) or present.free_text), reading


def _with_age(item: str, eligibility: Eligibility) -> Eligibility | None:
    if plain(item) in _GROUPS:
        low, high = _GROUPS[plain(item)]
        return replace(eligibility, minimum_age=low, maximum_age=high)
    both = _AGE_RANGE.match(item)
    if both and float(both[1]) <= float(both[2]):
        return replace(eligibility, minimum_age=float(both[1]), maximum_age=float(both[2]))
    first, to, last = re.sub(r"^(?:ages?|aged)\s+", "", item, flags=re.I).partition(" to ")
    units = age_years(first), age_years(last)
    if to and units[0] is not None and units[1] is not None and units[0] <= units[1]:
        return replace(eligibility, minimum_age=units[0], maximum_age=units[1])
    least = _AGE_LEAST.match(item)
    if least:
        return replace(eligibility, minimum_age=float(least[1] or least[2]), maximum_age=None)
    most = _AGE_MOST.match(item)
    return replace(eligibility, minimum_age=None, maximum_age=float(most[1])) if most else None


def _with_sex(item: str, eligibility: Eligibility) -> Eligibility | None:
    sex = _SEXES.get(plain(item))
    if sex == "female":
        return replace(eligibility, sex="female")
    if sex == "male":
        return replace(eligibility, sex="male")
    return replace(eligibility, sex="all") if sex else None


def _with_both(item: str, eligibility: Eligibility) -> Eligibility | None:
    """`women aged 50-70`, `adults 18-80`: who, then how old."""
    lead, _, rest = item.partition(" ")
    who = _with_sex(lead, eligibility) or _with_age(lead, eligibility)
    ages = rest.strip()
    if who is None or not ages:
        return None
    return _with_age(ages, who) or _with_age(f"age {ages}", who)


def _with_threshold(item: str, eligibility: Eligibility) -> Eligibility | None:
    known = thresholds(item)
    if known:
        found = known[0]
    else:
        match = _THRESHOLD.match(item)
        if not match:
            return None
        low, high = match["low"] or match["least"], match["high"] or match["most"]
        found = Threshold(match["measure"], float(low) if low else None, float(high) if high else None, match["unit"] or "")
        if found.lower is not None and found.upper is not None and found.lower > found.upper:
            return None
    others = tuple(threshold for threshold in eligibility.thresholds if plain(threshold.measure) != plain(found.measure))
    return replace(eligibility, thresholds=(*others, found))
