"""Enumerations in one spelling. The v2 interface says `PLACEBO_COMPARATOR`, the classic XML `Placebo Comparator`: both are
`placebo comparator` here, lower case with blanks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, cast

from deepimagine_tui.trials.model import ArmType, Sex
from deepimagine_tui.trials.results import DispersionKind, OutcomeRole

_PUNCTUATION = re.compile(r"[_,()\s]+")
_LEVEL = re.compile(r"(\d{2}(?:\.\d+)?)\s*%|confidence (\d{2,3})\b")

_ARM_TYPES = frozenset(
    {"experimental", "active comparator", "placebo comparator", "sham comparator", "no intervention", "other"}
)
_SPONSOR_CLASSES = {
    "u.s. fed": "fed",
    "other gov": "other government",
    "indiv": "individual",
    "other u.s. federal agency": "fed",
}
_ROLES: dict[str, OutcomeRole] = {
    "primary": "primary",
    "secondary": "secondary",
    "other pre specified": "other",
    "other pre-specified": "other",
    "other": "other",
    "post hoc": "post hoc",
    "post-hoc": "post hoc",
}
_PHASES = {
    "early phase 1": "early 1",
    "early phase1": "early 1",
    "phase 0": "early 1",
    "phase 1": "1",
    "phase1": "1",
    "phase 2": "2",
    "phase2": "2",
    "phase 3": "3",
    "phase3": "3",
    "phase 4": "4",
    "phase4": "4",
}
_DISPERSIONS: dict[str, DispersionKind] = {
    "standard deviation": "SD",
    "standard error": "SE",
    "standard error of the mean": "SE",
    "standard error of mean": "SE",
    "inter-quartile range": "IQR",
    "inter quartile range": "IQR",
    "full range": "range",
    "geometric coefficient of variation": "geometric CV",
    "geometric coefficient": "geometric CV",
    "na": "none",
    "not applicable": "none",
    "": "none",
}


@lru_cache(maxsize=4096)
def words(text: str) -> str:
    """An enumeration value, lower case with single blanks: `ACTIVE_NOT_RECRUITING` is `active not recruiting`."""
    return _PUNCTUATION.sub(" ", text).strip().lower()


def arm_type(text: str) -> ArmType:
    """The type of a registered arm; `unknown` when not one of the registry's."""
    found = words(text)
    return cast("ArmType", found) if found in _ARM_TYPES else "unknown"


def sex(text: str) -> Sex:
    """Which sex could enrol; the older `Both` is `all`."""
    found = words(text)
    return "all" if found == "both" else cast("Sex", found) if found in ("all", "female", "male") else "unknown"


def sponsor_class(text: str) -> str:
    """`industry`, `nih`, `fed`, `other`, `network`, …"""
    found = words(text)
    return _SPONSOR_CLASSES.get(found, found)


def masking(text: str) -> str:
    """`none`, `single`, `double`, `triple` or `quadruple`; empty when not given. Who was masked is counted when no word is
    given."""
    found = words(text)
    first = found.split(" ", 1)[0] if found else ""
    if first in ("none", "single", "double", "triple", "quadruple"):
        return first
    if found == "open label":
        return "none"
    masked = sum(word in found for word in ("participant", "care provider", "investigator", "outcomes assessor"))
    return ("", "single", "double", "triple", "quadruple")[masked]


def design_word(text: str) -> str:
    """An allocation, model or purpose without its filler: `Parallel Assignment` is `parallel`; `NA` is empty."""
    found = words(text).removesuffix(" assignment")
    return "" if found in ("na", "n/a") else found.replace("non-randomized", "non randomized")


def status(text: str) -> str:
    """The overall status; `Unknown status` is `unknown`."""
    return words(text).removesuffix(" status")


def phase(text: str) -> str | None:
    """`early 1`, `1`, `2`, `3`, `4`; empty for "not applicable", `None` when it is no phase."""
    found = words(text)
    return "" if found in ("na", "n/a", "") else _PHASES.get(found)


def outcome_role(text: str) -> OutcomeRole | None:
    """The role of a posted outcome; `None` when it is none of the registry's."""
    return _ROLES.get(words(text))


def parameter(text: str) -> str:
    """The parameter type, lower case: `mean`, `least squares mean`, `count of participants`, `number`, …"""
    return words(text)


def dispersion(text: str) -> tuple[DispersionKind, float | None]:
    """The kind of dispersion and, for a confidence interval, its level in percent. Display text and enum are both read."""
    found = words(text)
    kind = _DISPERSIONS.get(found)
    if kind is not None:
        return kind, None
    if "confidence" in found:
        level = _LEVEL.search(text.lower().replace("_", " "))
        digits = (level[1] or level[2]) if level else None
        value = float(digits) if digits else None
        return "CI", 97.5 if value == 975 else value
    return "other", None


def date_kind(text: str) -> Literal["actual", "anticipated", "unknown"]:
    """Whether a date or an enrolment happened; the registry's `ESTIMATED` is `anticipated`."""
    found = words(text)
    if found == "actual":
        return "actual"
    return "anticipated" if found in ("anticipated", "estimated", "estimate") else "unknown"
