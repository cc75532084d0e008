"""What follows from two posted arm values without a model: a difference or a ratio with its confidence interval.

Values of kind `share` give a difference in percentage points (Newcombe 1998, method 10, from Wilson limits); `signed` a
difference (normal approximation); `positive` a ratio (normal approximation on the logarithm). Nothing is derived from medians
of times to event.
"""

from __future__ import annotations

import math
import re
from statistics import NormalDist

from deepimagine_tui.reasoning.state import ContrastEstimate, Interval, Number, OutcomeSpec

LEVEL = 95.0
_Z = NormalDist().inv_cdf(0.5 + LEVEL / 200)
_PERCENT = re.compile(r"%|\bpercent", re.I)
_FRACTION = re.compile(r"\bproportion|\bprobability", re.I)
_MEDIAN = re.compile(r"\bmedian\b", re.I)


def z_of_level(level: float) -> float:
    """The two-sided standard normal quantile of a confidence level in percent, in (0, 100)."""
    return NormalDist().inv_cdf(0.5 + level / 200)


def share_of(number: Number, outcome: OutcomeSpec) -> float | None:
    """The share in [0, 1] that a value of kind `share` stands for; `None` when unit and n do not tell."""
    if outcome.kind != "share" or number.value is None:
        return None
    if outcome.parameter.startswith("count of"):
        share = number.value / number.n if number.n else None
    elif _PERCENT.search(outcome.unit):
        share = number.value / 100
    elif _FRACTION.search(outcome.unit):
        share = number.value
    else:
        share = number.value / number.n if number.n else None
    return share if share is not None and 0 <= share <= 1 else None


def standard_deviation(number: Number) -> float | None:
    """The participants' standard deviation behind a mean: SD; SE * sqrt n; half-width / z * sqrt n of a CI; IQR / 1.35."""
    width = _width(number)
    match number.dispersion_kind:
        case "SD":
            deviation = number.dispersion
        case "SE" if number.dispersion is not None and number.n:
            deviation = number.dispersion * math.sqrt(number.n)
        case "CI" if width is not None and number.n and number.interval and 0 < number.interval.level < 100:
            deviation = width / 2 / z_of_level(number.interval.level) * math.sqrt(number.n)
        case "IQR" if number.lower is not None and number.upper is not None:
            deviation = (number.upper - number.lower) / 1.35
        case _:
            deviation = None
    return deviation if deviation is not None and deviation > 0 else None


def standard_error(number: Number) -> float | None:
    """The standard error of a mean, from its SE, SD and n, or CI; `None` for medians' ranges and missing dispersions."""
    if number.dispersion_kind == "IQR":
        return None
    deviation = standard_deviation(number)
    if number.dispersion_kind == "SE":
        return number.dispersion if number.dispersion and number.dispersion > 0 else None
    if number.dispersion_kind == "CI" and not number.n:
        width = _width(number)
        level = number.interval.level if number.interval else 0.0
        return width / 2 / z_of_level(level) if width and 0 < level < 100 else None
    return deviation / math.sqrt(number.n) if deviation is not None and number.n else None


def contrast_of(arm: Number, comparator: Number, outcome: OutcomeSpec) -> ContrastEstimate | None:
    """k1 - k2, or k1 / k2 for positive quantities, as a `derived` number; `None` where none follows from the values."""
    if arm.value is None or comparator.value is None:
        return None
    if outcome.kind == "share":
        return _share_difference(arm, comparator, outcome)
    if outcome.kind == "signed":
        return _difference(arm, comparator, outcome)
    if outcome.kind == "positive" and arm.value > 0 and comparator.value > 0:
        return _ratio(arm, comparator, outcome)
    return None


def _share_difference(arm: Number, comparator: Number, outcome: OutcomeSpec) -> ContrastEstimate | None:
    first, second = share_of(arm, outcome), share_of(comparator, outcome)
    if first is None or second is None:
        return None
    interval = None
    if arm.n and comparator.n:
        (low1, high1), (low2, high2) = wilson(first, arm.n), wilson(second, comparator.n)
        delta = first - second
        interval = _interval(
            100 * (delta - math.hypot(first - low1, high2 - second)), 100 * (delta + math.hypot(high1 - first, second - low2))
        )
    number = Number(_tidy(100 * (first - second)), "derived", "percentage points", interval)
    return ContrastEstimate(number, "difference", "risk difference", 0.0, "a-b")


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95% score limits of a share observed in `n` (Wilson 1927)."""
    centre = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def _difference(arm: Number, comparator: Number, outcome: OutcomeSpec) -> ContrastEstimate:
    assert arm.value is not None
    assert comparator.value is not None
    delta = arm.value - comparator.value
    interval = None
    errors = standard_error(arm), standard_error(comparator)
    if errors[0] is not None and errors[1] is not None and not _MEDIAN.search(outcome.parameter):
        half = _Z * math.hypot(errors[0], errors[1])
        interval = _interval(delta - half, delta + half)
    scale = "median difference" if _MEDIAN.search(outcome.parameter) else "mean difference"
    return ContrastEstimate(Number(_tidy(delta), "derived", outcome.unit, interval), "difference", scale, 0.0, "a-b")


def _ratio(arm: Number, comparator: Number, outcome: OutcomeSpec) -> ContrastEstimate:
    assert arm.value is not None
    assert comparator.value is not None
    ratio = arm.value / comparator.value
    interval = None
    errors = log_error(arm, outcome), log_error(comparator, outcome)
    if errors[0] is not None and errors[1] is not None:
        half = _Z * math.hypot(errors[0], errors[1])
        if half < 50:
            interval = _interval(ratio * math.exp(-half), ratio * math.exp(half))
    return ContrastEstimate(Number(_tidy(ratio), "derived", "ratio", interval), "ratio", "ratio of values", 1.0, "a/b")


def log_error(number: Number, outcome: OutcomeSpec) -> float | None:
    """The standard error of ln(value): from a CI on the log scale, a geometric CV, or by the delta method from a mean's SE."""
    assert number.value is not None
    if number.dispersion_kind == "CI" and number.interval and number.interval.lower and number.interval.upper:
        low, high, level = number.interval.lower, number.interval.upper, number.interval.level
        return math.log(high / low) / (2 * z_of_level(level)) if 0 < low < high and 0 < level < 100 else None
    if number.dispersion_kind == "geometric CV" and number.dispersion and number.dispersion > 0 and number.n:
        return math.sqrt(math.log1p((number.dispersion / 100) ** 2) / number.n)
    if _MEDIAN.search(outcome.parameter) or "geometric" in outcome.parameter:
        return None
    error = standard_error(number)
    return error / number.value if error is not None else None


def _width(number: Number) -> float | None:
    interval = number.interval
    if interval is None or interval.lower is None or interval.upper is None or interval.upper < interval.lower:
        return None
    return interval.upper - interval.lower


def _interval(lower: float, upper: float) -> Interval:
    return Interval(_tidy(lower), _tidy(upper), LEVEL, "CI")


def _tidy(value: float) -> float:
    """`value` to ten significant digits: subtraction's noise is no result."""
    return float(f"{value:.10g}")
