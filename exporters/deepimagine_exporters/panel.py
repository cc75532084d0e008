"""One panel of the trajectory figure: values against steps."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from deepimagine_exporters.blocks import STATUS_COLOUR
from deepimagine_exporters.scale import Scale
from deepimagine_exporters.sheet import FAINT, GREY, INK, PAPER, Dash, Sheet, Style, wrap
from deepimagine_tui.reasoning.state import Number

Shape = Literal["circle", "square"]
RADIUS = 0.045
DODGE = 0.07
_TICK = Style(6.6)
_NAME = Style(6.8, bold=True)
_DETAIL = Style(6.4, colour=GREY)
_MISSING = Style(6.4, italic=True, colour=GREY)


class Point(msgspec.Struct, frozen=True):
    """A value at one place, the posted one beside it, and what to say where there is no value."""

    number: Number | None
    posted: Number | None
    note: str


class Series(msgspec.Struct, frozen=True):
    """The values of one arm, or of the contrast, along the places."""

    name: str
    shape: Shape
    points: tuple[Point, ...]


class Panel(msgspec.Struct, frozen=True):
    """Values of one measure along the places (heading and detail each); `missing` says why a place has none."""

    title: str
    unit: str
    places: tuple[tuple[str, str], ...]
    series: tuple[Series, ...]
    missing: tuple[str, ...]

    @property
    def values(self) -> list[float]:
        """Every finite number that the axis must hold."""
        found: list[float] = []
        for series in self.series:
            for point in series.points:
                for number in (point.number, point.posted):
                    if number is not None:
                        limits = (number.interval.lower, number.interval.upper) if number.interval else ()
                        found += [value for value in (number.value, *limits) if value is not None and math.isfinite(value)]
        return found


def draw_panel(sheet: Sheet, panel: Panel, scale: Scale, left: float, pitch: float, *, ticks: bool) -> float:
    """Draw axes and values; `scale` maps upwards, `left` is the y axis, without ticks where nothing can be placed on it.
    Returns the y below the panel."""
    top, floor = scale.end, scale.start
    right = left + pitch * len(panel.places)
    for value, text in scale.ticks(5) if ticks else ():
        y = scale.at(value)
        sheet.line([(left, y), (right, y)], colour="#e4e4e4", width=0.5, order=1)
        sheet.text(left - 0.06, y - _TICK.line / 2, text, _TICK, "right")
    sheet.line([(left, top), (left, floor), (right, floor)], width=0.7)
    xs = [left + pitch * (index + 0.5) for index in range(len(panel.places))]
    for series, side in zip(panel.series, (-1, 1), strict=False):
        dodge = side * DODGE if len(panel.series) > 1 else 0.0
        _draw_series(sheet, series, [x + dodge for x in xs], scale)
    _name_series(sheet, panel, scale, right)
    bottom = floor
    for x, (heading, detail), missing in zip(xs, panel.places, panel.missing, strict=True):
        if missing:
            lines = wrap(missing, _MISSING, pitch - 0.06, 2)
            sheet.lines(x, floor - 0.04 - len(lines) * _MISSING.line, lines, _MISSING, "centre")
        sheet.line([(x, floor), (x, floor + 0.035)], width=0.7)
        y = sheet.lines(x, floor + 0.06, wrap(heading, _NAME, pitch - 0.05, 2), _NAME, "centre")
        if detail:
            y = sheet.lines(x, y, wrap(detail, _DETAIL, pitch - 0.12, 4), _DETAIL, "centre")
        bottom = max(bottom, y)
    return bottom


def _draw_series(sheet: Sheet, series: Series, xs: list[float], scale: Scale) -> None:
    before: tuple[float, float] | None = None
    for x, point in zip(xs, series.points, strict=True):
        number = point.number
        if point.note:
            sheet.text(x, scale.end + (0.0 if series.shape == "circle" else _MISSING.line), point.note, _MISSING, "centre")
        if number is None or number.value is None or not math.isfinite(number.value):
            before = None
            continue
        y = scale.at(number.value)
        if before:
            dash: Dash = "dashed" if number.status == "imagined" else "solid"
            sheet.line([before, (x, y)], colour=INK if series.shape == "circle" else GREY, dash=dash)
        _draw_interval(sheet, number, x, scale)
        _draw_marker(sheet, series.shape, number, x, y)
        if point.posted and point.posted.value is not None:
            _draw_posted(sheet, x + (0.16 if series.shape == "square" else -0.16), scale.at(point.posted.value))
        before = (x, y)


def _draw_interval(sheet: Sheet, number: Number, x: float, scale: Scale) -> None:
    if number.interval is None:
        return
    colour = STATUS_COLOUR[number.status]
    low = scale.start if number.interval.lower is None else scale.at(number.interval.lower)
    high = scale.end if number.interval.upper is None else scale.at(number.interval.upper)
    sheet.line([(x, low), (x, high)], colour=colour, width=0.9)
    for y, limit in ((low, number.interval.lower), (high, number.interval.upper)):
        if limit is not None:
            sheet.line([(x - 0.03, y), (x + 0.03, y)], colour=colour)


def _draw_marker(sheet: Sheet, shape: Shape, number: Number, x: float, y: float) -> None:
    colour = STATUS_COLOUR[number.status]
    fill = PAPER if number.status in ("imagined", "entered") else colour
    radii = (RADIUS, RADIUS * 0.45) if number.status == "entered" else (RADIUS,)
    for radius in radii:
        if shape == "circle":
            sheet.disc(x, y, radius, fill=fill, edge=colour, width=1.2)
        else:
            corners = [(x - radius, y - radius), (x + radius, y - radius), (x + radius, y + radius), (x - radius, y + radius)]
            sheet.shape(corners, fill=fill, edge=colour, width=1.2)


def _draw_posted(sheet: Sheet, x: float, y: float) -> None:
    colour = STATUS_COLOUR["observed"]
    sheet.shape([(x - 0.055, y), (x, y - 0.07), (x + 0.055, y), (x, y + 0.07)], fill=colour, edge=colour)


def _name_series(sheet: Sheet, panel: Panel, scale: Scale, right: float) -> None:
    """Write each series' name beside its last value, moved apart where they would meet."""
    named: list[tuple[float, str]] = []
    for series in panel.series:
        values = [point.number.value for point in series.points if point.number and point.number.value is not None]
        finite = [value for value in values if math.isfinite(value)]
        if finite:
            named.append((scale.at(finite[-1]) - _NAME.line / 2, series.name))
    last = -math.inf
    for y, name in sorted(named):
        at = max(y, last + _NAME.line)
        sheet.text(right + 0.05, at, name, _NAME)
        last = at
        sheet.line([(right, y + _NAME.line / 2), (right + 0.03, at + _NAME.line / 2)], colour=FAINT, width=0.5)
