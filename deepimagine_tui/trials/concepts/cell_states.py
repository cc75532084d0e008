"""Why a cell has no value. Source fields: `value`, `comment`, then the outcome's kind. A missing median is not always "not reached"."""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import CellState, ValueKind

_NOT_REACHED = re.compile(
    r"\bnot (?:yet )?(?:been )?(?:reach|attain|achiev)|\bunreached\b|\bnever reached\b|\b(?:less|fewer) than (?:50|half|75)\b|<\s?(?:50|75) ?%|\bless than half\b"
    r"|\btoo few (?:events|deaths|progress)|\b(?:insufficient|not enough|small|low|few|limited) (?:\w+ ){0,6}(?:events?|deaths|progress\w*|follow[- ]?up|relapses|participants with events?)"
    r"|\b(?:median|upper|survival)\b.{0,60}\b(?:not|never) (?:been )?(?:met|reached)|\bdue to (?:insufficient|the low|low|small) (?:number|numbers) of (?:\w+ ){0,3}(?:events|deaths)|\bnr\b"
    r"|\bhad not (?:yet )?(?:progressed|died|occurred)|\bcensored\b|\bstill (?:alive|responding|in remission)|\bdropped below 50|\bno(?:t enough)? events\b",
)


@lru_cache(maxsize=4096)
def missing_state(text: str, comment: str, kind: ValueKind) -> CellState:
    """The state of a cell whose value is no number.

    *not reached*: a time to event whose comment says so, or that has no comment to say otherwise. *not reported*: `NR`, `-`, empty.
    *not estimable*: every other `NA`.
    """
    plain = text.strip().lower()
    if comment and _NOT_REACHED.search(comment.lower()) and kind in ("time to event", "positive", "unknown"):
        return "not reached"
    if plain in ("nr", "not reached") and kind == "time to event":
        return "not reached"
    if plain in ("", "-", "--", "nr", "not reported", "nd", "not available"):
        return "not reported"
    if kind == "time to event" and not comment:
        return "not reached"
    return "not estimable"
