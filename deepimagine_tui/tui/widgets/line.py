"""A line to type in that takes every printable key."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from deepimagine_tui.tui.actions import bind

_NAMED = frozenset({"slash", "plus", "minus"})
"""Keys whose names Textual does not turn back into their characters, so that its own check would miss them."""


class Line(Input):
    """An input line: `/`, `+` and `-` are text in it too, whatever they are bound to elsewhere."""

    BINDINGS: ClassVar[list[BindingType]] = bind("line.submit")
    HELP = "A line to type in. Enter goes on, esc leaves it."

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether the key is typed here."""
        return key in _NAMED or super().check_consume_key(key, character)


class SearchLine(Line):
    """The words of a search; enter goes to what they find."""

    BINDINGS: ClassVar[list[BindingType]] = bind("line.submit", labels={"line.submit": "to the list"})
    HELP = "Words to search for; the list below follows as you type. Enter goes to the list, esc leaves the line."


class EntryLine(Line):
    """A line of a dialog; enter takes what it says."""

    BINDINGS: ClassVar[list[BindingType]] = bind("line.submit", labels={"line.submit": "take it"})
