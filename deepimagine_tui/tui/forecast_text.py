"""A forecast in words: its target, the aggregate of its pathways, why it abstained, why these anchors."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from textual.content import Content

from deepimagine_tui.reasoning.events import DEMO_MARK, Aggregated
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.state import Configuration, Number, State
from deepimagine_tui.reasoning.summary import MARKS
from deepimagine_tui.tui.chain_text import reveal_lines
from deepimagine_tui.tui.show import clip, digits, inert, interval_text, marked, met_text, probability

NOTHING = "The anchors and their pathways appear here once the forecast runs (r)."
TRAINED = "⚑"
"""Marks an anchor that the model was trained on."""
PART_NAMES = {
    "condition": "condition",
    "intervention": "drug",
    "comparator": "comparator",
    "outcome": "measure",
    "unit": "unit",
    "population": "population",
    "phase": "phase",
    "time": "time",
    "geography": "countries",
    "enrolment": "enrolment",
}
"""The parts of a similarity, in words."""


def number_of(state: State) -> Number | None:
    """What stands for a state in one cell: k1's value, else the contrast."""
    if state.arm_value is not None and state.arm_value.value is not None:
        return state.arm_value
    return state.contrast.number if state.contrast is not None and state.contrast.number.value is not None else None


def steps_planned(pathway: PathwayView) -> int:
    """How many steps lead to the target."""
    return max(len(pathway.anchor.differs_in), len(pathway.steps))


def aggregate_text(graph: ReasoningGraph, *, running: bool, width: int, backtest: bool = False) -> Content:
    """What came of the forecast so far. A `backtest` whose posted result was not found says so."""
    lines: list[Content] = []
    started, finished = graph.started, graph.finished
    if graph.aggregated is not None and started is not None:
        lines += _aggregate_lines(graph.aggregated, graph, width, backtest=backtest)
    elif graph.pathways:
        done = sum(pathway.done is not None for pathway in graph.pathways)
        lines.append(Content.styled(f"{done} of {len(graph.pathways)} pathways walked", "dim"))
    if finished is not None and finished.outcome != "answered":
        lines += _ending(graph)
    elif finished is None and started is not None and not running:
        lines.append(Content.styled("Interrupted; what it had is shown.", "$text-warning"))
    if any(pathway.anchor.seen_in_training for pathway in graph.pathways):
        lines.append(Content.styled(f"{TRAINED} the model was trained on this trial", "$text-warning"))
    if started is not None and started.model.demo:
        lines.append(Content.styled(DEMO_MARK, "bold $text-warning"))
    return Content("\n").join(lines)


def _ending(graph: ReasoningGraph) -> Iterator[Content]:
    finished = graph.finished
    if finished is None:
        return
    said = " ".join(part for part in (inert(finished.message), inert(finished.hint)) if part)
    word = {"no_answer": "", "cancelled": "Stopped. ", "failed": "Failed. ", "answered": ""}[finished.outcome]
    yield Content.styled(f"{word}{said}", "$text-warning")
    if finished.nearest:
        yield Content("")
        yield Content.styled("The nearest, refused", "bold")
        yield from (Content(f"  {inert(each)}") for each in finished.nearest)


