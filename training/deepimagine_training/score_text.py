"""Scores as rows of text and as sentences, for the terminal and for the card alike."""

from __future__ import annotations

from collections.abc import Iterator

from deepimagine_training.score_report import MODEL, Report
from deepimagine_training.scores import ALL, Difference, Metric, Subset
from deepimagine_tui.evaluation.intervals import LEVEL, Estimate

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
    """`Brier: better than copying (difference -0.030, 95% interval -0.050 to -0.010, 20 trials)`, or that it cannot be told."""
    estimate = found.estimate
    trials = f"{estimate.trials} trials"
    size = ""
    if estimate.value is not None and estimate.lower is not None and estimate.upper is not None:
        interval = f"{LEVEL:.0f}% interval {estimate.lower:+.3f} to {estimate.upper:+.3f}"
        size = f"difference {estimate.value:+.3f}, {interval}"
    if found.word == "not distinguishable":
        return f"{found.metric}: not distinguishable from {found.other} with {trials}" + (f" ({size})" if size else "")
    return f"{found.metric}: {found.word} than {found.other} ({size}, {trials})"
