"""The classical systems of scikit-learn: a logistic regression, a random forest and a feed-forward network.

All see the same: TF-IDF of the words and word pairs of arm, comparator and outcome (those in two questions or more), apart for
each, and `features.fields`, scaled to a deviation of 1. All are fitted to the verdicts of `Learnt`, each trial weighing 1, with
settings that were fixed before any score was seen. Nothing is random but by a fixed seed.

What is learnt from are verdicts in k1's benefit. So a three-way question is asked both ways about (`options.shares`), and an
endpoint is the superiority of what it lists over the trial's control.

A forecast is of a trial to come, and how many of those are met nobody knows beforehand: both verdicts weigh the same in
learning, and P(met) is that of even odds. Steps are drawn from the trials asked as they were from those learnt, and P(met) is
at their natural prevalence. Of a step the direction is said too: the likeliest by one fit for each, all weighing the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from threading import Event
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.evaluation.features import fields, texts
from deepimagine_tui.evaluation.options import shares, turned
from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import MET, THREE_WAY, Question
from deepimagine_tui.evaluation.rules import DIRECTIONS, learnt_facts, unless_cancelled
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.extras import extra
from deepimagine_tui.reasoning.state import Direction

SEED = 0
DERIVED = "derived"
OF_DERIVED = 0.5
"""What a trial of derived examples weighs beside one of posted ones."""
FIELDS_WEIGH = 0.1
"""What the scaled fields are multiplied by beside the words in the regression: some hundred of them at deviation 1 would
otherwise be all that it sees."""

_TREES = 300
_LEAST_IN_A_LEAF = 3
_HIDDEN = 32
_COMPONENTS = 50
_WORD = re.compile(r"[a-z0-9][a-z0-9-]+")

Floats = NDArray[np.float64]
Fitted = Callable[[Sequence[Question]], Floats]
"""P(met) of each question."""
Fitting = Callable[[Sequence[Question], NDArray[np.bool_], Floats], Fitted]
"""From questions, whether each is met, and its weight, to what predicts others."""


class Classical:
    """One of the classical systems; it is fitted when it is first asked."""

    batch = 0

    def __init__(self, name: str, what: str, fitting: Fitting, learnt: Learnt) -> None:
        self.facts = learnt_facts(name, what, learnt)
        self._fitting, self._learnt = fitting, learnt
        self._fitted: Fitted | None = None
        self._directions: dict[Direction, Fitted] = {}

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            BadInputError: there is nothing to learn from.
        """
        asked = list(unless_cancelled(questions, cancel))
        if self._fitted is None:
            self._fitted = fitted(self._fitting, self._learnt)
            self._directions = fitted_directions(self._fitting, self._learnt)
        said = predictions(self._fitted, asked)
        return said if not self._directions else _with_directions(said, self._directions, asked)


def logistic_regression(learnt: Learnt) -> Classical:
    """A logistic regression: L2, C = 1, the fields at a tenth of their deviation."""
    return Classical("logistic-regression", "L2 logistic regression on words and fields", _regression, learnt)


def random_forest(learnt: Learnt) -> Classical:
    """A random forest: 300 trees, at least 3 questions a leaf."""
    return Classical("random-forest", "random forest on words and fields", _forest, learnt)


def ffnn(learnt: Learnt) -> Classical:
    """A feed-forward network: one hidden layer of 32, L2 of 1, on 50 components of the words and the fields."""
    return Classical("ffnn", "feed-forward network on components of the words and fields", _network, learnt)


SYSTEMS: dict[str, Callable[[Learnt], Classical]] = {
    "logistic-regression": logistic_regression,
    "random-forest": random_forest,
    "ffnn": ffnn,
}


class Known(NamedTuple):
    """What is learnt from, row by row: questions, whether each is met, and what it weighs (`weights_of`)."""

    questions: list[Question]
    met: NDArray[np.bool_]
    weights: Floats


def known(learnt: Learnt, *, with_derived: bool = False) -> Known:
    """The examples that have an answer; where they are wanted, those that were derived too.

    Raises:
        BadInputError: none has.
    """
    keys = [(question, learnt.examples.key(question)) for question in learnt.examples.questions]
    answered = [(question, key) for question, key in keys if key.answer is not None]
    if not answered:
        raise BadInputError("There is no verdict to learn from.", "Give trials with posted comparisons with --corpus.")
    sources = ["values" if key.target is not None else "claims" for _, key in answered]
    if with_derived and learnt.derived is not None:
        answered += [(question, learnt.derived.key(question)) for question in learnt.derived.questions]
        sources += [DERIVED] * len(learnt.derived.questions)
    questions = [question for question, _ in answered]
    met = np.array([key.answer in (MET, THREE_WAY[0]) for _, key in answered])
    return Known(questions, met, weights_of(questions, met, sources))


def fitted(fitting: Fitting, learnt: Learnt, *, with_derived: bool = False) -> Fitted:
    """Fit to what is `known`; where only one verdict was posted, that is said of every question.

    Raises:
        BadInputError: nothing has an answer.
    """
    rows = known(learnt, with_derived=with_derived)
    if rows.met.all() or not rows.met.any():
        only = float(rows.met[0])
        return lambda asked: np.full(len(asked), only)
    return fitting(*rows)


def fitted_directions(fitting: Fitting, learnt: Learnt) -> dict[Direction, Fitted]:
    """One fit for each posted direction of steps, against the others, all directions weighing the same; none without two."""
    keys = [(question, learnt.examples.key(question).direction) for question in learnt.examples.questions]
    moved = [(question, direction) for question, direction in keys if direction is not None and question.source is not None]
    said = np.array([direction for _, direction in moved])
    if len(set(said)) < 2:
        return {}
    questions = [question for question, _ in moved]
    count = Counter(question.nct_id for question in questions)
    weights = np.array([1 / count[question.nct_id] for question in questions])
    for direction in set(said):
        weights[said == direction] /= weights[said == direction].sum()
    weights *= len(weights) / weights.sum()
    return {direction: fitting(questions, said == direction, weights) for direction in DIRECTIONS if direction in said}