def _aggregate_lines(total: Aggregated, graph: ReasoningGraph, width: int, *, backtest: bool) -> Iterator[Content]:
    target = _target(graph)
    unit = f" {clip(total.arm_value.unit, 24)}" if total.arm_value is not None and total.arm_value.unit else ""
    parts = [(f"Aggregate of {total.answered}  ", "bold")]
    main = total.arm_value or (total.contrast.number if total.contrast else None)
    if main is not None:
        parts += [(marked(main).plain, "bold italic"), (f"{unit} {interval_text(main)}", "italic")]
    head = Content.assemble(*parts)
    second = []
    if total.met is not None:
        second.append((f"{MARKS[total.met.status]} {met_text(total.met)}   ", "bold italic"))
    second.append((f"agree {total.agreement} of {total.answered}", ""))
    tail = Content.assemble(*second)
    if len(head.plain) + 3 + len(tail.plain) <= width:
        yield Content.assemble(head, "   ", tail)
    else:
        yield head
        yield Content.assemble("  ", tail)
    if total.spread_lower is not None and total.spread_upper is not None:
        yield _row("spread", f"{digits(total.spread_lower)} to {digits(total.spread_upper)}  IQR of the pathways")
    if total.comparator_value is not None and total.comparator_value.value is not None:
        name = f"{clip(target.comparator.label, 30)}" if target and target.comparator else "comparator"
        yield _row(
            "against", f"{name}  {marked(total.comparator_value).plain}  {interval_text(total.comparator_value)}", "italic"
        )
    if total.contrast is not None and total.contrast.number.value is not None and main is not total.contrast.number:
        number, scale = total.contrast.number, clip(total.contrast.scale or total.contrast.kind, 30)
        said = (scale, f"○ {digits(number.value or 0.0)}", interval_text(number), "from imagined values")
        yield _row("contrast", "  ".join(part for part in said if part), "italic")
    yield _row("anchors met", f"{total.anchors_met} of {total.anchors_with_verdict} with a verdict")
    yield from _wrapped("comparator rule", inert(total.comparator_rule), width)
    if total.record:
        yield from _wrapped("record", inert(total.record), width)
    if graph.started is not None and graph.started.calibration:
        yield from _wrapped("calibration", inert(graph.started.calibration), width)
    for warning in total.warnings:
        yield Content.styled(f"  ! {inert(warning)}", "$text-warning")
    if total.revealed is not None and target is not None:
        state = State("", "", target, total.arm_value, total.comparator_value, total.contrast, total.met)
        yield Content("")
        yield from reveal_lines(state, total.revealed)
    elif backtest:
        yield Content("")
        yield Content.styled("No posted result of this trial fits the target exactly: there is none to show.", "dim")


def _row(name: str, value: str, style: str = "") -> Content:
    return Content.assemble((f"  {name:<16}", "dim"), (value, style))


def _wrapped(name: str, value: str, width: int) -> Iterator[Content]:
    first, *rest = textwrap.wrap(value, max(width - 18, 20)) or [""]
    yield _row(name, first)
    yield from (_row("", line) for line in rest)


def _target(graph: ReasoningGraph) -> Configuration | None:
    question = graph.started.request.question if graph.started else None
    return question.target if isinstance(question, Forecast) else None


def why_text(graph: ReasoningGraph, weights: dict[str, float], width: int) -> Content:
    """Why these anchors: how alike each is in every part, what its pathway changes, what it leaves out."""
    lines = [
        Content.styled(
            "Similarity is the weighted mean of the parts below; a part that the target does not state is left out.", "dim"
        )
    ]
    room = max(min(width - 34, 30), 8)
    for number, pathway in enumerate(graph.pathways, 1):
        anchor = pathway.anchor
        near = "–" if anchor.similarity is None else probability(anchor.similarity)
        lines += [Content(""), Content.assemble((f"{number} {anchor.state.nct_id}  ", "bold"), (f"similarity {near}", "bold"))]
        lines.append(Content(f"  {clip(_compared(anchor.state), max(width - 2, 20))}"))
        for part, share in anchor.parts.items():
            name, weight = PART_NAMES.get(part, part), weights.get(part)
            bar = "█" * round(share * room)
            counts = f"  counts {weight:.0%}" if weight is not None else ""
            lines.append(
                Content.assemble(f"  {name:<12}{probability(share):>5}  ", (f"{bar:<{room}}", "$primary"), (counts, "dim"))
            )
        walks = ", ".join(factor.replace("_", " ") for factor in anchor.differs_in) or "nothing"
        lines.append(Content.assemble(("  walks       ", "dim"), walks))
        if anchor.unknown_factors:
            unknown = ", ".join(factor.replace("_", " ") for factor in anchor.unknown_factors)
            lines.append(Content.assemble(("  left out    ", "dim"), f"{unknown} (not known)"))
        lines += [Content.styled(f"  ! {inert(warning)}", "$text-warning") for warning in anchor.warnings]
        if anchor.seen_in_training:
            lines.append(Content.styled(f"  {TRAINED} the model was trained on this trial", "$text-warning"))
    if graph.finished is not None and graph.finished.nearest:
        lines += [Content(""), Content.styled("The nearest, refused", "bold")]
        lines += [Content(f"  {inert(each)}") for each in graph.finished.nearest]
    return Content("\n").join(lines)


def _compared(state: State) -> str:
    configuration = state.configuration
    against = f" vs {configuration.comparator.label}" if configuration.comparator else ""
    return f"{configuration.arm.label}{against}, {configuration.outcome.title}"
