"""What the boxes of the reasoning graph say."""

from __future__ import annotations

from deepimagine_exporters.blocks import BODY, BORDERS, FAILED, SMALL, STATUS_COLOUR, Card, Cell, Line
from deepimagine_exporters.provenance import target_configuration
from deepimagine_exporters.sheet import GREY, INK, Style
from deepimagine_exporters.words import (
    comparison_text,
    contrast_name,
    contrast_spread,
    met_how,
    outcome_text,
    spread_text,
    state_status,
)
from deepimagine_tui.reasoning.describe import rounded, value_text
from deepimagine_tui.reasoning.events import Aggregated, AnchorChosen, Revealed
from deepimagine_tui.reasoning.graph import ReasoningGraph, StepView
from deepimagine_tui.reasoning.state import Configuration, ContrastEstimate, MetEstimate, Number, State, Status
from deepimagine_tui.reasoning.summary import MARKS, format_probability
from deepimagine_tui.text import one_line

_NOTE = Style(SMALL, colour=GREY)
_ALARM = Style(SMALL, bold=True, colour=INK)
NAME_LIMIT, VALUE_LIMIT, DETAIL_LIMIT = 1.6, 0.9, 2.3


def anchor_card(graph: ReasoningGraph, anchor: AnchorChosen, number: str, compact: bool = False) -> Card:
    """An observed state, with its trial, how similar it is, and whether the model was trained on it."""
    similarity = "" if anchor.similarity is None else f"similarity {format_probability(anchor.similarity)}"
    corner = " · ".join(part for part in (number, anchor.state.nct_id, similarity) if part)
    notes = (Line("seen in training", _ALARM),) if anchor.seen_in_training else ()
    if anchor.unknown_factors:
        unknown = ", ".join(factor.replace("_", " ") for factor in anchor.unknown_factors)
        notes = (*notes, Line(f"unknown, left out: {unknown}", _NOTE))
    return _state_card(anchor.state, target_configuration(graph), corner, notes, compact)


def step_card(graph: ReasoningGraph, step: StepView, compact: bool = False) -> Card:
    """The state that a step led to, or why it led nowhere."""
    if step.estimated:
        corner = {"model": "", "arithmetic": "arithmetic, not the model", "entered": "entered by the user", "kept": "kept"}
        return _state_card(step.estimated.state, target_configuration(graph), corner[step.estimated.kind], (), compact)
    if step.failed:
        message = Line(one_line(step.failed.message), Style(BODY))
        return Card(FAILED, f"✕ {step.failed.kind}", Style(BODY, bold=True), lines=(message,))
    return Card(FAILED, "not answered", Style(BODY, bold=True), lines=(Line("The run ended before this step.", Style(BODY)),))


def posted_card(revealed: Revealed, compact: bool = False) -> Card:
    """The posted result that a step landed on, with the grade of the imagined one."""
    rows = [_row("k1", "", revealed.arm_value, compact), _row("k2", "", revealed.comparator_value, compact)]
    if revealed.contrast:
        rows.append(_contrast_row(revealed.contrast, compact))
    if revealed.met:
        rows.append(_met_row(revealed.met))
    return Card(
        BORDERS["observed"],
        f"{MARKS['observed']} posted",
        Style(BODY, bold=True, colour=STATUS_COLOUR["observed"]),
        revealed.source.nct_id,
        rows=tuple(row for row in rows if row),
        notes=tuple(Line(text, _NOTE) for text in grade_lines(revealed)),
    )


def grade_lines(revealed: Revealed) -> tuple[str, ...]:
    """The one grader's verdicts on the imagined value, in words."""
    parts = []
    if revealed.direction_right is not None:
        parts.append("same direction" if revealed.direction_right else "another direction")
    if revealed.error is not None:
        beside = "" if revealed.copy_error is None else f" (copying the source: {rounded(revealed.copy_error, 2)})"
        parts.append(f"e {rounded(revealed.error, 2)}{beside}")
    if revealed.verdict_right is not None:
        parts.append("same verdict" if revealed.verdict_right else "another verdict")
    lines = (", ".join(parts),) if parts else ()
    return (*lines, f"not compared: {one_line(revealed.why)}") if revealed.why else lines


