"""What every system looks like to the runner: questions in, one prediction each out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Event
from typing import Protocol

import msgspec

from deepimagine_tui.evaluation.predictions import Prediction
from deepimagine_tui.evaluation.questions import Question, QuestionSet


class SystemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal's header says of a system: see `predictions.Header`."""

    name: str
    what: str
    model: str = ""
    model_sha256: str = ""
    adapter_sha256: str = ""
    prompt_version: str = ""
    corpus: str = ""
    corpus_version: str = ""
    learnt_from: str = ""
    learnt_trials: int = 0
    base_rate: float = 0.5
    settings: dict[str, str | int | float | bool] = {}


class System(Protocol):
    """Something that predicts. It never abstains: without an answer it gives the base rate of training, marked as fallback."""

    @property
    def facts(self) -> SystemFacts:
        """What it is, with everything its predictions depend on."""
        ...

    @property
    def batch(self) -> int:
        """How many questions it answers best together; 0 for all at once."""
        ...

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """One prediction of each question, in their order.

        Raises:
            ModelError: the model cannot answer at all.
            CancelledError: `cancel` was set.
        """
        ...


class Learnt(msgspec.Struct, frozen=True):
    """What systems may learn from: questions with their keys, of trials that are not asked, nor of a programme that is.
    `derived` are more of them whose answer nobody posted but values tell (`derived_verdicts`), for a system that says so."""

    examples: QuestionSet
    derived: QuestionSet | None = None

    @property
    def base_rates(self) -> dict[str, float]:
        """The share of each answer, each trial weighing 1; empty where nothing has an answer."""
        return _rates((question.nct_id, self.examples.key(question).answer) for question in self.examples.questions)

    @property
    def direction_rates(self) -> dict[str, float]:
        """The share of each direction, each trial weighing 1; empty where nothing has one."""
        return _rates((question.nct_id, self.examples.key(question).direction) for question in self.examples.questions)

    @property
    def by_factor(self) -> dict[str, Learnt]:
        """The examples of each factor; those of forecasts, which have none, are in no part."""
        ids: dict[str, set[str]] = {}
        for question in self.examples.questions:
            if question.factor:
                ids.setdefault(question.factor, set()).add(question.id)
        return {factor: Learnt(self.examples.take(frozenset(some))) for factor, some in ids.items()}


def _rates(said: Iterable[tuple[str, str | None]]) -> dict[str, float]:
    """From trials with what was posted in them to shares."""
    by_trial: dict[str, list[str]] = {}
    for nct_id, posted in said:
        if posted is not None:
            by_trial.setdefault(nct_id, []).append(posted)
    rates: dict[str, float] = {}
    for each in by_trial.values():
        for posted in each:
            rates[posted] = rates.get(posted, 0.0) + 1 / len(each) / len(by_trial)
    return rates
