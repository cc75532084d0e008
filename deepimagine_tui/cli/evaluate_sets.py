"""What `evaluate` is asked to answer: a question set by its file or its name, with what systems may learn from beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import click

from deepimagine_tui.errors import BadInputError, NotFoundError

if TYPE_CHECKING:
    from deepimagine_training.rows import PairRow

    from deepimagine_tui.corpus.store import Corpus
    from deepimagine_tui.evaluation.questions import QuestionSet
    from deepimagine_tui.evaluation.sides import Side
    from deepimagine_tui.evaluation.system import Learnt

PAIRS = "pairs:"
NAMED = ("natural", "approximate", "forecasts")
HINT = f"SET is a CT Open pickle or JSON, a CSV file, {PAIRS}FOLDER, {', '.join(NAMED[:-1])} or {NAMED[-1]}."

clinifact_option = click.option(
    "--clinifact",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="CSV",
    help="CliniFact's claims to learn forecasts from too; significant ones are taken to favour the intervention.",
)


class Sets(NamedTuple):
    """The questions, and what may be learnt from: other trials of other programmes, those of training where there are sides."""

    asked: QuestionSet
    learnt: Learnt


def resolve(
    name: str,
    corpus: Corpus,
    side: Side,
    cancel: Event,
    cutoff: str = "",
    kind: str = "natural",
    claims: Sequence[Path] = (),
) -> Sets:
    """The set that `name` means. `side` and `kind` are of pairs and forecasts; `cutoff` of a published set that is not known.
    `claims` are CliniFact's files, to learn forecasts from too.

    Raises:
        NotFoundError: there is no such file, or no set of that name.
        BadInputError: it cannot be read, or holds no question.
        CancelledError: `cancel` was set.
    """
    if name.startswith(PAIRS):
        return _pairs(_in_folder(Path(name.removeprefix(PAIRS)), side), side, kind)
    if name == "forecasts":
        return _forecasts(corpus, side, cancel, claims)
    if name in NAMED:
        return _pairs(_drawn(corpus, cancel), side, name)
    path = Path(name)
    if not path.is_file():
        raise NotFoundError(f"There is no question set {name!r}.", HINT)
    if path.suffix.lower() == ".csv":
        from deepimagine_tui.evaluation import csv_set

        asked = csv_set.read(path)
    else:
        from deepimagine_tui.evaluation import ct_open
        from deepimagine_tui.evaluation.conditions import with_conditions

        asked = with_conditions(ct_open.read(path, cutoff), corpus)
    return Sets(asked, _others(corpus, {question.nct_id for question in asked.questions}, cancel, claims))


def are_steps(asked: QuestionSet) -> bool:
    """Whether every question is a step, from a posted state."""
    return all(question.source is not None for question in asked.questions)


def with_derived(name: str, sets: Sets, corpus: Corpus, cancel: Event, claims: Sequence[Path] = ()) -> Learnt:
    """What may be learnt for the set `name`, with comparisons of the same trials and others whose verdict is a z-test's. There
    are none for pairs.

    Raises:
        CancelledError: `cancel` was set.
    """
    from deepimagine_training.clinifact import members_of, read_claims

    from deepimagine_tui.evaluation.derived_verdicts import derived
    from deepimagine_tui.evaluation.system import Learnt

    if any(question.source is not None for question in sets.asked.questions):
        return sets.learnt
    members = members_of([read_claims(path) for path in claims])
    asked = {question.nct_id for question in sets.asked.questions}
    side: Side | None = "train" if name == "forecasts" else None
    return Learnt(sets.learnt.examples, derived(corpus, cancel, asked, side=side, more=members))


def _pairs(rows: Sequence[PairRow], side: Side, kind: str) -> Sets:
    """The pairs of a side, and those of training to learn from."""
    from deepimagine_training import backtest

    from deepimagine_tui.evaluation.system import Learnt

    draw = backtest.approximate if kind == "approximate" else backtest.natural
    return Sets(draw(rows, side), Learnt(draw(rows, "train")))


def _in_folder(folder: Path, side: Side) -> Sequence[PairRow]:
    from deepimagine_training import pair_files

    pair_files.read_manifest(folder)
    return pair_files.load_rows(folder, tuple(dict.fromkeys(("train", side))))


def _drawn(corpus: Corpus, cancel: Event) -> Sequence[PairRow]:
    from deepimagine_training.pairs import PairOptions, draw

    return draw(corpus, (), PairOptions(), cancel).rows


def _forecasts(corpus: Corpus, side: Side, cancel: Event, claims: Sequence[Path]) -> Sets:
    from deepimagine_training.claim_forecasts import learnable
    from deepimagine_training.clinifact import members_of, read_claims

    from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts, sides_of
    from deepimagine_tui.evaluation.system import Learnt

    files = [read_claims(path) for path in claims]
    sides = sides_of(corpus, cancel, members_of(files))
    asked = forecasts(corpus, cancel, sides=sides, side=side)
    return Sets(asked, Learnt(learnable(corpus, files, cancel, side="train")))


def _others(corpus: Corpus, left_out: Iterable[str], cancel: Event, claims: Sequence[Path]) -> Learnt:
    """The posted comparisons and claims of other trials; nothing where there are none."""
    from deepimagine_training.claim_forecasts import learnable
    from deepimagine_training.clinifact import read_claims

    from deepimagine_tui.evaluation.forecasts_of_corpus import set_of
    from deepimagine_tui.evaluation.system import Learnt

    files = [read_claims(path) for path in claims]
    try:
        return Learnt(learnable(corpus, files, cancel, left_out))
    except BadInputError:
        return Learnt(set_of("nothing", ()))
