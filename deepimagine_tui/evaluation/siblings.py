"""What a leak of siblings would score: answering every question with the majority of the same trial's other answers.

Outcomes of one trial agree so much that this oracle does better than any honest forecast is known to. A system near it has
probably seen sibling answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from deepimagine_tui.evaluation.intervals import LEAST_CLUSTERS, macro_f1
from deepimagine_tui.evaluation.predictions import Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionClass, QuestionSet

NEAR = 0.03
"""A macro-F1 so little below the oracle's is near it."""
TELLS = 0.6
"""Where the oracle's macro-F1 is lower, siblings agree too little for a score to betray that they were seen."""


class BesideOracle(msgspec.Struct, frozen=True):
    """A system's macro-F1 on one class of forecasts beside the oracle's, in [0, 1]; `trials` have several answers."""

    kind: QuestionClass
    system: float
    oracle: float
    trials: int

    @property
    def is_suspicious(self) -> bool:
        """Whether the system is near the oracle, or above it."""
        return self.system >= self.oracle - NEAR


def beside_oracle(asked: QuestionSet, predictions: Predictions) -> list[BesideOracle]:
    """Every class of forecasts in which enough trials have several answers, and these agree; steps have no oracle, their
    source being one."""
    by_class: dict[QuestionClass, list[Question]] = {}
    for question in asked.questions:
        if question.source is None and question.id in predictions.by_id and asked.key(question).answer is not None:
            by_class.setdefault(question.kind, []).append(question)
    found = []
    for kind, questions in by_class.items():
        counts = Counter(question.nct_id for question in questions)
        several = sum(count > 1 for count in counts.values())
        if several < LEAST_CLUSTERS:
            continue
        truth = [asked.key(question).answer or "" for question in questions]
        said = [_likelier(question, predictions) for question in questions]
        best = _macro_f1(truth, oracle(questions, truth))
        if best >= TELLS:
            found.append(BesideOracle(kind, _macro_f1(truth, said), best, several))
    return found


def oracle(questions: Sequence[Question], truth: Sequence[str]) -> list[str]:
    """The majority of the other answers of each question's trial; where there is none, the commonest answer of all."""
    by_trial: dict[str, Counter[str]] = defaultdict(Counter)
    for question, answer in zip(questions, truth, strict=True):
        by_trial[question.nct_id][answer] += 1
    commonest = Counter(truth).most_common(1)[0][0]
    said = []
    for question, answer in zip(questions, truth, strict=True):
        others = (by_trial[question.nct_id] - Counter([answer])).most_common(2)
        tied = len(others) == 2 and others[0][1] == others[1][1]
        said.append(commonest if tied or not others else others[0][0])
    return said


def _likelier(question: Question, predictions: Predictions) -> str:
    shares = predictions.by_id[question.id].probabilities
    return max(zip(question.options, shares, strict=True), key=lambda pair: pair[1])[0]


def _macro_f1(truth: Sequence[str], said: Sequence[str]) -> float:
    return float(macro_f1(truth, said, sorted(set(truth)))(np.ones((1, len(truth))))[0])
