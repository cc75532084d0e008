"""A reliability diagram: what was said against what was posted, a panel a system, with how many trials are in each bin."""

from __future__ import annotations

from pathlib import Path

import msgspec

from deepimagine_exporters.blocks import BLUE
from deepimagine_exporters.evaluation_marks import Heading, draw_about, draw_heading
from deepimagine_exporters.figure import DPI, FigureFormat, format_of, render_drawing
from deepimagine_exporters.sheet import FAINT, GREY, Rect, Sheet, Style, width_of, wrap
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.files import write_bytes

SIDE = 2.3
"""Inches of a panel's side."""
COLUMNS = 3
_LEFT, _GAP, _STRIP = 0.42, 0.34, 0.42
_HEAD = Style(7.4, bold=True)
_NOTE = Style(6.6, colour=GREY)
_AXIS = Style(6.4)
_COUNT = Style(5.2, colour=GREY)
_BINS_COLOUR = "#d9d9d9"
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Bin(msgspec.Struct, frozen=True):
    """A bin that is not empty: its ends, the mean share said, the share posted with its interval (`None` where unknown), and
    the trials in it."""

    start: float
    end: float
    said: float
    posted: float
    lower: float | None
    upper: float | None
    trials: int


class Panel(msgspec.Struct, frozen=True):
    """One system: its bins, and a line of numbers such as its calibration error."""

    system: str
    note: str
    bins: tuple[Bin, ...]


class Reliability(msgspec.Struct, frozen=True):
    """What the figure shows: of each system, how often `what` was posted where it was said with a probability."""

    heading: Heading
    what: str
    panels: tuple[Panel, ...]


def export_reliability(shown: Reliability, path: Path) -> Path:
    """Write the figure to `path`, whose suffix decides the format; the same numbers give the same bytes.

    Raises:
        UsageError: the suffix is none of a figure.
        RefusedError: there is nothing to draw.
        StorageError: the file cannot be written.
    """
    write_bytes(path, render_reliability(shown, format_of(path)))
    return path


def render_reliability(shown: Reliability, file_format: FigureFormat, *, dpi: int = DPI) -> bytes:
    """The figure as bytes.

    Raises:
        RefusedError: there is nothing to draw.
    """
    about = " ".join(shown.heading.about)
    return render_drawing(lambda: draw_reliability(shown), "reliability", shown.heading.title, about, file_format, dpi=dpi)


def draw_reliability(shown: Reliability) -> Sheet:
    """The figure laid out.

    Raises:
        RefusedError: there is nothing to draw.
    """
    panels = [panel for panel in shown.panels if panel.bins]
    if not panels:
        raise RefusedError("No probability was said of a posted verdict.", "Score a system that answers.")
    sheet = Sheet()
    columns = min(len(panels), COLUMNS)
    width = max(columns * (_LEFT + SIDE) + (columns - 1) * _GAP, 4.2)
    y = draw_heading(sheet, shown.heading, width)
    for first in range(0, len(panels), COLUMNS):
        row = panels[first : first + COLUMNS]
        titles = [wrap(panel.system, _HEAD, SIDE + _LEFT, 2) for panel in row]
        top = y + max(map(len, titles)) * _HEAD.line
        for place, (panel, title) in enumerate(zip(row, titles, strict=True)):
            x = place * (_LEFT + SIDE + _GAP)
            sheet.lines(x, y, title, _HEAD)
            _draw_panel(sheet, shown, panel, x, top)
        y = sheet.height + 0.16
    notes = (
        "A point is a bin of ten: the mean probability said, and the share posted with its interval over trials. On the dashed "
        "line what was said holds.",
        "Without a bar there are too few programmes for an interval. Below: trials in each bin.",
    )
    draw_about(sheet, shown.heading, notes, sheet.height + 0.1, width)
    return sheet


def _draw_panel(sheet: Sheet, shown: Reliability, panel: Panel, x: float, y: float) -> None:
    sheet.lines(x, y, wrap(panel.note, _NOTE, SIDE + _LEFT, 1), _NOTE)
    plot = Rect(x + _LEFT, y + _NOTE.line + 0.12, SIDE, SIDE)

    def at(said: float, posted: float) -> tuple[float, float]:
        return plot.x + said * plot.width, plot.bottom - posted * plot.height

    sheet.line([at(0, 0), at(1, 1)], colour=FAINT, width=0.8, dash="dashed", order=1)
    sheet.line([at(0, 1), at(0, 0), at(1, 0)], width=0.7)
    for tick in _TICKS:
        here = at(0, tick)
        sheet.line([here, (here[0] - 0.04, here[1])], width=0.7)
        sheet.text(here[0] - 0.06, here[1] - _AXIS.line / 2, f"{tick:g}", _AXIS, "right")
    for each in panel.bins:
        point = at(each.said, each.posted)
        if each.lower is not None and each.upper is not None:
            sheet.line([at(each.said, each.lower), at(each.said, each.upper)], colour=BLUE, width=1.0)
        sheet.disc(*point, 0.038, fill=BLUE, edge=BLUE)
    _draw_strip(sheet, shown, panel, plot)


def _draw_strip(sheet: Sheet, shown: Reliability, panel: Panel, plot: Rect) -> None:
    """Trials in each bin as bars, on the same axis, with the axis below them."""
    base = plot.bottom + 0.1 + _STRIP
    most = max(each.trials for each in panel.bins)
    for each in panel.bins:
        left, right = plot.x + each.start * plot.width, plot.x + each.end * plot.width
        height = (_STRIP - _COUNT.line) * each.trials / most
        sheet.box(
            Rect(left + 0.01, base - height, right - left - 0.02, height), edge=_BINS_COLOUR, fill=_BINS_COLOUR, width=0.3
        )
        sheet.text((left + right) / 2, base - height - _COUNT.line, f"{each.trials:,}", _COUNT, "centre")
    sheet.line([(plot.x, base), (plot.right, base)], width=0.7)
    for tick in _TICKS:
        here = plot.x + tick * plot.width
        sheet.line([(here, base), (here, base + 0.04)], width=0.7)
        sheet.text(here, base + 0.06, f"{tick:g}", _AXIS, "centre")
    title = f"Said P({shown.what}); up: share posted {shown.what}"
    while width_of(title, _AXIS) > plot.width + _LEFT and ";" in title:
        title = title.partition(";")[0]
    sheet.text(plot.x + plot.width / 2, base + 0.08 + _AXIS.line, title, _AXIS, "centre")
