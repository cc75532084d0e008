"""Curves in characters, for a terminal: what is learnt from as dots, what is held out as rings, both axes labelled."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepimagine_training.curves import Line, Panel

_MARKS = ("·", "+", "x", "*")
_HELD_OUT = "●"
_ASCII = str.maketrans({"·": ".", "●": "o", "│": "|", "┤": "+", "└": "+", "─": "-"})


def panel_lines(panel: Panel, width: int = 72, height: int = 9) -> Iterator[str]:
    """A panel in at most `width` columns and `height` rows between its title and its axis.

    Where several steps fall into one column, their mean stands there.
    """
    text = list(_drawn(panel, width, height))
    try:
        "".join(text).encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = [line.translate(_ASCII) for line in text]
    yield from text


def _drawn(panel: Panel, width: int, height: int) -> Iterator[str]:
    marks = dict(zip([line.label for line in panel.lines if not line.held_out], _MARKS * len(panel.lines), strict=False))
    marks |= {line.label: _HELD_OUT for line in panel.lines if line.held_out}
    steps = [step for line in panel.lines for step, _ in line.points]
    values = [value for line in panel.lines for _, value in line.points]
    low, high, first, last = min(values), max(values), min(steps), max(steps)
    labels = [f"{value:.3g}" for value in (high, (high + low) / 2, low)]
    margin = max(len(label) for label in labels) + 1
    columns = max(width - margin - 1, 10)
    grid = [[" "] * columns for _ in range(height)]
    for line in sorted(panel.lines, key=lambda each: each.held_out):
        for column, value in _binned(line, first, last, columns).items():
            row = round((high - value) / (high - low) * (height - 1)) if high > low else height // 2
            grid[row][column] = marks[line.label]
    yield f"{panel.y_label}   " + "   ".join(f"{mark} {label}" for label, mark in marks.items())
    places = {0: labels[0], (height - 1) // 2: labels[1], height - 1: labels[2]}
    for index, cells in enumerate(grid):
        label = places.get(index, "")
        yield f"{label:>{margin}}{'┤' if label else '│'}{''.join(cells)}".rstrip()
    yield f"{'':>{margin}}└{'─' * columns}"
    start, end = f"step {first:,}", f"{last:,}"
    yield f"{'':>{margin + 1}}{start}" + (f"{end:>{columns - len(start)}}" if last > first else "")


def _binned(line: Line, first: int, last: int, columns: int) -> dict[int, float]:
    cells: dict[int, list[float]] = {}
    for step, value in line.points:
        column = round((step - first) / (last - first) * (columns - 1)) if last > first else columns // 2
        cells.setdefault(column, []).append(value)
    return {column: _mean(values) for column, values in cells.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
