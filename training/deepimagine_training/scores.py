"""The scores of systems on the same held-out pairs, by factor and on flips, each with its interval; and who is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import msgspec

from deepimagine_training.held_out import HeldOut
from deepimagine_training.predictions import Prediction, Says, System
from deepimagine_tui.evaluation.intervals import (
    Estimate,
    Rows,
    Statistic,
    Word,
    balanced_accuracy,
    difference,
    estimate,
    macro_f1,
    mean,
    median,
    word,
)

ALL = "all"
NO_ANSWER = "no answer"

Metric = Literal["accuracy", "macro-F1", "Brier", "direction", "stated direction", "e"]
Subset = Literal["all", "flips", "non-flips"]

SUBSETS: tuple[Subset, ...] = ("all", "flips", "non-flips")
LOWER_IS_BETTER: frozenset[Metric] = frozenset({"Brier", "e"})
WORDS: dict[Metric, str] = {
    "accuracy": "share of right verdicts, at P(met) of one half; no answer is wrong",
    "macro-F1": "mean of F1 of met and of not met, where posted or said; no answer is wrong",
    "Brier": "mean of (P(met) - met)^2, lower is better; no answer counts as the training base rate",
    "direction": "balanced accuracy of up, down and no clear change, by the value said; no answer is wrong",
    "stated direction": "the same of the direction said in words, where one is",
    "e": "median error of the values in units of s, lower is better; only where a value was said",
}
"""What each metric is."""


class Score(msgspec.Struct, frozen=True):
    """One metric of one system on the pairs of a factor (or `all`) and subset."""

    system: str
    metric: Metric
    factor: str
    subset: Subset
    estimate: Estimate


class Difference(msgspec.Struct, frozen=True):
    """One metric of `system` minus that of `other` on the pairs that both speak of, with the word that it allows."""

    system: str
    other: str
    metric: Metric
    factor: str
    subset: Subset
    estimate: Estimate
    word: Word


class SystemFacts(msgspec.Struct, frozen=True):
    """A system by name, with how often it gave no answer, and to how many pairs."""

    name: str
    what: str
    no_answers: int
    pairs: int


class Scores(msgspec.Struct, frozen=True):
    """All scores of some systems, and the differences of the first from each of the others."""

    systems: tuple[SystemFacts, ...]
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]

    def of(self, system: str, metric: Metric, factor: str = ALL, subset: Subset = "all") -> Estimate | None:
        """One score; `None` where the system does not speak of it, or there is no such pair."""
        wanted = (system, metric, factor, subset)
        return next(
            (each.estimate for each in self.scores if (each.system, each.metric, each.factor, each.subset) == wanted), None
        )


class _Cell(NamedTuple):
    factor: str
    subset: Subset
    pairs: tuple[HeldOut, ...]


def score(asked: Sequence[HeldOut], systems: Sequence[System], base_rate: float) -> Scores:
    """Score systems on the pairs that the first of them was asked.

    Args:
        asked: The pairs, with what was posted.
        systems: The one to judge, then those to compare it with.
        base_rate: P(met) that counts where there is no answer.
    """
    first = systems[0]
    known = [one for one in asked if one.row.id in first.predictions]
    scores: list[Score] = []
    differences: list[Difference] = []
    for cell in _cells(known):
        for metric in WORDS:
            if cell.subset != "all" and metric not in ("accuracy", "Brier"):
                continue
            for system in systems:
                measured = _measure(cell, [system], metric, base_rate)
                if measured is not None:
                    found = estimate(measured.statistics[0], measured.rows)
                    scores.append(Score(system.name, metric, cell.factor, cell.subset, found))
            for other in systems[1:]:
                measured = _measure(cell, [first, other], metric, base_rate)
                if measured is not None:
                    found = difference(measured.statistics[0], measured.statistics[1], measured.rows)
                    said = word(found, lower_is_better=metric in LOWER_IS_BETTER)
                    differences.append(Difference(first.name, other.name, metric, cell.factor, cell.subset, found, said))
    return Scores(tuple(_facts(system, known) for system in systems), tuple(scores), tuple(differences))


def _facts(system: System, known: Sequence[HeldOut]) -> SystemFacts:
    found = [system.predictions[one.row.id] for one in known if one.row.id in system.predictions]
    return SystemFacts(system.name, system.what, sum(bool(one.problem) for one in found), len(found))


def _cells(pairs: Sequence[HeldOut]) -> list[_Cell]:
    found = []
    for factor in (ALL, *sorted({one.row.factor for one in pairs})):
        of_factor = tuple(one for one in pairs if factor in (ALL, one.row.factor))
        for subset in SUBSETS:
            some = of_factor
            if subset != "all":
                flips = subset == "flips"
                some = tuple(
                    one
                    for one in of_factor
                    if one.row.has_verdicts and (one.row.source_verdict != one.row.target_verdict) == flips
                )
            found.append(_Cell(factor, subset, some))
    return found


class _Measured(NamedTuple):
    rows: Rows
    statistics: tuple[Statistic, ...]


_NEEDS: dict[Metric, Says] = {
    "accuracy": "verdict",
    "macro-F1": "verdict",
    "Brier": "verdict",
    "direction": "direction",
    "stated direction": "direction",
    "e": "value",
}


def _measure(cell: _Cell, systems: Sequence[System], metric: Metric, base_rate: float) -> _Measured | None:
    """The metric of each system on the pairs of a cell of which all of them speak; `None` where there is none."""
    if not all(_NEEDS[metric] in system.says for system in systems):
        return None
    pairs = [
        one
        for one in cell.pairs
        if _posted(one, metric) and all(_speaks(system.predictions.get(one.row.id), metric) for system in systems)
    ]
    if not pairs:
        return None
    rows = Rows(tuple(one.row.source_nct for one in pairs), tuple(one.row.source_programme for one in pairs))
    made = _STATISTICS[metric]
    said = ([system.predictions[one.row.id] for one in pairs] for system in systems)
    return _Measured(rows, tuple(made(pairs, each, base_rate) for each in said))


def _posted(one: HeldOut, metric: Metric) -> bool:
    match _NEEDS[metric]:
        case "verdict":
            return one.row.target_verdict != "undetermined"
        case "direction":
            return one.row.direction is not None
        case "value":
            return True


def _speaks(found: Prediction | None, metric: Metric) -> bool:
    """Whether a prediction counts: one without an answer does, but for e; a verdict without P(met) has no Brier score."""
    if found is None:
        return False
    match metric:
        case "e":
            return found.error is not None
        case "Brier":
            return found.probability is not None or bool(found.problem)
        case _:
            return True


Made = Callable[[Sequence[HeldOut], Sequence[Prediction], float], Statistic]


def _accuracy(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    return mean([float(one == other) for one, other in zip(_truth(pairs), _verdicts(said), strict=True)])


def _f1(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    return macro_f1(_truth(pairs), _verdicts(said), ("met", "not met"))


def _brier(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    shares = [base_rate if one.probability is None else one.probability for one in said]
    return mean([(share - (truth == "met")) ** 2 for share, truth in zip(shares, _truth(pairs), strict=True)])


def _direction(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    return balanced_accuracy([str(one.row.direction) for one in pairs], [one.direction or NO_ANSWER for one in said])


def _stated(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    return balanced_accuracy(
        [str(one.row.direction) for one in pairs], [one.stated or one.direction or NO_ANSWER for one in said]
    )


def _error(pairs: Sequence[HeldOut], said: Sequence[Prediction], base_rate: float) -> Statistic:
    return median([one.error for one in said if one.error is not None])


_STATISTICS: dict[Metric, Made] = {
    "accuracy": _accuracy,
    "macro-F1": _f1,
    "Brier": _brier,
    "direction": _direction,
    "stated direction": _stated,
    "e": _error,
}


def _truth(pairs: Sequence[HeldOut]) -> list[str]:
    return [one.row.target_verdict for one in pairs]


def _verdicts(said: Sequence[Prediction]) -> list[str]:
    return [NO_ANSWER if one.met is None else "met" if one.met else "not met" for one in said]
