"""`deepimagine+ensemble`: a calibrated combination of what is expected, what is learnt, and the chain's P(met).

- expected: `expectations.expected`, judgements on the kind of comparison that nothing was fitted to;
- learnt: the mean of the logits of the four `components`, each fitted to the verdicts of `Learnt`, derived ones too;
- chain: the logit of P(met) in predictions of the `deepimagine` system, where there are any.

The parts are predicted for the examples by components that saw none of their programme (five folds), brought to a deviation of
1, and combined by a logistic regression on these predictions. Of forecasts, expected weighs twice what learnt does: what is
asked comes from elsewhere than what is learnt from, and from one source to another that did best (`docs/evaluation.md`). Of
steps their weights are fitted. The chain's weight is fitted on the examples that it has answered, which have to be of trials
that its adapter did not see; where it has no answer, the rest stays as it is. No part may count against itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event

import msgspec
import numpy as np
from numpy.typing import NDArray

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation.classical import Fitted, Floats, Known, fitted, known, predictions, weights_of
from deepimagine_tui.evaluation.components import COMPONENTS
from deepimagine_tui.evaluation.expectations import expected
from deepimagine_tui.evaluation.options import TURNED
from deepimagine_tui.evaluation.predictions import Prediction, Predictions
from deepimagine_tui.evaluation.questions import Question, QuestionSet
from deepimagine_tui.evaluation.rules import learnt_facts, unless_cancelled
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.evaluation.system import Learnt, SystemFacts
from deepimagine_tui.extras import extra

NAME = "deepimagine+ensemble"
FOLDS = 5
OF_EXPECTED = 2.0
"""What expected weighs beside learnt in a forecast, both at a deviation of 1."""
LEAST_TRIALS = 20
"""Under so many trials that it has answered, the chain gets no weight."""

_NEAR = 1e-3
"""Probabilities are kept this far from 0 and 1 before a logit is taken."""
_UNRESTRAINED = 1e3


class Weights(msgspec.Struct, frozen=True):
    """The logit of P(met) is `intercept` + the sum of weight x (part - `middle`) / `spread`, parts being expected and learnt;
    with the chain it is `chain_intercept` + `of_rest` x that + `of_chain` x the chain's logit."""

    intercept: float = 0.0
    of_parts: tuple[float, float] = (0.5, 0.5)
    middle: tuple[float, float] = (0.0, 0.0)
    spread: tuple[float, float] = (1.0, 1.0)
    chain_trials: int = 0
    chain_intercept: float = 0.0
    of_rest: float = 1.0
    of_chain: float = 0.0

    def logits(self, parts: Floats) -> Floats:
        """Without the chain, of parts of shape (questions, 2)."""
        scaled = (parts - np.array(self.middle)) / np.array(self.spread)
        found: Floats = self.intercept + scaled @ np.array(self.of_parts)
        return found


