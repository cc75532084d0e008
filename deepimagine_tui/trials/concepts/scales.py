"""What the parameter of an analysis is: a difference, a ratio, a slope, or a test statistic, and its null value.

Source fields: `paramType`, the outcome's unit, then the estimate itself for percent ratios.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.results import ContrastKind

_SLOPE = re.compile(r"\bslope\b|\bregression coefficient\b|\bper unit\b|\bcorrelation\b|\bcoefficient\b")
_TEST = re.compile(
    r"\b(?:test )?statistic\b|\bchi-?square|\bz[- ]score\b|\bt[- ]value\b|\bf[- ]value\b|\bkappa\b|\bicc\b"
    r"|\bintra-?class\b|\bp-?value\b",
)
_RATIO = re.compile(
    r"\bratios?\b|\b(?:hr|or|rr|gmr|irr|aor|ahr)\b|\brelative (?:risk|rate)(?! reduction)|\bfold\b|\bhazards?\b"
    r"|\bproportional hazard|\bodds\b|\bgeometric mean fold\b|\bquotient\b",
)
_DIFFERENCE = re.compile(
    r"\bdiff(?:erence|\b)|\bminus\b|\bchange\b|\bdelta\b|\btreatment effect\b|\breduction\b"
    r"|\bestimated? (?:treatment )?effect\b|\bls ?means?\b|\bcontrast\b|\bshift\b|\bhodges|\brd\b|\barr\b",
)
_EFFICACY = re.compile(
    r"\bvaccine efficacy\b|\befficacy\b|\brelative (?:risk|rate) reduction\b|\bprotective\b|\b1 ?- ?(?:hazard|risk|rate|odds)",
)
_PERCENT_RATIO = re.compile(r"\bratio\b.*(?:%|percent|ln-transformed|log-transformed)")
_LOG = re.compile(r"\blog(?:10|2|e)?\b|\bln\b")
_IN_PERCENT = re.compile(r"%|percent|ln-transformed|log-transformed")
_NEVER_PERCENT = re.compile(r"\bodds\b|\bhazards?\b|\brisk\b|\bfold\b")

PERCENT_RATIO_FROM = 25.0
"""A ratio stated in percent lies far above what a plain ratio reaches."""


@lru_cache(maxsize=4096)
def contrast_kind(parameter: str, has_estimate: bool) -> ContrastKind:
    """The kind of a contrast with this parameter name; `test only` when no estimate was posted."""
    if not has_estimate:
        return "test only"
    parameter = parameter.lower()
    if _SLOPE.search(parameter):
        return "slope"
    if _TEST.search(parameter):
        return "test only"
    if _EFFICACY.search(parameter):
        return "other"
    if _PERCENT_RATIO.search(parameter):
        return "ratio"
    if _DIFFERENCE.search(parameter) and not re.search(r"\bratio of\b|\bratio\b(?!.*difference)", parameter):
        return "difference"
    if _RATIO.search(parameter) and not _LOG.search(parameter):
        return "ratio"
    return "difference" if _LOG.search(parameter) and _RATIO.search(parameter) else "other"


@lru_cache(maxsize=4096)
def null_value(kind: ContrastKind, parameter: str, unit: str, estimate: float | None) -> float | None:
    """The value of no effect: 0 for differences and slopes, 1 for ratios, 100 for ratios in percent; `None` otherwise."""
    if kind in ("difference", "slope"):
        return 0.0
    if kind != "ratio":
        return None
    if estimate is None or estimate < PERCENT_RATIO_FROM or _NEVER_PERCENT.search(parameter.lower()):
        return 1.0
    return 100.0 if _IN_PERCENT.search(f"{parameter} {unit}".lower()) else 1.0
