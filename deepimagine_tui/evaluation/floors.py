"""The rules that stand beside any score: what is reached without a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Event

from deepimagine_tui.evaluation.predictions import Predictions
from deepimagine_tui.evaluation.questions import QuestionSet
from deepimagine_tui.evaluation.rules import BaseRate, ComparatorRule, CopyAnchor, Majority, MoreDose
from deepimagine_tui.evaluation.runner import header_of, in_order
from deepimagine_tui.evaluation.system import Learnt, System

NAMES = ("majority", "comparator-rule", "copy-anchor", "base-rate", "more-dose")
"""The systems that are rules."""


def missing(asked: QuestionSet, journals: Sequence[Predictions], learnt: Learnt) -> list[Predictions]:
    """What the rules say that no journal is of, on the questions that any journal answered: the commonest answer and the
    comparator's type; of steps also copying the source, base rates and more of a dose."""
    have = {journal.header.system for journal in journals}
    wanted = frozenset(key for journal in journals for key in journal.by_id)
    return [_said(rule, asked, wanted) for rule in _rules(asked, learnt) if rule.facts.name not in have]


def _rules(asked: QuestionSet, learnt: Learnt) -> Iterable[System]:
    yield Majority(learnt)
    yield ComparatorRule()
    if all(question.source is not None for question in asked.questions):
        yield CopyAnchor(learnt)
        yield BaseRate(learnt)
        yield MoreDose(learnt)


def _said(rule: System, asked: QuestionSet, wanted: frozenset[str]) -> Predictions:
    questions = [question for question in in_order(asked.questions) if question.id in wanted]
    said = rule.predict(questions, Event())
    return Predictions(header_of(rule.facts, asked), {each.question_id: each for each in said})
