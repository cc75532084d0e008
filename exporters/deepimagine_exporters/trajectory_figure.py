"""The trajectory figure: the value of both arms along the steps of each pathway, a panel a pathway and measure."""

from __future__ import annotations

import math

import msgspec

from deepimagine_exporters.marks import MIN_WIDTH, draw_footer, draw_header, finish
from deepimagine_exporters.panel import Panel, Point, Series, Shape, draw_panel
from deepimagine_exporters.provenance import factor_name
from deepimagine_exporters.scale import scale_over
from deepimagine_exporters.sheet import GREY, Sheet, Style, wrap
from deepimagine_exporters.words import contrast_name, outcome_text
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.describe import value_text
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.state import Configuration, Number, State
from deepimagine_tui.reasoning.summary import format_probability
from deepimagine_tui.text import one_line

ACROSS = 3
_AXIS = 1.1
_ARMS: tuple[tuple[str, Shape], ...] = (("k1", "circle"), ("k2", "square"))
NO_VALUE = "This run has no value to draw a trajectory of."
_TITLE = Style(7.6, bold=True)
_UNIT = Style(6.8, colour=GREY)


class _Place(msgspec.Struct, frozen=True):
    """A position on the x axis: the anchor, then each step."""

    heading: str
    detail: str
    state: State | None
    posted: tuple[Number | None, Number | None]
    missing: str


def draw_trajectory(graph: ReasoningGraph) -> Sheet:
    """Each pathway's values along its steps; a change of measure starts a new panel, since its values share no axis.

    Raises:
        RefusedError: the run has no anchor, or no value at all.
    """
    if not graph.pathways:
        raise RefusedError("This run has no anchor to draw.", graph.finished.message if graph.finished else "")
    single = len(graph.pathways) == 1
    panels = [panel for index, view in enumerate(graph.pathways) for panel in _panels(graph, index, view, single)]
    if not any(panel.values for panel in panels):
        raise RefusedError(NO_VALUE, "The reasoning graph shows what there is.")
    total = _total_panel(graph)
    panels = [*panels, total] if total else panels
    sheet = Sheet()
    _draw(sheet, graph, panels, single)
    finish(sheet, graph)
    return sheet


def _measure(configuration: Configuration) -> tuple[str, ...]:
    outcome = configuration.outcome
    return (outcome.title, outcome.class_title, outcome.category, outcome.unit, outcome.change_basis)


def _places(view: PathwayView, numbered: bool) -> list[_Place]:
    places = [_Place("anchor", "", view.anchor.state, (None, None), "")]
    for step in view.steps:
        perturbation = step.planned.perturbation
        heading = (
            f"{step.planned.step + 1} {factor_name(perturbation.factor)}" if numbered else factor_name(perturbation.factor)
        )
        detail = f"{one_line(perturbation.before)} → {one_line(perturbation.after)}"
        revealed = step.revealed
        posted = (revealed.arm_value, revealed.comparator_value) if revealed else (None, None)
        missing = f"✕ {step.failed.kind}" if step.failed else "not answered"
        state = step.estimated.state if step.estimated else None
        places.append(_Place(heading, detail, state, posted, "" if state else missing))
    return places


def _panels(graph: ReasoningGraph, index: int, view: PathwayView, single: bool) -> list[Panel]:
    places = _places(view, numbered=single)
    groups: list[list[_Place]] = [[]]
    measure: tuple[str, ...] | None = None
    for place in places:
        here = _measure(place.state.configuration) if place.state else measure
        if groups[-1] and here != measure:
            groups.append([])
        groups[-1].append(place)
        measure = here
    anchor = view.anchor
    trial = anchor.state.nct_id + (" *" if anchor.seen_in_training else "")
    name = [] if single else [f"{index + 1}  {trial}"]
    if anchor.similarity is not None:
        name.append(f"similarity {format_probability(anchor.similarity)}")
    found = []
    for group in groups:
        state = next(place.state for place in group if place.state)
        measured = outcome_text(state.configuration) if len(groups) > 1 else ""
        found.append(_panel(graph, " · ".join([*name, measured] if measured else name), group, state, single))
    return found


def _panel(graph: ReasoningGraph, title: str, group: list[_Place], state: State, single: bool) -> Panel:
    contrast = bool(graph.started and graph.started.request.estimand == "contrast") or not any(
        place.state and place.state.arm_value for place in group
    )
    if contrast and any(place.state and place.state.contrast for place in group):
        named = next(place.state.contrast for place in group if place.state and place.state.contrast)
        series: tuple[Series, ...] = (Series(contrast_name(named), "circle", tuple(_contrast_point(place) for place in group)),)
        unit = named.number.unit or named.scale
    else:
        series = tuple(
            Series(name, shape, tuple(_point(place, side) for place in group)) for side, (name, shape) in enumerate(_ARMS)
        )
        unit = state.configuration.outcome.unit
    names = tuple((place.heading, place.detail if single else "") for place in group)
    return Panel(title, unit, names, series, tuple(place.missing for place in group))


