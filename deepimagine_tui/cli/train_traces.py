"""`deepimagine train traces`: the reasoning that pairs are learnt with."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from deepimagine_tui.cli.console import emit, emit_json
from deepimagine_tui.cli.options import as_json, model_options, offline_option, sampling_options, yes_option
from deepimagine_tui.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from deepimagine_tui.backends.protocol import ModelBackend
    from deepimagine_tui.settings import Settings


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path), metavar="PAIRS")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of its own to write to."
)
@click.option(
    "--writer",
    type=click.Choice(["facts", "model"]),
    default="facts",
    show_default=True,
    help="Compose the reasoning of registry facts, or let a model write it and keep what led to the posted answer.",
)
@click.option(
    "--tries", type=click.IntRange(1), default=4, show_default=True, metavar="N", help="Answers a model may give to a pair."
)
@click.option(
    "--batch", type=click.IntRange(1), default=16, show_default=True, metavar="N", help="Pairs that a model is asked together."
)
@sampling_options
@model_options
@offline_option
@yes_option
@as_json
def traces(
    pairs: Path,
    out: Path,
    writer: Literal["facts", "model"],
    tries: int,
    batch: int,
    backend: str | None,
    yes: bool,
    json_output: bool,
    adapter: Path | None,
    **flags: object,
) -> None:
    """Write the reasoning of each pair that is one step.

    From facts, it is composed of what the registry says: the ratio of doses, the kind of comparator, the class of a drug,
    times, how the source's comparison came out. It reads nothing of the target's result, so that the answer after it stays a
    prediction.

    A model (of the catalogue, a GGUF file, or a folder as transformers saves it) answers the pairs of the training and the
    validation side. Its reasoning is kept where its answer is the posted one, and where it neither quotes the target's result
    nor names a trial; what is never right in --tries answers falls out.

    An interrupted command goes on where it was.
    """
    from deepimagine_tui import settings

    if writer == "model":
        chosen = settings.load(flags | {"adapter": str(adapter) if adapter is not None else None})
        _of_model(pairs, out, tries, batch, chosen, backend, yes=yes, json_output=json_output)
        return
    if backend or adapter or flags["model"]:
        raise UsageError("A model was named, and facts are to write the reasoning.", "Add --writer model, or name none.")
    _of_facts(pairs, out, json_output=json_output)


def _of_facts(pairs: Path, out: Path, *, json_output: bool) -> None:
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
    emit(f"{out}\n{_counts(manifest.traces, manifest.by_factor)}\n{left_out:,} pairs have none: they are more than one step.")


def _of_model(
    pairs: Path,
    out: Path,
    tries: int,
    batch: int,
    chosen: Settings,
    backend: str | None,
    *,
    yes: bool,
    json_output: bool,
) -> None:
    from deepimagine_training import pair_files, teaching, traces

    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import stoppable

    asking = teaching.Asking(tries, batch, chosen.seed, chosen.temperature, chosen.top_p, chosen.max_reasoning_tokens)
    drawn = pair_files.read_manifest(pairs)
    rows = pair_files.load_rows(pairs)
    with stoppable() as cancel, _teacher(chosen, backend, yes=yes, cancel=cancel) as model, Progress("Traces") as progress:
        if model.info.demo:
            raise RefusedError("The demo is no model and cannot teach.", "Name a model with --model, or use --writer facts.")
        taught = teaching.write_model(rows, out, model, asking, cancel, progress.say)
        manifest = traces.finish(out, drawn.data_sha256, sum(taught.rejected.values()))
    if json_output:
        emit_json({"folder": str(out), "manifest": manifest, "rejected": taught.rejected, "left_out": taught.left_out})
        return
    emit(f"{out}\n{_counts(manifest.traces, manifest.by_factor)}")
    emit(f"{manifest.rejected:,} pairs fell out: {', '.join(f'{why} {n:,}' for why, n in taught.rejected.items()) or 'none'}")
    emit(f"{taught.left_out:,} pairs were not asked: of the test side, more than one step, or nothing posted.")


@contextmanager
def _teacher(chosen: Settings, backend: str | None, *, yes: bool, cancel: Event) -> Iterator[ModelBackend]:
    """The model that writes: a folder as transformers saves it is loaded here, any other is opened as for `imagine`."""
    from deepimagine_tui.cli.session import opened_backend

    if not Path(chosen.model).is_dir() or not chosen.model:
        with opened_backend(chosen, backend, yes=yes, cancel=cancel) as model:
            yield model
        return
    from deepimagine_training import bases
    from deepimagine_training.hf_backend import HfBackend

    from deepimagine_tui.extras import extra

    on_gpu = extra("torch").cuda.is_available()
    loaded = bases.load(bases.resolve(chosen.model), "bfloat16" if on_gpu else "float32", "cuda" if on_gpu else "cpu")
    model = HfBackend(loaded, Path(chosen.adapter) if chosen.adapter else None)
    try:
        yield model
    finally:
        model.close()


def _counts(traces: int, by_factor: dict[str, int]) -> str:
    return f"{traces:,} traces: {', '.join(f'{factor} {count:,}' for factor, count in by_factor.items())}"
