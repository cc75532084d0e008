"""Where a run comes from and what it may be used for: the same lines on every figure, report and table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepimagine_exporters.words import comparison_text, outcome_text
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE, DEMO_MARK, RunStarted
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, WhatIf
from deepimagine_tui.reasoning.state import Configuration, Perturbation
from deepimagine_tui.text import one_line

if TYPE_CHECKING:
    from deepimagine_tui.backends.protocol import ModelInfo

HASH_DIGITS = 12


def started_of(graph: ReasoningGraph) -> RunStarted:
    """The run's first event.

    Raises:
        RefusedError: the run has none, so nothing about it can be vouched for.
    """
    if graph.started is None:
        raise RefusedError("This run never started, so there is nothing to export.")
    return graph.started


def is_demo(graph: ReasoningGraph) -> bool:
    """Whether the scripted backend answered."""
    return graph.started is not None and graph.started.model.demo


def model_text(model: ModelInfo) -> str:
    """Name, quantisation, adapter and hash prefixes; the demo mark for the scripted backend."""
    if model.demo:
        return DEMO_MARK if model.name == DEMO_MARK else f"{DEMO_MARK} ({one_line(model.name)})"
    parts = [one_line(model.full_name)]
    if model.sha256:
        parts[0] += f" (sha256 {model.sha256[:HASH_DIGITS]})"
    if model.adapter:
        digest = f" (sha256 {model.adapter_sha256[:HASH_DIGITS]})" if model.adapter_sha256 else ""
        parts.append(f"adapter {one_line(model.adapter)}{digest}")
    else:
        parts.append("no adapter")
    if model.host:
        parts.append(f"at {one_line(model.host)}")
    return ", ".join(parts)


def trials_text(graph: ReasoningGraph) -> str:
    """The trials that the numbers come from, and the target's."""
    ids = list(dict.fromkeys(view.anchor.state.nct_id for view in graph.pathways))
    anchors = f"{'anchor' if len(ids) == 1 else 'anchors'} {', '.join(ids)}" if ids else ""
    question = graph.started.request.question if graph.started else None
    target = f"target {question.nct_id}" if isinstance(question, Forecast) and question.nct_id else ""
    return ", ".join(part for part in (target, anchors) if part)


def provenance_lines(graph: ReasoningGraph) -> tuple[str, ...]:
    """Run, model, prompt, seed, corpus, data date and trials; then what is known of training; then the context of use."""
    started = started_of(graph)
    settings = started.request.settings
    how = f"run {started.run_id} · {model_text(started.model)} · prompt {started.prompt_version} · seed {settings.seed}"
    data = f"corpus {one_line(started.corpus_name)} {started.corpus_version}, data of {started.data_date}"
    trials = trials_text(graph)
    return (
        f"{how[0].upper()}{how[1:]}",
        f"{data[0].upper()}{data[1:]}" + (f" · {trials}" if trials else ""),
        seen_text(graph),
        started.context_of_use or CONTEXT_OF_USE,
    )


def seen_text(graph: ReasoningGraph) -> str:
    """Whether the model was trained on the trials that the run starts from."""
    seen = {view.anchor.state.nct_id: view.anchor.seen_in_training for view in graph.pathways}
    yes = [nct for nct, flag in seen.items() if flag]
    unknown = [nct for nct, flag in seen.items() if flag is None]
    parts = [f"the model was trained on {', '.join(yes)}"] if yes else []
    if unknown:
        parts.append("not known whether the model saw " + ("these trials" if len(unknown) == len(seen) else ", ".join(unknown)))
    if seen and not parts:
        parts.append("not seen in adapter training")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else "No trial was used."


def target_configuration(graph: ReasoningGraph) -> Configuration | None:
    """What the run is about: the target of a forecast, else the last state of the first pathway."""
    question = started_of(graph).request.question
    if isinstance(question, Forecast):
        return question.target
    return graph.pathways[0].states[-1].configuration if graph.pathways else None


def title_of(graph: ReasoningGraph) -> str:
    """The run's name, else the question in words."""
    request = started_of(graph).request
    return one_line(request.name) or question_text(graph)


def question_text(graph: ReasoningGraph) -> str:
    """The question in one sentence without a full stop."""
    question = started_of(graph).request.question
    match question:
        case Forecast():
            where = f", {question.nct_id}" if question.nct_id else ""
            return f"Forecast: {comparison_text(question.target)}{where}"
        case WhatIf():
            changes = ", then ".join(map(change_text, question.perturbations))
            start = question.anchor.nct_id
            if graph.pathways:
                start = comparison_text(graph.pathways[0].anchor.state.configuration)
            return f"What if: {start}; {changes}" if changes else f"What if: {start}"


def change_text(perturbation: Perturbation) -> str:
    """`dose 10 mg → 50 mg`."""
    return f"{factor_name(perturbation.factor)} {one_line(perturbation.before)} → {one_line(perturbation.after)}"


def factor_name(factor: str) -> str:
    """A factor as a person reads it."""
    return factor.replace("_", " ")


def measure_text(graph: ReasoningGraph) -> str:
    """The measure that the run is about, with unit."""
    configuration = target_configuration(graph)
    return outcome_text(configuration) if configuration else ""
