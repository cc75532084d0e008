"""A number as text, never without its status: mark, word, label, value, and what is known of it."""

from __future__ import annotations

from typing import NamedTuple

from deepimagine_tui.cli.console import mark
from deepimagine_tui.reasoning.describe import arm_text, number_text, value_text
from deepimagine_tui.reasoning.state import ContrastEstimate, Interval, MetEstimate, Number, Source, State
from deepimagine_tui.text import one_line


class Line(NamedTuple):
    """One aligned row: `word` is the status, `detail` the interval, dispersion, n and source."""

    mark: str
    word: str
    label: str
    value: str
    detail: str


def lines_of_state(state: State) -> list[Line]:
    """Both arms' values, their contrast, the verdict and the z-test of a state."""
    configuration = state.configuration
    rows = []
    if state.arm_value:
        rows.append(number_line(arm_text(configuration.arm), state.arm_value))
    if state.comparator_value and configuration.comparator:
        rows.append(number_line(arm_text(configuration.comparator), state.comparator_value))
    if state.contrast:
        rows.append(contrast_line(state.contrast))
    if state.met:
        rows.append(met_line(state.met))
    if state.z_test:
        test = state.z_test
        agreement = "agrees with the verdict" if test.agrees else "disagrees with the verdict"
        verdict = "met" if test.met else "not met"
        rows.append(Line(_mark_of_state(state), "derived", "z-test", verdict, f"p {_p_text(test.p)}, {agreement}"))
    return rows


def number_line(label: str, number: Number, *, word: str = "") -> Line:
    """One value. `word` replaces the status, e.g. `posted` for an observed value that is revealed.

    The dispersion and n beside an imagined value are not the model's: they were carried over from the step's source, and are
    shown as assumed.
    """
    spread = [_dispersion_text(number), "" if number.n is None else f"n {number.n}"]
    parts = [number.unit, interval_text(number.interval)]
    if number.status == "imagined":
        if number.interval is None and number.value is not None:
            parts.append("(not calibrated)")
        assumed = ", ".join(part for part in spread if part)
        parts.append(f"assuming {assumed}" if assumed else "")
    else:
        parts += spread
    parts.append(source_text(number.source))
    if number.after_entered and number.status != "entered":
        parts.append("(after an entered value)")
    return Line(mark(number.status), word or number.status, one_line(label), value_text(number), _joined(parts))


def contrast_line(contrast: ContrastEstimate, *, word: str = "") -> Line:
    """The comparison of k1 with k2."""
    line = number_line(contrast.scale or contrast.kind, contrast.number, word=word)
    unsure = "(which minus which is not known)" if contrast.orientation == "unknown" else ""
    return line._replace(detail=_joined([line.detail, contrast.p_text, unsure]))


def met_line(met: MetEstimate, *, word: str = "") -> Line:
    """The verdict, with P(met) and where it was read from."""
    parts = []
    if met.probability is not None:
        how = {
            "logits": "read from the model's own distribution",
            "samples": f"frequency over {met.samples} samples",
            "arithmetic": "arithmetic, no model",
            "none": "",
        }
        parts += [f"P(met) {probability_text(met.probability)}", how[met.how]]
        if met.mass is not None:
            parts.append(f"mass {probability_text(met.mass)}")
        parts.append("calibrated" if met.calibrated else "(not calibrated)")
    elif met.status == "imagined":
        parts.append("no probability: this backend gives none")
    parts.append(one_line(met.reason))
    return Line(mark(met.status), word or met.status, "verdict", met.verdict, ", ".join(part for part in parts if part))


def probability_text(value: float) -> str:
    """A probability or share with two digits, `.88`; never rounded to a certainty that it is not."""
    if 0 < value < 0.005:
        return "<.01"
    if 0.995 < value < 1:
        return ">.99"
    return f"{value:.2f}".removeprefix("0")


def interval_text(interval: Interval | None) -> str:
    """The limits with level and kind: `[-1.10, -0.55] 90% PI`."""
    if interval is None:
        return ""
    lower = "" if interval.lower is None else number_text(interval.lower)
    upper = "" if interval.upper is None else number_text(interval.upper)
    sides = f"[{lower}, {upper}]" if lower and upper else f"[at least {lower}]" if lower else f"[at most {upper}]"
    return f"{sides} {number_text(interval.level)}% {interval.kind}"


def source_text(source: Source | None) -> str:
    """Where an observed number stands in the registry: trial, group or contrast, class."""
    if source is None:
        return ""
    place = source.group_id or ("" if source.contrast_index is None else f"analysis {source.contrast_index + 1}")
    parts = [source.nct_id, place, source.class_title, source.category]
    return "<" + one_line(" ".join(part for part in parts if part)) + ">"


def _imagined(state: State) -> bool:
    return any(number is not None and number.status == "imagined" for number in (state.arm_value, state.comparator_value))


def _mark_of_state(state: State) -> str:
    return mark("imagined" if _imagined(state) else "derived")


def _dispersion_text(number: Number) -> str:
    if number.dispersion is not None:
        return f"{number.dispersion_kind} {number_text(number.dispersion)}"
    if number.lower is not None and number.upper is not None:
        return f"{number.dispersion_kind} {number_text(number.lower)} to {number_text(number.upper)}"
    return ""


def _p_text(p: float) -> str:
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def _joined(parts: list[str]) -> str:
    return "  ".join(part for part in parts if part)
