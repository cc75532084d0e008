"""What an arm is truly given, by its registered label and interventions: a placebo of a drug is no drug.

Registries list the drug of a placebo among what is given, register a placebo as active, and let one be followed by the drug.
The rules were written from the comparators of claims and of registry records alone.
"""

from __future__ import annotations

import re

from deepimagine_tui.reasoning.state import ArmSpec

_DUMMY_WORD = r"\b(?:placebos?|pbo|sham|vehicle)\b"
_DUMMY = re.compile(_DUMMY_WORD, re.IGNORECASE)
_INERT_ALONE = re.compile(
    r"(?:(?:normal|isotonic) )?(?:0\.9 ?% )?(?:saline|sodium.chloride|lactose)(?: (?:0\.9 ?%|solution|capsules?|group))*",
    re.IGNORECASE,
)
"""Blank where it stands alone; beside any other word it may be the solvent of something active."""
_OF_DOSES = re.compile(r"\b(placebo|pbo) for \d[\d.,]* ?m?c?g\b.*", re.IGNORECASE)
"""`Placebo for 10 mg A + 20 mg B` is a placebo of the whole combination."""
_BEFORE_DUMMY = re.compile(rf"(?:[/\\>→]|\bthen\b|\bfollowed by\b)(?=\s*{_DUMMY_WORD})", re.IGNORECASE)
"""In `A/Placebo` A is given too, or was before; `A/B placebo` is one placebo of both."""
_TOGETHER = re.compile(rf"[+＋&]|\bplus\b|\band\b|(?<!treated )\bwith\b|{_BEFORE_DUMMY.pattern}", re.IGNORECASE)
"""What parts the things given together. A part with a dummy word is a dummy whole: `B placebo`, `Placebo to B`."""
_UNNAMED = re.compile(
    r"(?:\W*\b(?:standard|usual|conventional|best|supportive|hospital|care|therapy|of|soc|bsc|control|group|post \w+)\b)*\W*",
    re.IGNORECASE,
)
"""Words that name no treatment: usual care beside a placebo, `Control Group`."""
_WORD = re.compile(r"[^\s()]+")


def given_text(arm: ArmSpec | None) -> str:
    """An arm's label and what is given in it, without what is only a placebo, sham or dummy; empty where nothing is left."""
    if arm is None:
        return ""
    rest = _without_dummies(arm.label)
    if is_blank(arm):
        return rest if _UNNAMED.fullmatch(rest) else ""
    return "; ".join(filter(None, (rest, *map(_without_dummies, arm.interventions))))


def is_blank(arm: ArmSpec | None) -> bool:
    """Whether an arm is given nothing active in the comparison, at first at least, where it is given something later.

    A label that has a dummy and names no treatment decides, whatever is listed: the drug of the placebo, or what follows it.
    """
    if arm is None:
        return False
    rest = _without_dummies(arm.label)
    if rest != arm.label and _UNNAMED.fullmatch(rest):
        return True
    only_dummies = bool(arm.interventions) and not any(map(_without_dummies, arm.interventions))
    return only_dummies and bool(_UNNAMED.fullmatch(arm.label) or _BEFORE_DUMMY.search(arm.label))


def _without_dummies(text: str) -> str:
    """A text as it is where it has no dummy, else its parts that are none."""
    if not _is_dummy(text):
        return text
    parts = [part for part in _TOGETHER.split(_OF_DOSES.sub(r"\1", text)) if not _is_dummy(part)]
    return " + ".join(filter(None, (" ".join(_WORD.findall(part)) for part in parts)))


def _is_dummy(part: str) -> bool:
    return _DUMMY.search(part) is not None or _INERT_ALONE.fullmatch(part.strip()) is not None
