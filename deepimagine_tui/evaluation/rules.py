"""The rules without a fitted model that every system has to beat: the commonest answer, base rates, the comparator's type,
copying, and that more of a dose does more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Event

from msgspec.structs import replace

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.evaluation import features
from deepimagine_tui.evaluation.options import certainly, rates_of, shares
from deepimagine_tui.evaluation.predictions import NOT_SAID, Prediction, UsedTrial, fallback
from deepimagine_tui.evaluation.questions import MET, NOT_MET, Question
from deepimagine_tui.evaluation.system import Learnt, SystemFacts
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.state import Direction, State
from deepimagine_tui.reasoning.ztest import z_test

INERT_TYPES = frozenset({"placebo comparator", "sham comparator", "no intervention"})
"""Registered types of arms that are given nothing active."""
BASE_RATE = 0.5
"""The rate of `met` where nothing was learnt."""

_NO_CHANGE: Direction = "no clear change"
DIRECTIONS: tuple[Direction, ...] = (_NO_CHANGE, "up", "down")
"""What a step can do; of equally common ones the first is said."""


class Majority:
    """The commonest answer and direction, the answer as a certainty: of a step its factor's in training; of a forecast the
    commonest of all that was learnt, each trial weighing 1. Where nothing was learnt, the first option."""

    batch = 0

    def __init__(self, learnt: Learnt) -> None:
        parts = {"": learnt, **learnt.by_factor}
        self._rates = {factor: part.base_rates for factor, part in parts.items()}
        self._directions = {factor: part.direction_rates for factor, part in parts.items()}
        self.facts = learnt_facts("majority", "the commonest answer in training", learnt)

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`."""
        found = []
        for question in unless_cancelled(questions, cancel):
            rates = rates_of(question.options, self._rates.get(question.factor) or self._rates[""])
            commonest = max(question.options, key=lambda option: rates.get(option, 0.0))
            said = Prediction(question_id=question.id, probabilities=certainly(commonest, question.options))
            found.append(replace(said, direction=self._direction(question)))
        return found

    def _direction(self, question: Question) -> Direction | None:
        if question.source is None:
            return None
        rates = self._directions.get(question.factor) or self._directions[""]
        return max(DIRECTIONS, key=lambda direction: rates.get(direction, 0.0))


class BaseRate:
    """The share of each answer in training, each trial weighing 1: of a step among those of its factor."""

    batch = 0

    def __init__(self, learnt: Learnt) -> None:
        self._rates = {factor: part.base_rates for factor, part in {"": learnt, **learnt.by_factor}.items()}
        self.facts = learnt_facts("base-rate", "the share of met in training, of a step that of its factor", learnt)

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`."""
        rates = [self._rates.get(question.factor) or self._rates[""] for question in questions]
        asked = zip(unless_cancelled(questions, cancel), rates, strict=True)
        return [fallback(each.id, each.options, rates_of(each.options, found), "", "") for each, found in asked]


class MoreDose:
    """More of a dose moves the value further from the comparator's, less moves it back: a direction of dose steps alone. No
    clear change where the ratio of the doses, or on which side of the comparator the arm is, is not known. Of all else it says
    nothing, and is not scored on it."""

    batch = 0

    def __init__(self, learnt: Learnt) -> None:
        self._rates = learnt.base_rates
        self.facts = learnt_facts("more-dose", "more dose moves further from the comparator", learnt)

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`."""
        return [
            replace(
                fallback(
                    each.id, each.options, rates_of(each.options, self._rates), NOT_SAID, "It speaks of directions alone."
                ),
                direction=_further(each),
            )
            for each in unless_cancelled(questions, cancel)
        ]


class ComparatorRule:
    """`met` exactly where the comparator is registered as placebo, sham or no intervention: nothing is learnt.

    Of a three-way question `better` or `no difference`. Where no type is registered, what the comparator's label says counts.
    """

    batch = 0

    def __init__(self, learnt: Learnt | None = None) -> None:
        del learnt
        self.facts = SystemFacts(name="comparator-rule", what="met iff the comparator is placebo, sham or no intervention")

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`."""
        found = []
        for question in unless_cancelled(questions, cancel):
            said = question.options[0] if is_inert(question) else question.options[-1]
            found.append(Prediction(question_id=question.id, probabilities=certainly(said, question.options)))
        return found


