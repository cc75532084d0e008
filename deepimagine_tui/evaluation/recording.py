"""The records of a model by factor, and its P(met) against the share met, from answers about held-out trials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from deepimagine_tui.evaluation.calibrate import Said, trial_mean, trial_shares, untrained
from deepimagine_tui.evaluation.intervals import Rows, difference, estimate, mean, word
from deepimagine_tui.evaluation.measured import Measured
from deepimagine_tui.reasoning.calibration import Calibration, calibrated_probability
from deepimagine_tui.reasoning.records import Bin, Record, Records, Reliability, Standing
from deepimagine_tui.trials.factors import Factor

BINS = 5
"""How many bins P(met) is put into, of equal weight where each trial weighs 1: few, since trials are."""

Answered = Literal["direction", "verdict"]
_Posted = tuple[Factor | None, str, str]
"""The factor, the trial and what was posted."""


class _Known(NamedTuple):
    """An answer with P(met) as it is shown, and whether it was met."""

    row: Measured
    probability: float
    met: bool


class Learnt(NamedTuple):
    """The commonest answer in training by factor, and over all factors: what a record is compared with."""

    directions: dict[Factor | None, str]
    verdicts: dict[Factor | None, str]
    direction: str
    verdict: str

    def of(self, answered: Answered, factor: Factor | None) -> str:
        """The commonest answer for a factor, that of all where training has none."""
        by_factor, over_all = (self.directions, self.direction) if answered == "direction" else (self.verdicts, self.verdict)
        return by_factor.get(factor, over_all)


def learnt(training: Iterable[Measured]) -> Learnt:
    """The commonest answers of training trials, each trial weighing 1."""
    rows = list(training)
    directions: list[_Posted] = [
        (row.factor, row.nct_id, truth) for row in rows if (truth := _truth(row, "direction")) is not None
    ]
    verdicts: list[_Posted] = [(row.factor, row.nct_id, truth) for row in rows if (truth := _truth(row, "verdict")) is not None]
    return Learnt(
        _by_factor(directions),
        _by_factor(verdicts),
        _commonest((trial, truth) for _, trial, truth in directions) or "no clear change",
        _commonest((trial, truth) for _, trial, truth in verdicts) or "not met",
    )


def record(said: Said, training: Iterable[Measured], trained_on: frozenset[str], calibration: Calibration | None) -> Records:
    """The records of a model on held-out trials; those that it was trained on are left out, and listed.

    Args:
        said: The model's answers.
        training: What was posted in training trials, from which the base rates come.
        trained_on: The trials that the model was trained on.
        calibration: What P(met) is corrected by where it is shown.
    """
    held_out = untrained(said, trained_on)
    base = learnt(training)
    factors: list[Factor | None] = sorted({row.factor for row in held_out.rows}, key=lambda factor: factor or "")
    records: list[Record] = []
    for factor in factors:
        of_factor = [row for row in held_out.rows if row.factor == factor]
        for answered in _ANSWERED:
            records += _record(of_factor, answered, base.of(answered, factor), factor)
    return Records(
        subject=said.subject,
        side=said.side,
        data_sha256=said.data_sha256,
        trials=held_out.trials,
        records=tuple(records),
        reliability=tuple(_reliability(held_out.rows, calibration)),
        left_out=tuple(sorted({*said.trials} & trained_on)),
    )


_ANSWERED: tuple[Answered, ...] = ("direction", "verdict")


def _record(rows: Sequence[Measured], answered: Answered, commonest: str, factor: Factor | None) -> Iterator[Record]:
    known = [row for row in rows if _truth(row, answered) is not None]
    if not known:
        return
    right = mean([float(_said(row, answered) == _truth(row, answered)) for row in known])
    base = mean([float(commonest == _truth(row, answered)) for row in known])
    of = Rows(tuple(row.nct_id for row in known), tuple(row.programme for row in known))
    found, paired = estimate(right, of), difference(right, base, of)
    rate = estimate(base, of).value
    assert found.value is not None
    assert rate is not None
    yield Record(
        of=answered,
        pairs=found.rows,
        trials=found.trials,
        right=found.value,
        base_rate=rate,
        standing=_standing(paired.lower is None, word(paired, lower_is_better=False)),
        factor=factor,
        lower=paired.lower,
        upper=paired.upper,
    )


def _standing(too_few: bool, said: str) -> Standing:
    if too_few:
        return "too few trials"
    return "better" if said == "better" else "worse" if said == "worse" else "no better"


def _said(row: Measured, answered: Answered) -> str | None:
    if not row.answered:
        return None
    if answered == "direction":
        return row.direction
    return None if row.probability is None else _verdict(row.probability >= 0.5)


def _truth(row: Measured, answered: Answered) -> str | None:
    if answered == "direction":
        return row.posted_direction
    return None if row.met is None else _verdict(row.met)


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def _by_factor(found: Sequence[_Posted]) -> dict[Factor | None, str]:
    answers: dict[Factor | None, list[tuple[str, str]]] = defaultdict(list)
    for factor, trial, truth in found:
        answers[factor].append((trial, truth))
    return {factor: said for factor, each in answers.items() if (said := _commonest(each)) is not None}


def _commonest(answers: Iterable[tuple[str, str]]) -> str | None:
    """The answer with most weight, each trial weighing 1; of equal ones the first by name."""
    known = list(answers)
    weights: dict[str, float] = defaultdict(float)
    for (_, truth), share in zip(known, trial_shares([trial for trial, _ in known]), strict=True):
        weights[truth] += float(share)
    return min(weights, key=lambda truth: (-round(weights[truth], 9), truth), default=None)


def _reliability(rows: Iterable[Measured], calibration: Calibration | None) -> Iterator[Reliability]:
    every = list(rows)
    for forecast in (False, True):
        correction = None
        if calibration is not None:
            correction = calibration.forecast if forecast else calibration.what_if
        known = [
            _Known(row, calibrated_probability(row.probability, correction), row.met)
            for row in every
            if row.is_forecast == forecast and row.probability is not None and row.met is not None
        ]
        bins = [_bin(some) for some in _in_bins(known)]
        if bins:
            yield Reliability(tuple(bins), correction is not None, forecast)


def _in_bins(known: Sequence[_Known]) -> list[list[_Known]]:
    """The answers in the order of P(met), cut where each trial weighing 1 makes equal parts; equal ones stay together."""
    if not known:
        return []
    said = np.array([each.probability for each in known])
    cuts = np.quantile(
        said, np.arange(1, BINS) / BINS, weights=trial_shares([each.row.nct_id for each in known]), method="inverted_cdf"
    )
    places = np.searchsorted(np.unique(cuts), said)
    return [[each for each, place in zip(known, places, strict=True) if place == at] for at in np.unique(places)]


def _bin(some: Sequence[_Known]) -> Bin:
    trials = tuple(each.row.nct_id for each in some)
    programmes = tuple(each.row.programme for each in some)
    found = estimate(trial_mean([float(each.met) for each in some], trials), Rows(trials, programmes))
    assert found.value is not None
    said = [each.probability for each in some]
    return Bin(
        lower=min(said),
        upper=max(said),
        mean=float(np.average(said, weights=trial_shares(trials))),
        met=found.value,
        rows=found.rows,
        trials=found.trials,
        met_lower=found.lower,
        met_upper=found.upper,
    )
