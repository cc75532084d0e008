"""Doses compared through a units library. Ratios hold only within one agent, route and basis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.trials.concepts import dose_text
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Intervention

if TYPE_CHECKING:
    from pint import UnitRegistry

_PINT_NAMES = {
    "mcg": "microgram",
    "mg": "milligram",
    "g": "gram",
    "ng": "nanogram",
    "kg": "kilogram",
    "IU": "international_unit",
    "mIU": "milli_international_unit",
    "MIU": "mega_international_unit",
    "KIU": "kilo_international_unit",
    "mEq": "milliequivalent",
    "mmol": "millimole",
    "µmol": "micromole",
    "nmol": "nanomole",
    "mL": "milliliter",
    "Gy": "gray",
    "cGy": "centigray",
    "mCi": "millicurie",
    "MBq": "megabecquerel",
    "GBq": "gigabecquerel",
    "kBq": "kilobecquerel",
}
_RELATIVE_TOLERANCE = 1e-6


@lru_cache(maxsize=1)
def registry() -> UnitRegistry[float]:
    """The unit registry, built at the first comparison: importing the library is slow and most runs never compare a dose."""
    from pint import UnitRegistry

    units: UnitRegistry[float] = UnitRegistry(cache_folder=None)
    units.define("international_unit_base = [biological_activity]")
    units.define("international_unit = international_unit_base")
    units.define("milli_international_unit = 1e-3 * international_unit_base")
    units.define("kilo_international_unit = 1e3 * international_unit_base")
    units.define("mega_international_unit = 1e6 * international_unit_base")
    units.define("equivalent = [charge_equivalent]")
    return units


def find_doses(text: str, interventions: Sequence[Intervention | str] = ()) -> tuple[Dose, ...]:
    """Every dose that a label or description states, in reading order, each once. See `concepts.dose_text.find_doses`."""
    given = tuple(Intervention(item, "") if isinstance(item, str) else item for item in interventions)
    return dose_text.find_doses(text, given)


def parse_dose(text: str, intervention: str = "") -> Dose:
    """The single dose that `text` states, of `intervention`.

    Raises:
        BadInputError: the text states no dose, or several.
    """
    found = dose_text.find_doses(text, (Intervention(intervention, ""),) if intervention else ())
    if len(found) != 1:
        what = "no dose" if not found else f"{len(found)} doses"
        raise BadInputError(
            f"{text!r} states {what}.", "Write one amount with its unit, e.g. 10 mg once daily or 75 mg/m2 every 3 weeks."
        )
    return msgspec.structs.replace(found[0], intervention=intervention)


def dose_ratio(a: Dose, b: Dose) -> float:
    """How many times `b` the dose `a` is; above 0.

    Where both daily totals are known and the frequencies differ, daily totals are compared; otherwise the amounts of one
    administration are.

    Raises:
        RefusedError: the two differ in agent, route or basis, their units measure different things, their frequencies cannot be
            brought together, or `b` is zero.
    """
    if _name(a.intervention) != _name(b.intervention):
        agents = [dose.intervention or "an unnamed agent" for dose in (a, b)]
        raise RefusedError(f"{a.text} is of {agents[0]}, {b.text} of {agents[1]}.", "Compare doses of one agent only.")
    if a.basis != b.basis:
        raise RefusedError(f"{a.text} is {a.basis}, {b.text} is {b.basis}.", "Compare doses on one basis only.")
    if a.route is not None and b.route is not None and a.route != b.route:
        raise RefusedError(f"{a.text} is {a.route}, {b.text} is {b.route}.", "Compare doses of one route only.")
    first, second = a.amount, b.amount
    if a.times_per_day != b.times_per_day and a.daily_total is not None and b.daily_total is not None:
        first, second = a.daily_total, b.daily_total
    elif a.times_per_day is not None and b.times_per_day is not None and a.times_per_day != b.times_per_day:
        raise RefusedError(f"{a.text} and {b.text} are given at different intervals.", "State both daily totals.")
    if second == 0:
        raise RefusedError(f"{b.text} is zero, and nothing is a multiple of it.", "Compare with an arm that got the agent.")
    return first / second * _factor(a.unit, b.unit)


def same_dose(a: Dose, b: Dose) -> bool:
    """Whether both are the same amount of the same agent by the same route and frequency; `False` when they cannot be
    compared."""
    if (
        a.times_per_day is not None
        and b.times_per_day is not None
        and abs(a.times_per_day - b.times_per_day) > _RELATIVE_TOLERANCE
    ):
        return False
    try:
        return abs(dose_ratio(a, b) - 1) <= _RELATIVE_TOLERANCE
    except RefusedError:
        return False


def _name(text: str) -> str:
    return " ".join(text.casefold().split())


@lru_cache(maxsize=256)
def _factor(unit: str, other: str) -> float:
    if unit == other:
        return 1.0
    names = _PINT_NAMES.get(unit), _PINT_NAMES.get(other)
    if names[0] is None or names[1] is None:
        raise RefusedError(f"{unit} and {other} measure different things.", "Compare doses in units of one kind.")
    units = registry()
    left, right = units.Quantity(1.0, names[0]), units.Quantity(1.0, names[1])
    if not left.is_compatible_with(right):
        raise RefusedError(f"{unit} and {other} measure different things.", "Compare doses in units of one kind.")
    return float(left.to(right.units).magnitude)
