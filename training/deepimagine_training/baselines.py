"""The rules and classical models that a language model has to beat on held-out pairs to have learnt anything.

All are fitted on pairs of the train side alone, with settings that were fixed before any score was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from deepimagine_training.features import dose_ratio, fields, from_comparator
from deepimagine_training.held_out import HeldOut
from deepimagine_training.predictions import Prediction, System, verdict_of
from deepimagine_tui.extras import extra
from deepimagine_tui.reasoning import scoring
from deepimagine_tui.reasoning.state import Direction

ALL = "all"
SEED = 0

_TREES = 300
_LEAST_IN_A_LEAF = 3
_NO_CHANGE: Direction = "no clear change"

Found = TypeVar("Found")


def baselines(train: Sequence[HeldOut], asked: Sequence[HeldOut]) -> list[System]:
    """Every baseline's predictions of `asked`.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    return [
        copying(train, asked),
        majority(train, asked),
        base_rate_of_factor(train, asked),
        more_dose(asked),
        *classical(train, asked),
    ]


def base_rate(train: Sequence[HeldOut]) -> float:
    """The share of `met` among the train side's posted verdicts; one half without any."""
    verdicts = _posted(train)
    return verdicts.count("met") / len(verdicts) if verdicts else 0.5


def copying(train: Sequence[HeldOut], asked: Sequence[HeldOut]) -> System:
    """The source's own result, its verdict as a certainty; the base rate where the source has no verdict."""
    rate = base_rate(train)
    found = {}
    for one in asked:
        source, verdict = one.step.source, one.row.source_verdict
        graded = scoring.grade(source, source, one.target, one.step.factor)
        probability = rate if verdict == "undetermined" else float(verdict == "met")
        found[one.row.id] = Prediction(
            probability=probability,
            met=probability >= 0.5,
            direction=graded.imagined_direction or _NO_CHANGE,
            error=graded.error,
        )
    return System("copying", "the source's own result", frozenset({"verdict", "direction", "value"}), found)


def majority(train: Sequence[HeldOut], asked: Sequence[HeldOut]) -> System:
    """The commonest verdict and the commonest direction of the factor on the train side, said as a certainty."""
    verdicts = _by_factor(train, lambda some: _commonest(_posted(some)))
    directions = _by_factor(train, lambda some: _commonest(_directions(some)))
    found = {}
    for one in asked:
        met = (verdicts.get(one.row.factor) or verdicts[ALL]) == "met"
        direction: Any = directions.get(one.row.factor) or directions[ALL] or _NO_CHANGE
        found[one.row.id] = Prediction(probability=float(met), met=met, direction=direction)
    return System("majority", "the factor's commonest answer in training", frozenset({"verdict", "direction"}), found)


def base_rate_of_factor(train: Sequence[HeldOut], asked: Sequence[HeldOut]) -> System:
    """The factor's share of `met` on the train side, for every pair."""
    rates = _by_factor(train, base_rate)
    found = {one.row.id: verdict_of(rates.get(one.row.factor, rates[ALL])) for one in asked}
    return System("base rate", "the factor's share of met in training", frozenset({"verdict"}), found)


def more_dose(asked: Sequence[HeldOut]) -> System:
    """More of a dose moves the value further from placebo, less moves it back: a direction for dose pairs alone. No clear
    change where the ratio of the doses, or on which side of the comparator the arm is, is not known."""
    found = {}
    for one in asked:
        if one.step.factor == "dose":
            away = dose_ratio(one.step) * from_comparator(one.step.source)
            direction: Direction = "up" if away > 0 else "down" if away < 0 else _NO_CHANGE
            found[one.row.id] = Prediction(direction=direction)
    return System("more dose", "more dose moves further from placebo", frozenset({"direction"}), found)


