"""Calibration read from a plain JSON file: conformal quantiles for intervals, slope and intercept for P(met).

Quantiles are of e (see `scoring`), each calibration trial weighing 1, per (factor, kind, chain length). Under 20 trials an
entry does not count and (kind, chain length) is tried, an entry without factor; then there is no interval ("not calibrated").
What-ifs and forecasts are calibrated apart, and so are intervals of aggregates. The file says of which model it is, what it was
fitted on, and whether its coverage held on trials that it was not fitted on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.reasoning.scoring import NotScorableError, from_g, g, logit, scale, sigmoid
from deepimagine_tui.reasoning.state import Interval, Number, OutcomeSpec, State
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.results import ValueKind

SCHEMA_VERSION = 1
MINIMUM_TRIALS = 20


class Quantile(msgspec.Struct, frozen=True):
    """The conformal quantile of e at the file's level, from `trials` calibration trials. `factor` is empty for all factors
    together; `aggregate` marks the one for aggregates, whose chain length is that of the longest pathway."""

    kind: ValueKind
    chain_length: int
    quantile: float
    trials: int
    factor: Factor | None = None
    aggregate: bool = False


class SlopeIntercept(msgspec.Struct, frozen=True):
    """logit P' = intercept + slope * logit P, fitted on `trials` trials at natural prevalence."""

    slope: float
    intercept: float
    trials: int = 0


class Check(msgspec.Struct, frozen=True):
    """What held on trials that nothing was fitted on, each trial weighing 1.

    `what` is `coverage` (the share of posted values inside their interval, which should be the level) or `P(met)` (the share
    met minus the mean P(met), which should be 0). The 95% interval is over programmes; `is_passed` when it contains what should
    be. Without an interval, for too few programmes, nothing is passed. `kind` is `None` for all kinds together.
    """

    what: Literal["coverage", "P(met)"]
    value: float
    lower: float | None
    upper: float | None
    rows: int
    trials: int
    is_passed: bool
    kind: ValueKind | None = None
    forecast: bool = False


class FittedOn(msgspec.Struct, frozen=True):
    """What a calibration was fitted on, and checked on: the sides, what their questions come from, and the trials of each."""

    side: str
    checked_side: str
    data_sha256: str
    trials: tuple[str, ...]
    checked_trials: tuple[str, ...] = ()
    settings: dict[str, str | int | float | bool] = {}


class Calibration(msgspec.Struct, frozen=True):
    """One calibration file. `level` in percent; `subject` is the model that it is of, without which it is taken for any;
    `left_out` says what stayed uncalibrated, and why."""

    level: float
    quantiles: tuple[Quantile, ...] = ()
    what_if: SlopeIntercept | None = None
    forecast: SlopeIntercept | None = None
    subject: Subject | None = None
    fitted_on: FittedOn | None = None
    checks: tuple[Check, ...] = ()
    left_out: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks over all kinds that were not passed."""
        return tuple(check for check in self.checks if check.kind is None and not check.is_passed)

    def quantile(self, factor: Factor, kind: ValueKind, chain_length: int, *, aggregate: bool = False) -> float | None:
        """The quantile to use, or `None` where too few trials calibrated it ("not calibrated")."""
        for wanted in (factor, None):
            for entry in self.quantiles:
                key = (entry.factor, entry.kind, entry.chain_length, entry.aggregate)
                if key == (wanted, kind, chain_length, aggregate) and entry.trials >= MINIMUM_TRIALS:
                    return entry.quantile
        return None


def load(path: Path) -> Calibration:
    """Read a calibration file.

    Raises:
        BadInputError: it is not one, or cannot be read.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInputError(f"The calibration file {path} cannot be read ({error.strerror}).") from error
    return decode(content, str(path))


def decode(content: bytes, name: str) -> Calibration:
    """Read the content of the calibration file called `name`. Raises as `load` does."""
    try:
        found = msgspec.json.decode(content, type=Calibration)
    except msgspec.DecodeError as error:
        raise BadInputError(f"{name} is not a calibration file ({error}).") from error
    if found.schema_version > SCHEMA_VERSION:
        raise NewerSchemaError(f"{name} was written by a newer DeepImagine.", "Update DeepImagine to use it.")
    return found


def calibrated_probability(probability: float, correction: SlopeIntercept | None) -> float:
    """P(met) after slope and intercept; unchanged without a correction. Exact 0 and 1 stay."""
    if correction is None or not 0 < probability < 1:
        return probability
    return sigmoid(correction.intercept + correction.slope * logit(probability))


def prediction_interval(
    number: Number, outcome: OutcomeSpec, source: State, quantile: float | None, level: float
) -> Interval | None:
    """g(value) +- quantile * s, back-transformed, as a prediction interval; `None` means "not calibrated"."""
    if quantile is None:
        return None
    try:
        place, reach = g(number, outcome), quantile * scale(source, outcome)
    except NotScorableError:
        return None
    limits = from_g(place - reach, number, outcome), from_g(place + reach, number, outcome)
    return Interval(*limits, level=level, kind="PI") if all(map(math.isfinite, limits)) else None
