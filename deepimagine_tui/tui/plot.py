"""A small plot in characters: points with their marks, intervals, a curve, labelled axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from textual.content import Content

from deepimagine_tui.tui.show import clip, digits

_STRETCH = 2.0


@dataclass(frozen=True)
class Point:
    """One value: `mark` is drawn in `style`; `label` stands beside it where there is room.

    `firm` values set the scale; another one far outside it is drawn at the edge with an arrow and its value.
    """

    x: float
    y: float
    mark: str
    style: str = ""
    label: str = ""
    lower: float | None = None
    upper: float | None = None
    firm: bool = True


@dataclass(frozen=True)
class Plot:
    """What is drawn. `curve` maps x to y; `ticks` are labelled places on the x axis; the y axis spans `span`, by default what
    the points need."""

    points: tuple[Point, ...]
    ticks: tuple[tuple[float, str], ...]
    curve: tuple[tuple[float, float], ...] = ()
    x_title: str = ""
    span: tuple[float, float] | None = None


def draw(plot: Plot, width: int, height: int) -> Content:
    """The plot in at most `width` by `height` characters."""
    if not plot.points or width < 16 or height < 5:
        return Content.styled("no room to draw", "dim")
    low, high = plot.span or _padded(*_range(plot.points))
    labels = [digits(high), digits((low + high) / 2), digits(low)]
    margin = max(len(label) for label in labels) + 2
    columns, rows = width - margin, height - 2
    grid = [[(" ", "")] * columns for _ in range(rows)]
    xs = [point.x for point in plot.points] + [x for x, _ in plot.ticks]
    first, last = min(xs), max(xs)

    def column(x: float) -> int:
        return (columns - 1) // 2 if last == first else 2 + round((x - first) / (last - first) * (columns - 5))

    def row(y: float) -> int:
        return min(max(round((high - y) / (high - low) * (rows - 1)), 0), rows - 1)

    for x, y in plot.curve:
        if low <= y <= high and first <= x <= last:
            grid[row(y)][column(x)] = ("┄", "dim")
    for point in plot.points:
        if point.lower is not None and point.upper is not None:
            for each in range(row(point.upper), row(point.lower) + 1):
                grid[each][column(point.x)] = ("│", "dim")
    for point in plot.points:
        beyond = "▲" if point.y > high else "▼" if point.y < low else ""
        label = f"{beyond} {digits(point.y)} {point.label}".strip() if beyond else point.label
        _write(grid, row(point.y), column(point.x), replace(point, label=label))
    return Content("\n").join(
        [*_body(grid, labels, margin, rows), _base(margin, columns), _ticks(plot, margin, columns, column)]
    )


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = (high - low) * 0.06 or max(abs(high), 1.0) * 0.1
    return low - pad, high + pad


def _range(points: Sequence[Point]) -> tuple[float, float]:
    """What the y axis spans: all firm values, and of the others what lies within `_STRETCH` of their span beyond them."""

    def ends(some: Sequence[Point]) -> list[float]:
        return [end for point in some for end in (point.y, point.lower, point.upper) if end is not None]

    every = ends(points)
    firm = ends([point for point in points if point.firm]) or every
    low, high = min(firm), max(firm)
    stretch = _STRETCH * ((high - low) or max(abs(high), 1.0))
    return max(min(every), low - stretch), min(max(every), high + stretch)


def _write(grid: list[list[tuple[str, str]]], row: int, column: int, point: Point) -> None:
    line = grid[row]
    line[column] = (point.mark, point.style)
    text = f" {point.label}" if point.label else ""
    for side, start in ((text, column + 1), (f"{point.label} ", column - len(text))):
        end = start + len(side)
        if point.label and start >= 0 and end <= len(line) and all(char in " ┄" for char, _ in line[start:end]):
            for offset, char in enumerate(side):
                line[start + offset] = (char, "dim")
            return


def _body(grid: list[list[tuple[str, str]]], labels: Sequence[str], margin: int, rows: int) -> list[Content]:
    places = {0: labels[0], (rows - 1) // 2: labels[1], rows - 1: labels[2]}
    lines = []
    for index, line in enumerate(grid):
        label = places.get(index, "")
        axis = "┤" if label else "│"
        lines.append(Content.assemble((f"{label:>{margin - 1}}{axis}", "dim"), *line))
    return lines


def _base(margin: int, columns: int) -> Content:
    return Content.styled(f"{'':>{margin - 1}}└{'─' * columns}", "dim")


def _ticks(plot: Plot, margin: int, columns: int, column: Callable[[float], int]) -> Content:
    line = [" "] * columns
    title = f" {plot.x_title}" if plot.x_title else ""
    # Those at both ends first: they say what the axis spans.
    for x, label in sorted(plot.ticks, key=lambda tick: tick[0] not in (plot.ticks[0][0], plot.ticks[-1][0])):
        text = clip(label, max(columns // max(len(plot.ticks), 1) + 2, 4))
        start = min(max(column(x) - len(text) // 2, 0), columns - len(text))
        if all(char == " " for char in line[max(start - 1, 0) : start + len(text) + 1]):
            line[start : start + len(text)] = text
    text = "".join(line).rstrip()
    if len(text) + len(title) <= columns:
        text += title
    return Content.styled(f"{'':>{margin}}{text}", "dim")
