"""A figure in cells: two pixels a cell as half blocks, its texts as texts. On paper white in every theme, as it is exported."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from deepimagine_tui.tui.actions import bind

if TYPE_CHECKING:
    from deepimagine_exporters.preview import PlacedText, Preview

_HALF = "▀"
_PAPER = b"\xff\xff\xff"


class FigureView(ScrollView, inherit_bindings=False, can_focus=True):
    """Scrolls over a figure. Where there is none, it says why. `y` copies the figure's texts, line by line."""

    BINDINGS: ClassVar[list[BindingType]] = bind(
        "text.up", "text.down", "text.left", "text.right", "text.page-up", "text.page-down", "text.top", "text.bottom"
    )
    HELP = (
        "The figure as it will be exported (e), in characters. Scroll with the arrows or hjkl; f gives it the whole screen, "
        "z shows all of it at once, y copies its texts."
    )
    DEFAULT_CSS = "FigureView { height: 1fr; background: $background; }"

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own keyword
        super().__init__(id=id)
        self._preview: Preview | None = None
        self._said = ""
        self._rows: dict[int, list[PlacedText]] = {}
        self._strips: dict[int, Strip] = {}

    @property
    def preview(self) -> Preview | None:
        """The figure that is shown."""
        return self._preview

    def show(self, preview: Preview) -> None:
        """Show a figure, from its top left corner unless it is as large as the one before."""
        same = self._preview is not None and (self._preview.columns, self._preview.rows) == (preview.columns, preview.rows)
        self._preview, self._said, self._rows, self._strips = preview, "", {}, {}
        for text in preview.texts:
            self._rows.setdefault(text.row, []).append(text)
        self.virtual_size = Size(preview.columns, preview.rows)
        if not same:
            self.scroll_to(0, 0, animate=False)
        self.refresh()

    def say(self, text: str) -> None:
        """Show a text instead of a figure."""
        self._preview, self._said, self._rows, self._strips = None, text, {}, {}
        self.virtual_size = Size(0, 0)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of what is in view."""
        width = self.size.width
        left, top = self.scroll_offset
        preview = self._preview
        if preview is None:
            text = f" {self._said}" if y == 0 else ""
            return Strip([Segment(text[:width], self.rich_style)]).extend_cell_length(width, self.rich_style)
        row = top + y
        if row >= preview.rows:
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = Strip(list(_segments(preview, self._rows.get(row, []), row)))
        return strip.crop_extend(left, left + width, self.rich_style)

    def copy_text(self) -> str:
        """The texts of the figure, each row a line."""
        if self._preview is None:
            return self._said
        lines = []
        for row in sorted(self._rows):
            line = ""
            for text in self._rows[row]:
                line = f"{line:<{text.column}}{text.text}"
            lines.append(line)
        indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
        return "\n".join(line[indent:].rstrip() for line in lines)


def _segments(preview: Preview, texts: list[PlacedText], row: int) -> Iterator[Segment]:
    width = preview.columns
    start = 2 * row * width * 3
    upper, lower = preview.pixels[start : start + 3 * width], preview.pixels[start + 3 * width : start + 6 * width]
    cells = [(upper[3 * x : 3 * x + 3], lower[3 * x : 3 * x + 3]) for x in range(width)]
    column = 0
    for text in texts:
        yield from _blocks(cells[column : text.column])
        colour = Color.parse(text.colour)
        style = Style(color=colour, bgcolor=_colour(_PAPER), bold=text.bold, italic=text.italic)
        shown = text.text[: max(width - text.column, 0)]
        yield Segment(shown, style)
        column = text.column + len(shown)
    yield from _blocks(cells[column:])


def _blocks(cells: list[tuple[bytes, bytes]]) -> Iterator[Segment]:
    for (top, bottom), run in groupby(cells):
        count = sum(1 for _ in run)
        if top == bottom:
            yield Segment(" " * count, Style(bgcolor=_colour(top)))
        else:
            yield Segment(_HALF * count, Style(color=_colour(top), bgcolor=_colour(bottom)))


def _colour(pixel: bytes) -> Color:
    return Color.from_rgb(*pixel)
