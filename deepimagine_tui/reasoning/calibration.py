"""Calibration read from a plain JSON file: conformal quantiles for intervals, slope and intercept for P(met).

Quantiles are of e (see `scoring`), each calibration trial weighing 1, per (factor, kind, chain length). Under 20 trials an
entry does not count and (kind, chain length) is tried, an entry without factor; then there is no interval ("not calibrated").
What-ifs and forecasts are calibrated apart, and so are intervals of aggregates.
"""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.reasoning.scoring import NotScorableError, from_g, g, logit, scale, sigmoid
from deepimagine_tui.reasoning.state import Interval, Number, OutcomeSpec, State
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


class Calibration(msgspec.Struct, frozen=True):
    """One calibration file. `level` in percent; `fitted_on` says for which model and adapter."""

    level: float
    quantiles: tuple[Quantile, ...] = ()
    what_if: SlopeIntercept | None = None
    forecast: SlopeIntercept | None = None
    fitted_on: str = ""
    schema_version: int = SCHEMA_VERSION

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
