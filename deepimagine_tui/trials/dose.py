"""A dose: what was given, how much, how often."""

from __future__ import annotations

from typing import Literal

import msgspec

DoseBasis = Literal["flat", "per kg", "per m2"]


class Dose(msgspec.Struct, frozen=True, gc=False):
    """A dose of one intervention. Ratios hold only within one agent, route and basis.

    `amount` is in `unit` (as written: `mg`, `mcg`, `IU`, …) on `basis`; `daily_total` is in the same unit and basis,
    `None` when the frequency is unknown. `titration` lists the amounts stepped through, the last being `amount`.
    `text` is the text that it was read from.
    """

    intervention: str
    amount: float
    unit: str
    text: str
    basis: DoseBasis = "flat"
    times_per_day: float | None = None
    daily_total: float | None = None
    route: str | None = None
    titration: tuple[float, ...] = ()
