"""`deepimagine train runs`: the training runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json

if TYPE_CHECKING:
    from deepimagine_training.run_manifest import Manifest
    from deepimagine_training.runs import Comparison, Difference, Run

_folder = click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the runs are. Default: the training folder of the workspace.",
)
_KEY_METRICS = ("held_out_loss", "last_loss", "loss", "held_out_reward", "reward", "held_out_brier")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def runs() -> None:
    """List, show and compare training runs.

    RUN is a run's name or folder, its id, the beginning of one, or `last`.
    """


@runs.command("list")
@_folder
@as_json
def list_runs(folder: Path | None, json_output: bool) -> None:
    """List the runs, newest first."""
    from deepimagine_training.run_folder import training_dir
    from deepimagine_training.runs import runs_in

    found = runs_in(folder or training_dir())
    if json_output:
        emit_json({"runs": found})
        return
    if not found:
        narrate("There are no training runs yet. Begin one: deepimagine train plan laptop")
        return
    rows = [(run.name, _when(run), run.stage, run.base, f"{run.steps:,}", run.ended, _metrics_in_short(run)) for run in found]
    emit(table(("RUN", "STARTED (UTC)", "STAGE", "BASE", "STEPS", "ENDED", "METRICS"), rows, stretch=6, numeric=(4,)))


@runs.command()
@click.argument("run")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Write the curves to a .png or .svg file.")
@_folder
@as_json
def show(run: str, figure: Path | None, folder: Path | None, json_output: bool) -> None:
    """Show RUN: what it was made from, what came out, its curves."""
    from deepimagine_training.curves import panels
    from deepimagine_training.run_folder import read_log
    from deepimagine_training.runs import find

    from deepimagine_tui.cli.curve_text import panel_lines

    found = find(run, folder)
    drawn = panels(read_log(Path(found.path)))
    if figure is not None:
        from deepimagine_exporters.curves_figure import export_curves

        export_curves(f"{found.name} ({found.stage})", drawn, figure)
        narrate(f"Curves are in {figure}.")
    if json_output:
        emit_json({"run": found, "curves": drawn})
        return
    emit("\n".join(_run_lines(found)))
    for panel in drawn:
        emit("\n" + "\n".join(panel_lines(panel)))


@runs.command()
@click.argument("first")
@click.argument("second")
@_folder
@as_json
def compare(first: str, second: str, folder: Path | None, json_output: bool) -> None:
    """Compare run FIRST with run SECOND: recipes, data, metrics."""
    from deepimagine_training import runs as training_runs

    found = training_runs.compare(training_runs.find(first, folder), training_runs.find(second, folder))
    if json_output:
        emit_json(found)
        return
    emit("\n".join(_comparison_lines(found)))


def _when(run: Run) -> str:
    return run.started[:16].replace("T", " ")


def _metrics_in_short(run: Run) -> str:
    return ", ".join(f"{_words(name)} {run.metrics[name]:.4g}" for name in _KEY_METRICS if name in run.metrics)


def _words(name: str) -> str:
    return name.replace("held_out_", "held-out ").replace("_", " ")


def _run_lines(run: Run) -> Iterator[str]:
    facts = [("Run", f"{run.name} ({run.run_id})"), ("Folder", run.path), ("Started", f"{_when(run)} UTC")]
    facts += [("Stage", run.stage or "not begun"), ("Base", run.base), ("Steps", f"{run.steps:,}"), ("Ended", run.ended)]
    if run.manifest is not None:
        facts += _manifest_facts(run.manifest)
    yield from (f"{name:<13} {value}" for name, value in facts)
    yield ""
    yield table(
        ("METRIC", "VALUE"), [(_words(name), f"{value:.5g}") for name, value in sorted(run.metrics.items())], numeric=(1,)
    )
    if run.manifest is not None and run.manifest.gguf:
        yield ""
        files = [
            (
                file.name,
                f"{file.bytes / 1e6:,.1f} MB",
                "not written" if file.past_gate and not file.forced else "forced" if file.forced else "written",
                ", ".join(f"{name} {value:.4g}" for name, value in file.parity.items()),
            )
            for file in run.manifest.gguf
        ]
        yield table(("FILE", "SIZE", "STATE", "PARITY"), files, numeric=(1,))


def _manifest_facts(made: Manifest) -> list[tuple[str, str]]:
    data, machine = made.data, made.machine
    return [
        ("Time", f"{made.seconds / 60:.1f} min on {machine.cpu}, {machine.cores} cores, {machine.device}"),
        ("Recipe", f"{made.recipe.name}, seed {made.seed}"),
        ("Parent", made.parent or "none"),
        ("Base sha256", made.base.sha256),
        ("Corpus", f"{data.corpus.name} {data.corpus.version}, data to {data.corpus.data_date or 'unknown'}"),
        ("Pairs sha256", data.pairs_sha256),
        ("Traces", data.traces_sha256 or "none"),
        ("Examples", f"{data.examples:,} learnt from, {data.validation:,} held out"),
        ("Left out", ", ".join(f"{count:,} {reason}" for reason, count in data.left_out.items()) or "none"),
        ("Cutoff", made.cutoff or "unknown"),
        ("Trials", f"{len(made.trained_on):,}, siblings of their programmes included"),
        ("Prompts", made.prompt_version),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in made.libraries.items())),
        ("Adapter", made.adapter_sha256),
    ]


def _comparison_lines(found: Comparison) -> Iterator[str]:
    for title, differences in (("RECIPE", found.recipe), ("DATA AND RUN", found.data)):
        if differences:
            yield table((title, found.first, found.second), [_cells(each) for each in differences])
        else:
            yield f"{title}: no difference"
        yield ""
    rows = [
        (
            _words(metric.name),
            *("-" if value is None else f"{value:.5g}" for value in (metric.first, metric.second)),
            "-" if metric.difference is None else f"{metric.difference:+.5g}",
        )
        for metric in found.metrics
    ]
    yield table(("METRIC", found.first, found.second, "DIFFERENCE"), rows, numeric=(1, 2, 3))


def _cells(difference: Difference) -> tuple[str, str, str]:
    return difference.what, _short(difference.first), _short(difference.second)


def _short(value: str) -> str:
    """A hash by its beginning, which tells two apart."""
    return value[:12] if len(value) == 64 and value.isalnum() else value or "-"
