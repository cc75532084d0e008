"""The probes of a run as plain lines for every surface: each number with its n and what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Literal, NamedTuple

from deepimagine_tui.reasoning.describe import value_text as number_value_text
from deepimagine_tui.reasoning.probe_numbers import SCALE, ProbeNumber
from deepimagine_tui.reasoning.probe_results import ProbeResult, Rung, RunProbes
from deepimagine_tui.reasoning.probes import ProbeKind
from deepimagine_tui.reasoning.summary import MARKS, format_probability
from deepimagine_tui.text import one_line

HEADING = "Probes of this run"
IMAGINED = f"Each number is {MARKS['imagined']} imagined: it measures what the model says, not what a trial would show."
UNASKED = "Not asked yet: does the model's answer hold when the question is put otherwise?"
LineKind = Literal["heading", "probe", "doses", "number", "note"]
_NAMES: dict[ProbeKind, str] = {
    "dose ladder": "Dose ladder: other doses, one by one",
    "return": "There and back: the changes, then their undoing",
    "order": "Order: the changes in either order",
    "seeds": "Seeds: the same question by other seeds",
}


class ProbeLine(NamedTuple):
    """A line and what it is; each surface has its own way to set a heading or a note."""

    kind: LineKind
    text: str


def probe_name(kind: ProbeKind) -> str:
    """What a probe is called, and what it does."""
    return _NAMES[kind]


def probe_lines(probes: RunProbes, width: int) -> Iterator[ProbeLine]:
    """The block of a run in lines of at most `width` columns, its heading first; what cannot be asked says why."""
    yield ProbeLine("heading", f"{HEADING}, {one_line(probes.model)}" if probes.asked else HEADING)
    for said in (probes.problem, probes.why):
        yield from _wrapped(said, width, "")
    if probes.why:
        return
    yield from _wrapped(IMAGINED if probes.asked else UNASKED, width, "")
    for result in probes.results:
        yield ProbeLine("probe", _clipped(_NAMES[result.kind], width))
        yield from _result(result, width)
    if any(number.unit == "s" for result in probes.results for number in result.numbers):
        yield from _wrapped(SCALE, width, "")


def value_text(number: ProbeNumber) -> str:
    """The value with its unit; a dash where it cannot be told."""
    if number.value is None:
        return "–"
    match number.unit:
        case "share":
            return format_probability(number.value)
        case "yes or no":
            return "yes" if number.value else "no"
        case "tau":
            return f"{number.value:+.2f}"
        case "s" | "logit":
            return f"{number.value:.2f} {number.unit}"


def count_text(number: ProbeNumber) -> str:
    """`n 4 neighbouring doses`."""
    return f"n {number.n} {number.counts}"


def rung_text(rung: Rung) -> str:
    """`20 mg ○ -0.9`."""
    return f"{rung.amount:g} {one_line(rung.unit)} {MARKS[rung.value.status]} {number_value_text(rung.value)}"


def _result(result: ProbeResult, width: int) -> Iterator[ProbeLine]:
    match result.standing:
        case "not possible":
            yield from _wrapped(f"Not possible: {result.why}", width)
        case "not asked":
            yield from _wrapped("Not asked yet.", width)
        case "no answer":
            yield from _wrapped(f"No answer. {result.why}", width)
        case "answered":
            if result.rungs:
                yield from _rungs(result.rungs, width)
            for number in result.numbers:
                yield from _number(number, width)


def _rungs(rungs: tuple[Rung, ...], width: int) -> Iterator[ProbeLine]:
    # A dose stays with its value, so that a wrapped line is not misread.
    whole = ",  ".join(rung_text(rung).replace(" ", "\N{NO-BREAK SPACE}") for rung in rungs)
    for line in textwrap.wrap(whole, max(width - 2, 20)):
        yield ProbeLine("doses", "  " + line.replace("\N{NO-BREAK SPACE}", " "))


def _number(number: ProbeNumber, width: int) -> Iterator[ProbeLine]:
    said = f"  {value_text(number):>9}  {number.name}"
    counted = count_text(number)
    if len(said) + 2 + len(counted) <= width:
        yield ProbeLine("number", f"{said}  {counted}")
        yield from _wrapped(number.definition, width, " " * 13)
    else:
        for line in textwrap.wrap(said, width, subsequent_indent=" " * 13, drop_whitespace=False):
            yield ProbeLine("number", line)
        yield from _wrapped(f"{counted}. {number.definition}", width, " " * 4)


def _wrapped(text: str, width: int, indent: str = "  ") -> Iterator[ProbeLine]:
    for line in textwrap.wrap(one_line(text), max(width, 20), initial_indent=indent, subsequent_indent=indent):
        yield ProbeLine("note", line)


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text.partition(":")[0]
