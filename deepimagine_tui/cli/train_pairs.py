"""`deepimagine train pairs`: draw what a model of one's own is trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.options import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deepimagine_training.pair_files import Manifest
    from deepimagine_training.pair_stats import PairStats

    from deepimagine_tui.corpus.events import IngestEvent


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--corpus",
    metavar="CORPUS",
    help="Corpus file, `starter`, or a folder of registry records. Default: your own corpus, else the starter corpus.",
)
@click.option(
    "--clinifact",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="CSV",
    help="A file of CliniFact's claims to draw pairs of verdicts from as well; may be given several times.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of its own to write to."
)
@click.option("--stats", is_flag=True, help="Print counts and baselines; without sources, of the pairs that FOLDER holds.")
@click.option(
    "--min-enrolment", type=click.IntRange(0), default=50, show_default=True, help="The fewest participants of a trial."
)
@click.option(
    "--randomised-only/--no-randomised-only", default=True, show_default=True, help="Use randomised trials only, or all."
)
@as_json
def pairs(
    corpus: str | None,
    clinifact: tuple[Path, ...],
    out: Path,
    stats: bool,
    min_enrolment: int,
    randomised_only: bool,
    json_output: bool,
) -> None:
    """Draw pairs of posted results that differ in few factors.

    Trials are put on a side (train, validation, test) first, those of one programme together. Natural pairs are of one trial
    and differ in one factor; approximate pairs are of two similar trials of one side. Written is a `datasets` dataset with its
    card and, last, its manifest.
    """
    from deepimagine_training import pair_files
    from deepimagine_training.pair_stats import text_of

    from deepimagine_tui.evaluation.sides import SIDES

    if stats and corpus is None and not clinifact and (out / pair_files.MANIFEST).exists():
        manifest, counts = pair_files.read_manifest(out), pair_files.read_stats(out)
    else:
        manifest, counts = _drawn(corpus, clinifact, out, min_enrolment, randomised_only)
    if json_output:
        emit_json({"folder": str(out), "manifest": manifest, **({"stats": counts} if stats else {})})
        return
    emit(f"{out}\n" + ", ".join(f"{side} {manifest.rows[side]:,}" for side in SIDES) + " pairs")
    if stats:
        emit(f"\n{text_of(counts)}")


def _drawn(
    corpus: str | None, clinifact: tuple[Path, ...], out: Path, min_enrolment: int, randomised_only: bool
) -> tuple[Manifest, PairStats]:
    """Draw and write pairs, telling how far it is."""
    import time

    from deepimagine_training import pair_files
    from deepimagine_training.clinifact import read_claims
    from deepimagine_training.inputs import opened
    from deepimagine_training.pairs import PairOptions, draw

    from deepimagine_tui import settings
    from deepimagine_tui.cli.ingesting import follow
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import corpus_path, stoppable
    from deepimagine_tui.extras import extra
    from deepimagine_tui.files import make_dir

    started = time.monotonic()
    extra("datasets")
    pair_files.check_target(out)
    claims = [read_claims(path) for path in clinifact]
    source = corpus if corpus is not None else str(corpus_path(settings.load()) or "starter")

    def reading(events: Iterable[IngestEvent]) -> object:
        return follow(f"Reading {source}", events)

    with stoppable() as cancel:
        with opened(source, make_dir(out), cancel, reading) as found, Progress("Pairs") as progress:
            options = PairOptions(min_enrolment, randomised_only)
            drawn = draw(found, claims, options, cancel, progress.say)
        manifest = pair_files.write(drawn, out)
    narrate(f"{sum(manifest.rows.values()):,} pairs drawn in {time.monotonic() - started:.1f} s.")
    return manifest, pair_files.read_stats(out)
