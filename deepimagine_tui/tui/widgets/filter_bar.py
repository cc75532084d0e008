"""The filters that are set, as chips with words; a click on one takes it out."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.tui.filters import FilterName, chips
from deepimagine_tui.tui.show import clip

_ADD = "+ filter"


class FilterBar(Widget):
    """One line of chips."""

    DEFAULT_CSS = """
    FilterBar { height: 1; padding: 0 1; }
    """

    query_shown: reactive[SearchQuery] = reactive(SearchQuery())

    @dataclass
    class Removed(Message):
        """A chip was clicked."""

        name: FilterName

    class Wanted(Message):
        """`+ filter` was clicked."""

    def _parts(self) -> list[tuple[str, FilterName | None]]:
        room = max(self.size.width - len(_ADD), 10)
        found: list[tuple[str, FilterName | None]] = []
        for chip in chips(self.query_shown):
            text = f" {clip(chip.text, 24)} ✕ "
            if len(text) + 1 <= room:
                found.append((text, chip.name))
                room -= len(text) + 1
        return [*found, (_ADD, None)]

    def render(self) -> Content:
        """The chips, then `+ filter`."""
        parts: list[tuple[str, str]] = []
        for text, name in self._parts():
            parts += [(text, "$foreground on $panel" if name else "$primary"), (" ", "")]
        return Content.assemble(*parts)

    def on_click(self, event: Click) -> None:
        """Take a chip out, or ask for another filter."""
        column = 1
        for text, name in self._parts():
            if column <= event.x < column + len(text):
                self.post_message(self.Removed(name) if name else self.Wanted())
            column += len(text) + 1
