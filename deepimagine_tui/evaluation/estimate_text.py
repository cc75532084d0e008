"""Scores and differences as cells of a table and as sentences; no number without its trials."""

from __future__ import annotations

from deepimagine_tui.evaluation.intervals import LEVEL, Estimate
from deepimagine_tui.evaluation.metrics import Difference, Metric

PERCENT: frozenset[Metric] = frozenset(
    {"macro-F1", "balanced accuracy", "accuracy", "direction", "stated direction", "coverage"}
)
"""Metrics that are shown in percent, as leaderboards have them; the others as they are."""
NOTHING = "-"


def cell(found: Estimate | None, metric: Metric, *, with_rows: bool = True) -> str:
    """`61.2 [55.0, 67.1] 470/249`: the value, its interval, and unless they stand beside it rows and trials; no brackets with
    too few programmes for one."""
    if found is None or found.value is None:
        return NOTHING
    bracket = ""
    if found.lower is not None and found.upper is not None:
        bracket = f" [{number(found.lower, metric)}, {number(found.upper, metric)}]"
    sizes = f" {found.rows:,}/{found.trials:,}" if with_rows else ""
    return f"{number(found.value, metric)}{bracket}{sizes}"


def number(value: float, metric: Metric) -> str:
    """A value as the metric is shown."""
    return f"{100 * value:.1f}" if metric in PERCENT else f"{value:.3f}"


def change(found: Difference, *, with_rows: bool = True) -> str:
    """`+3.1 [-0.4, +6.6] 470/249`: a difference, its interval, and unless they stand beside it rows and trials."""
    estimate = found.estimate
    if estimate.value is None:
        return NOTHING
    bracket = ""
    if estimate.lower is not None and estimate.upper is not None:
        bracket = f" [{_signed(estimate.lower, found.metric)}, {_signed(estimate.upper, found.metric)}]"
    sizes = f" {estimate.rows:,}/{estimate.trials:,}" if with_rows else ""
    return f"{_signed(estimate.value, found.metric)}{bracket}{sizes}"


def verdict(found: Difference) -> str:
    """`better than rag`, or `not distinguishable from rag with 249 trials`."""
    if found.word == "not distinguishable":
        return f"not distinguishable from {found.other} with {found.estimate.trials:,} {_trials(found.estimate)}"
    return f"{found.word} than {found.other}"


def sentence(found: Difference) -> str:
    """`macro-F1: better than rag (difference +3.1, 95% interval +0.4 to +6.6; 470 questions of 249 trials)`."""
    estimate = found.estimate
    sizes = f"{estimate.rows:,} {'question' if estimate.rows == 1 else 'questions'} of {estimate.trials:,} {_trials(estimate)}"
    if estimate.value is None or estimate.lower is None or estimate.upper is None:
        return f"{found.metric}: {verdict(found)} ({sizes})"
    limits = f"{_signed(estimate.lower, found.metric)} to {_signed(estimate.upper, found.metric)}"
    size = f"difference {_signed(estimate.value, found.metric)}, {LEVEL:.0f}% interval {limits}"
    return f"{found.metric}: {verdict(found)} ({size}; {sizes})"


def _signed(value: float, metric: Metric) -> str:
    return f"{100 * value:+.1f}" if metric in PERCENT else f"{value:+.3f}"


def _trials(found: Estimate) -> str:
    return "trial" if found.trials == 1 else "trials"
