"""CliniFact's claims as forecast questions, beside those of a corpus: for learning alone, because their answers are assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Event

from deepimagine_training.clinifact import ClaimFile, assumed_met, configuration_of, members_of
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts, joined, programmes_of, set_of, sides_of
from deepimagine_tui.evaluation.questions import MET, NOT_MET, Key, Question, QuestionSet
from deepimagine_tui.evaluation.sides import Side, Sides
from deepimagine_tui.reasoning.identity import content_hash
from deepimagine_tui.reasoning.state import Configuration


def learnable(
    corpus: Corpus,
    files: Sequence[ClaimFile],
    cancel: Event,
    left_out: Iterable[str] = (),
    side: Side | None = None,
) -> QuestionSet:
    """The posted comparisons of `corpus` and the claims of trials that it does not hold; sides and programmes are assigned once
    for both. Nothing of the trials `left_out` or of their programmes.

    Raises:
        BadInputError: the corpus has no comparison with a verdict.
        CancelledError: `cancel` was set.
    """
    barred = tuple(left_out)
    sides = sides_of(corpus, cancel, members_of(files))
    posted = forecasts(corpus, cancel, barred, sides=sides, side=side)
    claimed = claim_forecasts(files, corpus, sides, barred, side)
    return joined(" + ".join((posted.name, *(file.name for file in files))), posted, claimed) if files else posted


def claim_forecasts(
    files: Iterable[ClaimFile],
    corpus: Corpus,
    sides: Sides,
    left_out: Iterable[str] = (),
    side: Side | None = None,
) -> QuestionSet:
    """CliniFact's superiority claims of trials that `corpus` does not hold, each comparison once.

    A significant p-value, which has no sign there, is taken to favour the intervention: never a posted verdict.
    """
    barred = programmes_of(left_out, sides, corpus)
    found: dict[str, tuple[Question, Key]] = {}
    for question, key in _claimed(files, corpus, sides):
        if question.programme not in barred and side in (None, sides.of(question.nct_id)):
            found.setdefault(question.id, (question, key))
    return set_of("claims" + (f", {side}" if side else ""), found.values())


def _claimed(files: Iterable[ClaimFile], corpus: Corpus, sides: Sides) -> Iterator[tuple[Question, Key]]:
    for claim in (claim for file in files for claim in file.claims):
        met = assumed_met(claim)
        if met is None or corpus.has(claim.nct_id):
            continue
        target: Configuration = configuration_of(claim)
        question = Question(
            id=f"{claim.nct_id}/{content_hash(target, 12)}",
            nct_id=claim.nct_id,
            programme=sides.programme(claim.nct_id),
            kind="superiority",
            target=target,
            comparator_type=claim.comparator_type,
        )
        yield question, Key(question_id=question.id, answer=MET if met else NOT_MET)
