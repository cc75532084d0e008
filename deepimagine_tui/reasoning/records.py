"""How often a model was right on trials that it was not trained on, by factor: what stands beside each of its numbers.

A plain JSON file that an evaluation writes. Nothing that happens in the app is added to it, and no trial that the model was
trained on is in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.trials.factors import Factor

SCHEMA_VERSION = 1

Standing = Literal["better", "worse", "no better", "too few trials"]
"""Against the base rate, by the 95% interval over programmes of the difference; `no better` where it contains 0."""

_SAID: dict[Standing, str] = {
    "better": "better than the base rate",
    "worse": "worse than the base rate",
    "no better": "no better than the base rate",
    "too few trials": "no better than the base rate, as far as {trials} can tell",
}


class Record(msgspec.Struct, frozen=True):
    """How often the direction or the verdict was right: on the share `right` of `pairs` pairs (forecasts where `factor` is
    `None`) in `trials` trials, no answer counting as wrong. `base_rate` is how often the commonest answer of the factor in
    training is right on the same ones; `lower` and `upper` are the limits of the difference."""

    of: Literal["direction", "verdict"]
    pairs: int
    trials: int
    right: float
    base_rate: float
    standing: Standing
    factor: Factor | None = None
    lower: float | None = None
    upper: float | None = None

    @property
    def said(self) -> str:
        """`right direction on 61% of 212 pairs in 12 trials, base rate 45%; no better than the base rate`."""
        asked = _count(self.pairs, "forecast" if self.factor is None else "pair")
        trials = _count(self.trials, "trial")
        rates = f"right {self.of} on {self.right:.0%} of {asked} in {trials}, base rate {self.base_rate:.0%}"
        return f"{rates}; {_SAID[self.standing].format(trials=trials)}"


class Bin(msgspec.Struct, frozen=True):
    """The answers whose P(met) is from `lower` to `upper`: its mean, and the share met with its 95% interval over programmes
    (`None` for too few), each trial weighing 1."""

    lower: float
    upper: float
    mean: float
    met: float
    rows: int
    trials: int
    met_lower: float | None = None
    met_upper: float | None = None


class Reliability(msgspec.Struct, frozen=True):
    """P(met) as it is shown against the share met, what-ifs or forecasts; `is_calibrated` when a correction was applied."""

    bins: tuple[Bin, ...]
    is_calibrated: bool
    forecast: bool = False


class Records(msgspec.Struct, frozen=True):
    """One file. `side` says which trials these are, `trials` lists them; `left_out` were asked about but trained on."""

    subject: Subject
    side: str
    data_sha256: str
    trials: tuple[str, ...]
    records: tuple[Record, ...]
    reliability: tuple[Reliability, ...] = ()
    left_out: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def of(self, factor: Factor | None) -> tuple[Record, ...]:
        """Those of a factor, the direction's first; of forecasts for `None`."""
        return tuple(record for record in self.records if record.factor == factor)


def said_of(records: Records | None, factor: Factor | None, *, verdict: bool = True) -> str:
    """The record of a factor in words, with that of its verdicts where a `verdict` was asked for; or that there is none."""
    name = "forecasts" if factor is None else factor.replace("_", " ")
    found = records.of(factor) if records is not None else ()
    texts = [record.said for record in found if verdict or record.of == "direction"]
    return f"{name}: {'; '.join(texts)}" if texts else f"{name}: no record of this model"


def load(path: Path) -> Records:
    """Read a file of records.

    Raises:
        BadInputError: it is none, or cannot be read.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Records)
    except OSError as error:
        raise BadInputError(f"The records in {path} cannot be read ({error.strerror}).") from error
    except msgspec.DecodeError as error:
        raise BadInputError(f"{path} holds no records ({error}).", "Make them: deepimagine evaluate calibrate") from error
    if found.schema_version > SCHEMA_VERSION:
        raise NewerSchemaError(f"{path} was written by a newer DeepImagine.", "Update DeepImagine to use it.")
    return found


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
