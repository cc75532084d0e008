"""The card of a trained adapter: what it learnt from what, and how well it does on trials that were held out.

A card flatters nobody: it says `better` only where the interval of a paired difference excludes zero, and it is refused where a
trial that it is scored on was trained on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from deepimagine_training import run_manifest
from deepimagine_training.card_text import KIND, MODEL, UNTUNED, brief, parts
from deepimagine_training.run_manifest import GgufFile, Manifest
from deepimagine_tui.document import Part
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation import scoring_report
from deepimagine_tui.evaluation.scoring_report import Report, SystemRow
from deepimagine_tui.files import make_dir, sha256, storage_error, write_text

FORMAT = "deepimagine model card"
SCHEMA_VERSION = 2
CARD, TEXT = "card.json", "card.md"
MOST_BYTES = 16_000_000
"""How big an adapter may be that is shipped."""
HOW = "Let it answer the natural pairs (deepimagine evaluate run), and score it: deepimagine evaluate report --format json"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card. `brief` are the sentences that the app shows; `hours` are those of this run and of the runs it began from;
    `report` holds every score, the adapter's system being called `model` in it."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    title: str
    adapter: str
    adapter_sha256: str
    run_id: str
    runs: tuple[str, ...]
    hours: float
    brief: tuple[str, ...]
    report: Report


def make(manifest: Manifest, adapter: Path, report: Report, parents: Sequence[Manifest] = ()) -> Card:
    """The card of the adapter of a run with the scores of it.

    Args:
        manifest: Of the run.
        adapter: The GGUF file that was made of it.
        report: What `evaluate report` found of natural pairs, the adapter being the system that is judged.
        parents: Of the runs that it began from, the first one last.

    Raises:
        RefusedError: the file was not made of that run, the scores are of another one or of other questions, or a held-out
            trial was trained on.
    """
    digest = sha256(adapter)
    _check(manifest, digest, report)
    named = _named(report)
    return Card(
        title=f"DeepImagine {manifest.recipe.name} on {manifest.base.name}",
        adapter=adapter.name,
        adapter_sha256=digest,
        run_id=manifest.run_id,
        runs=tuple(f"{one.stage} {one.run_id}" for one in (manifest, *parents)),
        hours=round(sum(one.seconds for one in (manifest, *parents)) / 3600, 2),
        brief=tuple(brief(manifest, named, parents)),
        report=named,
    )


def ship(run: Path, scores: Path, out: Path, written: Callable[[Iterable[Part]], str], adapter: Path | None = None) -> Card:
    """Put the adapter of the run in the folder `run` into `out`, with the run's manifest and the card of its scores.

    Args:
        run: Folder of the finished run.
        scores: File that `evaluate report` wrote as JSON about that adapter.
        out: Folder to ship; an adapter that it holds is replaced.
        written: Writes the card's text as Markdown.
        adapter: The file; by default the one that `export gguf` made of the run.

    Raises:
        RefusedError: as `make`; or the adapter is too big to be shipped.
        DeepImagineError: the run or the scores cannot be read, or `out` cannot be written.
    """
    manifest = run_manifest.read(run)
    report = scoring_report.read(scores)
    chosen = adapter or run / "gguf" / _recorded(manifest).name
    if not chosen.is_file():
        raise RefusedError(f"There is no adapter at {chosen}.", "Export it: deepimagine export gguf")
    if chosen.stat().st_size > MOST_BYTES:
        raise RefusedError(f"{chosen.name} has more than {MOST_BYTES // 1_000_000} MB.", "Train with a smaller lora.r.")
    parents = tuple(_parents(run, manifest))
    card = make(manifest, chosen, report, parents)
    make_dir(out)
    try:
        for before in out.glob("*.gguf"):
            before.unlink()
        shutil.copyfile(chosen, out / chosen.name)
    except OSError as error:
        raise storage_error(out, error) from error
    run_manifest.write(out, manifest)
    write_text(out / CARD, msgspec.json.format(msgspec.json.encode(card), indent=1).decode() + "\n")
    write_text(out / TEXT, written(parts(manifest, card.report, parents)))
    return card


def _recorded(manifest: Manifest) -> GgufFile:
    found = next((file for file in manifest.gguf if file.kind == "adapter"), None)
    if found is None:
        raise RefusedError("The run has no adapter as GGUF.", "Export it: deepimagine export gguf")
    return found


def _check(manifest: Manifest, digest: str, report: Report) -> None:
    if digest not in {file.sha256 for file in manifest.gguf}:
        raise RefusedError("This adapter was not exported from that run.", "Export it: deepimagine export gguf")
    header = _judged(report).header
    if (header.adapter_sha256, header.model_sha256) != (digest, manifest.base.sha256):
        raise RefusedError("The scores are of another adapter or base.", HOW)
    if {row.question_class for row in report.classes} != {KIND}:
        raise RefusedError(f"A card is of natural pairs, and the scores are of {report.set_name}.", HOW)
    seen = sorted({*report.nct_ids} & {*manifest.trained_on})
    if seen:
        raise RefusedError(f"{seen[0]} was held out and trained on.", "Score on trials that the run did not see.")


def _judged(report: Report) -> SystemRow:
    return next(row for row in report.systems if row.name == report.judged)


def _named(report: Report) -> Report:
    """The report with short names: `model`, `untuned base`, and of the others the system's; of equals those they have."""
    model = _judged(report).header
    short: dict[str, str] = {}
    for row in report.systems:
        header = row.header
        is_base = (header.system, header.model_sha256) == (model.system, model.model_sha256) and not header.adapter_sha256
        name = MODEL if row.name == report.judged else UNTUNED if is_base else header.system
        short[row.name] = row.name if name in short.values() else name
    return replace(
        report,
        judged=MODEL,
        systems=tuple(replace(row, name=short[row.name]) for row in report.systems),
        scores=tuple(replace(each, system=short[each.system]) for each in report.scores),
        differences=tuple(replace(each, system=MODEL, other=short[each.other]) for each in report.differences),
        bins=tuple(replace(each, system=MODEL) for each in report.bins if each.system == report.judged),
        interpretability={short[name]: told for name, told in report.interpretability.items()},
    )


def _parents(run: Path, manifest: Manifest) -> Iterator[Manifest]:
    """The runs that a run began from, as far as they lie beside it, the last one first."""
    beside = [run_manifest.read(path.parent) for path in sorted(run.resolve().parent.glob(f"*/{run_manifest.MANIFEST}"))]
    by_id = {one.run_id: one for one in beside}
    while manifest.parent in by_id:
        manifest = by_id[manifest.parent]
        yield manifest
