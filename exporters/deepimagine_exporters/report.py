"""A run as a report: Markdown with its figures beside it, or one HTML file that holds everything."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from deepimagine_exporters.figure import FigureKind, render
from deepimagine_exporters.provenance import started_of, title_of
from deepimagine_exporters.report_content import report_parts
from deepimagine_exporters.report_html import html_document
from deepimagine_exporters.report_markdown import markdown_document
from deepimagine_tui.document import Picture
from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.files import write_bytes, write_text
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_results import RunProbes

SUFFIXES = (".md", ".html")
_CAPTIONS: dict[FigureKind, str] = {
    "graph": "The reasoning graph: states with their results, and the single change between one and the next.",
    "trajectory": "The values of both arms along the steps.",
    "forest": "Where each pathway arrived, and their aggregate.",
    "waterfall": "How much each step moved the result.",
}


def export_report(graph: ReasoningGraph, path: Path, cancel: Event | None = None, *, probes: RunProbes | None = None) -> Path:
    """Write the report of a run to `path`: `.md` (its figures in the folder `<name>_files` beside it) or `.html` (one file);
    with its `probes` where it was probed.

    Raises:
        UsageError: the suffix is unknown.
        RefusedError: the run never started.
        CancelledError: `cancel` was set; nothing was written.
        StorageError: a file cannot be written.
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise UsageError(f"A report cannot be written as {path.name!r}.", f"Give it one of the endings {', '.join(SUFFIXES)}.")
    started_of(graph)
    pictures = tuple(_pictures(graph, cancel))
    parts = tuple(report_parts(graph, pictures, probes))
    if suffix == ".html":
        write_text(path, html_document(title_of(graph), parts))
        return path
    folder = path.with_name(f"{path.stem}_files")
    for picture in pictures:
        write_bytes(folder / f"{picture.which}.svg", picture.svg)
    write_text(path, markdown_document(parts, folder.name))
    return path


def _pictures(graph: ReasoningGraph, cancel: Event | None) -> list[Picture]:
    """The figures that this run has something to show in."""
    kinds: list[FigureKind] = ["graph", "trajectory"]
    if len(graph.pathways) > 1:
        kinds.append("forest")
    kinds.append("waterfall")
    found = []
    for which in kinds:
        try:
            found.append(Picture(which, _CAPTIONS[which], render(graph, which, "svg", cancel=cancel)))
        except RefusedError:
            continue
    return found
