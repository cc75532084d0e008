"""Class titles that name times. Source field: the class title, without its notes on numbers of participants."""

from __future__ import annotations

import re
from functools import lru_cache

_COUNTS = re.compile(
    r"[\[({]?\s*\bn[a-z]?\s*=\s*[\d,;:\s/&n=ab]*[\])}]?|\bn=?:? *\d[\d,; ]*$|\(\s*\d+\s*(?:participants|patients"
    r"|subjects)?\s*\)"
)
_TIME = re.compile(
    r"""
    \b(?:
        (?:\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|eighteen)(?:st|nd|rd|th)?[\s-]*
            (?:months?|mos?|weeks?|wks?|days?|hours?|hrs?|hr|h|minutes?|mins?|years?|yrs?|seconds?)
        |(?:months?|mo|weeks?|wk|days?|hours?|hr|minutes?|years?|yr|visits?|cycles?|periods?|courses?|doses?|vaccinations?|sessions?
            |time[ ]?points?)
            [\s-]*\#?\d+(?:\.\d+)?(?:\s*(?:-|to|through|and|,|&)\s*\d+)*
        |[dwmycvpt]\d{1,4}(?:d\d{1,3})?
        |(?:first|second|third|fourth|fifth|last|final|initial)[ ](?:visit|assessment|dose|cycle|period|reading|injection
        |vaccination|day|week|month|year)
        |(?:mid-?|end[ ]of[ ](?:the[ ])?|pre-?|post-?|during[ ]|after[ ]|before[ ]|prior[ ]to[ ]|on[ ]|off[ ])
            (?:study[ ])?(?:treatment|therapy|vaccination|vaccine|dos(?:e|ing)|surgery|study|infusion|injection|transplant
            |intervention|randomi[sz]ation
            |baseline|operative|operatively|test|exercise|boost\w*|challenge|discharge|application|immuni[sz]ation|chemotherapy
            |radiation|hct|exposure|procedure|meal)
        |baseline|screening|predose|postdose|randomi[sz]ation|enrol?lment|entry|follow-?up|discharge|admission|end[ ]?point
        |immediately|eot|eos|locf|last[ ]observation
        |termination|discontinuation|study[ ]end|end[ ]of[ ]trial
    )\b
    |^(?:pre|post|early|late|intake|exit)(?![\w-])
    """,
    re.X,
)
_FILLER = re.compile(
    r"""
    \b(?:at|the|after|from|to|of|in|on|and|before|since|start|by|through|up|until|between|during|prior|for|with|or|an?|first|second|third|fourth|fifth
    |last|n|value|values|measure|measurement|visit|assessment|time|point|only|end|initial|final|later|primary|outcome|minus|change|mean|post|pre
    |study|treatment|therapy|drug|dose|dosing|vaccination|vaccine|surgery|infusion|injection|administration|follow|period|phase|early|late|mid
    |participants|patients|subjects|day|days|week|weeks|month|months|year|years|hour|hours|minutes|window|available|observation|approximately|about
    |transplant|transplantation|hct|booster|boost|prime|immuni[sz]ation|application|procedure|operation|double|blind|open|label|ol|db|extension
    |\d+(?:st|nd|rd|th)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|am|pm|h|hr)\b
    """,
    re.X,
)
_RATE = re.compile(r"(?:/|\bper |\ba |\beach )\s?(?:day|week|month|year|hour)s?\b")
_LEFT = re.compile(r"[^a-z<>=%+]+")


@lru_cache(maxsize=16384)
def without_time(title: str) -> str | None:
    """What a class title names beside a time, in lower case; empty when it names nothing else, `None` when it names no time.

    `Week 4 (n=40)` leaves nothing, `FEV1 at Week 4` leaves `fev`, `30 MIU/day` names no time.
    """
    text = _RATE.sub(" ", _COUNTS.sub(" ", title.lower()))
    rest, found = _TIME.subn(" ", text)
    if not found:
        return None
    return " ".join(_LEFT.sub(" ", _FILLER.sub(" ", rest)).split())


def differ_in_time(titles: tuple[str, ...]) -> bool:
    """Whether the titles are the same but for the time that each names: `PFS at month 3` and `PFS at month 6` are."""
    rests = {without_time(title) for title in titles}
    return None not in rests and len(rests - {""}) <= 1
