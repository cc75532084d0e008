"""The comparisons that a trial posted: what pairs are drawn from, and what classical systems learn from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepimagine_tui.reasoning.observed import anchor_choices, observed_state
from deepimagine_tui.reasoning.posted import is_start
from deepimagine_tui.reasoning.state import ArmSpec, State
from deepimagine_tui.reasoning.words import plain
from deepimagine_tui.trials.model import Trial

_PART = re.compile(
    r"\b(?:part|phase|stage|cohort|period|addendum|sub-?study|step|segment|run)[\s:#-]*(?:[ivx]+|\d+)?[a-h]?\b"
    r"|\b(?:db|ol|double[- ]blind|open[- ]label|run-?in|lead-?in|extension|maintenance|induction"
    r"|not (?:assigned|randomi[sz]ed))\b"
)
_AT_START = re.compile(r"(?<!from )(?<!to )(?<!over )(?<!vs )(?<!versus )\b(?:baseline|screening|pre-?dose)\W*$", re.I)


def comparisons_of(trial: Trial) -> Iterator[State]:
    """Every posted comparison of two arms of one part of `trial`, but those of its start, in the order posted."""
    for choice in anchor_choices(trial):
        if choice.comparator is None or parts_of(choice.arm) != parts_of(choice.comparator):
            continue
        title = "" if choice.ref.comparator_class_title else choice.ref.class_title
        if choice.weeks != 0 and not is_start(title) and not _AT_START.search(title):
            yield observed_state(trial, choice.ref)


def parts_of(arm: ArmSpec) -> tuple[str, ...]:
    """The parts and periods of a trial that an arm's label names, in one spelling."""
    return tuple(sorted({re.sub(r"[\s:#-]", "", part) for part in _PART.findall(plain(arm.label))}))
