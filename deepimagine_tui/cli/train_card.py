"""`deepimagine train card`: an adapter with its manifest and its card, as a folder to hand on."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json


@click.command()
@click.argument("run")
@click.option(
    "--scores",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The scores of its adapter on natural pairs: what `evaluate report` wrote as JSON.",
)
@click.option("--adapter", type=click.Path(path_type=Path), help="The adapter's GGUF. Default: what `export gguf` made of it.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of its own to write to."
)
@as_json
def card(run: str, scores: Path, adapter: Path | None, out: Path, json_output: bool) -> None:
    """Put the adapter of RUN and a card of its scores into a folder.

    RUN is a run's name or folder, its id, the beginning of one, or `last`. The app reads the folder's manifest for its
    "trained on this trial" badge, and its card for the Models screen.
    """
    from deepimagine_exporters.report_markdown import markdown_document
    from deepimagine_training import card as cards
    from deepimagine_training import runs

    made = cards.ship(Path(runs.find(run).path), scores, out, partial(markdown_document, folder=""), adapter)
    if json_output:
        emit_json({"folder": str(out), "card": made})
        return
    emit(f"{out}\n" + "\n".join(made.brief))