def classical(train: Sequence[HeldOut], asked: Sequence[HeldOut]) -> list[System]:
    """A logistic regression (L2, C = 1) and a random forest (300 trees, at least 3 rows a leaf).

    Features: TF-IDF of the words and word pairs in the engine's question (those in two rows or more, at most 20,000), and
    `features.fields`. Each is fitted twice on the train side's natural registry pairs: to posted verdicts at their natural
    prevalence, for P(met); and to posted directions with the classes evened out.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    linear, ensemble = extra("sklearn.linear_model"), extra("sklearn.ensemble")

    def regression(weight: str | None) -> Any:  # noqa: ANN401  # scikit-learn comes untyped
        return linear.LogisticRegression(C=1.0, max_iter=2000, class_weight=weight)

    def forest(weight: str | None) -> Any:  # noqa: ANN401  # scikit-learn comes untyped
        return ensemble.RandomForestClassifier(
            _TREES, min_samples_leaf=_LEAST_IN_A_LEAF, class_weight=weight, random_state=SEED, n_jobs=1
        )

    made = {"logistic regression": regression, "random forest": forest}
    seen = _Seen(train)
    return [_fitted(name, make, seen, train, asked) for name, make in made.items()]


class _Seen:
    """The features of pairs, with the vocabulary of the train side."""

    def __init__(self, train: Sequence[HeldOut]) -> None:
        text, features, scaling = (
            extra(f"sklearn.{name}") for name in ("feature_extraction.text", "feature_extraction", "preprocessing")
        )
        self._words = text.TfidfVectorizer(
            ngram_range=(1, 2), min_df=2, max_features=20_000, sublinear_tf=True, token_pattern=r"[A-Za-z][A-Za-z-]+"
        )
        self._fields = features.DictVectorizer()
        self._scale = scaling.StandardScaler(with_mean=False)
        self._words.fit([one.question.prompt for one in train])
        self._scale.fit(self._fields.fit_transform([fields(one) for one in train]))

    def of(self, some: Sequence[HeldOut]) -> Any:  # noqa: ANN401  # a sparse matrix
        words = self._words.transform([one.question.prompt for one in some])
        known = self._scale.transform(self._fields.transform([fields(one) for one in some]))
        return extra("scipy.sparse").hstack([words, known]).tocsr()


def _fitted(
    name: str, make: Callable[[str | None], Any], seen: _Seen, train: Sequence[HeldOut], asked: Sequence[HeldOut]
) -> System:
    probabilities = [base_rate(train)] * len(asked)
    directions: list[Any] = [_NO_CHANGE] * len(asked)
    decided = [one for one in train if one.row.target_verdict != "undetermined"]
    if len({one.row.target_verdict for one in decided}) > 1:
        model = make(None).fit(seen.of(decided), [one.row.target_verdict == "met" for one in decided])
        probabilities = [float(shares[1]) for shares in model.predict_proba(seen.of(asked))]
    moved = [one for one in train if one.row.direction is not None]
    if len({one.row.direction for one in moved}) > 1:
        model = make("balanced").fit(seen.of(moved), [one.row.direction for one in moved])
        directions = [str(direction) for direction in model.predict(seen.of(asked))]
    found = {
        one.row.id: Prediction(probability=probability, met=probability >= 0.5, direction=direction)
        for one, probability, direction in zip(asked, probabilities, directions, strict=True)
    }
    return System(name, f"{name} on the words and fields of the question", frozenset({"verdict", "direction"}), found)


def _posted(some: Sequence[HeldOut]) -> list[str]:
    return [one.row.target_verdict for one in some if one.row.target_verdict != "undetermined"]


def _directions(some: Sequence[HeldOut]) -> list[str]:
    return [one.row.direction for one in some if one.row.direction is not None]


def _commonest(answers: Sequence[str]) -> str:
    return Counter(answers).most_common(1)[0][0] if answers else ""


def _by_factor(some: Sequence[HeldOut], of: Callable[[list[HeldOut]], Found]) -> dict[str, Found]:
    """`of` the pairs of each factor, and of `ALL`."""
    factors = {one.row.factor for one in some}
    return {factor: of([one for one in some if one.row.factor == factor]) for factor in factors} | {ALL: of(list(some))}
