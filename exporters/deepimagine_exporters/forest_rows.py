"""What a forest plot shows: the rows, the aggregate, the line of reference and the notes."""

from __future__ import annotations

import math

import msgspec

from deepimagine_exporters.provenance import factor_name, target_configuration
from deepimagine_exporters.words import contrast_name, interval_text
from deepimagine_tui.reasoning.describe import number_text, value_text
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.state import Number, State
from deepimagine_tui.reasoning.summary import NOT_CALIBRATED, format_probability


class ForestRow(msgspec.Struct, frozen=True):
    """One pathway: its texts, the number it reached, and the anchor's where the two can stand on one axis."""

    number: str
    trial: str
    similarity: str
    differs: str
    weight: str
    reached: Number | None
    start: Number | None
    probability: str
    missing: str


def asks_contrast(graph: ReasoningGraph) -> bool:
    """Whether the run asks for the contrast instead of the arms' values."""
    return bool(graph.started and graph.started.request.estimand == "contrast")


def total_of(graph: ReasoningGraph, contrast: bool) -> Number | None:
    """The aggregate's number, in the run's estimand."""
    if graph.aggregated is None:
        return None
    if contrast:
        return graph.aggregated.contrast.number if graph.aggregated.contrast else None
    return graph.aggregated.arm_value


def has_value(number: Number | None) -> bool:
    """Whether there is a finite value."""
    return number is not None and number.value is not None and math.isfinite(number.value)


def _number(state: State, contrast: bool) -> Number | None:
    if contrast:
        return state.contrast.number if state.contrast else None
    return state.arm_value


def forest_row(graph: ReasoningGraph, index: int, view: PathwayView, contrast: bool) -> ForestRow:
    """The row of one pathway."""
    share = next((share for share in graph.aggregated.shares if share.pathway == index), None) if graph.aggregated else None
    anchor, last = view.anchor.state, view.states[-1]
    failed = next((step for step in view.steps if step.failed), None)
    complete = bool(view.steps) or (view.done is not None and view.done.complete)
    arrived = complete and len(view.states) == len(view.steps) + 1
    missing = ""
    if failed and failed.failed:
        missing = f"step {failed.planned.step + 1}: {failed.failed.kind}"
    elif not arrived:
        missing = "not answered"
    reached = _number(last, contrast) if arrived else None
    if arrived and not has_value(reached):
        missing = value_text(reached) if reached else "no value"
    comparable = anchor.configuration.outcome.unit == last.configuration.outcome.unit and (
        anchor.configuration.outcome.change_basis == last.configuration.outcome.change_basis
    )
    start = _number(anchor, contrast)
    met = last.met if arrived else None
    return ForestRow(
        str(index + 1),
        anchor.nct_id + (" *" if view.anchor.seen_in_training else ""),
        "" if view.anchor.similarity is None else format_probability(view.anchor.similarity),
        ", ".join(factor_name(step.planned.perturbation.factor) for step in view.steps),
        "" if share is None or not share.weight else format_probability(share.weight),
        reached,
        start if comparable and has_value(start) else None,
        "" if met is None or met.probability is None else format_probability(met.probability),
        missing,
    )


def spread(number: Number | None) -> str:
    """The interval, or that there is none."""
    if number is None or number.value is None:
        return ""
    if number.interval is None:
        return NOT_CALIBRATED if number.status == "imagined" else ""
    return interval_text(number.interval)


def aggregate_probability(graph: ReasoningGraph) -> str:
    """The aggregate's P(met)."""
    met = graph.aggregated.met if graph.aggregated else None
    return "" if met is None or met.probability is None else format_probability(met.probability)


def reference(graph: ReasoningGraph, contrast: bool) -> tuple[float, str] | None:
    """The reference line and what it means: no effect, no change, or the one anchor's value."""
    anchor = graph.pathways[0].anchor.state
    if contrast:
        null = next(
            (s.contrast.null for v in graph.pathways for s in v.states if s.contrast and s.contrast.null is not None), None
        )
        return None if null is None else (null, f"Vertical line: no difference ({number_text(null)}).")
    if len({view.anchor.state.id for view in graph.pathways}) == 1 and anchor.arm_value and anchor.arm_value.value is not None:
        return anchor.arm_value.value, "Vertical line: the anchor's value of k1."
    about = target_configuration(graph)
    if about and about.outcome.change_basis in ("change", "percent change"):
        return 0.0, "Vertical line: no change (0)."
    return None


def axis_title(graph: ReasoningGraph, contrast: bool) -> str:
    """What the axis measures."""
    about = target_configuration(graph)
    unit = about.outcome.unit if about else ""
    if not contrast:
        return unit
    found = next((s.contrast for v in graph.pathways for s in reversed(v.states) if s.contrast), None)
    return ", ".join(part for part in (contrast_name(found) if found else "", found.number.unit if found else unit) if part)


def explanations(graph: ReasoningGraph, rows: list[ForestRow], null: tuple[float, str] | None) -> tuple[str, ...]:
    """The notes under the plot."""
    lines = []
    if any(row.start for row in rows):
        lines.append("Small filled dot: the anchor's posted value. Hollow dot: imagined at the target, with its interval.")
    aggregated = graph.aggregated
    if aggregated:
        lines.append(
            "Diamond: similarity-weighted median, as wide as the interquartile range of the pathways; line: its interval. "
            f"{aggregated.agreement} of {aggregated.answered} pathways agree on the verdict."
        )
    if aggregated and aggregated.anchors_with_verdict:
        lines.append(f"{aggregated.anchors_met} of {aggregated.anchors_with_verdict} anchors with a posted verdict were met.")
    if null:
        lines.append(null[1])
    if any(view.anchor.seen_in_training for view in graph.pathways):
        lines.append("* The model was trained on this trial.")
    return tuple(lines)
