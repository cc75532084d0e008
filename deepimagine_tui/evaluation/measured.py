"""What was said of one question beside what was posted, as calibrations and records need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import MET, TWO_WAY, Key, Question, QuestionSet
from deepimagine_tui.reasoning import scoring
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


def measured_set(questions: QuestionSet, predictions: Iterable[Prediction]) -> Iterator[Measured]:
    """The predictions of a set, each beside its key; those of questions with more than two options are left out."""
    by_id = {question.id: question for question in questions.questions}
    for prediction in predictions:
        question = by_id.get(prediction.question_id)
        if question is not None and question.options == TWO_WAY:
            yield _measured(question, questions.key(question), prediction)


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


def _measured(question: Question, key: Key, prediction: Prediction) -> Measured:
    answered = not prediction.fallback
    values: tuple[float, ...] = ()
    if question.source is not None and prediction.state is not None and key.target is not None:
        values = scoring.value_errors(question.source, prediction.state, key.target)
    return Measured(
        nct_id=question.nct_id,
        programme=question.programme,
        factor=question.changes[-1].factor if question.changes else None,
        kind=question.target.outcome.kind,
        chain_length=len(question.changes),
        errors=values,
        probability=prediction.probabilities[TWO_WAY.index(MET)] if answered else None,
        met=None if key.answer is None else key.answer == MET,
        direction=prediction.direction,
        posted_direction=key.direction,
        answered=answered,
    )
