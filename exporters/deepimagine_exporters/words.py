"""How numbers and states read in figures, reports and tables."""

from __future__ import annotations

import math

from deepimagine_tui.reasoning.describe import number_text, rounded, time_text
from deepimagine_tui.reasoning.state import Configuration, ContrastEstimate, Interval, MetEstimate, Number, State, Status
from deepimagine_tui.reasoning.summary import NOT_CALIBRATED, format_interval, format_probability
from deepimagine_tui.text import one_line

STATUS_MEANING: dict[Status, str] = {
    "observed": "posted in the registry",
    "derived": "computed from observed values",
    "imagined": "said by a model",
    "entered": "typed by the user",
}


def _rounded_together(lower: float, upper: float) -> tuple[str, ...]:
    """Both limits to the decimals that give the larger one three significant digits."""
    largest = max(abs(lower), abs(upper))
    if not math.isfinite(largest) or largest == 0:
        return rounded(lower), rounded(upper)
    decimals = max(2 - math.floor(math.log10(largest)), 0)
    return same_decimals(number_text(round(lower, decimals)), number_text(round(upper, decimals)))


def p_text(p: float) -> str:
    """A p-value: `p .03`, `p < .001`."""
    return "p < .001" if p < 0.001 else f"p {f'{p:.2g}'.removeprefix('0')}"


def interval_text(interval: Interval) -> str:
    """`[-1.10, -0.55] 90% PI`: both limits with the same decimals; a one-sided interval names its side."""
    if interval.lower is None or interval.upper is None:
        return format_interval(interval)
    if interval.kind == "CI posted":
        lower, upper = same_decimals(number_text(interval.lower), number_text(interval.upper))
    else:
        lower, upper = _rounded_together(interval.lower, interval.upper)
    return f"[{lower}, {upper}] {number_text(interval.level)}% {interval.kind}"


def same_decimals(*texts: str) -> tuple[str, ...]:
    """Decimal numbers padded with zeros to the same number of decimals; anything else as it is."""
    decimals = [len(text.partition(".")[2]) for text in texts]
    most = max(decimals, default=0)
    if not most or any("e" in text for text in texts):
        return texts
    return tuple(
        text if not text[-1].isdigit() or own == most else (text if own else f"{text}.") + "0" * (most - own)
        for text, own in zip(texts, decimals, strict=True)
    )


def spread_text(number: Number, *, brief: bool = False) -> str:
    """What stands beside a value: interval, dispersion, participants, notes; `not calibrated` for an imagined one without
    interval. In brief, an imagined number has its interval only."""
    parts: list[str] = []
    if number.interval:
        parts.append(interval_text(number.interval))
    elif number.status == "imagined" and number.value is not None:
        parts.append(NOT_CALIBRATED)
    if not (brief and number.status == "imagined"):
        parts += _dispersion(number)
        if number.value is not None and number.note:
            parts.append(one_line(number.note))
    if number.after_entered and number.status != "entered":
        parts.append("after an entered value")
    return ", ".join(parts)


def _dispersion(number: Number) -> list[str]:
    parts = []
    kind = number.dispersion_kind
    if number.lower is not None and number.upper is not None and kind not in ("none", "CI"):
        parts.append(f"{kind} {number_text(number.lower)} to {number_text(number.upper)}")
    elif number.dispersion is not None and kind not in ("none", "CI"):
        parts.append(f"{kind} {rounded(number.dispersion)}")
    if number.n is not None:
        parts.append(f"n {number.n}")
    return parts


def contrast_name(contrast: ContrastEstimate) -> str:
    """What is compared with what: `k1 - k2`, `k2 / k1`, with the scale where it is not a plain difference."""
    symbols = {"a-b": "k1 - k2", "b-a": "k2 - k1", "a/b": "k1 / k2", "b/a": "k2 / k1", "unknown": "k1 with k2"}
    scale = contrast.scale or contrast.kind
    if contrast.kind == "difference" and contrast.orientation != "unknown":
        return symbols[contrast.orientation]
    return f"{scale}, {symbols[contrast.orientation]}"


def contrast_spread(contrast: ContrastEstimate) -> str:
    """What stands beside a contrast: interval, p, hypothesis."""
    parts = [spread_text(contrast.number), contrast.p_text]
    if contrast.number.status == "observed" and contrast.hypothesis not in ("unknown", "superiority"):
        parts.append(contrast.hypothesis)
    return ", ".join(part for part in parts if part)


_HOW = {
    "logits": "logits",
    "samples": "frequency over {samples} samples",
    "arithmetic": "from values and standard errors",
    "none": "",
}


def met_how(met: MetEstimate) -> str:
    """Where the verdict comes from: posted, or which distribution, its mass, and whether calibrated."""
    if met.status == "observed":
        return "posted"
    if met.probability is None:
        return met.reason or "no probability from this model"
    how = _HOW[met.how].format(samples=met.samples)
    mass = "" if met.mass is None else f"mass {format_probability(met.mass)}"
    if met.how == "arithmetic":
        return how
    return ", ".join(part for part in (how, mass, "calibrated" if met.calibrated else NOT_CALIBRATED) if part)


def state_status(state: State) -> Status:
    """The status of a state as a whole: that of k1's value, else of the contrast, else of the verdict."""
    for number in (state.arm_value, state.contrast.number if state.contrast else None):
        if number is not None:
            return number.status
    return state.met.status if state.met else "observed"


def comparison_text(configuration: Configuration) -> str:
    """`Glivazin 10 mg vs Placebo`; a single arm alone."""
    arm = one_line(configuration.arm.label)
    return f"{arm} vs {one_line(configuration.comparator.label)}" if configuration.comparator else arm


def outcome_text(configuration: Configuration) -> str:
    """Measure, class, category, time and unit."""
    outcome = configuration.outcome
    time = time_text(configuration.time) if configuration.time else ""
    parts = (outcome.title, outcome.class_title, outcome.category, time, outcome.unit)
    return ", ".join(one_line(part) for part in parts if part.strip())


def measure_notes(configuration: Configuration) -> str:
    """Direction of benefit and analysis population, as far as known."""
    outcome = configuration.outcome
    parts = [] if outcome.benefit == "unknown" else [f"{outcome.benefit} is better"]
    if outcome.analysis_set != "unknown":
        parts.append(outcome.analysis_set)
    return ", ".join(parts)
