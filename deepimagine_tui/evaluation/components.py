"""What the ensemble is made of beside the chain: four small models of words and fields, each good at something else.

`words` is a regression on TF-IDF of words and word pairs; `letters` one on runs of three to five letters, which know the stem
of a drug that no trial before had; `fields` one on the fields alone, much restrained; `trees` are boosted trees on the fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepimagine_tui.evaluation.classical import SEED, Fitted, Fitting, Floats, Seen
from deepimagine_tui.evaluation.features import texts
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.extras import extra

_RUNS = range(3, 6)
_LEAST_WITH_A_RUN = 3
_FARTHEST = 4.0
"""A field is cut off at so many deviations."""

_TREES: Mapping[str, Any] = {
    "max_iter": 120,
    "learning_rate": 0.05,
    "max_leaf_nodes": 8,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
    "early_stopping": False,
    "random_state": SEED,
}


def letters_of(parts: Sequence[str]) -> list[str]:
    """The runs of letters within the words of some texts, each marked with the place of its text."""
    found = []
    for place, text in enumerate(parts):
        for word in text.lower().split():
            padded = f" {word} "
            found += [f"{place}{padded[at : at + size]}" for size in _RUNS for at in range(len(padded) - size + 1)]
    return found


def _words(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    model = _regression(1.0).fit(seen.words(learnt), met, sample_weight=weights)
    return lambda asked: model.predict_proba(seen.words(asked))[:, 1]


def _letters(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    runs = extra("sklearn.feature_extraction.text", of="evaluation").TfidfVectorizer(
        analyzer=letters_of, min_df=min(_LEAST_WITH_A_RUN, len(learnt)), sublinear_tf=True
    )
    model = _regression(3.0).fit(runs.fit_transform([texts(question) for question in learnt]), met, sample_weight=weights)
    return lambda asked: model.predict_proba(runs.transform([texts(question) for question in asked]))[:, 1]


def _fields(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    middle = np.average(_dense(seen, learnt), axis=0, weights=weights)

    def around(some: Sequence[Question]) -> Floats:
        made: Floats = np.clip(_dense(seen, some) - middle, -_FARTHEST, _FARTHEST)
        return made

    model = _regression(0.003).fit(around(learnt), met, sample_weight=weights)
    return lambda asked: model.predict_proba(around(asked))[:, 1]


def _trees(learnt: Sequence[Question], met: NDArray[np.bool_], weights: Floats) -> Fitted:
    seen = Seen(learnt)
    model = extra("sklearn.ensemble", of="evaluation").HistGradientBoostingClassifier(**_TREES)
    model.fit(_dense(seen, learnt), met, sample_weight=weights)
    return lambda asked: model.predict_proba(_dense(seen, asked))[:, 1]


COMPONENTS: dict[str, Fitting] = {"words": _words, "letters": _letters, "fields": _fields, "trees": _trees}


def _regression(inverse_penalty: float) -> Any:  # noqa: ANN401  # scikit-learn comes untyped
    return extra("sklearn.linear_model", of="evaluation").LogisticRegression(C=inverse_penalty, max_iter=3000)


def _dense(seen: Seen, some: Sequence[Question]) -> Floats:
    made: Floats = seen.fields(some).toarray()
    return made
