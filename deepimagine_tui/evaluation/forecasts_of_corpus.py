"""Every posted comparison of a corpus as a forecast question: what systems learn from, and held-out forecasts to ask.

A question has the trial as it was planned: no baseline, no actual enrolment or date, no place among the results; its cutoff is
the day before its own results were posted. The posted state is in the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from threading import Event

import msgspec
from msgspec.structs import replace

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.evaluation.questions import NO_CUTOFF, Key, Question, QuestionSet
from deepimagine_tui.evaluation.sides import Member, Side, Sides, assign
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.identity import content_hash
from deepimagine_tui.reasoning.specs import base_configuration, registered_arm
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, State
from deepimagine_tui.reasoning.target import as_planned
from deepimagine_tui.trials.concepts.programmes import programme_keys
from deepimagine_tui.trials.concepts.titles import is_dose_ranging
from deepimagine_tui.trials.model import Trial

OTHER_HYPOTHESES = frozenset({"non-inferiority", "equivalence"})
"""What a comparison was meant to show when it was not superiority."""


def sides_of(corpus: Corpus, cancel: Event, more: Iterable[Member] = ()) -> Sides:
    """The side and programme of every trial of `corpus`, assigned once together with `more` trials of other data sets.

    Raises:
        CancelledError: `cancel` was set.
    """
    members = [Member(trial.nct_id, programme_keys(trial), is_dose_ranging(trial)) for trial in trials_of(corpus, cancel)]
    return assign([*members, *more])


def forecasts(
    corpus: Corpus,
    cancel: Event,
    left_out: Iterable[str] = (),
    *,
    sides: Sides | None = None,
    side: Side | None = None,
) -> QuestionSet:
    """Every posted comparison of a randomised trial with a verdict on superiority whose arm is no control, each once; none of
    the trials `left_out` or of their programmes. With a `side`, only its trials.

    Raises:
        BadInputError: there is none.
        CancelledError: `cancel` was set.
    """
    placed = sides or sides_of(corpus, cancel)
    barred = programmes_of(left_out, placed, corpus)
    found: dict[str, tuple[Question, Key]] = {}
    for trial in trials_of(corpus, cancel):
        programme = placed.programme(trial.nct_id)
        if trial.allocation != "randomized" or programme in barred or side not in (None, placed.of(trial.nct_id)):
            continue
        for question, key in _of_trial(trial, programme):
            found.setdefault(question.id, (question, key))
    if not found:
        where = f"on the side {side} of {corpus.name}" if side else f"in {corpus.name}"
        raise BadInputError(f"There is no comparison with a verdict {where}.", "Import trials with posted results.")
    return set_of(f"forecasts of {corpus.name}" + (f", {side}" if side else ""), found.values())


def programmes_of(nct_ids: Iterable[str], sides: Sides, corpus: Corpus) -> frozenset[str]:
    """The programmes of some trials, by the ids they have now; a trial that no data set holds is its own programme."""
    found = set()
    for nct_id in nct_ids:
        current = corpus.get(nct_id).nct_id if nct_id not in sides.places and corpus.has(nct_id) else nct_id
        found.add(sides.programme(current) if current in sides.places else current)
    return frozenset(found)


def set_of(name: str, asked: Iterable[tuple[Question, Key]]) -> QuestionSet:
    """A set of questions with their keys, identified by all that is in it."""
    pairs = list(asked)
    digest = hashlib.sha256(b"".join(msgspec.json.encode(pair, order="deterministic") for pair in pairs)).hexdigest()
    questions = tuple(question for question, _ in pairs)
    return QuestionSet(name=name, sha256=digest, questions=questions, keys={key.question_id: key for _, key in pairs})


def joined(name: str, *sets: QuestionSet) -> QuestionSet:
    """The questions of several sets as one, in their order; watched where any of them is."""
    asked = [(question, each.key(question)) for each in sets for question in each.questions]
    return replace(set_of(name, asked), is_watched=any(each.is_watched for each in sets))


def planned_target(trial: Trial, at: Configuration) -> Configuration:
    """A posted comparison as its trial planned it: nothing in it was written after the fact or says where its result is."""
    outcome = replace(at.outcome, outcome_id="", analysis_set="unknown")
    sides = _without_place(at.arm), _without_place(at.comparator) if at.comparator else None
    return base_configuration(as_planned(trial), *sides, outcome, at.time)


def question_of(trial: Trial, programme: str, state: State) -> Question:
    """A posted comparison of a trial as a forecast, asked as it was planned, with what was posted until the day before."""
    target = planned_target(trial, state.configuration)
    return Question(
        id=f"{trial.nct_id}/{content_hash(target, 12)}",
        nct_id=trial.nct_id,
        programme=programme,
        kind="superiority",
        target=target,
        title=trial.title,
        cutoff=day_before(trial.results_posted.text if trial.results_posted else ""),
        comparator_type=registered_type(trial, state),
    )


def _of_trial(trial: Trial, programme: str) -> Iterator[tuple[Question, Key]]:
    posted = trial.results_posted.text if trial.results_posted else ""
    for state in comparisons_of(trial):
        at = state.configuration
        if state.met is None or state.met.verdict == "undetermined" or at.arm.control in INERT:
            continue
        if state.contrast is not None and state.contrast.hypothesis in OTHER_HYPOTHESES:
            continue
        question = question_of(trial, programme, state)
        yield question, Key(question_id=question.id, answer=state.met.verdict, target=state, posted=posted)


def _without_place(arm: ArmSpec) -> ArmSpec:
    return replace(arm, group_id="", class_title="")


def registered_type(trial: Trial, state: State) -> str:
    """The registered type of the comparator's arm; empty where no arm is known to be it."""
    comparator = state.configuration.comparator
    if comparator is None:
        return ""
    outcome = trial.outcome(state.configuration.outcome.outcome_id)
    link = next((group.link for group in outcome.groups if group.id == comparator.group_id), None)
    label = link.arm_label if link and not comparator.class_title else comparator.label
    arm = registered_arm(trial, label)
    return "" if arm is None or arm.type == "unknown" else arm.type


def day_before(posted: str) -> str:
    """The day before the earliest that `posted` may mean; no cutoff where it is not known."""
    if not posted:
        return NO_CUTOFF
    return (date.fromisoformat(posted + "-01-01"[(len(posted) - 4) :]) - timedelta(days=1)).isoformat()


def trials_of(corpus: Corpus, cancel: Event) -> Iterator[Trial]:
    """Every trial of a corpus.

    Raises:
        CancelledError: `cancel` was set.
    """
    for nct_id in corpus.nct_ids():
        if cancel.is_set():
            raise CancelledError("Reading comparisons was stopped.")
        yield corpus.get(nct_id)
