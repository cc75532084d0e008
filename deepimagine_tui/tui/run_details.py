"""A kept run as text: what was asked, of which model, on which data, and the chain with what came of it."""

from __future__ import annotations

from textual.content import Content

from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.interpret import interpret
from deepimagine_tui.reasoning.interpret_text import interpretation_lines
from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.reasoning.probe_results import RunProbes
from deepimagine_tui.reasoning.runs import RunSummary
from deepimagine_tui.reasoning.state import Number
from deepimagine_tui.reasoning.summary import format_met, format_number
from deepimagine_tui.tui.chain_text import anchor_card, step_card, stopped_card
from deepimagine_tui.tui.probe_card import probe_card
from deepimagine_tui.tui.show import clip, inert, marked, probability

OUTCOMES = {
    "answered": "answered",
    "no_answer": "no answer",
    "cancelled": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
    "unreadable": "unreadable",
}
"""How a run ended, in the words of the screens."""


def when_text(at: str) -> str:
    """`2026-11-22 11:40`, of an ISO 8601 time in UTC."""
    return at[:16].replace("T", " ")


def run_details(
    summary: RunSummary,
    graph: ReasoningGraph,
    width: int,
    probes: RunProbes | None = None,
    progress: ProbeProgress | None = None,
) -> Content:
    """Everything of a run that a person reads, in at most `width` columns a line where it can be helped."""
    started = graph.started
    if started is None:
        return Content(inert(summary.answer))
    model, settings = started.model, started.request.settings
    lines = [Content.styled(clip(summary.name or summary.target, 3 * width), "bold")]
    name = "demo, no model" if model.demo else f"{inert(model.name)}{f' + {inert(model.adapter)}' if model.adapter else ''}"
    lines.append(_fact("asked", f"{when_text(summary.when)} UTC"))
    lines.append(_fact("model", f"{name}, seed {settings.seed}, prompts {started.prompt_version}"))
    lines.append(_fact("corpus", f"{inert(started.corpus_name)}, data to {inert(started.data_date)}"))
    lines.append(_fact("run", started.request.run_id))
    if started.request.parent:
        lines.append(_fact("goes on from", started.request.parent))
    if summary.notes:
        lines.append(_fact("notes", inert(summary.notes)))
    cards = [Content("\n").join(lines)]
    if len(graph.pathways) == 1:
        cards += _chain(graph.pathways[0], width)
    elif graph.pathways:
        cards.append(_pathways(graph, width))
    cards += [card] if (card := interpretation_card(graph, width)).plain else []
    if probes is not None and graph.pathways:
        cards.append(probe_card(probes, width, progress))
    cards += _ending(graph)
    cards.append(Content.styled(started.context_of_use, "dim"))
    return Content("\n\n").join(cards)


def interpretation_card(graph: ReasoningGraph, width: int) -> Content:
    """How the run came to its answer; empty before a step is answered."""
    head, *lines = interpretation_lines(interpret(graph), width) or [""]
    return Content("\n").join([Content.styled(head, "bold"), *map(Content, lines)])


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name}  ", "dim"), value)


def _chain(pathway: PathwayView, width: int) -> list[Content]:
    cards = [anchor_card(pathway.anchor, width)]
    for number, step in enumerate(pathway.steps, 1):
        if step.estimated is not None:
            cards.append(step_card(number, step, step.estimated, width))
        else:
            cards.append(stopped_card(number, step, width, "not answered"))
    return cards


def _pathways(graph: ReasoningGraph, width: int) -> Content:
    lines = [Content.styled("anchor         likeness   observed        at the target", "dim")]
    for pathway in graph.pathways:
        first, last = pathway.anchor.state, pathway.states[-1]
        near = "" if pathway.anchor.similarity is None else probability(pathway.anchor.similarity)
        at_target = marked(last.arm_value, 10) if pathway.done and pathway.done.complete else Content("stopped".rjust(10))
        met = f"  {format_met(last.met)}" if last.met is not None and pathway.done and pathway.done.complete else ""
        lines.append(
            Content.assemble(
                f"{first.nct_id:<12}  {near:>9}  ",
                marked(first.arm_value, 10),
                "      ",
                at_target,
                (clip(met, width), "italic"),
            )
        )
    return Content("\n").join(lines)


def _ending(graph: ReasoningGraph) -> list[Content]:
    cards = []
    total = graph.aggregated
    if total is not None:
        value = _number(total.arm_value)
        met = f"   {format_met(total.met)}" if total.met is not None else ""
        agree = f"   agree {total.agreement} of {total.answered}"
        cards.append(Content.assemble((f"Aggregate of {total.answered}  ", "bold"), (f"{value}{met}", "italic"), agree))
    finished = graph.finished
    if finished is None:
        cards.append(Content.styled("This run was interrupted; what it had is shown.", "$text-warning"))
    elif finished.outcome != "answered":
        said = " ".join(part for part in (inert(finished.message), inert(finished.hint)) if part)
        cards.append(
            Content.styled(f"{OUTCOMES[finished.outcome]}: {said}" if said else OUTCOMES[finished.outcome], "$text-warning")
        )
    return cards


def _number(number: Number | None) -> str:
    return format_number(number) if number is not None else ""
