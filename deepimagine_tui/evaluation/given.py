"""What an arm is truly given: its words without those of placebos, and whether nothing is left.

`Drug B placebo` gives no drug B, nor does `placebo for drug B`; and an arm that is given placebo first and something later is
compared while it is given placebo.
"""

from __future__ import annotations

import re

from deepimagine_tui.reasoning.state import ArmSpec

_BLANK = r"(?:placebo|sham|vehicle|dummy|saline)"
_PLACEBO_OF = re.compile(
    rf"\b{_BLANK}s?[ -](?:for|to match|matching|matched to|of)(?: the)? [\w-]+"
    rf"|\b{_BLANK}-\w+"
    rf"|(?:\b(?!and\b|or\b|with\b|plus\b)[\w-]+[ -])?\b(?:matching )?{_BLANK}s?\b",
    re.IGNORECASE,
)
_FIRST = re.compile(
    rf"^\W*(?:(?:arm|group|cohort|part|period|stage)\s*\w{{1,3}}\s*[:.)-]?\s*)*{_BLANK}\b[^+&]*?"
    r"(?:\b(?:followed by|then|switch\w*|cross\w*|and (?:part|period|stage) \w)|->|→|/)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z][a-z-]{2,}", re.IGNORECASE)
_NAMES_NOTHING = frozenset(
    _WORD.findall(
        "arm group cohort part control comparator matching treatment therapy dose daily once twice week weeks oral injection"
        " infusion intravenous subcutaneous intramuscular inhaled topical nasal eye drops spray cream gel ointment foam lotion"
        " powder solution syrup mouthwash patch tablet tablets capsule capsules pill pills normal only alone the and for study"
        " drug product procedure stimulation device acupuncture laser surgery block visit phase period low high double-blind"
    )
)
"""Words of an arm that is given a placebo: of its form, and of its place in the trial."""


def given_text(arm: ArmSpec | None) -> str:
    """An arm's label and what is given in it, without what is a placebo; empty where there is none."""
    return " ".join(_PLACEBO_OF.sub(" ", text) for text in (arm.label, *arm.interventions)) if arm is not None else ""


def is_blank(arm: ArmSpec | None) -> bool:
    """Whether an arm's label says that it is given nothing active, at first at least."""
    if arm is None:
        return False
    if _FIRST.search(arm.label):
        return True
    left = {word.lower() for word in _WORD.findall(_PLACEBO_OF.sub(" ", arm.label))}
    return _PLACEBO_OF.search(arm.label) is not None and left <= _NAMES_NOTHING
