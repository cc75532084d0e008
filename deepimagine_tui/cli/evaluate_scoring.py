"""What `evaluate report` and `evaluate compare` share: journals and their question set, scored, once the look is entered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from deepimagine_tui.cli.evaluate_sets import Sets
    from deepimagine_tui.cli.progress import Progress
    from deepimagine_tui.evaluation.interpretability import Interpretability
    from deepimagine_tui.evaluation.predictions import Header, Predictions
    from deepimagine_tui.evaluation.questions import QuestionSet
    from deepimagine_tui.evaluation.scoring_report import Report

ledger_option = click.option(
    "--ledger",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("docs/winter-ledger.jsonl"),
    show_default=True,
    metavar="FILE",
    help="Where every scoring of CT Open is entered; it is committed.",
)


class Chosen(NamedTuple):
    """What to score: the set by its name, where it is known, and the folders that `evaluate run` wrote."""

    questions: str
    folders: Sequence[Path]
    corpus: Path | None
    ledger: Path
    judged: str = ""
    calibration: Path | None = None


def scored(chosen: Chosen, progress: Progress, *, with_rules: bool = False, with_runs: bool = False) -> Report:
    """The report on some journals, the rules beside them where asked for; a look at a watched set is entered first.

    Raises:
        NotFoundError: there is no such set, or a folder holds no predictions.
        BadInputError: something is damaged, or is no question set.
        RefusedError: predictions are of another set; or a watched set is scored outside a checkout.
        CancelledError: it was interrupted.
    """
    from deepimagine_tui.evaluation import floors, predictions, scoring_report
    from deepimagine_tui.reasoning import calibration

    fitted = calibration.load(chosen.calibration) if chosen.calibration is not None else None
    journals = [predictions.read(folder) for folder in chosen.folders]
    progress.say("reading questions")
    sets = _resolved(chosen, journals[0].header)
    for journal in journals:
        scoring_report.require_of(sets.asked, journal)
    runs = [_interpretability(folder, sets.asked) if with_runs else None for folder in chosen.folders]
    if with_rules:
        journals += floors.missing(sets.asked, journals, sets.learnt)
    looks = _looks(chosen.ledger, sets.asked, journals) if sets.asked.is_watched else None
    progress.say("scoring")
    return scoring_report.score(sets.asked, journals, looks, chosen.judged, runs, fitted)


def _resolved(chosen: Chosen, header: Header) -> Sets:
    """The question set; pairs and forecasts are of the side and kind that the journal names. No cutoff is needed, since nothing
    is asked."""
    from deepimagine_tui import settings
    from deepimagine_tui.cli import evaluate_sets
    from deepimagine_tui.cli.session import opened_corpus, stoppable
    from deepimagine_tui.evaluation.questions import NO_CUTOFF
    from deepimagine_tui.evaluation.sides import SIDES

    about, _, named = header.set_name.rpartition(", ")
    side = SIDES[SIDES.index(named)] if named in SIDES else "test"
    kind = about.partition(" ")[0]
    name = chosen.questions or (kind if kind in evaluate_sets.NAMED else header.set_name)
    loaded = settings.load({"corpus": None if chosen.corpus is None else str(chosen.corpus)})
    with stoppable() as cancel, opened_corpus(loaded) as source:
        return evaluate_sets.resolve(name, source, side, cancel, NO_CUTOFF, kind)


def _looks(path: Path, asked: QuestionSet, journals: Sequence[Predictions]) -> int:
    """How often the set was looked at, these journals included, which are entered where they are new."""
    from deepimagine_tui.evaluation import ledger

    ledger.check(path)
    for journal in journals:
        ledger.enter(path, asked.take(frozenset(journal.by_id)), journal)
    return ledger.looks(ledger.read(path), asked.sha256)


def _interpretability(folder: Path, asked: QuestionSet) -> Interpretability | None:
    """What was measured of the runs of a folder, or is now; `None` where no runs were kept."""
    from deepimagine_tui.evaluation import interpretability
    from deepimagine_tui.evaluation.runner import RUNS

    if (folder / interpretability.FILE).is_file():
        return interpretability.read(folder / interpretability.FILE)
    if not (folder / RUNS).is_dir():
        return None
    return interpretability.read_runs(folder, {question.nct_id: question.programme for question in asked.questions})
