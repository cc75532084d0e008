"""What is expected of a comparison before anything is learnt: the sum of a few judgements on its kind, in logits of P(met).

They come from `expectation_tables` and from the design: an active rival is harder to beat than a placebo, another dose of the
same harder still, and a trial in which only something is added to both arms' treatment is like one against placebo.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from deepimagine_tui.evaluation.expectation_tables import ANY_SUBJECT, INTERVENTIONS, OUTCOMES, SUBJECTS
from deepimagine_tui.evaluation.features import Overlap, arm_text, is_inert, overlap_of_words
from deepimagine_tui.evaluation.given import given_text, is_blank
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.reasoning.state import Configuration


def _compiled(rows: tuple[tuple[str, float], ...]) -> list[tuple[re.Pattern[str], float]]:
    return [(re.compile(pattern, re.IGNORECASE), value) for pattern, value in rows]


_SUBJECTS, _OUTCOMES, _INTERVENTIONS = _compiled(SUBJECTS), _compiled(OUTCOMES), _compiled(INTERVENTIONS)
_CARE = re.compile(r"usual|standard|routine|conventional|control|care", re.IGNORECASE)
_PILOT = re.compile(r"pilot|feasib", re.IGNORECASE)
_LATE = re.compile(r"phase (?:3|III)\b", re.IGNORECASE)

_SAME = -1.2
_INERT = 0.15
_ADDED_ON = 0.1
_USUAL_CARE = -0.1
_RIVAL = -0.55
_UNKNOWN = -0.5
_MUCH_SHARED = -0.4
"""What a comparator adds: the same as the arm's, nothing active, all but what is added, usual care, another tested or active
one, none at all; and beside it where half of the words are both arms' and nothing is just added."""
_OF_SAME, _OF_RIVAL = 0.3, 0.6
"""How much of the disease's base rate is left where the comparator is the same, or active."""
_PRIMARY, _IN_PILOT, _IN_LATE_PHASE = 0.15, -0.4, 0.2


class Expected(NamedTuple):
    """What each part of a comparison says, in logits."""

    subject: float
    outcome: float
    intervention: float
    comparator: float
    design: float

    @property
    def logit(self) -> float:
        """All together."""
        return sum(self)


def expected(question: Question) -> Expected:
    """What is expected of a question, from its texts alone."""
    at = question.target
    arm, comparator = given_text(at.arm), given_text(at.comparator)
    inert, overlap = is_inert(at) or is_blank(at.comparator), overlap_of_words(arm, comparator)
    rate = _subject(question, arm_text(at.arm), arm_text(at.comparator))
    against, kept = _comparator(at, comparator, inert, overlap)
    outcome = next((value for pattern, value in _OUTCOMES if pattern.search(at.outcome.title)), 0.0)
    given = sum(value for pattern, value in _INTERVENTIONS if pattern.search(arm) and (inert or not pattern.search(comparator)))
    return Expected(kept * math.log(rate / (100 - rate)), outcome, given, against, _design(question))


def _subject(question: Question, arm: str, comparator: str) -> float:
    """Of a hundred, by what the trial says it is about; where that names nothing known, by all of its texts."""
    about = " ".join((question.title, *question.target.population.conditions))
    for text in (about, " ".join((about, question.target.outcome.title, arm, comparator))):
        for pattern, rate in _SUBJECTS:
            if pattern.search(text):
                return rate
    return ANY_SUBJECT


def _comparator(at: Configuration, comparator: str, inert: bool, overlap: Overlap) -> tuple[float, float]:
    """What the comparator adds, and how much of the disease's base rate is left; `comparator` is what it is given."""
    kept = 1.0
    if inert:
        against = _INERT
    elif overlap.same:
        against, kept = _SAME, _OF_SAME
    elif overlap.added_on:
        against = _ADDED_ON
    elif at.comparator is not None:
        against, kept = _USUAL_CARE if _CARE.search(comparator) else _RIVAL, _OF_RIVAL
    else:
        against = _UNKNOWN
    if not inert and not overlap.added_on and overlap.shared > 0.5:
        against += _MUCH_SHARED
    return against, kept


def _design(question: Question) -> float:
    found = _PRIMARY if question.target.outcome.role == "primary" else 0.0
    found += _IN_PILOT if _PILOT.search(question.title) else 0.0
    return found + (_IN_LATE_PHASE if _LATE.search(question.title) else 0.0)
