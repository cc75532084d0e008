"""`deepimagine evaluate compare`: two systems on the questions that both answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from deepimagine_tui.cli.console import emit, emit_json, table
from deepimagine_tui.cli.evaluate_scoring import Chosen, ledger_option, scored
from deepimagine_tui.cli.options import as_json, corpus_option

if TYPE_CHECKING:
    from deepimagine_tui.evaluation.metrics import Difference
    from deepimagine_tui.evaluation.scoring_report import Report


@click.command()
@click.argument("first", type=click.Path(path_type=Path), metavar="A")
@click.argument("second", type=click.Path(path_type=Path), metavar="B")
@click.option(
    "--set", "questions", default="", metavar="SET", help="The question set, where it is a file or pairs in a folder."
)
@corpus_option
@ledger_option
@as_json
def compare(first: Path, second: Path, questions: str, corpus: Path | None, ledger: Path, json_output: bool) -> None:
    """Compare two systems on the questions that both answered.

    A and B are folders that `evaluate run` wrote. What is shown is A minus B: paired, with an interval over trials. A is called
    better or worse only where the interval excludes zero.
    """
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.evaluation import predictions

    with Progress("Comparing") as progress:
        judged = predictions.read(first).header.name
        made = scored(Chosen(questions, (first, second), corpus, ledger, judged), progress)
    if json_output:
        names = [system.name for system in made.systems]
        about = {"set": made.set_name, "looks": made.looks, "first": names[0], "second": names[1]}
        emit_json({**about, "differences": made.differences})
        return
    _show(made)


def _show(made: Report) -> None:
    first, second = (system.name for system in made.systems)
    emit(f"{first} minus {second} on {made.set_name}")
    if made.looks is not None:
        emit(f"Looks at this set so far, this one included: {made.looks:,}")
    emit("Difference, 95% interval over trials, questions/trials; Brier, cross-entropy, ECE and median e: lower is better.")
    for row in made.classes:
        found = [each for each in made.differences if each.question_class == row.question_class]
        rows = [_row(each) for each in found if each.estimate.value is not None]
        if rows:
            emit(f"\n{row.question_class}")
            emit(table(("questions", "metric", "difference", "A is"), rows))


def _row(found: Difference) -> tuple[str, ...]:
    from deepimagine_tui.evaluation.estimate_text import change

    word = found.word
    if word == "not distinguishable":
        trials = found.estimate.trials
        return found.slice.name, found.metric, change(found), f"{word} with {trials:,} {'trial' if trials == 1 else 'trials'}"
    return found.slice.name, found.metric, change(found), word
