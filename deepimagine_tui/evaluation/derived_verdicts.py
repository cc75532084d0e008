"""Comparisons whose verdict nobody posted, with that of a z-test on their posted values: more to learn from, and never to ask.

Most trials post values of both arms and no analysis. Where the values have dispersions, the z-test beside a verdict
(`reasoning.ztest`) tells what an analysis would have found, near enough to teach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Event

from msgspec.structs import replace

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.evaluation.features import INERT
from deepimagine_tui.evaluation.forecasts_of_corpus import (
    OTHER_HYPOTHESES,
    programmes_of,
    question_of,
    set_of,
    sides_of,
    trials_of,
)
from deepimagine_tui.evaluation.questions import MET, NOT_MET, Key, Question, QuestionSet
from deepimagine_tui.evaluation.sides import Member, Side
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.ztest import z_test
from deepimagine_tui.trials.model import Trial

_ROLES = frozenset({"primary", "secondary"})
_RIVALS = INERT | {"active"}


def derived(
    corpus: Corpus, cancel: Event, left_out: Iterable[str] = (), *, side: Side | None = None, more: Iterable[Member] = ()
) -> QuestionSet:
    """Comparisons of randomised trials with a control, in primary and secondary outcomes, that have no posted verdict, and
    values that can be tested; none of the trials `left_out` or of their programmes. With a `side`, only its trials; `more`
    trials of other data sets are put on sides together with the corpus's.

    Raises:
        CancelledError: `cancel` was set.
    """
    placed = sides_of(corpus, cancel, more)
    barred = programmes_of(left_out, placed, corpus)
    found: dict[str, tuple[Question, Key]] = {}
    for trial in trials_of(corpus, cancel):
        programme = placed.programme(trial.nct_id)
        if trial.allocation == "randomized" and programme not in barred and side in (None, placed.of(trial.nct_id)):
            for question, key in _of_trial(trial, programme):
                found.setdefault(question.id, (question, key))
    return set_of(f"z-tests of {corpus.name}", found.values())


def _of_trial(trial: Trial, programme: str) -> Iterator[tuple[Question, Key]]:
    posted = trial.results_posted.text if trial.results_posted else ""
    for state in comparisons_of(trial):
        tested = z_test(state) if _is_open(state) else None
        if tested is None:
            continue
        asked = question_of(trial, programme, state)
        question = replace(asked, id=f"{asked.id}/z")
        yield question, Key(question_id=question.id, answer=MET if tested.met else NOT_MET, target=state, posted=posted)


def _is_open(state: State) -> bool:
    """Whether no verdict was posted, of an arm against a control in an outcome that was planned for."""
    at = state.configuration
    if state.met is not None and state.met.verdict != "undetermined":
        return False
    if state.contrast is not None and state.contrast.hypothesis in OTHER_HYPOTHESES:
        return False
    against_control = at.comparator is not None and at.comparator.control in _RIVALS
    return against_control and at.arm.control not in _RIVALS and at.outcome.role in _ROLES
