"""The reasoning graph as a tree of lines, and what is said of each: pure, for the tree and the part below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from textual.content import Content

from deepimagine_tui.reasoning.describe import arm_text
from deepimagine_tui.reasoning.events import Aggregated, Revealed
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.state import Number, State
from deepimagine_tui.reasoning.summary import MARKS, describe_request
from deepimagine_tui.tui.chain_text import anchor_card, step_card, stopped_card, streaming_card
from deepimagine_tui.tui.forecast_text import aggregate_text, number_of, steps_planned
from deepimagine_tui.tui.show import bracket, clip, digits, inert, interval_text, marked, posted, probability

Kind = Literal["run", "pathway", "anchor", "step", "number", "aggregate", "ending"]
_STATUS_WORDS = {
    "observed": "observed: posted in the registry",
    "derived": "derived: computed from observed values",
    "imagined": "imagined: said by a model",
    "entered": "entered: typed by you",
}


@dataclass(frozen=True)
class TreeLine:
    """One node of the tree: `key` is the same in every fold of the run; `opens` says whether it is open at first."""

    key: str
    kind: Kind
    label: str
    italic: bool = False
    pathway: int = 0
    step: int = 0
    number: Number | None = None
    children: tuple[TreeLine, ...] = ()
    opens: bool = False


def tree_of(graph: ReasoningGraph) -> TreeLine | None:
    """The whole run as a tree; `None` before it has started."""
    started = graph.started
    if started is None:
        return None
    several = len(graph.pathways) > 1
    lines: list[TreeLine] = []
    for index, pathway in enumerate(graph.pathways):
        inside = tuple(_pathway_lines(index, pathway, running=graph.finished is None))
        if several:
            lines.append(TreeLine(f"p{index}", "pathway", _pathway_label(index, pathway), children=inside, pathway=index))
        else:
            lines += inside
    if graph.aggregated is not None:
        lines.append(_aggregate_line(graph.aggregated))
    if graph.finished is not None and graph.finished.outcome != "answered":
        word = {"no_answer": "no answer", "cancelled": "stopped", "failed": "failed"}[graph.finished.outcome]
        lines.append(TreeLine("end", "ending", f"✕ {word}"))
    label = started.request.name or describe_request(started.request)
    return TreeLine("run", "run", inert(label), children=tuple(lines), opens=True)


def _pathway_label(index: int, pathway: PathwayView) -> str:
    anchor = pathway.anchor
    near = f"  {probability(anchor.similarity)}" if anchor.similarity is not None else ""
    came = "…"
    if pathway.done is not None and pathway.done.complete:
        came = _short(pathway.states[-1])
    elif pathway.done is not None:
        came = "✕"
    return f"{index + 1} {anchor.state.nct_id}{near}  → {came}"


def _pathway_lines(index: int, pathway: PathwayView, *, running: bool) -> Iterator[TreeLine]:
    anchor, key = pathway.anchor, f"p{index}"
    numbers = tuple(_number_lines(f"{key}a", anchor.state, None))
    yield TreeLine(
        f"{key}a", "anchor", f"● observed  {_short(anchor.state)}  {anchor.state.nct_id}", False, index, 0, children=numbers
    )
    for place, step in enumerate(pathway.steps):
        change = step.planned.perturbation
        head = f"{place + 1} {change.factor.replace('_', ' ')}  {inert(change.before)} -> {inert(change.after)}"
        yield TreeLine(
            f"{key}s{place}", "step", head, False, index, place, opens=True, children=_answer(key, index, place, step)
        )
    if running and pathway.done is None and len(pathway.steps) < steps_planned(pathway):
        yield TreeLine(f"{key}more", "ending", f"{steps_planned(pathway) - len(pathway.steps)} more to walk", True, index)


def _answer(key: str, index: int, place: int, step: StepView) -> tuple[TreeLine, ...]:
    name = f"{key}s{place}e"
    if step.estimated is None:
        said = f"✕ {step.failed.kind}" if step.failed is not None else "…"
        return (TreeLine(name, "step", said, True, index, place),)
    state, kind = step.estimated.state, step.estimated.kind
    mark, word = (MARKS["entered"], "entered") if kind == "entered" else _mark(state)
    numbers = tuple(_number_lines(name, state, step.estimated.revealed))
    return (TreeLine(name, "step", f"{mark} {word}  {_short(state)}", word == "imagined", index, place, children=numbers),)


def _mark(state: State) -> tuple[str, str]:
    numbers = [number for number in (state.arm_value, state.comparator_value) if number is not None]
    if not numbers and state.contrast is not None:
        numbers = [state.contrast.number]
    imagined = not numbers or any(number.status == "imagined" for number in numbers)
    return (MARKS["imagined"], "imagined") if imagined else (MARKS["derived"], "derived")


def _short(state: State) -> str:
    parts = []
    number = number_of(state)
    if number is not None and number.value is not None:
        parts.append(digits(number.value))
    if state.met is not None and state.met.verdict != "undetermined":
        chance = f" {probability(state.met.probability)}" if state.met.probability is not None else ""
        parts.append(f"{state.met.verdict}{chance}")
    return "  ".join(parts) or "no value"


def _number_lines(key: str, state: State, revealed: Revealed | None) -> Iterator[TreeLine]:
    sides = [("arm", arm_text(state.configuration.arm), state.arm_value)]
    if state.configuration.comparator is not None:
        sides.append(("comparator", arm_text(state.configuration.comparator), state.comparator_value))
    if state.contrast is not None:
        sides.append(("contrast", state.contrast.scale or state.contrast.kind, state.contrast.number))
    for side, name, number in sides:
        if number is not None:
            yield _number_line(f"{key}/{side}", name, number)
    if revealed is not None:
        for name, number in (("arm", revealed.arm_value), ("comparator", revealed.comparator_value)):
            if number is not None:
                yield _number_line(f"{key}/posted {name}", f"posted, {name}", number)


def _number_line(key: str, name: str, number: Number) -> TreeLine:
    said = f"  {bracket(number.interval)}" if number.interval is not None else ""
    label = f"{marked(number).plain}{said}  {clip(name, 40)}"
    return TreeLine(key, "number", label, number.status == "imagined", number=number)


def _aggregate_line(total: Aggregated) -> TreeLine:
    sides = [("arm", total.arm_value), ("comparator", total.comparator_value)]
    if total.contrast is not None:
        sides.append((total.contrast.scale or total.contrast.kind, total.contrast.number))
    if total.revealed is not None:
        sides += [("posted, arm", total.revealed.arm_value), ("posted, comparator", total.revealed.comparator_value)]
    numbers = tuple(_number_line(f"all/{name}", name, number) for name, number in sides if number is not None)
    head = f"{marked(total.arm_value).plain}  " if total.arm_value is not None else ""
    met = f"{total.met.verdict}" if total.met is not None else ""
    return TreeLine("all", "aggregate", f"aggregate of {total.answered}  {head}{met}", True, children=numbers)


def detail_of(graph: ReasoningGraph, line: TreeLine, width: int) -> Content:
    """What is said of a node."""
    match line.kind:
        case "run":
            return _run_text(graph)
        case "pathway" | "anchor":
            return _anchor_text(graph.pathways[line.pathway], width)
        case "step":
            return _step_text(graph, line, width)
        case "number":
            return number_text(line.label, line.number)
        case "aggregate" | "ending":
            forecast = graph.started is not None and isinstance(graph.started.request.question, Forecast)
            shown = aggregate_text(graph, running=graph.finished is None, width=width)
            return shown if forecast or shown.plain else Content(line.label)


def _run_text(graph: ReasoningGraph) -> Content:
    started = graph.started
    if started is None:
        return Content("")
    model, request = started.model, started.request
    facts = [
        ("asked", f"{started.at[:16].replace('T', ' ')} UTC"),
        ("model", "demo, no model" if model.demo else model.name),
        ("quantisation", model.quantisation),
        ("adapter", model.adapter),
        ("model file", f"sha256 {model.sha256[:16]}" if model.sha256 else ""),
        ("adapter file", f"sha256 {model.adapter_sha256[:16]}" if model.adapter_sha256 else ""),
        ("prompts", started.prompt_version),
        ("seed", str(request.settings.seed)),
        ("corpus", f"{started.corpus_name} {started.corpus_version[:16]}, data of {started.data_date}"),
        ("run", request.run_id),
        ("goes on from", request.parent),
    ]
    lines = [Content.styled(inert(request.name or describe_request(request)), "bold")]
    lines += [Content.assemble((f"{name}  ", "dim"), inert(value)) for name, value in facts if value]
    return Content("\n").join([*lines, Content.styled(started.context_of_use, "dim")])


def _anchor_text(pathway: PathwayView, width: int) -> Content:
    lines = [anchor_card(pathway.anchor, width)]
    if pathway.anchor.similarity is not None:
        lines.append(Content.styled(f"  similarity {probability(pathway.anchor.similarity)}", "dim"))
    return Content("\n").join(lines)


def _step_text(graph: ReasoningGraph, line: TreeLine, width: int) -> Content:
    pathway = graph.pathways[line.pathway]
    step, number = pathway.steps[line.step], line.step + 1
    if step.estimated is not None:
        card = step_card(number, step, step.estimated, width)
    elif step.failed is None and graph.finished is None:
        card = streaming_card(number, step, width)
    else:
        card = stopped_card(number, step, width, "stopped before an answer")
    return Content("\n").join([card, Content.styled(f"  step {step.planned.step_id[:16]}", "dim")])


def number_text(label: str, number: Number | None) -> Content:
    """Everything that is known of a number: status, unit, interval, dispersion, n, and where it stands in the registry."""
    if number is None:
        return Content(label)
    value = inert(number.note) or "no value"
    if number.value is not None:
        value = posted(number.value) if number.status == "observed" else digits(number.value)
    facts = [
        ("value", f"{value} {inert(number.unit)}".strip()),
        ("status", f"{MARKS[number.status]} {_STATUS_WORDS[number.status]}"),
    ]
    facts.append(("interval", interval_text(number)))
    if number.dispersion is not None:
        facts.append((number.dispersion_kind, posted(number.dispersion)))
    if number.n is not None:
        facts.append(("n", str(number.n)))
    if number.after_entered and number.status != "entered":
        facts.append(("note", "something that you entered lies upstream"))
    source = number.source
    if source is not None:
        facts += [("trial", source.nct_id), ("outcome", source.outcome_id), ("group", source.group_id)]
        facts += [("class", source.class_title), ("category", source.category)]
        facts.append(("analysis", "" if source.contrast_index is None else str(source.contrast_index + 1)))
    lines = [Content.styled(label, "bold italic" if number.status == "imagined" else "bold")]
    lines += [Content.assemble((f"{name:<10}", "dim"), inert(value)) for name, value in facts if value]
    return Content("\n").join(lines)
