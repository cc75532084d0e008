"""Scores as rows of text and as sentences, for the terminal and for the card alike."""

from __future__ import annotations

from collections.abc import Iterator

from deepimagine_training.intervals import LEVEL, Estimate
from deepimagine_training.score_report import MODEL, Report
from deepimagine_training.scores import ALL, Difference, Metric, Subset

METRICS: tuple[Metric, ...] = ("accuracy", "macro-F1", "Brier", "direction", "e")
HEADERS = ("system", *METRICS)


def factors(report: Report) -> list[str]:
    """`all`, then the factors that were asked about."""
    found = dict.fromkeys(each.factor for each in report.scores.scores)
    return [ALL, *(factor for factor in found if factor != ALL)]


def rows(report: Report, factor: str = ALL, subset: Subset = "all") -> list[tuple[str, ...]]:
    """One row a system that says anything: its name, and every metric with its interval, pairs and trials."""
    found = []
    for system in report.scores.systems:
        cells = [report.scores.of(system.name, metric, factor, subset) for metric in METRICS]
        if any(cell is not None for cell in cells):
            found.append((system.name, *(cell_text(cell) for cell in cells)))
    return found


def cell_text(found: Estimate | None) -> str:
    """`0.71 [0.62, 0.80] 164/20`: value, interval, pairs and trials; no brackets where there are too few trials for one."""
    if found is None or found.value is None:
        return "-"
    bracket = "" if found.lower is None or found.upper is None else f" [{found.lower:.2f}, {found.upper:.2f}]"
    return f"{found.value:.2f}{bracket} {found.rows}/{found.trials}"


def comparisons(report: Report, factor: str = ALL, subset: Subset = "all") -> Iterator[str]:
    """A sentence for every metric and every other system."""
    for metric in METRICS:
        for each in report.scores.differences:
            if (each.system, each.metric, each.factor, each.subset) == (MODEL, metric, factor, subset):
                yield sentence(each)


def sentence(found: Difference) -> str:
    """`Brier: better than copying by 0.03 (95% interval 0.01 to 0.05, 20 trials)`, or that it cannot be told."""
    estimate = found.estimate
    about = f"{found.metric}: "
    if found.word == "not distinguishable":
        return f"{about}not distinguishable from {found.other} with {estimate.trials} trials{_interval(estimate, ' (', ')')}"
    size = abs(estimate.value or 0.0)
    return f"{about}{found.word} than {found.other} by {size:.3f}{_interval(estimate, ' (', f', {estimate.trials} trials)')}"


def _interval(found: Estimate, before: str, after: str) -> str:
    if found.lower is None or found.upper is None:
        return ""
    return f"{before}difference {found.value:+.3f}, {LEVEL:.0f}% interval {found.lower:+.3f} to {found.upper:+.3f}{after}"
