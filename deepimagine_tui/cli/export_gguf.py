"""`deepimagine export gguf`: a training run as GGUF files that llama.cpp reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.options import as_json
from deepimagine_tui.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from deepimagine_exporters.gguf.export import Made
    from deepimagine_exporters.gguf.gates import Kind
    from deepimagine_exporters.gguf.metadata import Origin
    from deepimagine_training.bases import BaseFacts
    from deepimagine_training.run_manifest import GgufFile, Manifest

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
@click.option(
    "--pairs",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pairs to compare on. Default: those of the corpus that ships.",
)
@click.option(
    "--prompts",
    type=click.IntRange(0),
    default=32,
    show_default=True,
    help="How many prompts to compare on; 0 compares nothing.",
)
@click.option("--force", is_flag=True, help="Write a file that answers too differently from what was trained, too.")
@as_json
def gguf(
    run: str,
    out: Path | None,
    types: tuple[str, ...],
    base: str | None,
    pairs: Path | None,
    prompts: int,
    force: bool,
    json_output: bool,
) -> None:
    """Write the model of a training RUN as GGUF files.

    RUN is the name, the id or the folder of a finished run, or `last`. An adapter is used together with its base model, a
    merged model by itself; of a run with an operator for each factor, the folder of adapters is used as one. Each file answers
    the same prompts as the model that was trained: what that found goes into the run's manifest, and a file that answers too
    differently is not written.
    """
    from deepimagine_exporters.gguf.export import Source, export
    from deepimagine_training import bases, run_manifest
    from deepimagine_training.run_folder import ADAPTER

    from deepimagine_tui.cli.export_parity import comparison, probes
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.cli.training_base import base_path
    from deepimagine_tui.extras import extra

    for package in ("gguf", "safetensors", "torch"):
        extra(package)
    made: list[Made] = []
    with stoppable() as cancel, Progress("Exporting") as progress:
        asked = probes(pairs, prompts) if prompts else []
        for folder, places in _wanted(run, out, types).items():
            manifest = run_manifest.read(folder)
            facts = bases.resolve(base_path(base or manifest.recipe.base, cancel))
            if facts.sha256 != manifest.base.sha256:
                trained_on = f"that {folder.name} was trained on ({manifest.base.name})"
                raise RefusedError(f"{facts.name} is not the model {trained_on}.", "Name where that one is with --base.")
            adapter = folder / ADAPTER
            measure = comparison(facts, adapter, manifest.recipe.machine, asked, cancel, progress.say) if asked else None
            source = Source(adapter, Path(facts.path), _origin(manifest, facts))
            for file in export(source, places, cancel, measure=measure, force=force, told=progress.say):
                made.append(file)
                run_manifest.add_gguf(folder, [_recorded(file)])
                progress.clear()
                _tell(file, json_output)
    if json_output:
        emit_json({"files": [file._asdict() | {"path": str(file.path)} for file in made]})
    refused = [file for file in made if not file.written]
    if refused:
        reasons = "; ".join(f"{file.path.name}: {file.past_gate}" for file in refused)
        raise RefusedError(f"Too far from what was trained to be written: {reasons}.", "Write it nonetheless with --force.")


def _wanted(run: str, out: Path | None, types: Sequence[str]) -> dict[Path, dict[Kind, Path]]:
    """The files to make of each run's folder: one run, or those of an operator for each factor, named by it.

    Raises:
        UsageError: a merged model of a run with an operator for each factor.
        DeepImagineError: as `runs.find`.
    """
    from deepimagine_exporters.gguf.gates import Kind
    from deepimagine_training import operators, runs

    each = operators.runs_of(run)
    if each and set(types) != {"adapter"}:
        raise UsageError(f"{run} has an operator for each factor, which no merged model can hold.", "Leave --type out.")
    if each:
        return {folder: {"adapter": (out or folder.parent / "gguf") / f"{factor}.gguf"} for factor, folder in each.items()}
    found = runs.find(run)
    place = Path(found.path)
    stem = f"{found.recipe.name}-{found.stage}"
    kinds = [msgspec.convert(kind, Kind) for kind in types]
    return {place: {kind: (out or place / "gguf") / f"{stem}-{kind}.gguf" for kind in kinds}}


def _tell(file: Made, json_output: bool) -> None:
    if file.written and not json_output:
        emit(str(file.path))
    said = [f"{file.size / 1e6:,.1f} MB"]
    if file.parity:
        said += [
            f"same verdict in {file.parity['verdict_agreement']:.1%}",
            f"same direction in {file.parity['direction_agreement']:.1%}",
            f"P(met) within {file.parity['p_met_max_difference']:.2g}",
            f"{file.parity['changed_share']:.1%} of the answers changed",
            f"KL {file.parity['kl_mean']:.2g} on {file.parity['prompts']:.0f} prompts",
        ]
    narrate(f"{file.kind}: {', '.join(said)}.")


def _origin(manifest: Manifest, base: BaseFacts) -> Origin:
    """What the files say of where they come from; an empty licence where the base states none."""
    from deepimagine_exporters.gguf.metadata import Origin

    from deepimagine_tui.backends.gguf_header import read_header
    from deepimagine_tui.extras import extra

    if base.kind == "gguf":
        header = read_header(Path(base.path))
        name, licence = header.name, header.licence
    else:
        card = extra("gguf").Metadata.load_model_card(Path(base.path))
        name, licence = base.name, str(card.get("license") or "")
    return Origin(
        name=f"DeepImagine {manifest.recipe.name} ({manifest.stage})",
        run_id=manifest.run_id,
        base_name=name,
        base_sha256=base.sha256,
        base_licence=licence,
        prompt_version=manifest.prompt_version,
        trained_until=manifest.cutoff,
    )


def _recorded(file: Made) -> GgufFile:
    from deepimagine_training.run_manifest import GgufFile

    forced = bool(file.past_gate) and file.written
    return GgufFile(file.path.name, file.kind, file.sha256, file.size, file.parity, forced, file.past_gate)
