"""A run, a state, a change and a number in one line of plain text: for lists of runs, narration and file names' neighbours."""

from __future__ import annotations

from deepimagine_tui.reasoning.describe import arm_text, number_text, time_text
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, WhatIf
from deepimagine_tui.reasoning.state import (
    Configuration,
    ContrastEstimate,
    Interval,
    MetEstimate,
    Number,
    Perturbation,
    State,
    Status,
)
from deepimagine_tui.text import one_line

MARKS: dict[Status, str] = {"observed": "●", "derived": "◆", "imagined": "○", "entered": "✎"}
"""The mark of each status: solid where it was posted or computed from posted values, hollow where a model said it."""

NOT_CALIBRATED = "not calibrated"


def format_number(number: Number) -> str:
    """`○ -0.84 % [-1.10, -0.55] 90% PI`; without an interval an imagined number is `not calibrated`."""
    value = number_text(number.value) if number.value is not None else one_line(number.note) or "no value"
    parts = [MARKS[number.status], value, one_line(number.unit)]
    if number.interval is not None:
        parts.append(format_interval(number.interval))
    elif number.status == "imagined" and number.value is not None:
        parts.append(NOT_CALIBRATED)
    if number.after_entered and number.status != "entered":
        parts.append("after an entered value")
    return " ".join(part for part in parts if part)


def format_interval(interval: Interval) -> str:
    """The limits with level and kind: `[-1.1, -0.55] 90% PI`; one-sided ones name the side."""
    level = f"{number_text(interval.level)}% {interval.kind}"
    if interval.lower is None and interval.upper is None:
        return ""
    if interval.upper is None:
        return f"[at least {number_text(interval.lower or 0.0)}] {level}"
    if interval.lower is None:
        return f"[at most {number_text(interval.upper)}] {level}"
    return f"[{number_text(interval.lower)}, {number_text(interval.upper)}] {level}"


def format_probability(probability: float) -> str:
    """Two digits without the leading zero, `.88`; never rounded to a certainty that it is not."""
    if 0 < probability < 0.005:
        return "<.01"
    if 0.995 <= probability < 1:
        return ">.99"
    return f"{probability:.2f}".removeprefix("0")


def format_met(met: MetEstimate) -> str:
    """`met, P(met) .88`; the verdict alone where there is no probability."""
    return met.verdict if met.probability is None else f"{met.verdict}, P(met) {format_probability(met.probability)}"


def format_contrast(contrast: ContrastEstimate) -> str:
    """The scale and its number."""
    return f"{one_line(contrast.scale or contrast.kind)} {format_number(contrast.number)}"


def describe_configuration(configuration: Configuration) -> str:
    """`10 mg vs placebo, HbA1c change, week 24`."""
    arm = one_line(arm_text(configuration.arm))
    compared = f"{arm} vs {one_line(arm_text(configuration.comparator))}" if configuration.comparator is not None else arm
    time = time_text(configuration.time) if configuration.time is not None else ""
    return ", ".join(part for part in (compared, one_line(configuration.outcome.title), one_line(time)) if part)


def describe_state(state: State) -> str:
    """The result of a state: k1's value, else the contrast, and the verdict where there is one."""
    parts = []
    if state.arm_value is not None:
        parts.append(format_number(state.arm_value))
    elif state.contrast is not None:
        parts.append(format_contrast(state.contrast))
    if state.met is not None and state.met.verdict != "undetermined":
        parts.append(format_met(state.met))
    return ", ".join(parts) or "no value"


def describe_perturbation(perturbation: Perturbation) -> str:
    """`dose 10 mg -> 50 mg`."""
    return f"{perturbation.factor.replace('_', ' ')} {one_line(perturbation.before)} -> {one_line(perturbation.after)}"


def describe_request(request: ImagineRequest) -> str:
    """What was asked: the trial and the changes, or the target."""
    match request.question:
        case WhatIf(anchor=anchor, perturbations=perturbations):
            return f"{anchor.nct_id}: {'; '.join(map(describe_perturbation, perturbations)) or 'no change'}"
        case Forecast(nct_id=nct_id, target=target):
            return f"{nct_id or 'a trial of your own'}: {describe_configuration(target)}"


def describe_answer(graph: ReasoningGraph) -> str:
    """What came of a run in one line: the aggregate, else the state that its pathway reached, else why there is none."""
    if graph.aggregated is not None:
        parts = [format_number(graph.aggregated.arm_value)] if graph.aggregated.arm_value is not None else []
        if not parts and graph.aggregated.contrast is not None:
            parts.append(format_contrast(graph.aggregated.contrast))
        if graph.aggregated.met is not None and graph.aggregated.met.verdict != "undetermined":
            parts.append(format_met(graph.aggregated.met))
        return ", ".join(parts) or "no value"
    complete = [pathway for pathway in graph.pathways if pathway.done is not None and pathway.done.complete]
    if complete:
        return describe_state(complete[0].states[-1])
    return one_line(graph.finished.message) if graph.finished is not None else ""
