"""`deepimagine export`: a run as a figure, a report or data, its format by the file's ending; a training run as GGUF files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

from deepimagine_tui.cli.console import emit
from deepimagine_tui.cli.export_gguf import gguf
from deepimagine_tui.errors import UsageError

if TYPE_CHECKING:
    from deepimagine_tui.reasoning.graph import ReasoningGraph
    from deepimagine_tui.reasoning.probe_results import RunProbes

Figure = Literal["graph", "trajectory", "forest", "waterfall"]

_FIGURES = ("svg", "png", "pdf")
_REPORTS = ("md", "html")
_DATA = ("json", "csv", "graphml", "dot")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def export() -> None:
    """Write a run as a figure, a report or data; a training run as GGUF files.

    RUN is a run's id, the beginning of one, or `last`. The path of the file is written to standard output.
    """


_output = click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="File to write.")


@export.command()
@click.argument("run")
@_output
@click.option(
    "--which",
    type=click.Choice(["graph", "trajectory", "forest", "waterfall"]),
    default="graph",
    show_default=True,
    help="The reasoning graph, the values along each pathway, the pathways beside their aggregate, or what each step moved.",
)
def figure(run: str, output: Path | None, which: str) -> None:
    """Draw RUN as .svg, .png or .pdf."""
    from deepimagine_tui import settings

    run_id, graph = _graph_of(run)
    path = output or Path(f"{run_id}-{which}.{settings.load().figure_format}")
    _ending(path, _FIGURES)
    from deepimagine_exporters.figure import export_figure

    export_figure(graph, path, which=msgspec.convert(which, Figure))
    emit(str(path))


@export.command()
@click.argument("run")
@_output
def report(run: str, output: Path | None) -> None:
    """Write RUN as a report: Markdown (.md), or one HTML file with the figures inside (.html)."""
    run_id, graph = _graph_of(run)
    path = output or Path(f"{run_id}.html")
    _ending(path, _REPORTS)
    from deepimagine_exporters.report import export_report

    export_report(graph, path, probes=_probes_of(run_id))
    emit(str(path))


@export.command()
@click.argument("run")
@_output
@click.option("--format", "chosen", type=click.Choice(_DATA), help="Format, when the file's ending does not say.")
def data(run: str, output: Path | None, chosen: str | None) -> None:
    """Write RUN as data: .json, .csv, .graphml or .dot."""
    run_id, graph = _graph_of(run)
    path = output or Path(f"{run_id}.{chosen or 'json'}")
    form = chosen or _ending(path, _DATA)
    from deepimagine_exporters.data import export_data

    export_data(graph, path, form, probes=_probes_of(run_id))
    emit(str(path))


export.add_command(gguf)


def _graph_of(run: str) -> tuple[str, ReasoningGraph]:
    from deepimagine_tui.reasoning.runs import RunStore

    store = RunStore.default()
    run_id = store.resolve(run)
    return run_id, store.show(run_id)


def _probes_of(run_id: str) -> RunProbes:
    from deepimagine_tui.reasoning.runs import RunStore

    return RunStore.default().probes(run_id)


def _ending(path: Path, known: tuple[str, ...]) -> str:
    ending = path.suffix.lower().removeprefix(".")
    if ending not in known:
        raise UsageError(
            f"{path} does not say which format to write.", f"Let its name end in {', '.join('.' + one for one in known)}."
        )
    return ending
