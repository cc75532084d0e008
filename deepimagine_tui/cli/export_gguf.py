"""`deepimagine export gguf`: a training run as GGUF files that llama.cpp reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import RefusedError

if TYPE_CHECKING:
    from threading import Event

    from deepimagine_exporters.gguf.export import Made, Source
    from deepimagine_training.run_manifest import GgufFile
    from deepimagine_training.runs import Run

TYPES = ("adapter", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")


@click.command()
@click.argument("run")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder to write to. Default: RUN/gguf.",
)
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(TYPES),
    default=("adapter",),
    show_default=True,
    help="What to write: the adapter alone, or the merged model so precise. May be repeated.",
)
@click.option("--base", metavar="MODEL", help="Where the base model is now: an id, a GGUF file, a folder or a hub id.")
@click.option("--force", is_flag=True, help="Write a file that answers too differently from what was trained, too.")
@as_json
def gguf(run: str, out: Path | None, types: tuple[str, ...], base: str | None, force: bool, json_output: bool) -> None:
    """Write the model of a training RUN as GGUF files.

    RUN is the name, the id or the folder of a finished run, or `last`. An adapter is used together with its base model, a
    merged model by itself.
    """
    from deepimagine_exporters.gguf.export import export
    from deepimagine_exporters.gguf.gates import Kind
    from deepimagine_training import run_manifest, runs
    from deepimagine_training.extras import extra

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable

    for package in ("gguf", "safetensors", "torch"):
        extra(package)
    found = runs.find(run)
    made: list[Made] = []
    with stoppable() as cancel, Progress("Exporting") as progress:
        source = _source(found, base, cancel)
        stem = f"{found.recipe.name}-{found.stage}"
        folder = out or Path(found.path) / "gguf"
        kinds = [msgspec.convert(kind, Kind) for kind in types]
        for file in export(source, kinds, folder, stem, cancel, force=force, told=progress.say):
            made.append(file)
            run_manifest.add_gguf(Path(found.path), [_recorded(file)])
            if file.written and not json_output:
                progress.clear()
                emit(str(file.path))
    if json_output:
        emit_json({"files": [file._asdict() | {"path": str(file.path)} for file in made]})
    refused = [file for file in made if not file.written]
    if refused:
        reasons = "; ".join(f"{file.kind}: {file.past_gate}" for file in refused)
        raise RefusedError(
            f"Not written, being too far from what was trained: {reasons}.", "Write it nonetheless with --force."
        )


def _source(run: Run, base: str | None, cancel: Event) -> Source:
    """What is exported, the base being the one that was trained on.

    Raises:
        RefusedError: it is another base.
        DeepImagineError: the run is not finished, or the base cannot be found.
    """
    from deepimagine_exporters.gguf.export import Source
    from deepimagine_exporters.gguf.metadata import Origin
    from deepimagine_training import bases, run_manifest
    from deepimagine_training.run_folder import ADAPTER

    from deepimagine_tui.cli.training_base import base_path

    folder = Path(run.path)
    manifest = run_manifest.read(folder)
    facts = bases.resolve(base_path(base or manifest.recipe.base, cancel))
    if facts.sha256 != manifest.base.sha256:
        raise RefusedError(
            f"{facts.name} is not the model that {run.name} was trained on ({manifest.base.name}).",
            "Name that one with --base.",
        )
    name, licence = _name_and_licence(Path(facts.path), facts.name)
    origin = Origin(
        name=f"DeepImagine {manifest.recipe.name} ({manifest.stage})",
        run_id=manifest.run_id,
        base_name=name,
        base_sha256=facts.sha256,
        base_licence=licence,
        prompt_version=manifest.prompt_version,
        trained_until=manifest.cutoff,
    )
    return Source(folder / ADAPTER, Path(facts.path), origin)


def _name_and_licence(base: Path, name: str) -> tuple[str, str]:
    """What the base's file or model card says; an empty licence where it says none."""
    if base.is_file():
        from deepimagine_tui.backends.gguf_header import read_header

        header = read_header(base)
        return header.name, header.licence
    from deepimagine_training.extras import extra

    card = extra("gguf").Metadata.load_model_card(base)
    return name, str(card.get("license") or "")


def _recorded(file: Made) -> GgufFile:
    from deepimagine_training.run_manifest import GgufFile

    return GgufFile(
        file.path.name, file.kind, file.sha256, file.size, file.parity, bool(file.past_gate) and file.written, file.past_gate
    )
