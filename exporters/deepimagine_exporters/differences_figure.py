"""A forest plot of paired differences: one system minus each of the others, a panel a metric, numbers in aligned columns."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from deepimagine_exporters.evaluation_marks import COLOURS, Heading, draw_about, draw_heading, draw_point
from deepimagine_exporters.figure import DPI, FigureFormat, format_of, render_drawing
from deepimagine_exporters.scale import Scale, scale_over
from deepimagine_exporters.sheet import GREY, Sheet, Style, width_of, wrap
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.files import write_bytes

PLOT_WIDTH = 2.7
GAP = 0.2
_NAME_LIMIT = 2.6
_PITCH, _PITCH_OF_TWO_LINES = 0.235, 0.32
_SAID = "This one is"
_HEAD = Style(7.2, bold=True)
_BODY = Style(7.4)
_SMALL = Style(6.4, colour=GREY)
_AXIS = Style(6.6)


class Row(msgspec.Struct, frozen=True):
    """The difference from one system: value and interval (`None` where unknown), as text, with how many trials; and the word
    that it allows: `better`, `worse` or `not distinguishable`."""

    other: str
    value: float
    lower: float | None
    upper: float | None
    text: str
    trials: str
    word: str


class Panel(msgspec.Struct, frozen=True):
    """The differences in one metric, all in the unit of `axis`."""

    metric: str
    axis: str
    rows: tuple[Row, ...]
    lower_is_better: bool = False


class Differences(msgspec.Struct, frozen=True):
    """What the figure shows: `system` minus each of the others."""

    heading: Heading
    system: str
    panels: tuple[Panel, ...]


def export_differences(shown: Differences, path: Path) -> Path:
    """Write the figure to `path`, whose suffix decides the format; the same numbers give the same bytes.

    Raises:
        UsageError: the suffix is none of a figure.
        RefusedError: there is no difference to draw.
        StorageError: the file cannot be written.
    """
    write_bytes(path, render_differences(shown, format_of(path)))
    return path


def render_differences(shown: Differences, file_format: FigureFormat, *, dpi: int = DPI) -> bytes:
    """The figure as bytes.

    Raises:
        RefusedError: there is no difference to draw.
    """
    about = " ".join(shown.heading.about)
    return render_drawing(lambda: draw_differences(shown), "differences", shown.heading.title, about, file_format, dpi=dpi)


def draw_differences(shown: Differences) -> Sheet:
    """The figure laid out.

    Raises:
        RefusedError: there is no difference to draw.
    """
    panels = [panel for panel in shown.panels if panel.rows]
    if not panels:
        raise RefusedError("There is no difference to draw.", "Score two systems or more on the same questions.")
    sheet = Sheet()
    rows = [row for panel in panels for row in panel.rows]
    names = max(width_of(line, _BODY) for row in rows for line in _name(row.other))
    names = max(names, *(width_of(panel.metric, _HEAD) for panel in panels))
    texts = max(width_of("Difference", _HEAD), *(width_of(row.text, _BODY) for row in rows))
    trials = max(width_of("Trials", _HEAD), *(width_of(row.trials, _BODY) for row in rows))
    words = max(width_of(_SAID, _HEAD), *(width_of(row.word, _BODY) for row in rows))
    columns = (names + GAP, names + GAP + PLOT_WIDTH + GAP)
    width = columns[1] + texts + GAP + trials + GAP + words
    y = draw_heading(sheet, shown.heading, width)
    for panel in panels:
        y = _draw_panel(sheet, shown, panel, columns, (texts, trials), y, width)
    notes = (
        "A point is the difference on the questions that both answered, the bar its interval over trials.",
        "Filled: the interval excludes zero. Hollow: not distinguishable with so many trials.",
    )
    draw_about(sheet, shown.heading, notes, sheet.height + 0.1, width)
    return sheet


def _draw_panel(
    sheet: Sheet,
    shown: Differences,
    panel: Panel,
    columns: tuple[float, float],
    widths: tuple[float, float],
    y: float,
    width: float,
) -> float:
    plot, right = columns
    texts, trials = widths
    sheet.text(0, y, panel.metric, _HEAD)
    sheet.text(right + texts, y, "Difference", _HEAD, "right")
    sheet.text(right + texts + GAP + trials, y, "Trials", _HEAD, "right")
    sheet.text(right + texts + GAP + trials + GAP, y, _SAID, _HEAD)
    top = y + _HEAD.line + 0.05
    sheet.line([(0, top), (width, top)], width=0.7)
    scale = _scale(panel, plot)
    pitch = _PITCH_OF_TWO_LINES if any(len(_name(row.other)) > 1 for row in panel.rows) else _PITCH
    bottom = top + pitch * len(panel.rows)
    null = scale.at(0.0)
    sheet.line([(null, top), (null, bottom)], colour=GREY, width=0.7)
    for place, row in enumerate(panel.rows):
        middle = top + pitch * (place + 0.5)
        line = middle - _BODY.line / 2
        name = _name(row.other)
        sheet.lines(0, middle - _BODY.line * len(name) / 2, name, _BODY)
        sheet.text(right + texts, line, row.text, _BODY, "right")
        sheet.text(right + texts + GAP + trials, line, row.trials, _BODY, "right")
        colour = COLOURS.get(row.word, GREY)
        sheet.text(right + texts + GAP + trials + GAP, line, row.word, msgspec.structs.replace(_BODY, colour=colour))
        if row.lower is not None and row.upper is not None:
            ends = scale.at(row.lower), scale.at(row.upper)
            sheet.line([(ends[0], middle), (ends[1], middle)], colour=colour, width=1.1)
            for end in ends:
                sheet.line([(end, middle - 0.035), (end, middle + 0.035)], colour=colour)
        draw_point(sheet, scale.at(row.value), middle, row.word)
    return _draw_axis(sheet, shown, panel, scale, bottom)


def _draw_axis(sheet: Sheet, shown: Differences, panel: Panel, scale: Scale, y: float) -> float:
    sheet.line([(scale.start, y), (scale.end, y)], width=0.7)
    for value, text in scale.ticks(5):
        sheet.line([(scale.at(value), y), (scale.at(value), y + 0.04)], width=0.7)
        sheet.text(scale.at(value), y + 0.06, text, _AXIS, "centre")
    y += 0.19
    better, worse = "this one is better", "the other is better"
    left, right = (better, worse) if panel.lower_is_better else (worse, better)
    sheet.text(scale.start, y, f"← {left}", _SMALL)
    sheet.text(scale.end, y, f"{right} →", _SMALL, "right")
    y += _SMALL.line
    title = wrap(f"{panel.axis}, {shown.system} minus the other", _AXIS, PLOT_WIDTH + 2 * GAP, 2)
    return sheet.lines((scale.start + scale.end) / 2, y, title, _AXIS, "centre") + 0.16


def _scale(panel: Panel, start: float) -> Scale:
    """An axis that has zero in it."""
    values = [0.0]
    for row in panel.rows:
        values += [value for value in (row.value, row.lower, row.upper) if value is not None and math.isfinite(value)]
    return scale_over(values, start + 0.06, start + PLOT_WIDTH - 0.06)


def _name(text: str) -> tuple[str, ...]:
    return wrap(text, _BODY, _NAME_LIMIT, 2)
