"""`phase 3`, `open label`, `start 2024`, `background metformin`, `industry`: the circumstances of a trial, as typed."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.state import Context
from deepimagine_tui.reasoning.words import plain

_PHASE = re.compile(r"^(?:phase\s*)?((?:early\s*)?[1-4]|i{1,3}|iv)(?:\s*/\s*([1-4]|i{1,3}|iv))?$", re.I)
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
_MASKINGS = {
    "open label": "none",
    "open": "none",
    "unmasked": "none",
    "unblinded": "none",
    "single": "single",
    "double": "double",
    "triple": "triple",
    "quadruple": "quadruple",
}
_MASKED = re.compile(r"[\s-]*(?:blind(?:ed)?|masked|masking)$", re.I)
_START = re.compile(r"^(?:start(?:s|ed|ing)?|from|year)?\s*(?:in\s+)?((?:19|20)\d{2})$", re.I)
_BACKGROUND = re.compile(r"^(?:(?:on\s+)?background(?: therapy)?|add(?:ed)?[ -]on to|on top of)\s*:?\s*(.+)$", re.I)
_SPONSORS = {
    "industry": "industry",
    "industry sponsor": "industry",
    "company": "industry",
    "nih": "nih",
    "academic": "other",
    "university": "other",
    "other": "other",
    "network": "network",
    "government": "other government",
    "fed": "fed",
}

EXAMPLES = "phase 3, open label, start 2024, background metformin, industry"


def parse_context(text: str, present: Context) -> tuple[Context, str]:
    """`present` with what `text` says.

    Raises:
        UsageError: a part of the text is none of phase, masking, start year, background or sponsor class.
    """
    context = present
    for item in (part.strip() for part in re.split(r"[,;]", text) if part.strip()):
        context = _with(item, context)
    if not text.strip(" ,;"):
        raise UsageError("No context was given.", f"Write e.g. {EXAMPLES}.")
    return context, ""


def _with(item: str, context: Context) -> Context:
    phase = _PHASE.match(item)
    if phase:
        return replace(context, phases=tuple(_phase(part) for part in phase.groups() if part))
    masking = _MASKINGS.get(_MASKED.sub("", plain(item).replace("-", " ")).strip())
    if masking:
        return replace(context, masking=masking)
    start = _START.match(item)
    if start:
        return replace(context, start_year=int(start[1]))
    background = _BACKGROUND.match(item)
    if background:
        return replace(context, background=background[1].strip())
    sponsor = _SPONSORS.get(plain(item).removeprefix("sponsor").strip())
    if sponsor:
        return replace(context, sponsor_class=sponsor)
    raise UsageError(f"{item!r} is no context that is understood.", f"Write e.g. {EXAMPLES}.")


def _phase(text: str) -> str:
    word = " ".join(text.lower().replace("early", "early ").split())
    return _ROMAN.get(word, word)
