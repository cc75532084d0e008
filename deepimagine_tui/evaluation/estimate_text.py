"""Scores and differences as cells of a table and as sentences; no number without its trials."""

from __future__ import annotations

from collections.abc import Sequence

from deepimagine_tui.evaluation.intervals import Estimate, Word
from deepimagine_tui.evaluation.metrics import Difference, Metric

PERCENT: frozenset[Metric] = frozenset(
    {"macro-F1", "balanced accuracy", "accuracy", "direction", "stated direction", "coverage"}
)
"""Metrics that are shown in percent, as leaderboards have them; the others as they are."""
NOTHING = "-"

SAID: dict[Word, str] = {
    "better": "better than",
    "worse": "worse than",
    "not distinguishable": "not distinguishable from",
}
"""How a comparison is said, before the name of the other."""


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


def sentence(metric: Metric, found: Sequence[Difference]) -> str:
    """What a system is to others by one metric: `macro-F1: better than rag (+3.1 [+0.4, +6.6]); not distinguishable from ffnn
    (470 questions of 249 trials)`. With the differences of those that it is better or worse than; how many questions and trials
    stand at the end, or where they differ, beside each name."""
    sizes = list(dict.fromkeys(map(_sizes, found)))
    texts: dict[Word, list[str]] = {word: [] for word in SAID}
    for one in found:
        size = change(one, with_rows=False) if one.word != "not distinguishable" else ""
        beside = ", ".join(filter(None, (size, _sizes(one) if len(sizes) > 1 else "")))
        texts[one.word].append(f"{one.other} ({beside})" if beside else one.other)
    said = "; ".join(f"{SAID[word]} {', '.join(names)}" for word, names in texts.items() if names)
    return f"{metric}: {said} ({sizes[0]})" if len(sizes) == 1 else f"{metric}: {said}"


def _signed(value: float, metric: Metric) -> str:
    return f"{100 * value:+.1f}" if metric in PERCENT else f"{value:+.3f}"


def _sizes(found: Difference) -> str:
    rows, trials = found.estimate.rows, found.estimate.trials
    return f"{rows:,} {'question' if rows == 1 else 'questions'} of {trials:,} {'trial' if trials == 1 else 'trials'}"
