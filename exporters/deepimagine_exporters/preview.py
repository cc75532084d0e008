"""A figure for a grid of characters: two pixels a cell, one above the other, and its texts as texts, so that they can be read.

The same drawing as the exported one. Cells are about twice as high as wide; nothing here knows a terminal.
"""

from __future__ import annotations

import math
from threading import Event
from typing import TYPE_CHECKING

import msgspec

from deepimagine_exporters.figure import FigureKind, check, drawing_settings, sheet_of
from deepimagine_exporters.sheet import LOCK
from deepimagine_tui.reasoning.graph import ReasoningGraph

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

COLUMNS_PER_INCH = 20.0
"""At this scale most texts of a figure take no more columns than they have."""
ROWS_PER_INCH = 8.5
"""At this scale two lines of the smallest print never fall into one row."""
_FINE = 96
"""Dots per inch before two pixels a cell are made of them: thin lines survive as the darkest dot of a cell."""
_MOST_COLUMNS, _MOST_ROWS = 1200, 1200
_SAME_LINE = 0.03
"""Inches between baselines that a reader takes for one line."""
_RAISED = 0.035
"""Inches from a baseline to the middle of small letters."""


class PlacedText(msgspec.Struct, frozen=True):
    """One text of the figure: where its first character stands, and how it looks. `colour` is `#rrggbb`."""

    row: int
    column: int
    text: str
    bold: bool
    italic: bool
    colour: str


class Preview(msgspec.Struct, frozen=True):
    """A figure as `rows` of `columns` cells. `pixels` holds red, green, blue of 2 x `rows` lines of `columns` pixels."""

    columns: int
    rows: int
    pixels: bytes
    texts: tuple[PlacedText, ...]


def preview(
    graph: ReasoningGraph, which: FigureKind, *, fit: tuple[int, int] | None = None, cancel: Event | None = None
) -> Preview:
    """The figure in cells: at the scale at which its texts can be read, or, to see all of it, within `fit` columns and rows.

    Where it was made smaller, the texts are pixels like everything else.

    Raises:
        UsageError: the kind of figure is unknown.
        RefusedError: the run holds nothing that this figure could show.
        CancelledError: `cancel` was set.
        StorageError: matplotlib finds no folder for its cache, not even a temporary one.
    """
    with LOCK:
        figure = sheet_of(graph, which, cancel).figure()
        width, height = figure.get_size_inches()
        across, down = COLUMNS_PER_INCH, ROWS_PER_INCH
        shrink = min(fit[0] / (width * across), fit[1] / (height * down)) if fit else 1.0
        readable = shrink >= 1.0
        across, down = (across, down) if readable else (across * shrink, down * shrink)
        texts = _lift_texts(figure, across, down) if readable else ()
        columns = max(math.ceil(width * across), *(text.column + len(text.text) + 1 for text in texts), 1)
        rows = max(math.ceil(height * down), 1)
        columns, rows = min(columns, _MOST_COLUMNS), min(rows, _MOST_ROWS)
        with drawing_settings(which):
            pixels = _pixels(figure, min(math.ceil(width * across), columns), columns, 2 * rows, darkest=readable)
        check(cancel)
        return Preview(columns, rows, pixels, texts)


class _Line(msgspec.Struct):
    """A line of texts in a row: `baseline` in inches, `ends` the columns taken."""

    baseline: float
    ends: list[tuple[int, int]]


def _lift_texts(figure: Figure, across: float, down: float) -> tuple[PlacedText, ...]:
    """Take the level texts out of the figure, and say where they stand in cells. None covers another: a line that would is put
    into the next row, a text of the same line moved to the right."""
    axes = figure.axes[0]
    left, top = axes.get_xlim()[0], min(axes.get_ylim())
    texts = [text for text in axes.texts if text.get_text() and not text.get_rotation()]
    rows: dict[int, list[_Line]] = {}
    placed: list[PlacedText] = []
    for text in sorted(texts, key=lambda each: (round(float(each.get_position()[1]) / _SAME_LINE), each.get_position()[0])):
        text.set_visible(False)
        x, y = (float(each) for each in text.get_position())
        column, row = round((x - left) * across), int((y - _RAISED - top) * down)
        length = len(text.get_text())
        while any(_covers(line, column, length) for line in rows.get(row, ()) if abs(line.baseline - y) > _SAME_LINE):
            row += 1
        mine = next((line for line in rows.get(row, ()) if abs(line.baseline - y) <= _SAME_LINE), None)
        if mine is None:
            mine = _Line(y, [])
            rows.setdefault(row, []).append(mine)
        while _covers(mine, column, length):
            column += 1
        mine.ends.append((column, column + length))
        placed.append(_placed(row, column, text))
    return tuple(sorted(placed, key=lambda each: (each.row, each.column)))


def _covers(line: _Line, column: int, length: int) -> bool:
    """Whether a text there would touch one of the line."""
    return any(column <= end and column + length >= start for start, end in line.ends)


def _placed(row: int, column: int, text: Text) -> PlacedText:
    from matplotlib.colors import to_hex

    properties = text.get_fontproperties()
    face = str(properties.get_file() or "")
    return PlacedText(row, column, text.get_text(), "Bold" in face, "Oblique" in face, to_hex(text.get_color()))


def _pixels(figure: Figure, drawn: int, columns: int, lines: int, *, darkest: bool) -> bytes:
    """The figure in `drawn` of `columns` pixels across, each the darkest of the dots it stands for, so that thin lines survive;
    where texts are dots too, their mean."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(_FINE)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib does not annotate it
    dots = np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]  # nor this
    down = np.linspace(0, dots.shape[0], lines, endpoint=False).astype(int)
    across = np.linspace(0, dots.shape[1], drawn, endpoint=False).astype(int)
    page = np.full((lines, columns, 3), 255, dtype=np.uint8)
    if darkest:
        page[:, :drawn] = np.minimum.reduceat(np.minimum.reduceat(dots, down, axis=0), across, axis=1)
    else:
        sums = np.add.reduceat(np.add.reduceat(dots.astype(np.uint32), down, axis=0), across, axis=1)
        dots_of_each = np.add.reduceat(np.add.reduceat(np.ones(dots.shape[:2], np.uint32), down, axis=0), across, axis=1)
        page[:, :drawn] = sums // dots_of_each[:, :, None]
    return page.tobytes()
