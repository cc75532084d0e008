"""Which registered arm a result group is, and how sure that is.

Source fields: the group's title and doses; the arms' labels, types, doses and interventions. Order: the same label, one label
within the other, most words shared, the same doses, the same interventions. A tie is no link.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm
from deepimagine_tui.trials.results import ArmLink

_WORD = re.compile(r"[a-z0-9]+(?:\.[0-9]+)?")
# fmt: off
_NOISE = frozenset({
    "arm", "group", "cohort", "the", "of", "and", "with", "a", "an", "in", "for", "to", "study", "treatment",
    "participants", "patients", "subjects", "plus", "n", "set", "population",
})
# fmt: on
_SET_NOTE = re.compile(r"\((?:[^()]*\b(?:set|population|itt|n ?=)[^()]*)\)")
_MICRO = re.compile(r"(?:[µμ]|\bu|(?<=\d)u)g\b")
_PREFIX = re.compile(r"^(?:arm|group|cohort|stratum|part)\s+([a-z0-9]{1,3})\b")


@lru_cache(maxsize=16384)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(word for word in plain(text).split() if word not in _NOISE)


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """A label without case, punctuation and notes on analysis sets, to compare labels by."""
    return " ".join(_WORD.findall(_MICRO.sub("mcg", _SET_NOTE.sub(" ", text.lower()))))


@lru_cache(maxsize=8192)
def link_group(title: str, doses: tuple[Dose, ...], arms: tuple[Arm, ...]) -> ArmLink | None:
    """The registered arm that a result group is, with confidence in (0, 1]; `None` when none or several fit equally well."""
    if not title or not arms:
        return None
    same = [arm for arm in arms if plain(arm.label) == plain(title)]
    if same:
        return ArmLink(same[0].label, 1.0 if len(same) == 1 else 0.5, "label")
    words = _tokens(title)
    for confidence, fits in (
        (0.9, [arm for arm in arms if _tokens(arm.label) and _tokens(arm.label) == words]),
        (0.8, [arm for arm in arms if _within(words, _tokens(arm.label))]),
        (0.7, [arm for arm in arms if _same_prefix(title, arm.label)]),
    ):
        if len(fits) == 1:
            return ArmLink(fits[0].label, confidence, "label")
        if fits:
            closest = _closest(words, fits)
            if closest is not None:
                return ArmLink(closest.label, confidence - 0.2, "label")
    best = _closest(words, arms)
    if best is not None and _overlap(words, _tokens(best.label)) >= 0.6:
        return ArmLink(best.label, 0.6, "label")
    by_dose = [arm for arm in arms if doses and _dose_key(arm.doses) == _dose_key(doses)]
    if len(by_dose) == 1:
        return ArmLink(by_dose[0].label, 0.6, "dose")
    placebo = [arm for arm in arms if arm.type == "placebo comparator"]
    if "placebo" in title.lower() and len(placebo) == 1 and len(words) <= 3:
        return ArmLink(placebo[0].label, 0.7, "label")
    by_name = [arm for arm in arms if _names_all(words, arm)]
    if len(by_name) == 1:
        return ArmLink(by_name[0].label, 0.5, "intervention")
    return None


def _within(a: frozenset[str], b: frozenset[str]) -> bool:
    return bool(a) and bool(b) and (a <= b or b <= a)


def _same_prefix(title: str, label: str) -> bool:
    first, second = _PREFIX.match(title.lower()), _PREFIX.match(label.lower())
    return bool(first and second and first[0] == second[0])


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


def _closest(words: frozenset[str], arms: list[Arm] | tuple[Arm, ...]) -> Arm | None:
    ranked = sorted(((_overlap(words, _tokens(arm.label)), -index) for index, arm in enumerate(arms)), reverse=True)
    if not ranked or ranked[0][0] == 0 or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return arms[-ranked[0][1]]


def _dose_key(doses: tuple[Dose, ...]) -> frozenset[tuple[str, float, str, str, float | None]]:
    return frozenset((dose.intervention.lower(), dose.amount, dose.unit, dose.basis, dose.times_per_day) for dose in doses)


def _names_all(words: frozenset[str], arm: Arm) -> bool:
    return bool(arm.interventions) and all(_tokens(name) and _tokens(name) <= words for name in arm.interventions)