def _contrast_point(place: _Place) -> Point:
    number = place.state.contrast.number if place.state and place.state.contrast else None
    return Point(number, None, _note(number))


def _point(place: _Place, side: int) -> Point:
    number = (place.state.arm_value, place.state.comparator_value)[side] if place.state else None
    return Point(number, place.posted[side], _note(number))


def _note(number: Number | None) -> str:
    return "" if number is None or (number.value is not None and math.isfinite(number.value)) else value_text(number)


def _total_panel(graph: ReasoningGraph) -> Panel | None:
    total = graph.aggregated
    if total is None or total.arm_value is None:
        return None
    series = (
        Series("k1", "circle", (Point(total.arm_value, None, ""),)),
        Series("k2", "square", (Point(total.comparator_value, None, ""),)),
    )
    return Panel(f"Aggregate of {total.answered}", total.arm_value.unit, (("at the target", ""),), series, ("",))


def _draw(sheet: Sheet, graph: ReasoningGraph, panels: list[Panel], single: bool) -> None:
    most = max(len(panel.places) for panel in panels)
    total = sum(len(panel.places) for panel in panels)
    pitch = max(1.35, min(2.2, (MIN_WIDTH - _AXIS * len(panels)) / total)) if single else 0.68
    height = 2.3 if single else 1.5
    across = len(panels) if single else min(ACROSS, len(panels))
    cells = [_AXIS + pitch * (len(panel.places) if single else most) for panel in panels]
    width = max(MIN_WIDTH, sum(cells[:across]))
    y = draw_header(sheet, graph, width)
    values = _shared_values(panels)
    for start in range(0, len(panels), across):
        row = panels[start : start + across]
        titles = [
            wrap(panel.title, _TITLE, cell - 0.25, 3) if panel.title else ()
            for panel, cell in zip(row, cells[start:], strict=False)
        ]
        room = max(len(lines) for lines in titles) * _TITLE.line
        bottom, left = y, 0.0
        for panel, title, cell in zip(row, titles, cells[start:], strict=False):
            sheet.lines(left, y + room - len(title) * _TITLE.line, title, _TITLE)
            top = sheet.lines(left, y + room, wrap(panel.unit, _UNIT, cell - 0.25, 1), _UNIT) + 0.08
            shared = values[panel.unit]
            scale = scale_over(shared or [0.0, 1.0], top + height, top)
            bottom = max(bottom, draw_panel(sheet, panel, scale, left + 0.55, pitch, ticks=bool(shared)))
            left += cell
        y = bottom + 0.22
    draw_footer(sheet, graph, y - 0.2, width, _explanations(graph, panels), drawn=_drawn(panels))


def _shared_values(panels: list[Panel]) -> dict[str, list[float]]:
    """All values of each unit: panels of one unit share one axis."""
    found: dict[str, list[float]] = {}
    for panel in panels:
        found.setdefault(panel.unit, []).extend(panel.values)
    return found


def _drawn(panels: list[Panel]) -> list[Number]:
    points = [point for panel in panels for series in panel.series for point in series.points]
    numbers = [number for point in points for number in (point.number, point.posted)]
    return [number for number in numbers if number is not None and number.value is not None]


def _explanations(graph: ReasoningGraph, panels: list[Panel]) -> tuple[str, ...]:
    lines = []
    if any(series.name == "k1" for panel in panels for series in panel.series):
        lines.append("Circles: arm k1; squares: comparator k2. Filled: observed; hollow: imagined.")
    numbers = _drawn(panels)
    kinds = {f"{number.interval.level:g}% {number.interval.kind}" for number in numbers if number.interval}
    if kinds:
        lines.append(f"Vertical bars: {', '.join(sorted(kinds))}.")
    if any(number.interval is None for number in numbers if number.status == "imagined"):
        lines.append("Imagined values without a bar are not calibrated.")
    if any(step.revealed for view in graph.pathways for step in view.steps):
        lines.append("Filled diamonds: the posted result, shown after the model had answered.")
    if len(graph.pathways) > 1 and any(view.anchor.seen_in_training for view in graph.pathways):
        lines.append("* The model was trained on this trial.")
    return tuple(lines)
