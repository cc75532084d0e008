"""What of a run can be written: figures, report, data. The exporters are imported when something is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.tui.copying import ExportChoice

FigureKind = Literal["graph", "trajectory", "forest", "waterfall"]


def run_choices(graph: ReasoningGraph, probes: RunProbes | None = None) -> list[ExportChoice]:
    """Every file that can be made of a run; report and JSON hold its `probes` where it was probed."""
    started = graph.started
    if started is None:
        return []
    name = f"run-{started.request.run_id[-8:]}"
    figures: list[tuple[str, FigureKind]] = [("The graph", "graph"), ("The trajectory", "trajectory")]
    if len(graph.pathways) > 1:
        figures.append(("The forest plot", "forest"))
    figures.append(("The waterfall", "waterfall"))
    choices = [
        ExportChoice(f"{label}, {ending.upper()}", f"{name}-{kind}.{ending}", _figure(graph, kind))
        for label, kind in figures
        for ending in ("pdf", "svg", "png")
    ]
    choices.append(ExportChoice("Report, one HTML file", f"{name}.html", _report(graph, probes)))
    choices.append(ExportChoice("Report, Markdown", f"{name}.md", _report(graph, probes)))
    for label, ending in (("CSV", "csv"), ("JSON", "json"), ("GraphML", "graphml"), ("DOT", "dot")):
        choices.append(ExportChoice(f"Data, {label}", f"{name}.{ending}", _data(graph, probes)))
    return choices


def _figure(graph: ReasoningGraph, kind: FigureKind) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from deepimagine_exporters.figure import export_figure

        export_figure(graph, path, kind)

    return write


def _report(graph: ReasoningGraph, probes: RunProbes | None) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from deepimagine_exporters.report import export_report

        export_report(graph, path, probes=probes)

    return write


def _data(graph: ReasoningGraph, probes: RunProbes | None) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        from deepimagine_exporters.data import export_data

        export_data(graph, path, probes=probes)

    return write
