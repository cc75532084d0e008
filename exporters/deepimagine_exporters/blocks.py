"""Cards: the boxes of the reasoning graph, measured before they are placed."""

from __future__ import annotations

import msgspec

from deepimagine_exporters.sheet import BASELINE, GREY, INK, POINTS, Dash, Rect, Sheet, Style, width_of, wrap
from deepimagine_tui.reasoning.state import Status

PAD = 0.09
GAP = 0.09
SMALL = 6.8
BODY = 7.6

BLUE, ORANGE, GREEN, PURPLE = "#00629b", "#b34700", "#006b4f", "#8a3a73"
"""Darkened Okabe-Ito hues: apart for colour-blind readers, and dark enough for text on white."""

STATUS_COLOUR: dict[Status, str] = {"observed": BLUE, "derived": GREEN, "imagined": ORANGE, "entered": PURPLE}


class Border(msgspec.Struct, frozen=True):
    """How a card is framed: the status must be legible without colour."""

    dash: Dash = "solid"
    width: float = 0.8
    double: bool = False
    colour: str = INK
    fill: str = "#ffffff"


BORDERS: dict[Status, Border] = {
    "observed": Border("solid", 1.7, colour=BLUE),
    "derived": Border("solid", 0.6, colour=GREEN),
    "imagined": Border("dashed", 1.1, colour=ORANGE),
    "entered": Border("solid", 0.7, double=True, colour=PURPLE),
}
FAILED = Border("dotted", 1.2, colour=GREY, fill="#f0f0f0")


class Cell(msgspec.Struct, frozen=True):
    """One cell of a card's table, wrapped to `limit` inches."""

    text: str
    style: Style = Style(BODY)
    limit: float = 1.6


class Line(msgspec.Struct, frozen=True):
    """A full-width line of a card, wrapped to its width."""

    text: str
    style: Style = Style(BODY)
    max_lines: int | None = 4


class Card(msgspec.Struct, frozen=True):
    """What a box says: a heading (left and right), lines, a table, and lines below it."""

    border: Border
    heading: str
    heading_style: Style
    corner: str = ""
    lines: tuple[Line, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[Line, ...] = ()


class Laid(msgspec.Struct, frozen=True):
    """A card with its size in inches."""

    card: Card
    width: float
    height: float
    columns: tuple[float, ...]


_CORNER = Style(SMALL, colour=GREY)


def lay(card: Card, min_width: float = 0.0, max_width: float = 4.6) -> Laid:
    """Measure a card: as wide as its table and heading need, its lines wrapped to that."""
    count = max((len(row) for row in card.rows), default=0)
    columns = tuple(
        max((_cell_width(row[index]) for row in card.rows if index < len(row)), default=0.0) for index in range(count)
    )
    table = sum(columns) + GAP * max(count - 1, 0)
    heading = width_of(card.heading, card.heading_style) + (width_of(card.corner, _CORNER) + 3 * GAP if card.corner else 0)
    longest = max((width_of(line.text, line.style) for line in (*card.lines, *card.notes)), default=0.0)
    inner = max(table, heading, min_width - 2 * PAD, min(longest, max(table, heading, max_width * 0.55)))
    height = 2 * PAD + card.heading_style.line
    height += sum(len(_wrapped(line, inner)) * line.style.line for line in (*card.lines, *card.notes))
    height += sum(_row_height(row) for row in card.rows)
    height += 0.05 * ((1 if card.lines else 0) + (1 if card.rows else 0) + (1 if card.notes else 0))
    return Laid(card, inner + 2 * PAD, height, columns)


def draw(sheet: Sheet, laid: Laid, x: float, y: float, width: float | None = None) -> Rect:
    """Draw a measured card with its top left corner at (x, y), stretched to `width` where given."""
    card = laid.card
    rect = Rect(x, y, max(width or 0.0, laid.width), laid.height)
    border = card.border
    sheet.box(rect, edge=border.colour, fill=border.fill, width=border.width, dash=border.dash, gid="card")
    if border.double:
        inset = Rect(rect.x + 0.03, rect.y + 0.03, rect.width - 0.06, rect.height - 0.06)
        sheet.box(inset, edge=border.colour, fill=border.fill, width=border.width, dash=border.dash)
    left, top = x + PAD, y + PAD
    sheet.text(left, top, card.heading, card.heading_style)
    if card.corner:
        sheet.text(rect.right - PAD, top + (card.heading_style.line - _CORNER.line) / 2, card.corner, _CORNER, "right")
    top += card.heading_style.line
    inner = laid.width - 2 * PAD
    if card.lines:
        top += 0.05
    for line in card.lines:
        top = sheet.lines(left, top, _wrapped(line, inner), line.style)
    if card.rows:
        top += 0.05
    for row in card.rows:
        at = left
        for cell, column in zip(row, laid.columns, strict=False):
            drop = (row[0].style.size - cell.style.size) * BASELINE / POINTS
            sheet.lines(at, top + drop, wrap(cell.text, cell.style, cell.limit, 3), cell.style)
            at += column + GAP
        top += _row_height(row)
    if card.notes:
        top += 0.05
    for line in card.notes:
        top = sheet.lines(left, top, _wrapped(line, inner), line.style)
    return rect


def _wrapped(line: Line, width: float) -> tuple[str, ...]:
    return wrap(line.text, line.style, width, line.max_lines)


def _cell_width(cell: Cell) -> float:
    return max((width_of(line, cell.style) for line in wrap(cell.text, cell.style, cell.limit, 3)), default=0.0)


def _row_height(row: tuple[Cell, ...]) -> float:
    return max((len(wrap(cell.text, cell.style, cell.limit, 3)) * cell.style.line for cell in row), default=0.0)
