"""A line to type in that takes every printable key."""

from __future__ import annotations

from textual.widgets import Input

_NAMED = frozenset({"slash", "plus", "minus"})
"""Keys whose names Textual does not turn back into their characters, so that its own check would miss them."""


class Line(Input):
    """An input line: `/`, `+` and `-` are text in it too, whatever they are bound to elsewhere."""

    HELP = "A line to type in. Enter goes on, esc leaves it."

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is typed here."""
        return key in _NAMED or super().check_consume_key(key, character)