def aggregate_card(aggregated: Aggregated) -> Card:
    """All pathways together."""
    rows = [_row("k1", "", aggregated.arm_value, True), _row("k2", "", aggregated.comparator_value, True)]
    if aggregated.contrast:
        rows.append(_contrast_row(aggregated.contrast, compact=True))
    if aggregated.spread_lower is not None and aggregated.spread_upper is not None:
        spread = f"{rounded(aggregated.spread_lower)} to {rounded(aggregated.spread_upper)}"
        rows.append((Cell(""), Cell("spread"), Cell(""), Cell(f"{spread}, IQR of pathways", _NOTE, DETAIL_LIMIT)))
    if aggregated.met:
        rows.append(_met_row(aggregated.met, compact=True))
    how = f"P(met): {met_how(aggregated.met)}" if aggregated.met and aggregated.met.probability is not None else ""
    notes = [how] if how else []
    notes.append(f"{aggregated.agreement} of {aggregated.answered} pathways agree on the verdict")
    if aggregated.anchors_with_verdict:
        notes.append(f"{aggregated.anchors_met} of {aggregated.anchors_with_verdict} anchors were met")
    notes += [one_line(warning) for warning in aggregated.warnings]
    if aggregated.comparator_rule:
        notes.append(f"comparator rule: {one_line(aggregated.comparator_rule)}")
    return Card(
        BORDERS["imagined"],
        f"{MARKS['imagined']} aggregate of {aggregated.answered}",
        Style(BODY + 0.6, bold=True, italic=True, colour=STATUS_COLOUR["imagined"]),
        rows=tuple(row for row in rows if row),
        notes=tuple(Line(note, _NOTE) for note in notes),
    )


def _state_card(state: State, about: Configuration | None, corner: str, notes: tuple[Line, ...], compact: bool) -> Card:
    """A compact card names the arms in one line and leaves p and the making of P(met) to the report."""
    status = state_status(state)
    configuration = state.configuration
    comparator = configuration.comparator.label if configuration.comparator else ""
    rows = [
        _row("k1", "" if compact else configuration.arm.label, state.arm_value, compact),
        _row("k2", "" if compact else comparator, state.comparator_value, compact),
    ]
    if state.contrast:
        rows.append(_contrast_row(state.contrast, compact))
    if state.met and configuration.comparator:
        rows.append(_met_row(state.met, compact))
    if state.z_test and not state.z_test.agrees:
        notes = (*notes, Line(f"z-test on the values disagrees: {'met' if state.z_test.met else 'not met'}", _ALARM))
    if configuration.comparator is None:
        notes = (*notes, Line("single arm: no comparison, no verdict", _NOTE))
    elif not any(rows):
        notes = (*notes, Line("no value", _NOTE))
    lines: tuple[Line, ...] = (Line(comparison_text(configuration), Style(BODY), 3),) if compact else ()
    if about is None or outcome_text(about) != outcome_text(configuration):
        lines = (*lines, Line(outcome_text(configuration), Style(SMALL, colour=GREY), 3))
    heading = Style(BODY, bold=True, italic=status == "imagined", colour=STATUS_COLOUR[status])
    return Card(BORDERS[status], f"{MARKS[status]} {status}", heading, corner, lines, tuple(row for row in rows if row), notes)


def _row(side: str, label: str, number: Number | None, compact: bool) -> tuple[Cell, ...]:
    if number is None:
        return ()
    return _cells(number.status, side, label, value_text(number), spread_text(number, brief=compact))


def _contrast_row(contrast: ContrastEstimate, compact: bool) -> tuple[Cell, ...]:
    number = contrast.number
    spread = spread_text(number, brief=True) if compact else contrast_spread(contrast)
    return _cells(number.status, contrast_name(contrast), "", value_text(number), spread)


def _cells(status: Status, side: str, label: str, value: str, detail: str) -> tuple[Cell, ...]:
    italic = status == "imagined"
    name = f"{side} {one_line(label)}" if label else side
    return (
        Cell(MARKS[status], Style(BODY, colour=STATUS_COLOUR[status])),
        Cell(name, Style(BODY, italic=italic), NAME_LIMIT),
        Cell(value, Style(BODY, bold=True, italic=italic), VALUE_LIMIT),
        Cell(detail, Style(SMALL, italic=italic, colour=GREY), DETAIL_LIMIT),
    )


def _met_row(met: MetEstimate, compact: bool = False) -> tuple[Cell, ...]:
    if met.probability is None:
        return _cells(met.status, "verdict", "", met.verdict, met_how(met))
    detail = met.verdict if compact else f"{met.verdict}; {met_how(met)}"
    return _cells(met.status, "P(met)", "", format_probability(met.probability), detail)
