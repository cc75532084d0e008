"""A run as lines of text: the question, each chain with the status and source of every number, the answer, and what it is for.

A view of the reasoning graph like any other: `imagine`, `forecast` and `runs show` print the same run alike.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import assert_never

from deepimagine_tui.cli.console import shorten, table, width_of
from deepimagine_tui.cli.number_text import Line, contrast_line, lines_of_state, met_line, number_line, probability_text
from deepimagine_tui.reasoning.describe import arm_text, number_text, outcome_text, time_text
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK, Aggregated, Revealed, RunStarted
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.interpret import interpret
from deepimagine_tui.reasoning.interpret_text import interpretation_lines
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.probe_text import probe_lines
from deepimagine_tui.reasoning.request import Forecast, WhatIf
from deepimagine_tui.reasoning.state import Configuration, State
from deepimagine_tui.text import inert, one_line

_WIDTH = 100
INTERPRETATION_WIDTH = 78
_LABEL_WIDTH = 44
_UNIT_WIDTH = 22


def run_lines(graph: ReasoningGraph, *, chains: bool = True, probes: RunProbes | None = None) -> list[str]:
    """The whole run, with its `probes` where it was probed. Without `chains`, a forecast shows one line a pathway instead of
    every step."""
    lines: list[str] = []
    forecast = False
    if graph.started:
        lines += [*_question(graph.started, graph.pathways), ""]
        forecast = isinstance(graph.started.request.question, Forecast)
    if forecast and graph.pathways:
        lines += [*_pathway_table(graph.pathways), ""]
    if chains or not forecast:
        for pathway in graph.pathways:
            if len(graph.pathways) > 1:
                lines += [f"Pathway {pathway.anchor.pathway + 1} of {len(graph.pathways)}", ""]
            lines += [*_chain(pathway), ""]
    if graph.aggregated:
        lines += [*_aggregate(graph.aggregated, graph), ""]
    said = interpretation_lines(interpret(graph), INTERPRETATION_WIDTH)
    lines += [*said, ""] if said else []
    if probes is not None and (probes.asked or probes.problem):
        lines += [*(line.text for line in probe_lines(probes, INTERPRETATION_WIDTH)), ""]
    lines += _ending(graph)
    return lines


def _question(started: RunStarted, pathways: Sequence[PathwayView]) -> Iterator[str]:
    question = started.request.question
    match question:
        case WhatIf(anchor=anchor):
            title = f"What if  {anchor.nct_id}"
            configuration = pathways[0].anchor.state.configuration if pathways else None
        case Forecast(target=target, nct_id=nct_id):
            title = f"Forecast  {nct_id or 'a trial of your own'}"
            configuration = target
        case _:
            assert_never(question)
    name = f"  {one_line(started.request.name)}" if started.request.name else ""
    yield f"{title}{name}{f'  [{DEMO_MARK}]' if started.model.demo else ''}"
    if configuration is not None:
        yield from _configuration(configuration)
    if isinstance(question, Forecast):
        yield _fact("Cutoff", f"{question.cutoff}: nothing posted later is used")


def _configuration(configuration: Configuration) -> Iterator[str]:
    against = f" against {arm_text(configuration.comparator)}" if configuration.comparator else ", no comparator"
    yield _fact("Arm", f"{arm_text(configuration.arm)}{against}")
    when = f"; {time_text(configuration.time)}" if configuration.time else ""
    better = configuration.outcome.benefit
    direction = "direction of benefit unknown" if better == "unknown" else f"{better} is better"
    yield _fact("Outcome", f"{outcome_text(configuration.outcome)}{when} ({configuration.outcome.role}; {direction})")


def _chain(pathway: PathwayView) -> Iterator[str]:
    anchor = pathway.anchor
    if anchor.similarity is not None:
        yield f"From {anchor.state.nct_id}, similarity {probability_text(anchor.similarity)}"
        yield from _configuration(anchor.state.configuration)
    yield from _aligned(lines_of_state(anchor.state))
    if anchor.unknown_factors:
        yield f"  Left out of the path because it is not known: {', '.join(anchor.unknown_factors)}"
    if anchor.seen_in_training:
        yield "  The model was trained on this trial."
    yield from (f"  Note: {one_line(warning)}" for warning in anchor.warnings)
    for number, step in enumerate(pathway.steps, 1):
        yield ""
        yield from _step(number, step)


def _step(number: int, step: StepView) -> Iterator[str]:
    change = step.planned.perturbation
    yield f"{number}  {change.factor.replace('_', ' ')}: {one_line(change.before)} -> {one_line(change.after)}"
    if step.planned.shortened:
        yield f"   Prompt shortened: {one_line(step.planned.shortened)}"
    if step.estimated is None:
        if step.failed is None:
            yield "   no answer: stopped before one"
        else:
            yield f"   no answer: {one_line(step.failed.message)}"
        return
    estimated = step.estimated
    if estimated.reasoning.strip():
        for line in inert(estimated.reasoning).strip().splitlines():
            yield from textwrap.wrap(line, _WIDTH, initial_indent="   ", subsequent_indent="   ")
    if step.planned.opening:
        yield f"   (computed, not the model's: {one_line(step.planned.opening).removesuffix(':')})"
    if estimated.reasoning_cut:
        yield "   (the reasoning was cut at the token limit)"
    how = {"arithmetic": "arithmetic, no model", "entered": "typed by the user", "kept": "kept from the parent run"}
    if estimated.kind in how:
        yield f"   ({how[estimated.kind]})"
    yield from _aligned(lines_of_state(estimated.state))
    if estimated.record:
        yield from _record(estimated.record)
    if estimated.revealed:
        yield from _reveal(estimated.revealed, estimated.state.configuration)
    yield from (f"  Note: {one_line(warning)}" for warning in estimated.warnings)


def _record(record: str) -> list[str]:
    return textwrap.wrap(f"Record of {one_line(record)}", _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _reveal(revealed: Revealed, configuration: Configuration) -> Iterator[str]:
    rows = []
    if revealed.arm_value:
        rows.append(number_line(arm_text(configuration.arm), revealed.arm_value, word="posted"))
    if revealed.comparator_value and configuration.comparator:
        rows.append(number_line(arm_text(configuration.comparator), revealed.comparator_value, word="posted"))
    if revealed.contrast:
        rows.append(contrast_line(revealed.contrast, word="posted"))
    if revealed.met:
        rows.append(met_line(revealed.met, word="posted"))
    yield from _aligned(rows)
    grades = []
    if revealed.direction_right is not None:
        grades.append(
            "same direction"
            if revealed.direction_right
            else f"other direction (imagined {_direction(revealed, imagined=True)}, posted {_direction(revealed)})"
        )
    if revealed.error is not None:
        copying = "" if revealed.copy_error is None else f" (copying the source: {number_text(round(revealed.copy_error, 3))})"
        grades.append(f"e {number_text(round(revealed.error, 3))}{copying}")
    if revealed.verdict_right is not None:
        grades.append(f"verdict {'right' if revealed.verdict_right else 'wrong'}")
    if revealed.brier is not None:
        grades.append(f"Brier {number_text(round(revealed.brier, 3))}")
    if revealed.why:
        grades.append(one_line(revealed.why))
    if grades:
        yield f"  Graded: {', '.join(grades)}"


def _pathway_table(pathways: Sequence[PathwayView]) -> list[str]:
    rows = []
    for view in pathways:
        anchor, last = view.anchor, view.states[-1]
        ended = view.done is not None and view.done.complete
        similarity = "" if anchor.similarity is None else probability_text(anchor.similarity)
        rows.append(
            (
                str(anchor.pathway + 1),
                anchor.state.nct_id,
                similarity,
                ", ".join(anchor.differs_in) or "nothing",
                _short(anchor.state),
                _short(last) if ended else "no answer",
            )
        )
    return table(("", "ANCHOR", "SIMILAR", "DIFFERS IN", "OBSERVED", "AT THE TARGET"), rows, stretch=3).splitlines()


def _short(state: State) -> str:
    parts = []
    if state.arm_value:
        value = number_line("", state.arm_value)
        parts.append(f"{value.mark} {value.value} {shorten(one_line(state.arm_value.unit), _UNIT_WIDTH)}".rstrip())
    if state.met and state.met.verdict != "undetermined":
        chance = "" if state.met.probability is None else f" {probability_text(state.met.probability)}"
        parts.append(f"{state.met.verdict}{chance}")
    return "  ".join(parts) or "no value"


def _aggregate(aggregated: Aggregated, graph: ReasoningGraph) -> Iterator[str]:
    yield f"Aggregate of {aggregated.answered}"
    rows: list[Line] = []
    configuration = graph.pathways[0].states[-1].configuration if graph.pathways else None
    question = graph.started.request.question if graph.started else None
    if isinstance(question, Forecast):
        configuration = question.target
    if aggregated.arm_value:
        rows.append(number_line(arm_text(configuration.arm) if configuration else "arm", aggregated.arm_value))
    if aggregated.comparator_value:
        label = arm_text(configuration.comparator) if configuration else "comparator"
        rows.append(number_line(label, aggregated.comparator_value))
    if aggregated.contrast:
        rows.append(contrast_line(aggregated.contrast))
    if aggregated.met:
        rows.append(met_line(aggregated.met))
    yield from _aligned(rows)
    if aggregated.spread_lower is not None and aggregated.spread_upper is not None:
        lower, upper = (number_text(float(f"{limit:.3g}")) for limit in (aggregated.spread_lower, aggregated.spread_upper))
        yield f"  Middle half of the pathways: {lower} to {upper}"
    yield f"  {aggregated.agreement} of {aggregated.answered} pathways agree on the verdict"
    if aggregated.anchors_with_verdict:
        yield f"  {aggregated.anchors_met} of {aggregated.anchors_with_verdict} anchors with a verdict were met"
    if aggregated.comparator_rule:
        yield f"  Rule by comparator alone: {one_line(aggregated.comparator_rule)}"
    if aggregated.record:
        yield from _record(aggregated.record)
    if aggregated.revealed and configuration:
        yield from _reveal(aggregated.revealed, configuration)
    yield from (f"  Note: {one_line(warning)}" for warning in aggregated.warnings)


def _ending(graph: ReasoningGraph) -> Iterator[str]:
    finished = graph.finished
    if finished is None:
        yield "This run has no end: it is still going on, or was killed."
    elif finished.outcome != "answered":
        words = {"no_answer": "No answer", "cancelled": "Stopped", "failed": "Failed"}[finished.outcome]
        said = one_line(finished.message).removeprefix(f"{words}; ")
        yield f"{words}: {said or 'what was produced is above.'}"
        if finished.nearest:
            yield f"  Nearest: {', '.join(finished.nearest)}"
    started = graph.started
    if started is None:
        return
    model, settings = started.model, started.request.settings
    parts = [DEMO_MARK if model.demo else model.full_name]
    if model.adapter:
        parts.append(f"adapter {model.adapter}")
    if model.sha256:
        parts.append(f"sha256 {model.sha256[:12]}")
    if model.host:
        parts.append(f"at {model.host}")
    parts += [f"seed {settings.seed}", f"prompts {started.prompt_version}"]
    yield _fact("Model", ", ".join(parts))
    if started.calibration:
        yield _fact("Limits", started.calibration)
    yield _fact("Corpus", f"{started.corpus_name} {started.corpus_version}, data to {started.data_date or 'unknown'}")
    yield _fact("Run", started.run_id)
    yield started.context_of_use or CONTEXT_OF_USE


def _fact(name: str, text: str) -> str:
    return f"{name:<8} {one_line(text)}"


def _aligned(rows: Sequence[Line]) -> Iterator[str]:
    labels = [shorten(row.label, _LABEL_WIDTH) for row in rows]
    label_width = max(map(width_of, labels), default=0)
    value_width = max((width_of(row.value) for row in rows), default=0)
    word_width = max((len(row.word) for row in rows), default=0)
    for row, label in zip(rows, labels, strict=True):
        name = label + " " * (label_width - width_of(label))
        value = " " * (value_width - width_of(row.value)) + row.value
        yield f"{row.mark} {row.word:<{word_width}}  {name}  {value}  {row.detail}".rstrip()


_BENEFIT = {"up": "in favour of the arm", "down": "against the arm", "no clear change": "no clear difference"}
"""How a direction reads where it is that of the benefit."""


def _direction(revealed: Revealed, *, imagined: bool = False) -> str:
    direction = (revealed.imagined_direction if imagined else revealed.posted_direction) or "not known"
    return _BENEFIT.get(direction, direction) if revealed.direction_of == "benefit" else direction
