"""What a model's reasoning says of a change, held against the change itself: an earlier time for a later one, half the dose for
twice as much, a source that won where it lost.

Only phrases are read that can be true or false of the registry's facts; what says nothing of the kind counts in nothing. Where
both of two opposites are written, which one is meant is not known, and neither is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import msgspec

from deepimagine_tui.reasoning.agents import times_the_dose
from deepimagine_tui.reasoning.opening_words import times_as_long, times_text
from deepimagine_tui.reasoning.state import Configuration, DoseChange, Perturbation, State

_LATER = re.compile(r"(?<!no )\b(?:later|longer)\b", re.IGNORECASE)
_EARLIER = re.compile(r"\b(?:earlier|sooner|shorter)\b", re.IGNORECASE)
_HIGHER = re.compile(r"\b(?:higher|larger|greater|increased|doubled)\b[^.;:,]{0,16}\bdose|\bmore of the\b", re.IGNORECASE)
_LOWER = re.compile(r"\b(?:lower|smaller|reduced|halved)\b[^.;:,]{0,16}\bdose|\bless of the\b", re.IGNORECASE)
_TIMES_AS_LONG = re.compile(r"(\d+(?:\.\d+)?) times as long", re.IGNORECASE)
_TIMES_THE_DOSE = re.compile(r"(\d+(?:\.\d+)?)(?: times|-fold) the (?:old |earlier |observed )?dose", re.IGNORECASE)
_LOST = re.compile(
    r"\bdid not beat\b|\bwas not (?:shown to be |significantly )?(?:better than|superior to)|\bdid worse than"
    r"|\bwere alike\b|\b(?:hardly|scarcely|did not) differ(?:ed)?\b",
    re.IGNORECASE,
)
_WON = re.compile(r"\bbeat\b|\bwas (?:clearly |significantly )?(?:better than|superior to)", re.IGNORECASE)

_NEAR = math.log(1.1)
"""A ratio that is written within a tenth of the true one is right."""
_ALIKE = math.log(1.01)
"""Within a hundredth of 1 a ratio is neither more nor less."""


class Statement(msgspec.Struct, frozen=True):
    """One thing that is said of the facts: in words, whether it is so, and how it is, in words."""

    said: str
    is_so: bool
    truth: str


def statements(reasoning: str, source: State, change: Perturbation, target: Configuration) -> tuple[Statement, ...]:
    """What `reasoning` says of the dose or the time of a change, and of how its source came out."""
    return (
        *_of_times(reasoning, source.configuration, target),
        *_of_doses(reasoning, source, change),
        *_of_verdict(reasoning, source),
    )


def tells_the_facts(reasoning: str, source: State, change: Perturbation, target: Configuration) -> bool | None:
    """Whether all that `reasoning` says of the facts is so; `None` where it says nothing that could be checked."""
    found = statements(reasoning, source, change, target)
    return all(each.is_so for each in found) if found else None


def misstatements(reasoning: str, source: State, change: Perturbation, target: Configuration) -> tuple[str, ...]:
    """A warning for each thing that `reasoning` says of the facts and that is not so."""
    found = statements(reasoning, source, change, target)
    return tuple(f"the reasoning says {each.said}, but {each.truth}" for each in found if not each.is_so)


def _of_times(reasoning: str, before: Configuration, after: Configuration) -> Iterator[Statement]:
    times = times_as_long(before, after)
    if times is None or abs(math.log(times)) < _ALIKE:
        return
    truth = f"the new time is {'later' if times > 1 else 'earlier'}, {times_text(times)} times as long"
    yield from _ordered(reasoning, (_LATER, "later"), (_EARLIER, "earlier"), times, truth)
    yield from _measured(reasoning, _TIMES_AS_LONG, "times as long", times, truth)


def _of_doses(reasoning: str, source: State, change: Perturbation) -> Iterator[Statement]:
    if not isinstance(change.change, DoseChange):
        return
    times = times_the_dose(source.configuration.arm, change.change.dose)
    if times is None or abs(math.log(times)) < _ALIKE:
        return
    truth = f"the new dose is {'higher' if times > 1 else 'lower'}, {times_text(times)} times the old one"
    yield from _ordered(reasoning, (_HIGHER, "a higher dose"), (_LOWER, "a lower dose"), times, truth)
    yield from _measured(reasoning, _TIMES_THE_DOSE, "times the dose", times, truth)


def _of_verdict(reasoning: str, source: State) -> Iterator[Statement]:
    if source.met is None or source.met.verdict == "undetermined" or source.configuration.comparator is None:
        return
    met = source.met.verdict == "met"
    lost = _LOST.search(reasoning) is not None
    won = _WON.search(_LOST.sub("", reasoning)) is not None
    if won != lost:
        said = (
            "that the source did better than its comparator" if won else "that the source did not do better than its comparator"
        )
        yield Statement(said, won == met, f"its verdict is {source.met.verdict}")


def _ordered(
    reasoning: str, more: tuple[re.Pattern[str], str], less: tuple[re.Pattern[str], str], times: float, truth: str
) -> Iterator[Statement]:
    """Which of two opposites is written, where one alone is."""
    is_more, is_less = (pattern.search(reasoning) is not None for pattern, _ in (more, less))
    if is_more != is_less:
        yield Statement(more[1] if is_more else less[1], is_more == (times > 1), truth)


def _measured(reasoning: str, pattern: re.Pattern[str], words: str, times: float, truth: str) -> Iterator[Statement]:
    """A ratio in numbers."""
    found = pattern.search(reasoning)
    if found is not None:
        said = float(found[1])
        yield Statement(f"{found[1]} {words}", said > 0 and abs(math.log(said / times)) <= _NEAR, truth)