def _with_directions(
    said: Sequence[Prediction], directions: Mapping[Direction, Fitted], asked: Sequence[Question]
) -> list[Prediction]:
    """The predictions with the likeliest direction of every step."""
    if not asked:
        return []
    likely = np.argmax(np.column_stack([predict(asked) for predict in directions.values()]), axis=1)
    names = list(directions)
    return [
        each if question.source is None else msgspec.structs.replace(each, direction=names[place])
        for each, question, place in zip(said, asked, likely, strict=True)
    ]


def weights_of(questions: Sequence[Question], met: NDArray[np.bool_], sources: Sequence[str]) -> Floats:
    """What each example weighs: each trial 1, derived ones half; the mean is 1. Of forecasts both verdicts weigh the same in
    each source (posted values, claims, derived): from where an example is says nothing then."""
    count = Counter(question.nct_id for question in questions)
    weights = np.array([1 / count[question.nct_id] for question in questions])
    source = np.array(sources)
    weights[source == DERIVED] *= OF_DERIVED
    if all(question.source is None for question in questions):
        for group in (source == name for name in set(sources)):
            total, verdicts = weights[group].sum(), (group & met, group & ~met)
            if all(verdict.any() for verdict in verdicts):
                for verdict in verdicts:
                    weights[verdict] *= total / 2 / weights[verdict].sum()
    found: Floats = weights * len(weights) / weights.sum()
    return found


def predictions(predict: Fitted, asked: Sequence[Question]) -> list[Prediction]:
    """P(met) over the options of each question; three-way ones are asked both ways about."""
    both = [(question, turned(question) if question.options == THREE_WAY else None) for question in asked]
    said = iter(predict([each for pair in both for each in pair if each is not None])) if asked else iter(())
    found = []
    for question, other in both:
        met = float(next(said))
        against = float(next(said)) if other is not None else None
        parts = {MET: met} if against is None else {MET: met, f"{MET}, turned": against}
        found.append(Prediction(question_id=question.id, probabilities=shares(question.options, met, against), parts=parts))
    return found


class Seen:
    """The features of questions, with the vocabulary of those learnt from."""

    def __init__(self, learnt: Sequence[Question]) -> None:
        text, feature, scaling = (
            extra(f"sklearn.{name}", of="evaluation")
            for name in ("feature_extraction.text", "feature_extraction", "preprocessing")
        )
        self._words = text.TfidfVectorizer(analyzer=words_of, min_df=min(2, len(learnt)), sublinear_tf=True)
        self._words.fit([texts(question) for question in learnt])
        self._fields = feature.DictVectorizer()
        self._scale = scaling.StandardScaler(with_mean=False)
        self._scale.fit(self._fields.fit_transform([fields(question) for question in learnt]))

    def words(self, some: Sequence[Question]) -> Any:  # noqa: ANN401  # a sparse matrix
        """TF-IDF, one row a question."""
        return self._words.transform([texts(question) for question in some])

    def fields(self, some: Sequence[Question]) -> Any:  # noqa: ANN401  # a sparse matrix
        """The fields at a deviation of 1, one row a question."""
        return self._scale.transform(self._fields.transform([fields(question) for question in some]))

    def both(self, some: Sequence[Question], weigh: float = 1.0) -> Any:  # noqa: ANN401  # a sparse matrix
        """The words, and the fields times `weigh`."""
        return extra("scipy.sparse", of="evaluation").hstack([self.words(some), self.fields(some) * weigh]).tocsr()


def words_of(parts: Sequence[str]) -> list[str]:
    """The words and word pairs of some texts, each marked with the place of its text."""
    found = []
    for place, text in enumerate(parts):
        words = _WORD.findall(text.lower())
        found += [f"{place} {word}" for word in words]
        found += [f"{place} {first} {second}" for first, second in pairwise(words)]
    return found


def _regression(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    model = extra("sklearn.linear_model", of="evaluation").LogisticRegression(C=1.0, max_iter=2000)
    model.fit(seen.both(learnt, FIELDS_WEIGH), met, sample_weight=weights)
    return lambda asked: model.predict_proba(seen.both(asked, FIELDS_WEIGH))[:, 1]


def _forest(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    model = extra("sklearn.ensemble", of="evaluation").RandomForestClassifier(
        _TREES, min_samples_leaf=_LEAST_IN_A_LEAF, random_state=SEED, n_jobs=1
    )
    model.fit(seen.both(learnt), met, sample_weight=weights)
    return lambda asked: model.predict_proba(seen.both(asked))[:, 1]


def _network(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    words = seen.words(learnt)
    components = min(_COMPONENTS, min(words.shape) - 1)
    reduce = extra("sklearn.decomposition", of="evaluation").TruncatedSVD(components, random_state=SEED).fit(words)
    model = extra("sklearn.neural_network", of="evaluation").MLPClassifier(
        (_HIDDEN,), alpha=1.0, max_iter=1000, tol=1e-3, random_state=SEED
    )

    def dense(some: Sequence[Question]) -> Floats:
        made: Floats = np.hstack([reduce.transform(seen.words(some)), seen.fields(some).toarray()])
        return made

    model.fit(dense(learnt), met, sample_weight=weights)
    return lambda asked: model.predict_proba(dense(asked))[:, 1]
