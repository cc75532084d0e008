"""What was said of one question beside what was posted, as calibrations and records need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path

import msgspec

from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import MET, TWO_WAY, Key, Question, QuestionSet
from deepimagine_tui.reasoning import scoring
from deepimagine_tui.reasoning.graph import ReasoningGraph, fold
from deepimagine_tui.reasoning.journal import SUFFIX, read_events
from deepimagine_tui.reasoning.state import Direction, State
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import ValueKind


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, graded. `factor` is the last one that changed, `None` for a forecast; `chain_length` counts the changes.

    `errors` holds e of each imagined value that can be graded. `probability` is P(met) as the model said it, before any
    correction, and `met` what was posted, `None` where either is not known. Directions are `None` where they are not known;
    `answered` is false where the model had no readable answer.
    """

    nct_id: str
    programme: str
    factor: Factor | None
    kind: ValueKind
    chain_length: int
    errors: tuple[float, ...] = ()
    probability: float | None = None
    met: bool | None = None
    direction: Direction | None = None
    posted_direction: Direction | None = None
    answered: bool = True

    @property
    def is_forecast(self) -> bool:
        """Whether pathways led to it, rather than one chain from a posted state."""
        return self.factor is None


def measured_set(questions: QuestionSet, predictions: Iterable[Prediction], runs: Path | None = None) -> Iterator[Measured]:
    """The predictions of a set, each beside its key; those of questions with more than two options are left out. Values of
    forecasts are read from the journals of their runs, in the folder `runs`, where there are some."""
    by_id = {question.id: question for question in questions.questions}
    for prediction in predictions:
        question = by_id.get(prediction.question_id)
        if question is None or question.options != TWO_WAY:
            continue
        key = questions.key(question)
        if question.source is not None:
            yield _step(question, question.source, key, prediction)
        else:
            yield _forecast(question, key, prediction, runs)


def of_step(
    source: State, imagined: State | None, posted: State, factor: Factor, *, programme: str, chain_length: int = 1
) -> Measured:
    """A step's imagined state, `None` where there was no answer, beside the posted one."""
    found = scoring.grade(source, imagined or posted, posted, factor)
    truth = posted.met.verdict if posted.met is not None else "undetermined"
    measured = Measured(
        nct_id=posted.nct_id,
        programme=programme,
        factor=factor,
        kind=posted.configuration.outcome.kind,
        chain_length=chain_length,
        met=None if truth == "undetermined" else truth == "met",
        posted_direction=found.posted_direction,
        answered=imagined is not None,
    )
    if imagined is None:
        return measured
    return msgspec.structs.replace(
        measured,
        errors=scoring.value_errors(source, imagined, posted),
        probability=imagined.met.probability if imagined.met is not None else None,
        direction=found.imagined_direction,
    )


def posted_set(questions: QuestionSet) -> Iterator[Measured]:
    """What was posted of the steps of a set, without any answer."""
    for question in questions.questions:
        key = questions.key(question)
        if question.source is not None and key.target is not None:
            factor = question.changes[-1].factor
            yield of_step(question.source, None, key.target, factor, programme=question.programme)


def _step(question: Question, source: State, key: Key, prediction: Prediction) -> Measured:
    factor, length = question.changes[-1].factor, len(question.changes)
    if key.target is not None:
        found = of_step(source, prediction.state, key.target, factor, programme=question.programme, chain_length=length)
        return msgspec.structs.replace(found, nct_id=question.nct_id)
    return msgspec.structs.replace(_bare(question, key, prediction), factor=factor, chain_length=length)


def _forecast(question: Question, key: Key, prediction: Prediction, runs: Path | None) -> Measured:
    found = _bare(question, key, prediction)
    path = runs / f"{prediction.run_id}{SUFFIX}" if runs is not None and prediction.run_id else None
    if key.target is None or path is None or not path.is_file():
        return found
    graph = reduce(fold, read_events(path).events, ReasoningGraph())
    walked = [pathway for pathway in graph.pathways if pathway.done is not None and pathway.done.complete]
    if graph.aggregated is None or not walked:
        return found
    nearest = max(walked, key=lambda pathway: pathway.anchor.similarity or 0.0).anchor.state
    said = State("", question.nct_id, question.target, graph.aggregated.arm_value)
    return msgspec.structs.replace(
        found,
        chain_length=max(len(pathway.steps) for pathway in walked),
        errors=scoring.value_errors(nearest, said, key.target),
    )


def _bare(question: Question, key: Key, prediction: Prediction) -> Measured:
    """Without any value."""
    answered = not prediction.fallback
    return Measured(
        nct_id=question.nct_id,
        programme=question.programme,
        factor=None,
        kind=question.target.outcome.kind,
        chain_length=0,
        probability=prediction.probabilities[TWO_WAY.index(MET)] if answered else None,
        met=None if key.answer is None else key.answer == MET,
        direction=prediction.direction,
        posted_direction=key.direction,
        answered=answered,
    )
