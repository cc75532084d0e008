"""A forest plot: one row a pathway, the aggregate as a diamond, numbers in aligned columns."""

from __future__ import annotations

import math

import msgspec

from deepimagine_exporters.blocks import STATUS_COLOUR
from deepimagine_exporters.forest_rows import (
    ForestRow,
    aggregate_probability,
    asks_contrast,
    axis_title,
    explanations,
    forest_row,
    has_value,
    reference,
    spread,
    total_of,
)
from deepimagine_exporters.marks import draw_footer, draw_header, finish
from deepimagine_exporters.scale import Scale, scale_over
from deepimagine_exporters.sheet import FAINT, GREY, PAPER, Align, Sheet, Style, width_of, wrap
from deepimagine_exporters.words import same_decimals
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.describe import value_text
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.state import Number

NO_VALUE = "No pathway of this run reached a value to draw."
PLOT_WIDTH = 3.1
GAP = 0.2
_HEAD = Style(7.2, bold=True)
_BODY = Style(7.6)
_ITALIC = Style(7.6, italic=True)
_STRONG = Style(7.8, bold=True, italic=True)
_SMALL = Style(6.6, colour=GREY)


class _Column(msgspec.Struct, frozen=True):
    """A column of text."""

    head: tuple[str, ...]
    texts: tuple[str, ...]
    style: Style
    align: Align = "left"

    @property
    def width(self) -> float:
        heads = [width_of(text, _HEAD) for text in self.head]
        return max([*heads, *(width_of(text, self.style) for text in self.texts)], default=0.0)


def draw_forest(graph: ReasoningGraph) -> Sheet:
    """Pathways and aggregate of a run: k1's value at the target, or the contrast where the run asks for one.

    Raises:
        RefusedError: the run has no anchor, or no pathway reached a value.
    """
    if not graph.pathways:
        raise RefusedError("This run has no anchor to draw.", graph.finished.message if graph.finished else "")
    contrast = asks_contrast(graph)
    rows = [forest_row(graph, index, view, contrast) for index, view in enumerate(graph.pathways)]
    if not any(has_value(row.reached) for row in rows):
        raise RefusedError(NO_VALUE, "The reasoning graph shows what there is.")
    sheet = Sheet()
    _draw(sheet, graph, rows, contrast)
    finish(sheet, graph)
    return sheet


def _draw(sheet: Sheet, graph: ReasoningGraph, rows: list[ForestRow], contrast: bool) -> None:
    aggregated = graph.aggregated
    total = total_of(graph, contrast)
    values = [value_text(row.reached) if has_value(row.reached) and row.reached else "" for row in rows]
    shown = iter(same_decimals(*(text for text in values if text)))
    values = [next(shown) if text else "" for text in values]
    left = [
        _Column(("", ""), tuple(row.number for row in rows), _SMALL, "right"),
        _Column(("", "Anchor"), tuple(row.trial for row in rows), _BODY),
        _Column(("", "Similarity"), tuple(row.similarity for row in rows), _BODY, "right"),
        _Column(("", "Steps"), tuple(wrap(row.differs, _BODY, 2.8, 1)[0] for row in rows), _BODY),
    ]
    right = [
        _Column(("At the", "target"), (*values, value_text(total) if total else ""), _STRONG, "right"),
        _Column(("", "Interval"), (*(row.missing or spread(row.reached) for row in rows), spread(total)), _ITALIC),
        _Column(
            ("", "P(met)"),
            (*(row.probability for row in rows), aggregate_probability(graph)),
            _STRONG,
            "right",
        ),
        _Column(("", "Weight"), tuple(row.weight for row in rows), _BODY, "right"),
    ]
    left = [column for column in left if any(column.texts)]
    right = [column for column in right if any(column.texts)]
    plot = sum(column.width + GAP for column in left)
    end = plot + PLOT_WIDTH
    width = end + GAP + sum(column.width for column in right) + GAP * (len(right) - 1)
    y = draw_header(sheet, graph, width, "contrast of k1 with k2" if contrast else "value of k1")
    pitch = 0.26
    for columns, x in ((left, 0.0), (right, end + GAP)):
        _draw_columns(sheet, columns, rows, x, y, pitch)
    first = y + 2 * _HEAD.line + 0.12
    sheet.line([(0, first - 0.05), (width, first - 0.05)], width=0.7)
    bottom = first + pitch * len(rows)
    null = reference(graph, contrast)
    scale = _axis(rows, graph, total, null, plot, end)
    foot = bottom + (0.42 if aggregated else 0.04)
    if null is not None and not scale.low <= null[0] <= scale.high:
        null = None
    if null is not None:
        sheet.line([(scale.at(null[0]), first), (scale.at(null[0]), foot)], colour=GREY, width=0.7)
    if total and total.value is not None:
        x = scale.at(total.value)
        sheet.line([(x, first), (x, foot)], colour=FAINT, width=0.7, dash="dashed", order=1)
    for index, row in enumerate(rows):
        _draw_row(sheet, row, scale, first + pitch * (index + 0.5))
    if aggregated:
        _draw_total(sheet, graph, total, scale, bottom + 0.08, width)
        _draw_total_texts(sheet, right, len(rows), end + GAP, bottom + 0.08)
    _draw_axis(sheet, scale, foot, axis_title(graph, contrast))
    draw_footer(sheet, graph, sheet.height, width, explanations(graph, rows, null), drawn=_drawn(rows, total))


