"""How values look: the mark of a number's status, its digits, its interval. The same words on every screen.

Observed and derived values are upright with a solid mark, imagined ones italic with a hollow one, entered ones say so.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from itertools import takewhile

from textual.content import Content

from deepimagine_tui.reasoning.state import Interval, MetEstimate, Number, Perturbation, Status
from deepimagine_tui.reasoning.summary import MARKS
from deepimagine_tui.text import one_line
from deepimagine_tui.trials.results import Contrast, PValue


def inert(text: str) -> str:
    """`text` on one line with nothing in it that a terminal would obey."""
    return one_line(text)


def plain(text: str) -> Content:
    """`text`, inert and without markup."""
    return Content(inert(text))


def clip(text: str, width: int) -> str:
    """`text` in at most `width` characters, with `…` where it was cut."""
    text = inert(text)
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip(" …") + "…"


def clip_apart(texts: Iterable[str], width: int) -> dict[str, str]:
    """Each text in at most `width` characters; those that would look the same are cut where they are the same."""
    every = list(dict.fromkeys(inert(text) for text in texts))
    found = {}
    for text in every:
        alike = [other for other in every if clip(other, width) == clip(text, width)]
        shared = sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*alike, strict=False)))
        tail = text[shared:] if len(alike) > 1 else ""
        room = max(width - 1 - len(tail), width // 3)
        found[text] = f"{text[:room].rstrip()}…{clip(tail, max(width - 1 - room, 1))}" if tail else clip(text, width)
    return found


def hanging(mark: str, text: str, width: int) -> list[str]:
    """A text after its mark, wrapped; the lines that follow stand under its first word."""
    lines = textwrap.wrap(inert(text), max(width - len(mark), 10)) or [""]
    return [mark + lines[0], *(" " * len(mark) + line for line in lines[1:])]


def digits(value: float) -> str:
    """A value with as many digits as it needs: two decimals below 100, none above 1,000, two significant near 0."""
    if value != value:
        return "–"
    size = abs(value)
    if size >= 10_000:
        return f"{value:,.0f}"
    if value == int(value) and size < 10_000:
        return f"{value:.0f}"
    if size < 0.095:
        return f"{value:.2g}" if size >= 1e-4 else f"{value:.1e}"
    places = 0 if size >= 1000 else 1 if size >= 100 else 2
    return f"{value:.{places}f}"


def posted(value: float) -> str:
    """A value as the registry gave it, to four decimals at most."""
    return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:,.6g}"


def bracket(interval: Interval) -> str:
    """`[-0.75, -0.42] 95% CI posted`; an open end is `–`."""
    low = "–" if interval.lower is None else digits(interval.lower)
    high = "–" if interval.upper is None else digits(interval.upper)
    return f"[{low}, {high}] {interval.level:g}% {interval.kind}"


def reading_text(change: Perturbation) -> str:
    """How a typed value was read, without the value itself: `5x the observed 10 mg`."""
    return inert(change.reading).removeprefix(f"{inert(change.after)} = ")


def style_of(status: Status) -> str:
    """The text style that carries a status without colour."""
    return "italic" if status == "imagined" else ""


def value_text(number: Number | None) -> str:
    """A number's digits, or why there are none."""
    if number is None:
        return "–"
    if number.value is None:
        return inert(number.note) or "–"
    return digits(number.value)


def marked(number: Number | None, width: int = 0) -> Content:
    """`● -0.66` or, in italics, `○ -0.84`."""
    if number is None:
        return Content("–".rjust(width))
    suffix = " ✎" if number.after_entered and number.status != "entered" else ""
    return Content.styled(f"{MARKS[number.status]} {value_text(number)}{suffix}".rjust(width), style_of(number.status))


def interval_text(number: Number) -> str:
    """The interval with its level and kind; `not calibrated` for an imagined number that has none."""
    if number.interval is not None:
        return bracket(number.interval)
    return "not calibrated" if number.status == "imagined" else ""


def p_text(p: PValue) -> str:
    """`p<.001`, `p=.03`."""
    shown = f"{p.value:.4f}".rstrip("0") if p.value else "0"
    shown = shown[1:] if shown.startswith("0.") else shown
    return f"p{p.operator}{shown or '0'}" + ("" if p.sides == 2 else " (one-sided)")


def probability(value: float) -> str:
    """`.88`."""
    return f"{value:.2f}".removeprefix("0") if value < 0.995 else "1.0" if value >= 1 else ">.99"


def met_text(met: MetEstimate) -> str:
    """`met` or `not met`, with P(met) and how it was read."""
    how = {"logits": "", "samples": f" from {met.samples} samples", "arithmetic": " by arithmetic", "none": ""}[met.how]
    if met.status == "observed" or met.status == "derived":
        return met.verdict
    if met.probability is None:
        return f"{met.verdict}   P(met) not given"
    calibrated = "" if met.calibrated else ", not calibrated"
    return f"{met.verdict}   P(met) {probability(met.probability)}{how}{calibrated}"


def estimate_text(contrast: Contrast) -> str:
    """`-0.58 [-0.75, -0.42] p<.001`, as far as posted."""
    parts = []
    if contrast.estimate is not None:
        parts.append(posted(contrast.estimate))
    interval = contrast.interval
    if interval is not None:
        low = "–" if interval.lower is None else posted(interval.lower)
        high = "–" if interval.upper is None else posted(interval.upper)
        level = f" {interval.level:g}% CI posted" if interval.level is not None else " CI posted"
        parts.append(f"[{low}, {high}]{level}")
    if contrast.p is not None:
        parts.append(p_text(contrast.p))
    return " ".join(parts)
