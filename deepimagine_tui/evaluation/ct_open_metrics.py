"""CT Open's own metrics, by the rules of its published evaluation (`evaluations/evaluation.py` of its repository).

Each class apart: weighted accuracy (the mean, over the options that are right somewhere, of the share said rightly), macro-F1
(over the options that are right or said somewhere) and mean cross-entropy; the overall score is the plain mean over the
classes, and a system's is the mean over its runs. Before accuracy and F1 a comparative effect is collapsed to "different" and
"no difference"; its cross-entropy keeps three options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.evaluation.questions import Question, QuestionClass, QuestionSet

CLASSES: tuple[QuestionClass, ...] = ("endpoint", "superiority", "comparative effect")
"""In the order in which the published means are taken."""

LEAST = 1e-12
"""No share counts as less, so that cross-entropy stays finite."""

_DIFFERENT, _NO_DIFFERENCE = 1, 0


class PublishedScores(msgspec.Struct, frozen=True):
    """Shares in [0, 1], and the mean negative logarithm (nats) of what the right option was given; `None` where only choices
    are known."""

    weighted_accuracy: float
    macro_f1: float
    cross_entropy: float | None


class PublishedReport(msgspec.Struct, frozen=True):
    """The scores of each class that the set has, and their mean."""

    by_class: dict[QuestionClass, PublishedScores]
    overall: PublishedScores


def score(asked: QuestionSet, runs: Sequence[Mapping[str, Sequence[float]]]) -> PublishedReport:
    """The published scores of the shares that each run gave to each question's options, by question id.

    Raises:
        BadInputError: a question has no shares in a run, or there is no run.
    """
    return _mean_over_runs(asked, [_score_run(asked, run) for run in runs])


def score_choices(asked: QuestionSet, runs: Sequence[Mapping[str, int]]) -> PublishedReport:
    """The published scores of choices alone: as `score`, without a cross-entropy.

    Raises:
        BadInputError: a question has no choice in a run, or there is no run.
    """
    return _mean_over_runs(asked, [_score_choices(asked, run) for run in runs])


def _score_run(asked: QuestionSet, run: Mapping[str, Sequence[float]]) -> dict[QuestionClass, PublishedScores]:
    _require_all(asked, run)
    shares = {question.id: _shares(run[question.id]) for question in asked.questions}
    chosen = _score_choices(asked, {name: int(np.argmax(each)) for name, each in shares.items()})
    found: dict[QuestionClass, PublishedScores] = {}
    for kind, scores in chosen.items():
        questions = [question for question in asked.questions if question.kind == kind]
        losses = [-np.log(max(shares[question.id][_right(asked, question)], LEAST)) for question in questions]
        found[kind] = msgspec.structs.replace(scores, cross_entropy=float(np.mean(losses)))
    return found


def _score_choices(asked: QuestionSet, run: Mapping[str, int]) -> dict[QuestionClass, PublishedScores]:
    _require_all(asked, run)
    found: dict[QuestionClass, PublishedScores] = {}
    for kind in CLASSES:
        questions = [question for question in asked.questions if question.kind == kind]
        if not questions:
            continue
        truth = [_collapsed(kind, _right(asked, question)) for question in questions]
        said = [_collapsed(kind, run[question.id]) for question in questions]
        found[kind] = PublishedScores(_weighted_accuracy(truth, said), _macro_f1(truth, said), None)
    return found


def _require_all(asked: QuestionSet, run: Mapping[str, object]) -> None:
    missing = [question.id for question in asked.questions if question.id not in run]
    if missing:
        raise BadInputError(f"{len(missing):,} questions have no prediction.", "Every question counts: predict them all.")


def _right(asked: QuestionSet, question: Question) -> int:
    answer = asked.key(question).answer
    if answer is None:
        raise BadInputError(f"{question.id} has no answer to be scored by.", "Score a question set of CT Open.")
    return question.options.index(answer)


def _shares(scores: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Scores as shares: divided by their sum, none below `LEAST`, and divided again."""
    raw = np.array(scores, dtype=np.float64)
    clipped = np.clip(raw / raw.sum(), LEAST, 1.0)
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = clipped / clipped.sum()
    return found


def _collapsed(kind: QuestionClass, option: int) -> int:
    """The option as it counts for accuracy and F1: of a comparative effect, whether there is a difference."""
    if kind != "comparative effect":
        return option
    return _NO_DIFFERENCE if option == 2 else _DIFFERENT


def _weighted_accuracy(truth: Sequence[int], said: Sequence[int]) -> float:
    shares = []
    for option in sorted(set(truth)):
        at = [place for place, right in enumerate(truth) if right == option]
        shares.append(sum(said[place] == option for place in at) / len(at))
    return float(np.mean(shares))


def _macro_f1(truth: Sequence[int], said: Sequence[int]) -> float:
    """The mean of F1 = 2 TP / (2 TP + FP + FN) over the options that are in `truth` or in `said`."""
    found = []
    for option in sorted({*truth, *said}):
        both = sum(right == chosen == option for right, chosen in zip(truth, said, strict=True))
        found.append(2 * both / (truth.count(option) + said.count(option)))
    return float(np.mean(found))


def _mean_over_runs(asked: QuestionSet, runs: Sequence[Mapping[QuestionClass, PublishedScores]]) -> PublishedReport:
    if not runs or not runs[0]:
        raise BadInputError(f"There is nothing of {asked.name} to score.", "Give predictions of a question set of CT Open.")
    by_class: dict[QuestionClass, PublishedScores] = {kind: _mean([run[kind] for run in runs]) for kind in runs[0]}
    return PublishedReport(by_class, _mean(list(by_class.values())))


def _mean(scores: Sequence[PublishedScores]) -> PublishedScores:
    losses = [each.cross_entropy for each in scores if each.cross_entropy is not None]
    return PublishedScores(
        float(np.mean([each.weighted_accuracy for each in scores])),
        float(np.mean([each.macro_f1 for each in scores])),
        float(np.mean(losses)) if losses else None,
    )
