"""`deepimagine train traces`: the reasoning that pairs are learnt with."""

from __future__ import annotations

from pathlib import Path

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path), metavar="PAIRS")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of its own to write to."
)
@as_json
def traces(pairs: Path, out: Path, json_output: bool) -> None:
    """Write the reasoning of each pair that is one step.

    It is composed of registry facts: the ratio of doses, the kind of comparator, the class of a drug, times, how the source's
    comparison came out. It reads nothing of the target's result, so that the answer after it stays a prediction. An interrupted
    command goes on where it was.
    """
    from deepimagine_training import pair_files, traces
    from deepimagine_training.writing import write_facts

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable

    drawn = pair_files.read_manifest(pairs)
    with stoppable() as cancel, Progress("Writing traces") as progress:
        left_out = write_facts(pair_files.load_rows(pairs), out, cancel, progress.say)
        manifest = traces.finish(out, drawn.data_sha256, left_out)
    if json_output:
        emit_json({"folder": str(out), "manifest": manifest})
        return
    counts = ", ".join(f"{factor} {count:,}" for factor, count in manifest.by_factor.items())
    emit(f"{out}\n{manifest.traces:,} traces: {counts}\n{left_out:,} pairs have none: they are more than one step.")
