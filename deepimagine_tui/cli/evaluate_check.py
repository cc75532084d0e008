"""`deepimagine evaluate check`: whether a committed evaluation still holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, narrate
from deepimagine_tui.cli.evaluate_scoring import Chosen, ledger_option, scored
from deepimagine_tui.cli.options import as_json, corpus_option
from deepimagine_tui.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from deepimagine_tui.backends.protocol import ModelBackend
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.evaluation.check import Again
    from deepimagine_tui.evaluation.predictions import Predictions
    from deepimagine_tui.evaluation.system import Learnt, System


@click.command()
@click.argument("questions", metavar="SET")
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@corpus_option
@ledger_option
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="A model that committed answers are of; may be given several times. Default: the one in force.",
)
@click.option(
    "--again",
    type=click.IntRange(0),
    default=24,
    show_default=True,
    metavar="N",
    help="So many questions are asked again of every system that asks a model; 0 only scores.",
)
@as_json
def check(
    questions: str, folder: Path, corpus: Path | None, ledger: Path, models: tuple[str, ...], again: int, json_output: bool
) -> None:
    """Score a committed evaluation again, and ask some of its questions again.

    FOLDER holds a folder of predictions for each system, and report.md. SET is what they answered. Prints the report, and ends
    with an exit code where it differs from the committed one, or a probability by more than 0.02 from what was answered.
    """
    from deepimagine_tui.cli.evaluate_report import drawn_svg, text_of
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.evaluation import check, predictions, systems

    folders = check.system_folders(folder)
    report_file = folder / check.WRITTEN
    if not report_file.is_file():
        raise BadInputError(f"{folder} holds no {check.WRITTEN}.", "Write it: deepimagine evaluate report")
    with Progress("Checking") as progress:
        made = scored(Chosen(questions, folders, corpus, ledger), progress, with_rules=True, with_runs=True)
        written = text_of(made, "md", drawn_svg(made), f"{report_file.stem}_files")
        unlike = check.unlike(report_file.read_text(encoding="utf-8"), written)
        journals = [predictions.read(each) for each in folders]
        with_model = [each for each in journals if systems.entry_of(each.header.system).needs_model]
        found = _asked_again(questions, with_model, corpus, models or (None,), again, progress) if again and with_model else []
    if json_output:
        emit_json({"report": written, "unlike": unlike, "again": found})
    else:
        emit(written)
        for one in found:
            narrate(f"{one.system}: {one.questions} questions asked again, largest difference {one.largest:.4f}")
    if unlike:
        raise RefusedError(f"The report differs from the committed one in {len(unlike)} lines: {unlike[0]}", "Write it again.")
    beyond = [f"{one.system}: {key}" for one in found for key in one.beyond]
    if beyond:
        raise RefusedError(f"{len(beyond)} answers differ from the committed ones: {beyond[0]}", "Answer the set again.")
    narrate("The committed evaluation holds.")


def _asked_again(
    questions: str,
    committed: Sequence[Predictions],
    corpus: Path | None,
    models: Sequence[str | None],
    again: int,
    progress: Progress,
) -> list[Again]:
    """The first questions by hash asked again of every system with a model, by the one of `models` that it was asked of.

    Raises:
        RefusedError: a system cannot be made here as it was.
    """
    from tempfile import TemporaryDirectory

    from deepimagine_tui import settings
    from deepimagine_tui.cli import evaluate_sets
    from deepimagine_tui.cli.session import opened_backend, opened_corpus, stoppable
    from deepimagine_tui.evaluation import check

    left = list(committed)
    found: list[Again] = []
    place = {} if corpus is None else {"corpus": str(corpus)}
    with ExitStack() as stack:
        cancel = stack.enter_context(stoppable())
        source = stack.enter_context(opened_corpus(settings.load(place)))
        asked, learnt = evaluate_sets.resolve(questions, source, "test", cancel)
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        for at, model in enumerate(models):
            with opened_backend(settings.load({"model": model, **place}), None, yes=False, cancel=cancel) as backend:
                backend.count_tokens([""])
                is_last = at == len(models) - 1
                now = [each for each in left if is_last or check.is_of(each.header, backend.info)]
                left = [each for each in left if each not in now]
                for each in now:
                    system = _system(each, backend, source, learnt, are_steps=evaluate_sets.are_steps(asked))
                    scratched = scratch / str(len(found))
                    found.append(check.ask_again(system, asked, each, scratched, cancel, progress.say, again))
    return found


def _system(committed: Predictions, backend: ModelBackend, source: Corpus, learnt: Learnt, *, are_steps: bool) -> System:
    """The committed system as it can be made here.

    Raises:
        RefusedError: it is not the same one.
    """
    from deepimagine_tui.evaluation import check, systems
    from deepimagine_tui.reasoning.anchors import FAR, CorpusAnchors

    header = committed.header
    needs = systems.Needs(
        learnt=learnt,
        model=backend,
        source=CorpusAnchors(source, far=header.corpus.endswith(FAR)),
        anchors=int(header.settings.get("anchors", 1)),
        samples=int(header.settings.get("samples", 1)),
        are_steps=are_steps,
    )
    made = systems.make(header.system, needs)
    other = check.other_model(header, made)
    if other:
        raise RefusedError(f"The committed answers of {header.name} cannot be given here: {other}.", "Answer the set again.")
    return made
