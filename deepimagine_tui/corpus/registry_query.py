"""What the registry can be asked for, in the words of its interface (version 2)."""

from __future__ import annotations

import re

import msgspec

from deepimagine_tui.errors import UsageError

PAGE_SIZE = 100

_QUOTED = re.compile(r'["\\\[\]()]')
_PHASES = {"early 1": "EARLY_PHASE1", "1": "PHASE1", "2": "PHASE2", "3": "PHASE3", "4": "PHASE4"}


class FetchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which studies to fetch; all that is set must hold. `phase` and `status` as in `Trial`. `ids` are fetched one by one."""

    condition: str = ""
    intervention: str = ""
    words: str = ""
    phase: str = ""
    status: str = ""
    has_results: bool = False
    ids: tuple[str, ...] = ()


def parameters(query: FetchQuery, since: str) -> dict[str, str]:
    """The parameters of the listing's first page. `since` (ISO date) restricts it to studies updated on that day or later.

    Raises:
        UsageError: a phase is none of the registry's.
    """
    found = {"format": "json", "pageSize": str(PAGE_SIZE), "countTotal": "true"}
    for name, text in (("query.cond", query.condition), ("query.intr", query.intervention), ("query.term", query.words)):
        if text.strip():
            found[name] = plain(text)
    if query.status:
        found["filter.overallStatus"] = query.status.strip().upper().replace(" ", "_")
    advanced = []
    if query.phase:
        if query.phase not in _PHASES:
            raise UsageError(f"{query.phase!r} is no phase.", f"Phases are {', '.join(_PHASES)}.")
        advanced.append(f"AREA[Phase]{_PHASES[query.phase]}")
    if query.has_results:
        advanced.append("AREA[ResultsFirstPostDate]RANGE[MIN,MAX]")
    if since:
        advanced.append(f"AREA[LastUpdatePostDate]RANGE[{since},MAX]")
    if advanced:
        found["filter.advanced"] = " AND ".join(advanced)
    return found


def plain(text: str) -> str:
    """`text` as words of a search expression: nothing in it is an operator."""
    return " ".join(word.lower() if word in ("AND", "OR", "NOT") else word for word in _QUOTED.sub(" ", text).split())
