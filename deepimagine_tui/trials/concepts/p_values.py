"""A p-value from the registry's free text. Source fields: `pValue`, then the sides from `statisticalMethod` and the
comments."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Literal, cast

from deepimagine_tui.trials.concepts.numbers import parse_number
from deepimagine_tui.trials.results import PValue

_P = re.compile(r"^\s*(?:p(?:[- ]?value)?\s*)?(<=|>=|=<|=>|≤|≥|<|>|=)?\s*([-+.,\d]+(?:\s*(?:e|x\s*10\^?)\s*-?\d+)?)\s*$")
_OPERATORS = {"": "=", "=": "=", "<": "<", ">": ">", "<=": "<=", "=<": "<=", "≤": "<=", ">=": ">=", "=>": ">=", "≥": ">="}
_ONE_SIDED = re.compile(r"\b(?:1|one)[- ]?(?:sided|tailed)\b")
_TWO_SIDED = re.compile(r"\b(?:2|two)[- ]?(?:sided|tailed)\b")
_ALPHA = re.compile(
    r"(?:alpha|α|significance level|level of significance|significant (?:at|if)|threshold for (?:statistical )?significance)"
    r"[^.;\d]{0,45}?(?:level )?[^.;\d]{0,12}(0?\.\d+|\d(?:\.\d+)?\s*%)",
)


@lru_cache(maxsize=8192)
def parse_p(text: str, sides: Literal[1, 2] = 2) -> PValue | None:
    """A p-value like `<0.0001`, `=0.71`, `0.05`, `&lt; .001`, `0,001`; `None` when it is none or lies outside [0, 1]."""
    found = _P.match(html.unescape(text).lower())
    if not found:
        return None
    digits = re.sub(r"\s*x\s*10\^?\s*", "e", found[2]).replace(" ", "")
    value = parse_number(digits)
    if value is None or not 0 <= value <= 1:
        return None
    operator = cast("Literal['=', '<', '<=', '>', '>=']", _OPERATORS[found[1] or ""])
    return PValue(operator, value, sides)


@lru_cache(maxsize=8192)
def test_sides(*texts: str) -> Literal[1, 2]:
    """1 when a text names a one-sided test and none a two-sided one, else 2. Texts: method, then comments."""
    joined = " ".join(texts).lower()
    return 1 if _ONE_SIDED.search(joined) and not _TWO_SIDED.search(joined) else 2


@lru_cache(maxsize=8192)
def stated_alpha(*texts: str) -> float | None:
    """The significance level that the comments state, in (0, 0.5); `None` when they state none."""
    for text in texts:
        found = _ALPHA.search(text.lower())
        if found:
            percent = found[1].endswith("%")
            value = float(found[1].rstrip("% "))
            value = value / 100 if percent else value
            if 0 < value < 0.5:
                return value
    return None
