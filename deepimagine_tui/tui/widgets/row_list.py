"""A list of drawn rows, some of them only to read: results, and everything else that is a list but no table."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets.option_list import Option

from deepimagine_tui.tui.finding import has_all
from deepimagine_tui.tui.widgets.choices import Choices


class RowList(Choices):
    """Rows with a cursor that stops at those that stand for something. `y` copies the row under the cursor."""

    DEFAULT_CSS = """
    RowList { height: 1fr; background: $background; border: none; padding: 0; }
    RowList > .option-list--option { padding: 0 1; }
    RowList > .option-list--option-disabled { color: $foreground 80%; }
    RowList > .option-list--option-highlighted { background: $block-cursor-blurred-background; color: $foreground; }
    RowList:focus > .option-list--option-highlighted {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: none;
    }
    """
    HELP = "A list. Move with the arrows or jk; y copies the row under the cursor."

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, markup=False)
        self._copied: list[str] = []

    def show(self, rows: Sequence[tuple[Content, bool, str]], highlighted: int | None = None) -> None:
        """Show rows: how each looks, whether the cursor stops there, what is copied of it."""
        self.clear_options()
        self._copied = [copied for _, _, copied in rows]
        self.add_options(Option(content, disabled=not stops) for content, stops, _ in rows)
        stops_at = [index for index, (_, stops, _) in enumerate(rows) if stops]
        if highlighted in stops_at:
            self.highlighted = highlighted
        elif stops_at:
            self.highlighted = stops_at[0]

    def find_words(self, words: str) -> bool:
        """The next row that has all of `words` and where the cursor can stop."""
        start = self.highlighted if self.highlighted is not None else -1
        count = len(self._copied)
        for step in range(1, count + 1):
            index = (start + step) % count
            if has_all(words, self._copied[index]) and not self.get_option_at_index(index).disabled:
                self.highlighted = index
                return True
        return False

    def copy_text(self) -> str:
        """The row under the cursor, tabs between its parts; all rows when there is no cursor."""
        if self.highlighted is None:
            return self.all_text()
        return self._copied[self.highlighted]

    def all_text(self) -> str:
        """Every row."""
        return "\n".join(self._copied)
