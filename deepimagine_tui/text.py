"""Making foreign text harmless: what a registry, a model or a user wrote is shown, never obeyed.

Markup such as `[bold]` is left as it is: whoever shows text in a widget, HTML or Markdown must say that it is plain.
"""

from __future__ import annotations

import re
import unicodedata

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters that count as printable and take no place, or look like nothing."""


def inert(text: str) -> str:
    """`text` with nothing in it that a terminal, a browser or an eye would obey.

    Escape and other control characters become visible pictures (`␛`), direction overrides and broken code points the
    replacement character; zero-width characters go; unusual spaces become spaces and line ends `\\n`. Calling this
    twice changes nothing more.
    """
    text = _INVISIBLE.sub("", text)
    if text.isprintable():
        return text
    return "".join(map(_inert_character, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """`inert(text)` on a single line, each run of white space one space: for titles, table cells and labels."""
    return " ".join(inert(text).split())


def _inert_character(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category in ("Zl", "Zp"):
        return "\n"
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if category == "Cf" and character not in _BIDI:
        return ""
    return _REPLACEMENT
