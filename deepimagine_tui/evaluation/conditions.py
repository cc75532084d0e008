"""The diseases of questions that come with a title alone: those that a corpus knows by a name whose words the title holds.

A published question set names no conditions; without any, retrieval would compare a whole title with the names of diseases.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.corpus.words import content_words
from deepimagine_tui.evaluation.questions import Question, QuestionSet

_ALL = 1_000_000


def known_conditions(corpus: Corpus) -> list[str]:
    """The names of conditions in a corpus, those of most trials first."""
    return [name for name, _ in corpus.facets("condition", limit=_ALL)]


def named_in(title: str, known: Sequence[str]) -> tuple[str, ...]:
    """The known conditions whose every telling word is in `title`, without those that another one found says more exactly."""
    words = content_words(title)
    found: dict[frozenset[str], str] = {}
    for name in known:
        telling = content_words(name)
        if telling and telling <= words:
            found.setdefault(telling, name)
    return tuple(name for telling, name in found.items() if not any(telling < other for other in found))


def with_conditions(asked: QuestionSet, corpus: Corpus) -> QuestionSet:
    """The set with the conditions that titles name, where a question states no other; a title that names none stays."""
    known = known_conditions(corpus)
    return msgspec.structs.replace(asked, questions=tuple(_named(question, known) for question in asked.questions))


def _named(question: Question, known: Sequence[str]) -> Question:
    population = question.target.population
    if population.conditions not in ((), (question.title,)) or population.condition_terms:
        return question
    found = named_in(question.title, known)
    if not found:
        return question
    population = msgspec.structs.replace(population, conditions=found)
    return msgspec.structs.replace(question, target=msgspec.structs.replace(question.target, population=population))
