"""Text of registries and users made inert for a prompt: nothing hidden, nothing that could pass for a line of ours."""

from __future__ import annotations

import unicodedata

from deepimagine_tui.text import one_line


def plain(text: str, limit: int | None = None) -> str:
    """`text` on one line, in NFC, without control, zero-width, bidirectional, private and broken characters.

    Longer than `limit` characters, it is cut there and ends in an ellipsis.
    """
    visible = "".join(character for character in text if character.isspace() or unicodedata.category(character)[0] != "C")
    line = unicodedata.normalize("NFC", one_line(visible))
    if limit is not None and len(line) > limit:
        return line[: max(limit - 1, 0)].rstrip() + "…"
    return line
