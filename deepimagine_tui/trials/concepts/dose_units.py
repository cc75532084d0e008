"""The amount, unit and basis of a dose as texts write them: `1,000 IU`, `5 µg`, `75 mg/m2`, `2x10^9 PFU`."""

from __future__ import annotations

import re

from deepimagine_tui.trials.concepts.numbers import parse_number
from deepimagine_tui.trials.dose import DoseBasis

_NUMBER = r"\d(?:\d{0,2}(?:,\d{3}){1,4}(?!\d)|\d{0,11})(?:\.\d{1,8})?"
_POWER = r"(?:\s*[x×*]\s*10\s*(?:\^|\*\*|e)?\s*\(?\d{1,2}\)?)"
AMOUNT = rf"{_NUMBER}{_POWER}?"
UNIT = (
    r"(?:micrograms?|milligrams?|millilit(?:er|re)s?|grams?|nanograms?|international units?|milli-?curies?|mcg|µg|μg|ug"
    r"|mg|ng|kg(?!\w)|gm?|"
    r"MIU|mIU|KIU|IU|million (?:international )?units?|million IU|units?|U|mEq|mmol|µmol|nmol|PFU|pfu|TCID50|CCID50|CFU"
    r"|cfu|FFU|vp|vg|EID50|"
    r"(?:CAR[- ]?(?:positive )?(?:\+ )?)?T?[- ]?cells|cGy|Gy|mCi|MBq|GBq|kBq|mL|ml|puffs?|actuations?|"
    r"% (?=(?:\w+ ){0,2}(?:cream|gel|ointment|solution|lotion|foam|drops|ophthalmic|suspension|spray|shampoo))"
    r"|%(?= (?:\w+ ){0,2}(?:cream|gel|ointment|solution|lotion|foam|drops|ophthalmic|suspension|spray|shampoo)))"
)
BASIS = r"(?:\s*(?:/|per)\s*(kg|kilogram|m2|m\^2|m²|m\(2\)|square met(?:er|re))\b\.?)?"

_UNITS = {
    "microgram": "mcg",
    "µg": "mcg",
    "μg": "mcg",
    "ug": "mcg",
    "mcg": "mcg",
    "milligram": "mg",
    "gram": "g",
    "gm": "g",
    "nanogram": "ng",
    "international unit": "IU",
    "iu": "IU",
    "unit": "units",
    "u": "units",
    "million international unit": "MIU",
    "million unit": "MIU",
    "million iu": "MIU",
    "milliliter": "mL",
    "millilitre": "mL",
    "ml": "mL",
    "puff": "puffs",
    "actuation": "puffs",
    "pfu": "PFU",
    "cfu": "CFU",
    "millicurie": "mCi",
    "milli-curie": "mCi",
}


def parse_amount(text: str) -> float | None:
    """The number that an amount is, powers of ten included; `None` when it is none."""
    base, *power = re.split(r"[x×*]", text, maxsplit=1)
    value = parse_number(base)
    if value is None or not power:
        return value
    exponent = re.sub(r"^\s*10\s*(?:\^|\*\*|e)?\s*\(?|\)?\s*$", "", power[0])
    return value * 10.0 ** int(exponent) if exponent.isdigit() and int(exponent) < 20 else None


def parse_unit(text: str) -> str | None:
    """The unit in the spelling that doses use (`mcg`, `mg`, `IU`, …); `None` for a body weight."""
    plain = text.strip()
    if plain == "mIU":
        return "mIU"
    if plain.lower().endswith("cells"):
        return "cells"
    if plain == "kg":
        return None
    known = _UNITS.get(plain.lower()) or _UNITS.get(plain.lower().removesuffix("s"))
    return known or plain


def parse_basis(text: str | None) -> DoseBasis:
    """What the amount is given per: nothing, kilogram, or square metre."""
    if not text:
        return "flat"
    return "per kg" if text.lower().startswith("k") else "per m2"