class Ensemble:
    """The combination; it is fitted when its facts or predictions are first asked for.

    `chain` are journals of the `deepimagine` system's predictions, of examples and of what is asked.
    """

    batch = 0

    def __init__(self, learnt: Learnt, chain: Sequence[Predictions] = ()) -> None:
        self._learnt, self._journals = learnt, chain
        self._chain = {key: each for journal in chain for key, each in journal.by_id.items() if not each.fallback}
        self._components: dict[str, Fitted] = {}
        self._weights: Weights | None = None

    @property
    def facts(self) -> SystemFacts:
        """What it is, its weights among its settings; it says where the chain has no part in it.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            BadInputError: there is nothing to learn from.
        """
        weights = self._fit(Event())
        parts = ", ".join(("expectations", *COMPONENTS))
        facts = learnt_facts(NAME, f"{parts} and {'the chain' if weights.of_chain else 'no chain'}", self._learnt)
        settings: dict[str, str | int | float | bool] = {
            "of expected": round(weights.of_parts[0], 3),
            "derived examples": len(self._learnt.derived.questions) if self._learnt.derived is not None else 0,
            "of learnt": round(weights.of_parts[1], 3),
            "trials with a chain": weights.chain_trials,
            "of chain": round(weights.of_chain, 3),
        }
        facts = msgspec.structs.replace(facts, settings=settings)
        if not self._journals:
            return facts
        header = self._journals[0].header
        return msgspec.structs.replace(
            facts,
            model=header.model,
            model_sha256=header.model_sha256,
            adapter_sha256=header.adapter_sha256,
            prompt_version=header.prompt_version,
            corpus=header.corpus,
            corpus_version=header.corpus_version,
        )

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`; `parts` of a prediction hold the logits that it was made of.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            BadInputError: there is nothing to learn from.
        """
        asked = list(unless_cancelled(questions, cancel))
        weights = self._fit(cancel)
        if not self._components:
            self._components = {name: fitted(fitting, self._learnt, with_derived=True) for name, fitting in COMPONENTS.items()}
        made_of: dict[str, dict[str, float]] = {}

        def said(each: Sequence[Question]) -> Floats:
            logits, parts = self._said(weights, each)
            made_of.update({question.id: part for question, part in zip(each, parts, strict=True)})
            found: Floats = 1 / (1 + np.exp(-logits))
            return found

        found = predictions(said, asked)
        return [msgspec.structs.replace(one, parts=one.parts | made_of[one.question_id]) for one in found]

    def _said(self, weights: Weights, asked: Sequence[Question]) -> tuple[Floats, list[dict[str, float]]]:
        """The logit of each question, and what it is made of."""
        parts = np.column_stack([_expected(asked), _mean_logit(list(self._components.values()), asked)])
        logits = weights.logits(parts)
        made_of = [{"expected": float(row[0]), "learnt": float(row[1])} for row in parts]
        for at, question in enumerate(asked):
            chain = self._chain_logit(question)
            if chain is not None and weights.of_chain:
                logits[at] = weights.chain_intercept + weights.of_rest * logits[at] + weights.of_chain * chain
                made_of[at]["chain"] = chain
        return logits, made_of

    def _chain_logit(self, question: Question) -> float | None:
        """What the chain said of it: of a question that is turned, of its second option."""
        said = self._chain.get(question.id.removesuffix(TURNED))
        if said is None:
            return None
        return float(_logit(np.array(said.probabilities[1 if question.id.endswith(TURNED) else 0])))

    def _fit(self, cancel: Event) -> Weights:
        if self._weights is None:
            rows = known(self._learnt)
            programmes = {question.programme for question in rows.questions}
            if len(programmes) < FOLDS or rows.met.all() or not rows.met.any():
                self._weights = Weights()
            else:
                parts = np.column_stack([_expected(rows.questions), self._unseen(rows, cancel)])
                self._weights = self._with_chain(_combined(rows, parts), rows, parts)
        return self._weights

    def _unseen(self, rows: Known, cancel: Event) -> Floats:
        """The mean logit of the components for every example, fitted without its programme."""
        names = sorted({question.programme for question in rows.questions}, key=lambda name: hash_share(NAME, name))
        fold = {name: at % FOLDS for at, name in enumerate(names)}
        places = np.array([fold[question.programme] for question in rows.questions])
        found = np.zeros(len(places))
        for at in range(FOLDS):
            if cancel.is_set():
                raise CancelledError("Fitting was stopped.", "The same command begins it again.")
            left = frozenset(question.id for question, place in zip(rows.questions, places, strict=True) if place != at)
            others = Learnt(self._learnt.examples.take(left), self._derived_without(fold, at))
            asked = [question for question, place in zip(rows.questions, places, strict=True) if place == at]
            found[places == at] = _mean_logit(
                [fitted(fitting, others, with_derived=True) for fitting in COMPONENTS.values()], asked
            )
        return found

    def _derived_without(self, fold: Mapping[str, int], at: int) -> QuestionSet | None:
        """The derived examples but those of the programmes of a fold."""
        some = self._learnt.derived
        if some is None:
            return None
        return some.take(frozenset(question.id for question in some.questions if fold.get(question.programme) != at))

    def _with_chain(self, weights: Weights, rows: Known, parts: Floats) -> Weights:
        """The same, with the chain's weight where it has answered examples of enough trials."""
        chain = [self._chain_logit(question) for question in rows.questions]
        has = np.array([each is not None for each in chain])
        some = [question for question, there in zip(rows.questions, has, strict=True) if there]
        trials = len({question.nct_id for question in some})
        weights = msgspec.structs.replace(weights, chain_trials=trials)
        met = rows.met[has]
        if trials < LEAST_TRIALS or met.all() or not met.any():
            return weights
        columns = np.column_stack([weights.logits(parts[has]), [each for each in chain if each is not None]])
        intercept, (of_rest, of_chain) = _regressed(columns, met, weights_of(some, met, ["chain"] * len(some)))
        if not of_chain:
            return weights
        return msgspec.structs.replace(weights, chain_intercept=intercept, of_rest=of_rest, of_chain=of_chain)


def _combined(rows: Known, parts: Floats) -> Weights:
    """The weights of expected and learnt: in a fixed proportion for forecasts, fitted for steps."""
    middle = np.average(parts, axis=0, weights=rows.weights)
    spread = np.sqrt(np.average((parts - middle) ** 2, axis=0, weights=rows.weights)) + _NEAR
    scaled = (parts - middle) / spread
    if all(question.source is None for question in rows.questions):
        together = (OF_EXPECTED * scaled[:, 0] + scaled[:, 1])[:, None]
        intercept, (weight,) = _regressed(together, rows.met, rows.weights)
        of_parts = OF_EXPECTED * weight, weight
    else:
        intercept, (first, second) = _regressed(scaled, rows.met, rows.weights)
        of_parts = first, second
    return Weights(
        intercept=intercept,
        of_parts=of_parts,
        middle=(float(middle[0]), float(middle[1])),
        spread=(float(spread[0]), float(spread[1])),
    )


def _regressed(columns: Floats, met: NDArray[np.bool_], weights: Floats) -> tuple[float, list[float]]:
    """The intercept and the weight of each column in a logistic regression; those that would count against are left out."""
    kept = list(range(columns.shape[1]))
    while True:
        model = extra("sklearn.linear_model", of="evaluation").LogisticRegression(C=_UNRESTRAINED, max_iter=1000)
        model.fit(columns[:, kept], met, sample_weight=weights)
        found = dict(zip(kept, map(float, model.coef_[0]), strict=True))
        worst = min(kept, key=lambda at: found[at])
        if found[worst] >= 0 or len(kept) == 1:
            return float(model.intercept_[0]), [max(found.get(at, 0.0), 0.0) for at in range(columns.shape[1])]
        kept.remove(worst)


def _expected(asked: Sequence[Question]) -> Floats:
    return np.array([expected(question).logit for question in asked])


def _mean_logit(models: Sequence[Fitted], asked: Sequence[Question]) -> Floats:
    found: Floats = np.mean([_logit(model(asked)) for model in models], axis=0) if asked else np.zeros(0)
    return found


def _logit(probability: Floats) -> Floats:
    kept = np.clip(probability, _NEAR, 1 - _NEAR)
    found: Floats = np.log(kept / (1 - kept))
    return found
