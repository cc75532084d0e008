"""Why a cell has no value. Source fields: `value`, `comment`, then the outcome's kind. A missing median is not always "not
reached"."""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import CellState, ValueKind

_SAID = re.compile(
    r"""
    \b(?:median|survival|time|duration|progression|quartile|limit|it|value)\b.{0,60}\b(?:not
    |never)[ ](?:yet[ ])?(?:been[ ])?(?:yet[ ])?(?:reach|attain|achiev|met\b)
    |\bnot[ ]reached\b|\bunreached\b|\bnever[ ]reached\b
    """,
    re.X,
)
_TOO_FEW_EVENTS = re.compile(
    r"""
    (?:less|fewer)[ ]than[ ](?:\d\d[ ]?%|half)|<[ ]?\d\d[ ]?%|\bhigher[ ]than[ ]50|\bhalf[ ]of[ ]the[ ]participants\b.*\bnot\b
    |\b(?:too[ ]few|insufficient|not[ ]enough|small|low|few|limited|lack[ ]of|lesser)[ ](?:\w+[ ]){0,8}(?:events?|deaths?
    |died|progress\w*|relapses?|observations?|recovered)\b
    |\b(?:too[ ]few|insufficient|not[ ]enough|low|few|small)[ ](?:number[ ]of[ ])?(?:patients|participants
    |subjects)\b.{0,25}\b(?:event|experienced|progress|relaps|died)
    |\binsufficient[ ]follow|\bshort[ ]follow|\binsufficient[ ]data[ ]has[ ]been
    |\bno[ ](?:\w+[ ]){0,3}(?:events?|deaths?)\b|\bno[ ](?:participants?|patients?|subjects?)[ ](?:\w+[ ]){0,3}(?:died
    |progressed|relapsed|experienced)|\bno[ ]patient[ ]died\b
    |\bcensor|\bstill[ ](?:alive|responding|in[ ]remission)|\ball[ ](?:participants|patients
    |subjects)[ ]were[ ](?:still[ ])?(?:alive|in[ ]remission)|\bconfirmed[ ]alive
    |\bmaintained[ ]in[ ]most\b|\bonly[ ](?:one|1|two|2)[ ](?:patient|participant|subject)s?[ ](?:progressed|died|relapsed)
    |\bnot[ ]attainable\b
    |\bthere[ ]were[ ]\d+%[ ]of[ ]the[ ](?:subjects|participants)
    """,
    re.X,
)
_NO_DATA = re.compile(
    r"\bnot (?:been )?(?:collected|analy[sz]ed|measured)\b(?! since)|\bno (?:participants?|patients?|subjects?) (?:were"
    r"|was) (?:evaluable|analy)|\bnot evaluated"
)
_REPORTED_AS_NOTHING = frozenset({"", "-", "--", "nr", "nd", "not reported", "not available"})


@lru_cache(maxsize=4096)
def missing_state(text: str, comment: str, kind: ValueKind, unit: str) -> CellState:
    """The state of a cell whose value is no number.

    *not reached*: a comment says that a time or its median was not reached, or that too few had the event of a time to event;
    or a time to event has no comment at all. *not reported*: `NR`, `-`, empty. *not estimable*: every other `NA`.
    """
    plain, said = text.strip().lower(), comment.lower()
    is_time = kind == "time to event" or (kind != "share" and unit.lower() in ("", "days", "weeks", "months", "years"))
    if is_time:
        if plain in ("nr", "not reached") or _SAID.search(said):
            return "not reached"
        if kind == "time to event" and not said and plain not in _REPORTED_AS_NOTHING:
            return "not reached"
        if _TOO_FEW_EVENTS.search(said) and not _NO_DATA.search(said):
            return "not reached"
    return "not reported" if plain in _REPORTED_AS_NOTHING else "not estimable"
