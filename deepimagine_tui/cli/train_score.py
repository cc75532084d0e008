"""`deepimagine train score`: how well a model answers the pairs that were held out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate, table
from deepimagine_tui.cli.options import as_json

if TYPE_CHECKING:
    from deepimagine_training.score_report import Report


@click.command()
@click.option(
    "--pairs", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="The pairs that `train pairs` drew."
)
@click.option(
    "--side",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="Which pairs: validation to choose a model by, test once it is chosen.",
)
@click.option("--model", metavar="MODEL", help="Id of a model in the catalogue, or the path of a GGUF file.")
@click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) to load on the model.")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FOLDER",
    help="Scores of another model, such as the untuned base, to compare with.",
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Where answers and scores go. Default: by model."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Ask so many pairs: arms and doses first, then in turn.")
@as_json
def score(
    pairs: Path,
    side: str,
    model: str | None,
    adapter: Path | None,
    against: tuple[Path, ...],
    out: Path | None,
    limit: int | None,
    json_output: bool,
) -> None:
    """Score a model on held-out pairs.

    Each natural pair is asked as the engine asks one step. Beside the model stand the rules and the classical models that it
    has to beat: copying, the commonest answer, base rates, more dose moves further, a random forest. Numbers come with a 95%
    interval over trials; the model is called better only where the interval of the paired difference excludes zero. An
    interrupted command goes on where it was.
    """
    from deepimagine_training import held_out, pair_files, score_report
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui import settings
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import opened_backend, stoppable
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.extras import extra

    extra("sklearn")
    wanted: Side = "test" if side == "test" else "validation"
    drawn = pair_files.read_manifest(pairs)
    chosen = settings.load({"model": model, "adapter": None if adapter is None else str(adapter)})
    for folder in against:
        held_out.read(folder)
    rows = pair_files.load_rows(pairs, ("train", wanted))
    available = held_out.questions(rows, wanted)
    asked = available[:limit]
    with (
        stoppable() as cancel,
        opened_backend(chosen, None, yes=False, cancel=cancel) as backend,
        Progress("Scoring") as progress,
    ):
        folder = out or training_dir() / "scores" / f"{held_out.name_of(backend.info)}-{side}"
        held_out.ask(asked, backend, drawn.data_sha256, wanted, folder, cancel, told=progress.say)
    progress.say("comparing")
    journal = held_out.read(folder)
    # Read here, since another command may have gone on with them meanwhile.
    others = [held_out.read(each) for each in against]
    made = score_report.report(held_out.questions(rows, "train"), available, journal, others)
    score_report.write(folder, made)
    if json_output:
        emit_json({"folder": str(folder), "report": made})
        return
    narrate(f"Answers and scores are in {folder}.")
    _show(made)


def _show(made: Report) -> None:
    from deepimagine_training import score_text

    emit(f"{made.model} on the {made.side} side: {made.pairs:,} of {made.available:,} pairs, of {made.trials} trials")
    emit("Value, 95% interval over trials, pairs/trials; Brier and e: lower is better; direction: balanced accuracy.")
    for factor in score_text.factors(made):
        emit(f"\n{factor}")
        emit(table(score_text.HEADERS, score_text.rows(made, factor)))
        for subset in ("flips", "non-flips"):
            found = score_text.rows(made, factor, "flips" if subset == "flips" else "non-flips")
            if found:
                emit(f"{factor}, {subset}")
                emit(table(score_text.HEADERS, found))
    emit("\nOver all factors")
    emit("\n".join(score_text.comparisons(made)))
