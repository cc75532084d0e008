"""The one table: a cursor on rows, hjkl, marks, `/` within it, `y` and `e`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from deepimagine_tui.tui.actions import bind
from deepimagine_tui.tui.copying import ExportChoice, text_choice
from deepimagine_tui.tui.finding import has_all


class HouseTable(DataTable[Content], inherit_bindings=False):
    """A table of inert cells. Rows are keyed; `mark` toggles one; what is copied has tabs between columns.

    Set `export_name` to offer `e`.
    """

    BINDINGS: ClassVar[list[BindingType]] = bind(
            "list.up", "list.down", "list.left", "list.right", "list.page-up", "list.page-down", "list.top", "list.bottom",
            "list.open", "list.mark",
    )  # fmt: skip
    HELP = "A list. Move with the arrows or hjkl, open a row with enter, mark with space; y copies the marked rows or this one."

    @dataclass
    class MarksChanged(Message):
        """The marked rows are others now."""

        table: HouseTable

        @property
        def control(self) -> HouseTable:
            """The table."""
            return self.table

    def __init__(self, *, id: str | None = None, classes: str | None = None, export_name: str = "") -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, cursor_type="row", zebra_stripes=False, cell_padding=0)
        self.marked: dict[str, None] = {}
        self.export_name = export_name

    @property
    def cursor_key(self) -> str:
        """The key of the row under the cursor; empty when there is none."""
        if not self.is_valid_row_index(self.cursor_row):
            return ""
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value or ""

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        key = self.cursor_key
        if not key:
            return
        if key in self.marked:
            del self.marked[key]
        else:
            self.marked[key] = None
        self.post_message(self.MarksChanged(self))
        self.action_cursor_down()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rows can be opened and marked only where there are any."""
        if action in ("mark", "select_cursor"):
            return self.row_count > 0
        return True

    def row_text(self, key: str) -> str:
        """One row, tabs between its columns."""
        return "\t".join(cell.plain.strip() for cell in self.get_row(key))

    def header_text(self) -> str:
        """The column names, tabs between them."""
        return "\t".join(_text(column.label).strip() for column in self.ordered_columns)

    def find_words(self, words: str) -> bool:
        """The next row that has all of `words`."""
        keys = [row.key.value or "" for row in self.ordered_rows]
        for step in range(1, len(keys) + 1):
            index = (self.cursor_row + step) % len(keys)
            if has_all(words, self.row_text(keys[index])):
                self.move_cursor(row=index, animate=False)
                return True
        return False

    def copy_text(self) -> str:
        """The marked rows, else the one under the cursor, under the column names."""
        keys: Sequence[str] = list(self.marked) or ([self.cursor_key] if self.cursor_key else [])
        return "\n".join([self.header_text(), *(self.row_text(key) for key in keys if key in self.rows)])

    def table_text(self) -> str:
        """Every row that is loaded."""
        return "\n".join([self.header_text(), *(self.row_text(row.key.value or "") for row in self.ordered_rows)]) + "\n"

    def export_choices(self) -> list[ExportChoice]:
        """The rows that are loaded, as tab-separated text."""
        return [text_choice("This list, tab-separated", f"{self.export_name}.tsv", self.table_text)] if self.export_name else []


def _text(label: object) -> str:
    return str(getattr(label, "plain", label))
