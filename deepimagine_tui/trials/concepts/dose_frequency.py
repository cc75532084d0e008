"""How often and by which route, from the words beside a dose."""

from __future__ import annotations

import re
from functools import lru_cache

_N = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "other": 2.0}
_FREQUENCY = re.compile(
    r"""
    \b(?P<twice_daily>b\.?i\.?d\b\.?|twice[- ](?:(?:a|per|each)[ ])?(?:daily|day)|(?:two|2)[ ]?(?:times|x)[ ]?(?:/|a[ ]
    |per[ ])?(?:daily|day)
        |(?:every|q\.?)[ ]?(?:12|twelve)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<thrice_daily>t\.?i\.?d\b\.?|thrice[ ]daily|(?:three|3)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?(?:daily|day)
        |(?:every|q\.?)[ ]?(?:8|eight)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<four_daily>q\.?i\.?d\b\.?|(?:four|4)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?(?:daily|day)|(?:every|q\.?)[ ]?(?:6
    |six)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<six_daily>(?:every|q\.?)[ ]?(?:4|four)[ ]?(?:hours|hrs|h)\b)
    |\b(?P<alternate>every[ ]other[ ]day|q\.?o\.?d\b\.?|on[ ]alternate[ ]days|every[ ](?:second|2)[ ]days?)
    |\b(?P<twice_weekly>twice[ ](?:(?:a|per|each)[ ])?week(?:ly)?|(?:two|2)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?week(?:ly)?
    |biw\b)
    |\b(?P<thrice_weekly>thrice[ ]weekly|(?:three|3)[ ]?(?:times|x)[ ]?(?:/|a[ ]|per[ ])?week(?:ly)?|tiw\b)
    |\b(?P<every_weeks>(?:every|q)[ ]?(\d{1,2}|two|three|four|five|six|other)?[ ]?-?(w(?:ee)?ks?|w|months?|m)\b)
    |\b(?P<every_days>(?:every|q)[ ]?(\d{1,2})[ ]?-?(?:days?|d)\b)
    |(?P<weekly>\bonce[- ](?:(?:a|per|every)[ ])?week(?:ly)?|\bweekly|\bq\.?w\b\.?|/[ ]?week|\bper[ ]week|\ba[ ]week)
    |\b(?P<monthly>once[- ](?:(?:a|per)[ ])?month(?:ly)?|monthly)
    |\b(?P<daily>once[- ](?:(?:a|per)[ ])?(?:daily|day)|q\.?[ ]?d\b\.?|o\.?d\b\.?|q\.?[ ]?24[ ]?h|every[ ](?:24[ ]hours|day
    |morning|evening|night)
        |nightly|each[ ](?:day|morning|evening)|daily|at[ ]bedtime|qhs\b|q[ap]m\b)
    """,
    re.X,
)
_TIMES_PER_DAY = {
    "twice_daily": 2.0,
    "thrice_daily": 3.0,
    "four_daily": 4.0,
    "six_daily": 6.0,
    "alternate": 0.5,
    "twice_weekly": 2 / 7,
    "thrice_weekly": 3 / 7,
    "weekly": 1 / 7,
    "monthly": 1 / 30.4375,
    "daily": 1.0,
}
_PERIOD = re.compile(r"(\d{1,2}|two|three|four|five|six|other)?[ ]?-?(weeks?|wks?|w|months?|m|days?|d)$")
_PERIOD_DAYS = {"w": 7.0, "m": 30.4375, "d": 1.0}
_ROUTE = re.compile(
    r"""
    \b(?:(?P<oral>oral(?:ly)?\b|p\.?o\b|by[ ]mouth|tablets?\b|capsules?\b|pills?\b|per[ ]os\b)
    |(?P<intravenous>i\.?v\b|intravenous(?:ly)?\b|infusions?\b|infused\b)
    |(?P<subcutaneous>s\.?c\b|s/c\b|subq\b|sub-?cutaneous(?:ly)?\b)
    |(?P<intramuscular>i\.?m\b|intramuscular(?:ly)?\b)
    |(?P<inhaled>inhal\w*|nebuli[sz]\w*|[dm]pi\b|mdi\b)
    |(?P<intranasal>(?:intra)?nasal(?:ly)?\b)
    |(?P<topical>topical(?:ly)?\b|cream\b|gel\b|ointment\b|lotion\b|patch\b|transdermal\b)
    |(?P<intravitreal>intravitreal(?:ly)?\b)
    |(?P<rectal>rectal(?:ly)?\b)
    |(?P<vaginal>(?:intra)?vaginal(?:ly)?\b))
    """,
    re.X,
)


def times_per_day(text: str) -> float | None:
    """How often a day `text` says first, rounded to 6 decimals (`every 3 weeks` is 1/21); `None` when it does not say."""
    return frequency(text.lower())[0]


@lru_cache(maxsize=4096)
def frequency(text: str) -> tuple[float | None, int]:
    """The first frequency in lower-case text, in times a day, and where it ends; `(None, 0)` when there is none."""
    found = _FREQUENCY.search(text)
    return (_as_times(found), found.end()) if found else (None, 0)


def _as_times(found: re.Match[str]) -> float | None:
    if not found.lastgroup:
        return None
    known = _TIMES_PER_DAY.get(found.lastgroup)
    if known is not None:
        return round(known, 6)
    period = _PERIOD.search(found[0])
    if not period:
        return None
    number = period[1] or "1"
    count = float(number) if number.isdigit() else _N[number]
    return round(1 / (count * _PERIOD_DAYS[period[2][0]]), 6) if count else None


@lru_cache(maxsize=4096)
def route(text: str) -> str | None:
    """The route of administration that `text` names; `None` when it names none or several."""
    found = {match.lastgroup for match in _ROUTE.finditer(text.lower())}
    return found.pop() if len(found) == 1 else None
