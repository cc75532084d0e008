"""Numbers as registries write them: all are text, with thousands commas, decimal commas, and words for "none".

Source fields: every `value`, `spread`, limit, count and analysis parameter. Order: plain number, thousands commas, decimal
comma.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

_THOUSANDS = re.compile(r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?$")
_DECIMAL_COMMA = re.compile(r"^[-+]?\d+,\d+$")
_PLAIN = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?$")
_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\u00b7": "."})
_TRIM = " \t\r\n%\u00a0"

NOT_AVAILABLE = frozenset(
    {"na", "n/a", "nr", "ne", "nd", "-", "--", "not reported", "not available", "not applicable", "not estimable"}
)


@lru_cache(maxsize=65536)
def parse_number(text: str) -> float | None:
    """The finite number that `text` is; `None` when it is none. `0,001` is a decimal comma, `26,300` thousands.

    A trailing percent sign is ignored. Words, comparisons (`<5`) and infinities are not numbers.
    """
    plain = text.strip(_TRIM)
    if not _PLAIN.match(plain):
        plain = plain.translate(_DASHES).replace("\u00a0", "").strip(_TRIM)
        if _THOUSANDS.match(plain):
            plain = plain.replace(",", "")
        elif _DECIMAL_COMMA.match(plain):
            plain = plain.replace(",", ".")
        if not _PLAIN.match(plain):
            return None
    value = float(plain)
    return value if math.isfinite(value) else None


@lru_cache(maxsize=16384)
def parse_count(text: str) -> int | None:
    """The whole number of at least 0 that `text` is; `None` when it is none."""
    value = parse_number(text)
    if value is None or value < 0 or value != int(value):
        return None
    return int(value)


def decimals(value: float) -> int:
    """How many decimals the shortest writing of `value` has (at most 12)."""
    for places in range(13):
        if round(value, places) == value:
            return places
    return 12


def is_not_available(text: str) -> bool:
    """Whether `text` is one of the registry's ways to say that there is no value."""
    return text.strip().lower().rstrip(".") in NOT_AVAILABLE
