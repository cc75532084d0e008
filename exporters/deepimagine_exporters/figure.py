"""Figures as files: of a run the reasoning graph, each pathway's trajectory, forest plot and waterfall; what others lay out.

The one place that asks matplotlib to write. It may be called from any thread, one figure at a time.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Literal, get_args

from deepimagine_exporters.provenance import measure_text, provenance_lines, title_of
from deepimagine_exporters.sheet import LOCK, Sheet
from deepimagine_exporters.svg import finish_svg
from deepimagine_tui.errors import CancelledError, UsageError
from deepimagine_tui.files import storage_error, write_bytes
from deepimagine_tui.reasoning.graph import ReasoningGraph

FigureKind = Literal["graph", "trajectory", "forest", "waterfall"]
FigureFormat = Literal["svg", "png", "pdf"]
KINDS: tuple[FigureKind, ...] = get_args(FigureKind)
SUFFIXES = (".svg", ".png", ".pdf")
DPI = 300
MAX_PIXELS = 60_000_000
"""A png beyond this is drawn at a lower resolution: at 300 dpi that is about 26 by 26 inches."""


def export_figure(graph: ReasoningGraph, path: Path, which: FigureKind = "graph", cancel: Event | None = None) -> Path:
    """Draw a run and write it to `path`, whose suffix decides the format (`.svg`, `.png`, `.pdf`); the same run gives
    the same bytes.

    Raises:
        UsageError: the suffix or the kind of figure is unknown.
        RefusedError: the run holds nothing that this figure could show.
        CancelledError: `cancel` was set; nothing was written.
        StorageError: the file cannot be written.
    """
    file_format = format_of(path)
    write_bytes(path, render(graph, which, file_format, cancel=cancel))
    return path


_FORMATS: dict[str, FigureFormat] = {".svg": "svg", ".png": "png", ".pdf": "pdf"}


def render(
    graph: ReasoningGraph,
    which: FigureKind,
    file_format: FigureFormat,
    *,
    dpi: int = DPI,
    cancel: Event | None = None,
) -> bytes:
    """The figure as bytes; for a preview, ask for `png` at a low `dpi`.

    Raises:
        UsageError: the kind of figure is unknown.
        RefusedError: the run holds nothing that this figure could show.
        CancelledError: `cancel` was set.
        StorageError: matplotlib finds no folder for its cache, not even a temporary one.
    """
    with LOCK:
        sheet = sheet_of(graph, which, cancel)
        title = " · ".join(part for part in (title_of(graph), measure_text(graph)) if part)
        with drawing_settings(which):
            content = _written(sheet, title, " ".join(provenance_lines(graph)), file_format, dpi)
        check(cancel)
        return content


def render_drawing(
    draw: Callable[[], Sheet], which: str, title: str, about: str, file_format: FigureFormat, *, dpi: int = DPI
) -> bytes:
    """A figure that is of no run as bytes: `draw` lays it out, `title` and `about` go into the file.

    Raises:
        RefusedError: there is nothing to draw.
        StorageError: matplotlib finds no folder for its cache, not even a temporary one.
    """
    with LOCK:
        _begin()
        sheet = draw()
        with drawing_settings(which):
            return _written(sheet, title, about, file_format, dpi)


def format_of(path: Path) -> FigureFormat:
    """The format that a path's suffix names.

    Raises:
        UsageError: it names none.
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise UsageError(f"A figure cannot be written as {path.name!r}.", f"Give it one of the endings {', '.join(SUFFIXES)}.")
    return _FORMATS[suffix]


def sheet_of(graph: ReasoningGraph, which: FigureKind, cancel: Event | None = None) -> Sheet:
    """The figure laid out, not yet drawn. The caller holds `sheet.LOCK`.

    Raises:
        UsageError: the kind of figure is unknown.
        RefusedError: the run holds nothing that this figure could show.
        CancelledError: `cancel` was set.
        StorageError: matplotlib finds no folder for its cache, not even a temporary one.
    """
    draw = _drawer(which)
    check(cancel)
    _begin()
    sheet = draw(graph)
    check(cancel)
    return sheet


def _begin() -> None:
    try:
        import matplotlib as _  # noqa: F401  # its first import looks for a folder to write to
    except OSError as error:
        raise storage_error(Path("matplotlib's cache"), error) from error
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)


@contextmanager
def drawing_settings(which: str) -> Iterator[None]:
    """matplotlib's own defaults, whatever the user's are, and ours: text stays text, is as wide as it was measured (no
    hinting), and ids are the same each time."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = f"deepimagine {which}"
        matplotlib.rcParams["svg.fonttype"] = "none"
        matplotlib.rcParams["pdf.fonttype"] = 42
        matplotlib.rcParams["text.hinting"] = "none"
        yield


def _drawer(which: str) -> Callable[[ReasoningGraph], Sheet]:
    match which:
        case "graph":
            from deepimagine_exporters.graph_figure import draw_graph

            return draw_graph
        case "trajectory":
            from deepimagine_exporters.trajectory_figure import draw_trajectory

            return draw_trajectory
        case "forest":
            from deepimagine_exporters.forest_figure import draw_forest

            return draw_forest
        case "waterfall":
            from deepimagine_exporters.waterfall_figure import draw_waterfall

            return draw_waterfall
        case _:
            raise UsageError(f"There is no figure {which!r}.", f"Choose one of {', '.join(KINDS)}.")


def check(cancel: Event | None) -> None:
    """Stop here when `cancel` is set.

    Raises:
        CancelledError: it is.
    """
    if cancel is not None and cancel.is_set():
        raise CancelledError("The figure was not drawn.")


def _written(sheet: Sheet, title: str, about: str, file_format: FigureFormat, dpi: int) -> bytes:
    figure = sheet.figure()
    stream = io.BytesIO()
    match file_format:
        case "svg":
            metadata = {"Date": None, "Creator": "DeepImagine", "Title": title, "Description": about}
            figure.savefig(stream, format="svg", metadata=metadata)
            return finish_svg(stream.getvalue().decode("utf-8"), sheet.texts).encode("utf-8")
        case "pdf":
            metadata = {"CreationDate": None, "Creator": "DeepImagine", "Title": title, "Subject": about}
            figure.savefig(stream, format="pdf", metadata=metadata)
        case "png":
            width, height = figure.get_size_inches()
            most = math.sqrt(MAX_PIXELS / (width * height))
            metadata = {"Software": "DeepImagine", "Title": title, "Description": about}
            figure.savefig(stream, format="png", dpi=min(dpi, most, 60000 / max(width, height)), metadata=metadata)
    return stream.getvalue()
