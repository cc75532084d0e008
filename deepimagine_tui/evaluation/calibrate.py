"""Calibration by trials that a model was not trained on: conformal intervals, and slope and intercept of P(met) (DESIGN 3).

Values: split conformal on e, each trial weighing 1: the quantile of the mean over trials of each trial's own distribution of e,
with the new trial counted in ("pooling CDFs": Dunn, Wasserman and Ramdas, Journal of the American Statistical Association
2023). P(met): logit P' = intercept + slope * logit P by maximum likelihood, each trial weighing 1, with a slope of at least 0:
where the model's order says nothing, every P' is the share met. Its coverage is then checked on other trials.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.intervals import Rows, Statistic, Weights, estimate
from deepimagine_tui.evaluation.measured import Measured
from deepimagine_tui.extras import extra
from deepimagine_tui.reasoning.aggregate import CERTAIN
from deepimagine_tui.reasoning.calibration import (
    MINIMUM_TRIALS,
    Calibration,
    Check,
    FittedOn,
    Quantile,
    SlopeIntercept,
    calibrated_probability,
)
from deepimagine_tui.reasoning.scoring import logit
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import ValueKind

LEVEL = 90.0
"""The level of prediction intervals, in percent."""
SLACK = 1e-9
"""How far above its quantile an error still counts as covered: rounding, no more."""


CheckKind = Literal["coverage", "P(met)"]


class _Cell(NamedTuple):
    """What has a quantile of its own."""

    is_forecast: bool
    chain_length: int
    kind: ValueKind
    factor: Factor | None


class Said(msgspec.Struct, frozen=True):
    """Answers with where they come from: the side, the hash of the data, and how the model was asked."""

    subject: Subject
    side: str
    data_sha256: str
    rows: tuple[Measured, ...]
    settings: dict[str, str | int | float | bool] = {}

    @property
    def trials(self) -> tuple[str, ...]:
        """Whose answers they are, by NCT id in order."""
        return tuple(sorted({row.nct_id for row in self.rows}))


def calibrate(fit_on: Said, check_on: Said | None, trained_on: frozenset[str], level: float = LEVEL) -> Calibration:
    """Fit a calibration on some answers of a model, and check it on others; trials that it was trained on count in neither.

    Raises:
        RefusedError: the two are of different models or prompts, or share a programme.
        BadInputError: there is nothing to fit on.
        MissingExtraError: scikit-learn is not installed.
    """
    fit_on = untrained(fit_on, trained_on)
    if not fit_on.rows:
        raise BadInputError(
            "There is no answer to calibrate on.", "Ask the model questions of trials that it was not trained on."
        )
    checked = None if check_on is None else untrained(check_on, trained_on)
    if checked is not None:
        _keep_apart(fit_on, checked)
    left_out: list[str] = []
    fitted = Calibration(
        level=level,
        quantiles=tuple(_quantiles(fit_on.rows, level, left_out)),
        what_if=_line([row for row in fit_on.rows if not row.is_forecast], "what-ifs", left_out),
        forecast=_line([row for row in fit_on.rows if row.is_forecast], "forecasts", left_out),
        subject=fit_on.subject,
        fitted_on=FittedOn(
            side=fit_on.side,
            checked_side=checked.side if checked is not None else "",
            data_sha256=fit_on.data_sha256,
            trials=fit_on.trials,
            checked_trials=checked.trials if checked is not None else (),
            settings=fit_on.settings,
        ),
        left_out=tuple(left_out),
    )
    return msgspec.structs.replace(fitted, checks=tuple(checks(fitted, checked.rows))) if checked is not None else fitted


def untrained(said: Said, trained_on: frozenset[str]) -> Said:
    """The answers without those of trials that the model was trained on."""
    return msgspec.structs.replace(said, rows=tuple(row for row in said.rows if row.nct_id not in trained_on))


def conformal_quantile(errors: Sequence[float], trials: Sequence[str], level: float) -> float:
    """The error that a new trial's stay under at `level` percent, each trial weighing 1; infinite for too few trials."""
    weights = trial_shares(trials)
    count = len(set(trials))
    wanted = level / 100 * (count + 1) / count
    if wanted > 1:
        return math.inf
    return float(np.quantile(np.array(errors), wanted, weights=weights, method="inverted_cdf"))


def trial_shares(trials: Sequence[str]) -> NDArray[np.float64]:
    """One over the rows of its trial, for each row: so that each trial weighs 1."""
    sizes = Counter(trials)
    return np.array([1 / sizes[trial] for trial in trials])


def slope_intercept(probabilities: Sequence[float], met: Sequence[bool], trials: Sequence[str]) -> SlopeIntercept:
    """The maximum-likelihood line of logit P(met), each trial weighing 1, with a slope of at least 0.

    Raises:
        BadInputError: all were met, or none, or P(met) separates the two: no line is likeliest then.
        MissingExtraError: scikit-learn is not installed.
    """
    places = np.array([logit(min(max(each, CERTAIN), 1 - CERTAIN)) for each in probabilities])
    truth = np.array(met)
    if truth.all() or not truth.any():
        raise BadInputError("all of them were met, or none")
    if places[truth].min() >= places[~truth].max():
        raise BadInputError("P(met) tells all that were met from all that were not, so that no line is likeliest")
    weights = trial_shares(trials)
    model = extra("sklearn.linear_model", of="evaluation").LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    model.fit(places[:, None], truth, sample_weight=weights)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < 0:
        slope, intercept = 0.0, logit(float(np.average(truth, weights=weights)))
    return SlopeIntercept(slope, intercept, len(set(trials)))


