"""A text that can be read, scrolled, searched and copied."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.finding import has_all


class TextPane(VerticalScroll, inherit_bindings=False, can_focus=True):
    """A scrolling text. `y` copies all of it, without wrapping."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "text.up", "text.down", "text.left", "text.right", "text.page-up", "text.page-down", "text.top", "text.bottom"
    )
    DEFAULT_CSS = """
    TextPane { height: 1fr; padding: 0 1; }
    TextPane > Static { width: 100%; height: auto; }
    """
    HELP = "A text. Scroll with the arrows or jk; y copies all of it."

    def __init__(self, content: Content | str = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._content = Content(content) if isinstance(content, str) else content
        self._found = -1

    def compose(self) -> ComposeResult:
        """One static text."""
        yield Static(self._content, markup=False)

    def show(self, content: Content) -> None:
        """Show another text."""
        self._content = content
        self._found = -1
        if self.is_mounted:
            self.query_one(Static).update(content)

    def find_words(self, words: str) -> bool:
        """Scroll to the next line that has all of `words`."""
        width = max(self.query_one(Static).size.width, 1)
        lines = self._content.split("\n", allow_blank=True)
        tops = [0]
        for line in lines:
            tops.append(tops[-1] + max(line.get_height({}, width), 1))
        places = [top for top, line in zip(tops, lines, strict=False) if has_all(words, line.plain)]
        following = [top for top in places if top > self._found]
        if not places:
            return False
        self._found = (following or places)[0]
        self.scroll_to(y=self._found, animate=False)
        return True

    def copy_text(self) -> str:
        """The text, without borders and wrapping."""
        return "\n".join(line.rstrip() for line in self._content.plain.splitlines())
