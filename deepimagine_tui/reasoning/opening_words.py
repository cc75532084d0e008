"""How the reasoning about another dose or another time opens: with how many times the old one the new one is.

That is arithmetic and no judgement, and small models get it wrong. So it is computed, written behind the question as the first
words of the answer, and the model goes on from there.
"""

from __future__ import annotations

import math

from deepimagine_tui.reasoning.agents import times_the_dose
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.state import Configuration, DoseChange, Perturbation

_NEAR, _FAR = 1.5, 3.0
"""Up to how many times is `a little`, and from how many on it is `much`."""
_ALIKE = 0.005
"""Nearer to once than this there is nothing to say in three digits."""


def opening_of(before: Configuration, change: Perturbation, after: Configuration) -> str:
    """The first words of the reasoning, up to a colon; empty where the change is none of dose or time, or has no ratio."""
    if isinstance(change.change, DoseChange):
        times, little, more, less, what = times_the_dose(before.arm, change.change.dose), "slightly", "more", "less", "the dose"
    elif change.factor == "time_frame":
        times, little, more, less, what = times_as_long(before, after), "a little", "later", "earlier", "as long"
    else:
        return ""
    if times is None or times <= 0 or abs(times - 1) < _ALIKE:
        return ""
    far = max(times, 1 / times)
    size = f"{little} " if far < _NEAR else "" if far < _FAR else "much "
    words = f"{size}{more if times > 1 else less}, {times_text(times)} times {what}:"
    return words[0].upper() + words[1:]


def with_opening(opening: str, written: str) -> str:
    """The whole reasoning: an opening, if there is one, and what a model wrote after it, who may have repeated it in a chat."""
    text = written.strip()
    if not opening:
        return text
    return f"{opening} {text.removeprefix('Reasoning:').strip().removeprefix(opening).strip()}".strip()


def times_text(times: float) -> str:
    """A ratio in three digits and without an exponent."""
    return number_text(float(f"{times:.3g}"))


def times_as_long(before: Configuration, after: Configuration) -> float | None:
    """How many times the old time the new one is; `None` where one of them is not known in weeks, or is not after the start."""
    old = before.time.weeks if before.time is not None else None
    new = after.time.weeks if after.time is not None else None
    if not old or not new or old <= 0 or new <= 0 or not math.isfinite(new / old):
        return None
    return new / old