def checks(calibration: Calibration, rows: Sequence[Measured]) -> list[Check]:
    """What holds of a calibration on `rows`: coverage over all kinds and by kind, and P(met); what-ifs and forecasts apart."""
    found: list[Check] = []
    for forecast in (False, True):
        some = [row for row in rows if row.is_forecast == forecast]
        covered = _covered(calibration, some)
        kinds: list[ValueKind] = sorted({row.kind for row, _ in covered})
        every: list[ValueKind | None] = [None, *kinds]
        for kind in every:
            of_kind = [(row, is_in) for row, is_in in covered if kind in (None, row.kind)]
            if of_kind:
                values = [float(is_in) for _, is_in in of_kind]
                found.append(_check("coverage", values, [row for row, _ in of_kind], calibration.level / 100, kind, forecast))
        correction = calibration.forecast if forecast else calibration.what_if
        known = [(row, row.probability, row.met) for row in some if row.probability is not None and row.met is not None]
        if correction is not None and known:
            values = [met - calibrated_probability(said, correction) for _, said, met in known]
            found.append(_check("P(met)", values, [row for row, _, _ in known], 0.0, None, forecast))
    return found


def _covered(calibration: Calibration, rows: Iterable[Measured]) -> list[tuple[Measured, bool]]:
    """Each graded value that has an interval, with whether the posted one is in it."""
    found = []
    for row in rows:
        quantile = calibration.quantile(row.factor or "arm", row.kind, row.chain_length, aggregate=row.is_forecast)
        if quantile is not None:
            found += [(row, error <= quantile + SLACK) for error in row.errors]
    return found


def _check(
    what: CheckKind, values: Sequence[float], rows: Sequence[Measured], wanted: float, kind: ValueKind | None, forecast: bool
) -> Check:
    trials = tuple(row.nct_id for row in rows)
    found = estimate(trial_mean(values, trials), Rows(trials, tuple(row.programme for row in rows)))
    lower, upper = found.lower, found.upper
    return Check(
        what=what,
        value=found.value if found.value is not None else math.nan,
        lower=lower,
        upper=upper,
        rows=found.rows,
        trials=found.trials,
        is_passed=lower is not None and upper is not None and lower - SLACK <= wanted <= upper + SLACK,
        kind=kind,
        forecast=forecast,
    )


def _quantiles(rows: Iterable[Measured], level: float, left_out: list[str]) -> Iterable[Quantile]:
    """A quantile per (factor, kind, chain length) and one per (kind, chain length), where there are enough trials."""
    cells: dict[_Cell, list[tuple[float, str]]] = defaultdict(list)
    for row in rows:
        for factor in {row.factor, None}:
            cell = _Cell(row.is_forecast, row.chain_length, row.kind, factor)
            cells[cell] += [(error, row.nct_id) for error in row.errors]
    for cell, found in sorted(cells.items(), key=lambda item: (*item[0][:3], item[0].factor or "")):
        trials = [trial for _, trial in found]
        count = len(set(trials))
        if count >= MINIMUM_TRIALS:
            quantile = conformal_quantile([error for error, _ in found], trials, level)
            yield Quantile(cell.kind, cell.chain_length, quantile, count, cell.factor, cell.is_forecast)
        elif count and cell.factor is None:
            whose = "aggregates" if cell.is_forecast else f"values after {cell.chain_length} changes"
            whose = whose.replace("1 changes", "1 change")
            left_out.append(f"{cell.kind} {whose}: {count} trials, {MINIMUM_TRIALS} are needed")


def _line(rows: Iterable[Measured], whose: str, left_out: list[str]) -> SlopeIntercept | None:
    known = [(row.probability, row.met, row.nct_id) for row in rows if row.probability is not None and row.met is not None]
    trials = [trial for _, _, trial in known]
    if not known:
        return None
    if len(set(trials)) < MINIMUM_TRIALS:
        left_out.append(f"P(met) of {whose}: {len(set(trials))} trials, {MINIMUM_TRIALS} are needed")
        return None
    try:
        return slope_intercept([said for said, _, _ in known], [met for _, met, _ in known], trials)
    except BadInputError as error:
        left_out.append(f"P(met) of {whose}: {error.message}")
        return None


def _keep_apart(fit_on: Said, check_on: Said) -> None:
    if not fit_on.subject.is_same(check_on.subject):
        raise RefusedError(
            f"The answers to check on are of {check_on.subject.name}, not of {fit_on.subject.name}.",
            "Ask the same model, with the same prompts, about both sides.",
        )
    shared = {row.programme for row in fit_on.rows} & {row.programme for row in check_on.rows}
    if shared:
        raise RefusedError(
            f"The programme of {min(shared)} is in the answers to fit on and in those to check on.",
            "Fit on one side and check on another.",
        )


def trial_mean(values: Sequence[float], trials: Sequence[str]) -> Statistic:
    """The mean of a value of each row, each trial weighing 1 as often as it was drawn."""
    each, shares = np.array(values), trial_shares(trials)

    def statistic(weights: Weights) -> NDArray[np.float64]:
        found: NDArray[np.float64] = (weights @ (shares * each)) / (weights @ shares)
        return found

    return statistic
