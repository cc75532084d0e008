"""Made systems that answer a made set, as journals: perfect, wrong, random, the first option."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from deepimagine_tui.evaluation.predictions import Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import MET, NOT_MET, THREE_WAY, Key, Question, QuestionClass, QuestionSet
from tests.evaluation.made_questions import asked

SHA = "ab" * 32


def made_set(trials: int = 12, *, watched: bool = False, kinds: Sequence[QuestionClass] = ("superiority",)) -> QuestionSet:
    """Two questions a trial and class, met in the first of them and in every third trial's second."""
    questions, keys = [], {}
    for trial in range(trials):
        for kind in kinds:
            for place, outcome in enumerate(("HbA1c", "Weight")):
                options = THREE_WAY if kind == "comparative effect" else (MET, NOT_MET)
                question = asked(trial, outcome=f"{outcome} {kind}", options=options, kind=kind)
                is_first = place == 0 or trial % 3 == 0
                questions.append(question)
                keys[question.id] = Key(question_id=question.id, answer=options[0] if is_first else options[-1])
    return QuestionSet(name="Made_2025", sha256=SHA, questions=tuple(questions), keys=keys, is_watched=watched)


def journal(
    of: QuestionSet, system: str, say: Callable[[Question, Key], Prediction], *, limit: int | None = None, **facts: object
) -> Predictions:
    """What a system says of a set, or of its first questions."""
    questions = of.questions[:limit]
    header = Header(
        system=system,
        what=f"what {system} is",
        set_name=of.name,
        set_sha256=of.sha256,
        questions=len(of.questions),
        **facts,  # type: ignore[arg-type]
    )
    return Predictions(header, {question.id: say(question, of.key(question)) for question in questions})


def with_share(right: float) -> Callable[[Question, Key], Prediction]:
    """A system that gives so much to the posted option, and the rest to the others alike."""

    def say(question: Question, key: Key) -> Prediction:
        rest = (1 - right) / (len(question.options) - 1)
        shares = tuple(right if option == key.answer else rest for option in question.options)
        return Prediction(question_id=question.id, probabilities=shares)

    return say


def at_random(seed: int) -> Callable[[Question, Key], Prediction]:
    """A system that knows nothing."""
    drawn = random.Random(seed)

    def say(question: Question, key: Key) -> Prediction:
        weights = [drawn.random() for _ in question.options]
        return Prediction(question_id=question.id, probabilities=tuple(weight / sum(weights) for weight in weights))

    return say
