"""`deepimagine train winter`: a look at CT Open's superiority questions, entered into the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.options import as_json

if TYPE_CHECKING:
    from threading import Event

    from deepimagine_training.winter import Forecasted

    from deepimagine_tui.backends.protocol import ModelInfo
    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.evaluation.questions import QuestionSet

SYSTEMS = ("comparator-rule", "always-met", "logistic-regression", "deepimagine")


@click.command()
@click.argument("questions", type=click.Path(path_type=Path), metavar="PICKLE")
@click.option("--system", type=click.Choice(SYSTEMS), default="deepimagine", show_default=True, help="What is scored.")
@click.option(
    "--corpus",
    default="starter",
    show_default=True,
    metavar="CORPUS",
    help="Corpus file, `starter`, or a folder of registry records: what is learnt from, or anchors come from.",
)
@click.option(
    "--clinifact",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="CSV",
    help="CliniFact's claims for the regression to learn from too; significant ones are taken to favour the intervention.",
)
@click.option("--model", metavar="MODEL", help="Id of a model in the catalogue, or the path of a GGUF file.")
@click.option("--adapter", type=click.Path(path_type=Path), help="LoRA adapter (GGUF) to load on the model.")
@click.option("--anchors", type=click.IntRange(1), default=7, show_default=True, help="Anchors of each forecast.")
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    default=Path("docs/winter-ledger.jsonl"),
    show_default=True,
    help="Where every look is entered; it is committed.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Where forecasts are kept.")
@as_json
def winter(
    questions: Path,
    system: str,
    corpus: str,
    clinifact: tuple[Path, ...],
    model: str | None,
    adapter: Path | None,
    anchors: int,
    ledger: Path,
    out: Path | None,
    json_output: bool,
) -> None:
    """Score a system on CT Open's superiority questions.

    PICKLE is a published set, read without running anything in it. The score is entered into the ledger, with the commit and
    the model's hash, before it is shown: no model is chosen by it.
    """
    from tempfile import TemporaryDirectory

    from deepimagine_training import winter
    from deepimagine_training.clinifact import read_claims
    from deepimagine_training.inputs import opened

    from deepimagine_tui.cli.session import stoppable
    from deepimagine_tui.evaluation import ct_open
    from deepimagine_tui.evaluation import ledger as looks_so_far

    looks_so_far.check(ledger)
    asked = winter.superiority(ct_open.read(questions, winter.CUTOFF))
    info, used = None, ""
    if system == "comparator-rule":
        found = winter.comparator_rule(asked)
    elif system == "always-met":
        found = winter.always_met(asked)
    else:
        with stoppable() as cancel, TemporaryDirectory() as scratch, opened(corpus, Path(scratch), cancel) as source:
            used = f"{source.name} {source.stats().version}"
            if system == "logistic-regression":
                trials = [question.nct_id for question in asked.questions]
                learnt = winter.comparisons(source, trials, cancel)
                claims = [read_claims(path) for path in clinifact]
                learnt += winter.assumed(claims, trials, source)
                used = " + ".join((used, *(f"{file.name} {file.sha256[:16]}" for file in claims)))
                narrate(f"Learning from {len(learnt):,} comparisons of {len({one.nct_id for one in learnt}):,} trials.")
                found = winter.logistic_regression(learnt, asked)
            else:
                found, info = _chains(asked, source, model, adapter, anchors, out, cancel)
    entry = looks_so_far.enter(ledger, asked, winter.predictions(asked, system, found, info, used))
    looks = len(looks_so_far.read(ledger))
    narrate(f"Entered into {ledger} as look {looks}. Commit it.")
    if json_output:
        emit_json({"entry": entry, "looks": looks})
        return
    verdicts = entry.by_class["superiority"]
    of = verdicts.macro_f1.trials
    emit(f"{system}: {verdicts.questions:,} questions of {of} trials, {verdicts.fallbacks:,} without answer")
    for name, each in (
        ("macro-F1", verdicts.macro_f1),
        ("balanced accuracy", verdicts.balanced_accuracy),
        ("Brier", verdicts.brier),
    ):
        emit(f"{name:<18}{each.value or 0:.3f}  95% interval {each.lower or 0:.3f} to {each.upper or 0:.3f}")


def _chains(
    asked: QuestionSet,
    source: Corpus,
    model: str | None,
    adapter: Path | None,
    anchors: int,
    out: Path | None,
    cancel: Event,
) -> tuple[dict[str, Forecasted], ModelInfo]:
    """The forecasts of a model, and what the model is."""
    from deepimagine_training import held_out, winter
    from deepimagine_training.run_folder import training_dir

    from deepimagine_tui import settings
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.cli.session import opened_backend

    chosen = settings.load({"model": model, "adapter": None if adapter is None else str(adapter)})
    learnt = winter.comparisons(source, [question.nct_id for question in asked.questions], cancel)
    rate = sum(one.met for one in learnt) / len(learnt)
    with opened_backend(chosen, None, yes=False, cancel=cancel) as backend, Progress("Forecasting") as progress:
        folder = out or training_dir() / "scores" / f"{asked.name.lower()}-{held_out.name_of(backend.info)}"
        found = winter.chains(asked, backend, source, rate, folder, cancel, anchors, progress.say)
        return found, backend.info
