"""The form of a number in an answer: one space, an optional sign, digits, at most one decimal point."""

from __future__ import annotations

import re

MAX_CHARS = 12
"""Characters of a number, without the space before it."""

_BEGUN = re.compile(r" ?(?:(?<= )[-+]?(?:\d+(?:\.\d*)?)?)?")
_COMPLETE = re.compile(r" [-+]?\d+(?:\.\d+)?")


def complete(text: str) -> bool:
    """Whether `text` is a whole number already (more digits may follow)."""
    return _COMPLETE.fullmatch(text) is not None


def continues(text: str, piece: str) -> bool:
    """Whether `piece` may follow `text` so that a number of allowed length can still be reached."""
    longer = text + piece
    if not piece or not _BEGUN.fullmatch(longer):
        return False
    length = len(longer) - 1
    return length < MAX_CHARS or (length == MAX_CHARS and complete(longer))


def full(text: str) -> bool:
    """Whether nothing more fits."""
    return len(text) - 1 >= MAX_CHARS
