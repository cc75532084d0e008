"""Text of registries and users made inert: what goes into a prompt or a line of output has no hidden or control characters."""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"


def plain(text: str, limit: int | None = None) -> str:
    """`text` on one line, in NFC, without control, format (zero-width, bidirectional), surrogate and private characters.

    Longer than `limit` characters, it is cut there and ends in an ellipsis.
    """
    visible = "".join(" " if character.isspace() else character for character in text if _visible(character))
    line = unicodedata.normalize("NFC", " ".join(visible.split()))
    if limit is not None and len(line) > limit:
        return line[: max(limit - 1, 0)].rstrip() + _ELLIPSIS
    return line


def _visible(character: str) -> bool:
    return character.isspace() or not unicodedata.category(character).startswith("C")
