"""Posted values as numbers of a state: cells of two groups, the contrast between them, and the verdict it carries."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.state import ContrastEstimate, Interval, MetEstimate, Number, Source
from deepimagine_tui.trials.concepts.verdicts import verdict, verdict_reason
from deepimagine_tui.trials.results import Cell, Contrast, Orientation, Outcome, PValue, TimePoint

_FLIPPED: dict[Orientation, Orientation] = {"a-b": "b-a", "b-a": "a-b", "a/b": "b/a", "b/a": "a/b", "unknown": "unknown"}
_MATCH_TOLERANCE = 0.02
_START = re.compile(
    r"^(?:at )?(?:baseline|screening|pre|pre-?(?:dose|treatment|vaccination|randomi[sz]ation|operative|test|study)"
    r"|randomi[sz]ation|day 0|week 0)\b"
    r"(?!.*\b(?:change|end ?point|final|last|difference|to (?:week|month|day|end)))",
    re.I,
)


def find_cell(outcome: Outcome, group_id: str, class_title: str, category: str) -> Cell | None:
    """The posted cell of a group at one class and category; `None` when there is none."""
    for cell in outcome.cells:
        if cell.group_id == group_id and cell.class_title == class_title and cell.category == category:
            return cell
    return None


def places(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """The (class, category) pairs of an outcome, in the order posted."""
    return tuple(dict.fromkeys((cell.class_title, cell.category) for cell in outcome.cells))


def is_start(place: str) -> bool:
    """Whether a class tells of the start (`Baseline`, `Screening`), before anything could have an effect."""
    return _START.match(place) is not None


def later_places(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """The places of an outcome but those of the start; all of them where nothing else is posted."""
    later = tuple(place for place in places(outcome) if not is_start(place[0]))
    return later or places(outcome)


def time_of(outcome: Outcome, cell: Cell) -> TimePoint | None:
    """When a cell was measured: its own time, else the outcome's; the time frame's words where no single time is named."""
    return cell.time or outcome.time or (TimePoint(outcome.time_frame) if outcome.time_frame else None)


def number_of(nct_id: str, outcome: Outcome, cell: Cell) -> Number:
    """A cell as an `observed` number with its place in the registry."""
    limits = cell.lower, cell.upper
    interval = None
    if outcome.dispersion_kind == "CI" and outcome.dispersion_level and limits != (None, None):
        interval = Interval(cell.lower, cell.upper, outcome.dispersion_level, "CI posted")
    has_spread = outcome.dispersion_kind in ("IQR", "range", "other") and limits != (None, None)
    return Number(
        cell.value,
        "observed",
        outcome.unit,
        interval,
        outcome.dispersion_kind,
        cell.dispersion,
        cell.n,
        Source(nct_id, outcome.id, cell.group_id, cell.class_title, cell.category),
        note="" if cell.state == "value" else cell.state,
        lower=cell.lower if has_spread else None,
        upper=cell.upper if has_spread else None,
    )


def posted_contrast(outcome: Outcome, k1: str, k2: str, cells: tuple[Cell, Cell]) -> Contrast | None:
    """The posted two-group comparison of k1 with k2 that belongs to these cells; `None` when there is none.

    An estimate goes before a bare test, superiority before other hypotheses, then the order posted. A p-value posted in an
    entry of its own is joined to the estimate. Where an outcome has several classes and the comparison names none, it counts
    only if all others are of the start, or the arm values show that it is theirs.
    """
    found = [
        c for c in outcome.contrasts if len(c.group_ids) == 2 and set(c.group_ids) == {k1, k2} and _belongs(c, outcome, cells)
    ]
    if not found:
        return None
    best = min(found, key=_rank)
    if best.p is None and best.estimate is not None:
        test = next(
            (c for c in found if c.p is not None and c.estimate is None and _superiority(c) == _superiority(best)), None
        )
        if test is not None:
            significant = test.significant if best.significant is None else best.significant
            favours = best.favours or test.favours
            best = replace(best, p=test.p, significant=significant, favours=favours, alpha=best.alpha or test.alpha)
    return best


def _rank(contrast: Contrast) -> tuple[bool, bool, bool, int]:
    return contrast.estimate is None, not _superiority(contrast), contrast.interval is None, contrast.index


def _superiority(contrast: Contrast) -> bool:
    return contrast.hypothesis in ("superiority", "superiority (assumed)")


def _belongs(contrast: Contrast, outcome: Outcome, cells: tuple[Cell, Cell]) -> bool:
    if contrast.class_title:
        return contrast.class_title == cells[0].class_title and _single_category(outcome, cells[0].class_title)
    if len(later_places(outcome)) == 1:
        return later_places(outcome)[0] == (cells[0].class_title, cells[0].category)
    first, second = cells[0].value, cells[1].value
    if contrast.kind != "difference" or contrast.estimate is None or first is None or second is None or first == second:
        return False
    return abs(abs(first - second) - abs(contrast.estimate)) <= _MATCH_TOLERANCE * abs(contrast.estimate) + 1e-9


def _single_category(outcome: Outcome, class_title: str) -> bool:
    return len({category for title, category in places(outcome) if title == class_title}) == 1


def usable(outcome: Outcome, k1: str, k2: str, cells: tuple[Cell, Cell]) -> bool:
    """Whether two cells make a comparison: both have values, or a median was not reached and a contrast answers instead."""
    missing = [cell for cell in cells if cell.value is None]
    if not missing:
        return True
    if any(cell.state not in ("not reached", "not estimable") for cell in missing):
        return False
    contrast = posted_contrast(outcome, k1, k2, cells)
    return contrast is not None and contrast.estimate is not None


def estimate_of(nct_id: str, outcome: Outcome, contrast: Contrast, k1: str) -> ContrastEstimate:
    """A posted estimate with a = k1, b = k2. Turned round (then `derived`) only where its orientation is known."""
    orientation = contrast.orientation if contrast.group_ids[0] == k1 else _FLIPPED[contrast.orientation]
    unit = "ratio" if contrast.kind == "ratio" else contrast.unit or outcome.unit
    if contrast.kind == "ratio" and contrast.null == 100:
        unit = "%"
    interval = None
    if contrast.interval and contrast.interval.level:
        interval = Interval(contrast.interval.lower, contrast.interval.upper, contrast.interval.level, "CI posted")
    number = Number(
        contrast.estimate,
        "observed",
        unit,
        interval,
        contrast.dispersion_kind,
        contrast.dispersion,
        source=Source(nct_id, outcome.id, class_title=contrast.class_title, contrast_index=contrast.index),
    )
    if orientation in ("b-a", "b/a"):
        turned = _turn(number, orientation, contrast.null)
        if turned is not None:
            number, orientation = turned, "a-b" if orientation == "b-a" else "a/b"
    return ContrastEstimate(
        number, contrast.kind, contrast.scale, contrast.null, orientation, contrast.hypothesis, p_text(contrast.p)
    )


def _turn(number: Number, orientation: Orientation, null: float | None) -> Number | None:
    """The same comparison the other way round; `None` for a ratio that cannot be inverted."""
    value, interval = number.value, number.interval
    if value is None:
        return None
    if orientation == "b-a":
        limits = None if interval is None else (_negated(interval.upper), _negated(interval.lower))
        turned = _negated(value)
    else:
        square = (null or 1.0) ** 2
        ends = () if interval is None else tuple(end for end in (interval.lower, interval.upper) if end is not None)
        if value <= 0 or any(end <= 0 for end in ends):
            return None
        limits = None if interval is None else (_inverse(interval.upper, square), _inverse(interval.lower, square))
        turned = _inverse(value, square)
    kept = Interval(limits[0], limits[1], interval.level, "CI") if limits and interval else None
    error = number.dispersion if orientation == "b-a" else None
    return replace(
        number,
        value=turned,
        status="derived",
        interval=kept,
        dispersion=error,
        dispersion_kind=number.dispersion_kind if error is not None else "none",
        note="posted the other way round",
    )


def _negated(value: float | None) -> float | None:
    return None if value is None else -value + 0.0


def _inverse(value: float | None, square: float) -> float | None:
    return None if value is None else float(f"{square / value:.10g}")


def p_text(p: PValue | None) -> str:
    """`p = 0.003`, `p < 0.001 (one-sided)`; empty when none was posted."""
    if p is None:
        return ""
    return f"p {p.operator} {number_text(p.value)}" + (" (one-sided)" if p.sides == 1 else "")


def met_of(contrast: Contrast | None, k1: str) -> MetEstimate:
    """The verdict that a posted comparison carries for k1, `derived` by the one rule; undetermined, with the reason, else."""
    if contrast is None:
        return MetEstimate("undetermined", "derived", reason="No two-group comparison of these arms was posted for this value.")
    return MetEstimate(verdict(contrast, k1), "derived", reason=verdict_reason(contrast, k1))
