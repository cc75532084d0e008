"""How numbers and states read in figures, reports and tables."""

from __future__ import annotations

import math

from deepimagine_tui.reasoning.state import Configuration, ContrastEstimate, Interval, MetEstimate, Number, State, Status
from deepimagine_tui.text import one_line

MARKERS: dict[Status, str] = {"observed": "●", "derived": "■", "imagined": "○", "entered": "▣"}
"""A filled circle was posted, a hollow one imagined; squares were computed or typed."""

STATUS_MEANING: dict[Status, str] = {
    "observed": "posted in the registry",
    "derived": "computed from observed values",
    "imagined": "said by a model",
    "entered": "typed by the user",
}

NOT_CALIBRATED = "not calibrated"


def number_text(value: float) -> str:
    """A number for reading: at least four significant digits, whole from 1000 on, an exponent beyond 1e9 and below 1e-4."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("infinite" if value > 0 else "-infinite")
    size = abs(value)
    if size and not 1e-4 <= size < 1e9:
        return f"{value:.3g}"
    decimals = 0 if size >= 1000 else 3 - (math.floor(math.log10(size)) if size else 0)
    text = f"{value:.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def probability_text(probability: float) -> str:
    """A probability in two digits without the leading zero; never rounded to a certainty."""
    if 0.995 <= probability < 1:
        return ">.99"
    if 0 < probability < 0.005:
        return "<.01"
    return f"{probability:.2f}" if probability >= 1 else f"{probability:.2f}".removeprefix("0")


def interval_text(interval: Interval) -> str:
    """`[-1.1, -0.55] 90% PI`; a missing limit is infinite."""
    lower = "-∞" if interval.lower is None else number_text(interval.lower)
    upper = "∞" if interval.upper is None else number_text(interval.upper)
    lower, upper = same_decimals(lower, upper)
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


def value_text(number: Number) -> str:
    """The value, or why there is none."""
    if number.value is not None:
        return number_text(number.value)
    return one_line(number.note) or "no value"


def spread_text(number: Number) -> str:
    """What stands beside a value: interval, dispersion, participants; `not calibrated` for an imagined one without interval."""
    parts: list[str] = []
    if number.interval:
        parts.append(interval_text(number.interval))
    elif number.status == "imagined" and number.value is not None:
        parts.append(NOT_CALIBRATED)
    if number.dispersion is not None and number.dispersion_kind not in ("none", "CI"):
        parts.append(f"{number.dispersion_kind} {number_text(number.dispersion)}")
    if number.n is not None:
        parts.append(f"n {number.n}")
    if number.status == "entered":
        parts.append("entered")
    elif number.after_entered:
        parts.append("after an entered value")
    return ", ".join(parts)


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


def met_text(met: MetEstimate) -> str:
    """`P(met) .88`, or the verdict where there is no probability."""
    return met.verdict if met.probability is None else f"P(met) {probability_text(met.probability)}"


def met_how(met: MetEstimate) -> str:
    """Where the verdict comes from: posted, or which distribution, its mass, and whether calibrated."""
    if met.status == "observed":
        return "posted"
    if met.probability is None:
        return met.reason or "no probability from this model"
    how = f"frequency over {met.samples} samples" if met.how == "samples" else "logits" if met.how == "logits" else ""
    mass = "" if met.mass is None else f"mass {probability_text(met.mass)}"
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
    time = configuration.time.text if configuration.time else ""
    parts = (outcome.title, outcome.class_title, outcome.category, time, outcome.unit)
    return ", ".join(one_line(part) for part in parts if part.strip())


def measure_notes(configuration: Configuration) -> str:
    """Direction of benefit and analysis population, as far as known."""
    outcome = configuration.outcome
    parts = [] if outcome.benefit == "unknown" else [f"{outcome.benefit} is better"]
    if outcome.analysis_set != "unknown":
        parts.append(outcome.analysis_set)
    return ", ".join(parts)