class CopyAnchor:
    """What was posted of the closest: of a step its source's verdict, as a certainty; of a forecast the share of each verdict
    among the `anchors` nearest anchors that have one. A state without a posted verdict has that of the z-test on its values.

    Of a three-way question `met` is `better`, `not met` is `no difference`. The values of a step's source are said again.
    """

    batch = 0

    def __init__(self, learnt: Learnt, source: AnchorSource | None = None, anchors: int = 1) -> None:
        self._rates = learnt.base_rates
        self._source, self._anchors = source, anchors
        facts = learnt_facts("copy-anchor", f"the verdict of the source, or of the {anchors} nearest anchors", learnt)
        if source is not None:
            settings: dict[str, str | int | float | bool] = {"anchors": anchors}
            facts = replace(facts, corpus=source.name, corpus_version=source.version, settings=settings)
        self.facts = facts

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`.

        Raises:
            CorpusError: the corpus is damaged.
        """
        return [
            self._step(question, question.source) if question.source is not None else self._forecast(question)
            for question in unless_cancelled(questions, cancel)
        ]

    def _step(self, question: Question, source: State) -> Prediction:
        verdict = verdict_of(source)
        if verdict:
            said = {MET: question.options[0], NOT_MET: question.options[-1]}[verdict]
            found = Prediction(question_id=question.id, probabilities=certainly(said, question.options))
        else:
            found = self._fallback(question, "The source has no verdict.")
        return replace(found, direction=_NO_CHANGE if question.factor != "outcome" else None, state=source)

    def _forecast(self, question: Question) -> Prediction:
        if self._source is None:
            return self._fallback(question, "There is no corpus to take anchors from.")
        search = self._source.nearest(question.target, question.nct_id, self._anchors, question.cutoff)
        if not search.anchors:
            return self._fallback(question, search.why_none)
        used = tuple(
            UsedTrial(each.state.nct_id, _posted(self._source, each.state.nct_id), each.similarity) for each in search.anchors
        )
        verdicts = [verdict for each in search.anchors if (verdict := verdict_of(each.state))]
        if not verdicts:
            return replace(self._fallback(question, "No anchor has a verdict."), used=used)
        share = verdicts.count(MET) / len(verdicts)
        return Prediction(question_id=question.id, probabilities=shares(question.options, share), used=used)

    def _fallback(self, question: Question, problem: str) -> Prediction:
        return fallback(question.id, question.options, rates_of(question.options, self._rates), "no anchor", problem)


def _further(question: Question) -> Direction | None:
    """The direction of more or less dose; `None` where the step is another one."""
    if question.source is None or question.factor != "dose":
        return None
    away = features.dose_ratio(question.source, question.changes[0]) * features.from_comparator(question.source)
    return "up" if away > 0 else "down" if away < 0 else _NO_CHANGE


def is_inert(question: Question) -> bool:
    """Whether the comparator is registered as placebo, sham or no intervention."""
    if question.comparator_type:
        return question.comparator_type in INERT_TYPES
    return features.is_inert(question.target)


def verdict_of(state: State) -> str:
    """The posted verdict, or else that of the z-test on the two values; empty where there is neither."""
    if state.met is not None and state.met.verdict != "undetermined":
        return state.met.verdict
    tested = z_test(state)
    if tested is None:
        return ""
    return MET if tested.met else NOT_MET


def learnt_facts(name: str, what: str, learnt: Learnt) -> SystemFacts:
    """The facts of a system that learnt from examples."""
    return SystemFacts(
        name=name,
        what=what,
        learnt_from=learnt.examples.sha256,
        learnt_trials=len({question.nct_id for question in learnt.examples.questions}),
        base_rate=learnt.base_rates.get(MET, BASE_RATE),
    )


def unless_cancelled(questions: Iterable[Question], cancel: Event) -> Iterator[Question]:
    """The questions one by one, until somebody cancels.

    Raises:
        CancelledError: `cancel` was set.
    """
    for question in questions:
        if cancel.is_set():
            raise CancelledError("Predicting was stopped.", "The same command goes on from there.")
        yield question


def _posted(source: AnchorSource, nct_id: str) -> str:
    posted = source.trial(nct_id).results_posted
    return posted.text if posted is not None else ""