def _drawn(rows: list[ForestRow], total: Number | None) -> list[Number]:
    numbers = [number for row in rows for number in (row.reached, row.start)]
    return [number for number in (*numbers, total) if number is not None and number.value is not None]


def _draw_columns(sheet: Sheet, columns: list[_Column], rows: list[ForestRow], x: float, y: float, pitch: float) -> None:
    for column in columns:
        at = x + (column.width if column.align == "right" else 0.0)
        for offset, text in enumerate(column.head):
            sheet.text(at, y + offset * _HEAD.line, text, _HEAD, column.align)
        top = y + 2 * _HEAD.line + 0.12
        for index, text in enumerate(column.texts[: len(rows)]):
            style = msgspec.structs.replace(column.style, bold=False)
            sheet.text(at, top + pitch * (index + 0.5) - style.line / 2, text, style, column.align)
        x += column.width + GAP


def _draw_total_texts(sheet: Sheet, columns: list[_Column], rows: int, x: float, y: float) -> None:
    for column in columns:
        if len(column.texts) > rows:
            at = x + (column.width if column.align == "right" else 0.0)
            sheet.text(at, y + 0.15 - column.style.line / 2, column.texts[rows], column.style, column.align)
        x += column.width + GAP


def _axis(
    rows: list[ForestRow], graph: ReasoningGraph, total: Number | None, null: tuple[float, str] | None, start: float, end: float
) -> Scale:
    values: list[float] = []
    for number in (*(row.reached for row in rows), *(row.start for row in rows), total):
        if number is None or number.value is None:
            continue
        limits = (number.interval.lower, number.interval.upper) if number.interval else ()
        values += [number.value, *(limit for limit in limits if limit is not None)]
    aggregated = graph.aggregated
    if aggregated and total and not asks_contrast(graph):
        values += [limit for limit in (aggregated.spread_lower, aggregated.spread_upper) if limit is not None]
    finite = [value for value in values if math.isfinite(value)]
    span = max(finite) - min(finite)
    if null and (min(finite) - span <= null[0] <= max(finite) + span):
        values.append(null[0])
    ratio = any(state.contrast and state.contrast.kind == "ratio" for view in graph.pathways for state in view.states)
    return scale_over(values, start + 0.08, end - 0.08, log=ratio and asks_contrast(graph))


def _draw_row(sheet: Sheet, row: ForestRow, scale: Scale, y: float) -> None:
    colour = STATUS_COLOUR["imagined"]
    if row.start and row.start.value is not None:
        sheet.disc(scale.at(row.start.value), y, 0.032, fill=STATUS_COLOUR["observed"], edge=STATUS_COLOUR["observed"])
    if not has_value(row.reached) or row.reached is None or row.reached.value is None:
        return
    number = row.reached
    x = scale.at(row.reached.value)
    if row.start and row.start.value is not None:
        sheet.line([(scale.at(row.start.value), y), (x, y)], colour=FAINT, width=2.4, order=1)
    if number.interval:
        low = scale.at(number.interval.lower) if number.interval.lower is not None else scale.start
        high = scale.at(number.interval.upper) if number.interval.upper is not None else scale.end
        sheet.line([(low, y), (high, y)], colour=colour)
        for end, limit in ((low, number.interval.lower), (high, number.interval.upper)):
            if limit is not None:
                sheet.line([(end, y - 0.035), (end, y + 0.035)], colour=colour)
    colour = STATUS_COLOUR[number.status]
    sheet.disc(x, y, 0.045, fill=PAPER if number.status == "imagined" else colour, edge=colour, width=1.3)


def _draw_total(sheet: Sheet, graph: ReasoningGraph, total: Number | None, scale: Scale, y: float, width: float) -> None:
    aggregated = graph.aggregated
    if aggregated is None:
        return
    sheet.line([(0, y - 0.02), (width, y - 0.02)], colour=FAINT, width=0.6)
    label = Style(7.8, bold=True)
    sheet.text(0, y + 0.15 - label.line / 2, f"Aggregate of {aggregated.answered}", label)
    if total is None or total.value is None:
        return
    middle = y + 0.15
    colour = STATUS_COLOUR["imagined"]
    if total.interval:
        low = scale.at(total.interval.lower) if total.interval.lower is not None else scale.start
        high = scale.at(total.interval.upper) if total.interval.upper is not None else scale.end
        sheet.line([(low, middle), (high, middle)], colour=colour, width=1.0)
    x = scale.at(total.value)
    limits = (None, None) if asks_contrast(graph) else (aggregated.spread_lower, aggregated.spread_upper)
    low, high = (x if limit is None else scale.at(limit) for limit in limits)
    low, high = min(low, x - 0.05), max(high, x + 0.05)
    sheet.shape([(low, middle), (x, middle - 0.075), (high, middle), (x, middle + 0.075)], fill=PAPER, edge=colour, width=1.3)


def _draw_axis(sheet: Sheet, scale: Scale, y: float, title: str) -> None:
    sheet.line([(scale.start, y), (scale.end, y)], width=0.7)
    style = Style(6.8)
    for value, text in scale.ticks(6):
        x = scale.at(value)
        sheet.line([(x, y), (x, y + 0.04)], width=0.7)
        sheet.text(x, y + 0.06, text, style, "centre")
    sheet.lines((scale.start + scale.end) / 2, y + 0.19, wrap(title, style, PLOT_WIDTH, 2), style, "centre")
