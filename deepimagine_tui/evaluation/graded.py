"""What was said of one question beside what was posted, by the one grader: what every metric is computed from.

Of a comparative effect (better, worse, no difference) accuracy, F1, area and calibration are of `different` against
`no difference`, as CT Open has it; cross-entropy and Brier keep the three options.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from deepimagine_tui.evaluation.calibrate import SLACK
from deepimagine_tui.evaluation.ct_open_metrics import LEAST
from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import THREE_WAY, Key, Question, QuestionSet
from deepimagine_tui.reasoning import scoring
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.state import Direction, Number, State

NO_ANSWER = "no answer"
DIFFERENT = "different"
"""What a comparative effect counts as where it is no `no difference`."""


class Graded(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction, graded.

    `truth` is the posted option as it counts, `None` where undetermined; `said` the likeliest option as it counts, `no answer`
    where there was none. `share` is the probability of the first counted option (`met`, `different`). `loss` is the negative
    logarithm (nats) of what the posted option was given, no share counting as less than `LEAST`; `squares` half the sum of
    squares over the options. Where there was no answer both are those of the base rate.

    e of the values and of copying the source are `None` where they cannot be graded. `covered` is the share of the posted
    values inside the interval around the imagined ones, which has `level` percent: a calibration's, else the state's own.
    `direction` is that of the values, `stated` the one in words. `is_flip` says whether the posted
    verdict is not the source's, `None` for a forecast or an undetermined verdict. `anchors` counts the trials seen.
    """

    question: Question
    truth: str | None
    said: str
    share: float
    loss: float | None = None
    squares: float | None = None
    posted_direction: Direction | None = None
    direction: Direction | None = None
    stated: Direction | None = None
    error: float | None = None
    copy_error: float | None = None
    covered: float | None = None
    level: float | None = None
    is_flip: bool | None = None
    anchors: int = 0
    fallback: str = ""


def graded(asked: QuestionSet, said: Mapping[str, Prediction], calibration: Calibration | None = None) -> dict[str, Graded]:
    """Every prediction of a set beside its key, by question id, in the set's order. `calibration` is the model's."""
    return {
        question.id: grade(question, asked.key(question), said[question.id], calibration)
        for question in asked.questions
        if question.id in said
    }


def grade(question: Question, key: Key, prediction: Prediction, calibration: Calibration | None = None) -> Graded:
    """One prediction beside its key. With a `calibration`, coverage is of its intervals, and not of trials that it was fitted
    on."""
    found = Graded(
        question=question,
        truth=None if key.answer is None else counted(key.answer, question.options),
        said=NO_ANSWER if prediction.fallback == NO_ANSWER else counted(likeliest(question, prediction), question.options),
        share=first_share(question, prediction),
        posted_direction=key.direction,
        direction=prediction.direction,
        stated=prediction.stated,
        is_flip=_is_flip(question, key),
        anchors=len({used.nct_id for used in prediction.used}),
        fallback=prediction.fallback,
    )
    if key.answer is not None:
        right = prediction.probabilities[question.options.index(key.answer)]
        found = msgspec.structs.replace(
            found, loss=-math.log(max(right, LEAST)), squares=squares(question, prediction, key.answer)
        )
    if question.source is None or not question.changes or prediction.state is None or key.target is None:
        return found
    factor = question.changes[-1].factor
    revealed = scoring.grade(question.source, prediction.state, key.target, factor, prediction.stated)
    if calibration is not None:
        covered, level = _calibrated_coverage(question, question.source, prediction.state, key.target, calibration)
    else:
        covered, level = _coverage(prediction.state, key.target, revealed)
    return msgspec.structs.replace(
        found,
        direction=revealed.imagined_direction,
        error=revealed.error,
        copy_error=revealed.copy_error,
        covered=covered,
        level=level,
    )


def likeliest(question: Question, prediction: Prediction) -> str:
    """The likeliest option; of equals the first. No threshold is chosen."""
    return max(zip(question.options, prediction.probabilities, strict=True), key=lambda pair: pair[1])[0]


def counted(option: str, options: tuple[str, ...]) -> str:
    """An option as accuracy and F1 count it."""
    return DIFFERENT if options == THREE_WAY and option != THREE_WAY[-1] else option


def classes(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options as they are counted, in their order."""
    return tuple(dict.fromkeys(counted(option, options) for option in options))


def first_share(question: Question, prediction: Prediction) -> float:
    """The probability of the first counted option."""
    first = classes(question.options)[0]
    shares = zip(question.options, prediction.probabilities, strict=True)
    return min(sum(share for option, share in shares if counted(option, question.options) == first), 1.0)


def squares(question: Question, prediction: Prediction, answer: str) -> float:
    """Half the sum of squares over the options: of two, (P(met) - met)^2."""
    shares = zip(question.options, prediction.probabilities, strict=True)
    return sum((share - (option == answer)) ** 2 for option, share in shares) / 2


def _is_flip(question: Question, key: Key) -> bool | None:
    met = question.source.met if question.source is not None else None
    if met is None or met.verdict == "undetermined" or key.answer is None:
        return None
    return met.verdict != key.answer


def _coverage(said: State, posted: State, revealed: Revealed) -> tuple[float | None, float | None]:
    """The share of posted values inside their interval, and the intervals' level; `None` where there is no interval, or the
    values are of another measure."""
    if revealed.error is None:
        return None, None
    pairs = ((said.arm_value, posted.arm_value), (said.comparator_value, posted.comparator_value))
    inside = [found for found in (_is_inside(ours, theirs) for ours, theirs in pairs) if found is not None]
    if not inside:
        return None, None
    return sum(inside) / len(inside), _level((said.arm_value, said.comparator_value))


def _calibrated_coverage(
    question: Question, source: State, said: State, posted: State, calibration: Calibration
) -> tuple[float | None, float | None]:
    """The share of posted values whose e is within the quantile, which is to be inside g(value) +- quantile * s."""
    fitted_on = calibration.fitted_on.trials if calibration.fitted_on is not None else ()
    factor = question.changes[-1].factor
    quantile = calibration.quantile(factor, posted.configuration.outcome.kind, len(question.changes))
    errors = scoring.value_errors(source, said, posted)
    if quantile is None or not errors or question.nct_id in fitted_on:
        return None, None
    return sum(error <= quantile + SLACK for error in errors) / len(errors), calibration.level


def _is_inside(said: Number | None, posted: Number | None) -> bool | None:
    if said is None or posted is None or posted.value is None or said.status != "imagined":
        return None
    if said.interval is None or said.interval.kind != "PI":
        return None
    lower = -math.inf if said.interval.lower is None else said.interval.lower
    upper = math.inf if said.interval.upper is None else said.interval.upper
    return lower <= posted.value <= upper


def _level(numbers: Iterable[Number | None]) -> float | None:
    found = [number.interval for number in numbers if number is not None and number.status == "imagined"]
    return next((interval.level for interval in found if interval is not None), None)
