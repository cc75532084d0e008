"""What every figure carries around its drawing: title, measure, legend of statuses, provenance, context of use, demo mark."""

from __future__ import annotations

from collections.abc import Iterable

from deepimagine_exporters.blocks import BORDERS, STATUS_COLOUR
from deepimagine_exporters.provenance import is_demo, measure_text, provenance_lines, target_configuration, title_of
from deepimagine_exporters.sheet import GREY, INK, PAPER, Rect, Sheet, Style, width_of, wrap
from deepimagine_exporters.words import STATUS_MEANING, measure_notes
from deepimagine_tui.reasoning.events import DEMO_MARK
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.state import Number, State, Status
from deepimagine_tui.reasoning.summary import MARKS

MIN_WIDTH = 5.6
TITLE = Style(10.5, bold=True)
SUBTITLE = Style(8, colour=GREY)
FINE = Style(6.2, colour=GREY)
USE = Style(6.8, bold=True, colour=INK)
_DEMO = Style(9, bold=True, colour=PAPER)


def draw_header(sheet: Sheet, graph: ReasoningGraph, width: float, kind: str = "") -> float:
    """Title, measure and unit over `width` inches; returns the y below them."""
    y = 0.0
    room = width
    if is_demo(graph):
        badge = width_of(DEMO_MARK, _DEMO) + 0.2
        rect = Rect(width - badge, y, badge, _DEMO.line + 0.08)
        sheet.box(rect, edge=INK, fill=INK)
        sheet.text(rect.x + 0.1, rect.y + 0.04, DEMO_MARK, _DEMO)
        room -= badge + 0.2
    y = sheet.lines(0, y, wrap(title_of(graph), TITLE, room, 3), TITLE)
    configuration = target_configuration(graph)
    notes = measure_notes(configuration) if configuration else ""
    line = " · ".join(part for part in (measure_text(graph), notes, kind) if part)
    return sheet.lines(0, y + 0.02, wrap(line, SUBTITLE, room, 3), SUBTITLE) + 0.16


def draw_footer(
    sheet: Sheet,
    graph: ReasoningGraph,
    y: float,
    width: float,
    extra: tuple[str, ...] = (),
    *,
    drawn: Iterable[Number] | None = None,
) -> float:
    """Legend of statuses, explanations, provenance and context of use; returns the y below them.

    Without `drawn` all numbers of the run are on the page, in boxes; with it, only these, as points.
    """
    statuses = statuses_of(graph) if drawn is None else _ordered({number.status for number in drawn})
    y = _draw_legend(sheet, statuses, y + 0.16, width, boxes=drawn is None)
    y += 0.06
    for line in extra:
        y = sheet.lines(0, y, wrap(line, FINE, width), FINE)
    *lines, use = provenance_lines(graph)
    y += 0.06
    sheet.line([(0, y), (width, y)], colour="#c8c8c8", width=0.5)
    y += 0.05
    for line in lines:
        y = sheet.lines(0, y, wrap(line, FINE, width, 6), FINE)
    return sheet.lines(0, y + 0.03, wrap(use, USE, width), USE)


def finish(sheet: Sheet, graph: ReasoningGraph) -> None:
    """Put the demo mark behind everything, once the page has its size."""
    if is_demo(graph):
        sheet.watermark(DEMO_MARK, sheet.width, sheet.height)


def statuses_of(graph: ReasoningGraph) -> tuple[Status, ...]:
    """The statuses that occur in the run, in the order observed, derived, imagined, entered."""
    found: set[Status] = set()
    for view in graph.pathways:
        for state in view.states:
            found |= {number.status for number in numbers_of(state)}
        if any(step.revealed for step in view.steps):
            found.add("observed")
    if graph.aggregated:
        total = graph.aggregated
        contrast = total.contrast.number if total.contrast else None
        found |= {number.status for number in (total.arm_value, total.comparator_value, contrast) if number is not None}
    return _ordered(found)


def _ordered(found: set[Status]) -> tuple[Status, ...]:
    return tuple(status for status in MARKS if status in found)


def numbers_of(state: State) -> tuple[Number, ...]:
    """The numbers of a state that there are."""
    contrast = state.contrast.number if state.contrast else None
    return tuple(number for number in (state.arm_value, state.comparator_value, contrast) if number is not None)


def _draw_legend(sheet: Sheet, statuses: tuple[Status, ...], y: float, width: float, boxes: bool) -> float:
    x = 0.0
    height = 0.15
    room = 0.32 if boxes else 0.0
    for status in statuses:
        style = Style(7, italic=status == "imagined")
        text = f"{status}: {STATUS_MEANING[status]}"
        marker = Style(7, colour=STATUS_COLOUR[status])
        taken = room + width_of(MARKS[status], marker) + 0.05 + width_of(text, style)
        if x and x + taken > width:
            x, y = 0.0, y + height + 0.05
        if boxes:
            _draw_sample(sheet, status, Rect(x, y + 0.01, 0.26, height - 0.02))
        at = sheet.text(x + room, y + 0.01, MARKS[status], marker).right + 0.05
        sheet.text(at, y + 0.01, text, style)
        x += taken + 0.22
    return y + height if statuses else y


def _draw_sample(sheet: Sheet, status: Status, box: Rect) -> None:
    border = BORDERS[status]
    sheet.box(box, edge=border.colour, width=border.width, dash=border.dash)
    if border.double:
        inset = Rect(box.x + 0.025, box.y + 0.025, box.width - 0.05, box.height - 0.05)
        sheet.box(inset, edge=border.colour, width=border.width)
