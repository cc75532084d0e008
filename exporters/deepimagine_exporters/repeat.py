"""The command line that asks the question of a run again."""

from __future__ import annotations

import shlex

from deepimagine_exporters.provenance import started_of
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, ImagineSettings, WhatIf
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.text import one_line

_DEFAULTS = ImagineSettings()


def repeat_command(graph: ReasoningGraph) -> str:
    """`deepimagine imagine …` or `deepimagine forecast …`, quoted for a POSIX shell; the model is whichever is in use, and the
    settings name the one that was."""
    started = started_of(graph)
    request = started.request
    match request.question:
        case WhatIf():
            words = _what_if(graph, request.question)
        case Forecast():
            words = _forecast(request.question)
    return " ".join(shlex.quote(word) for word in [*words, *_settings(request), *_backend(graph)])


def _what_if(graph: ReasoningGraph, question: WhatIf) -> list[str]:
    words = ["deepimagine", "imagine", question.anchor.nct_id]
    if graph.pathways:
        configuration = graph.pathways[0].anchor.state.configuration
        words += ["--outcome", one_line(configuration.outcome.title), "--arm", one_line(configuration.arm.label)]
        words += _against("--comparator", configuration.comparator)
    for perturbation in question.perturbations:
        words += ["--set", f"{perturbation.factor}={one_line(perturbation.typed or perturbation.after)}"]
    return words


def _forecast(question: Forecast) -> list[str]:
    target = question.target
    words = ["deepimagine", "forecast"]
    if question.nct_id:
        words.append(question.nct_id)
    elif target.population.conditions:
        words += ["--condition", one_line(", ".join(target.population.conditions))]
    words += ["--arm", one_line(target.arm.label), *_against("--against", target.comparator)]
    words += ["--outcome", one_line(target.outcome.title)]
    if question.nct_id is None:
        words += ["--unit", one_line(target.outcome.unit)] if target.outcome.unit else []
        words += ["--time", one_line(target.time.text)] if target.time else []
    words += ["--anchors", str(question.k), "--cutoff", question.cutoff]
    for nct_id in question.drop:
        words += ["--drop", nct_id]
    return words


def _against(option: str, comparator: ArmSpec | None) -> list[str]:
    return [option, one_line(comparator.label)] if comparator else []


def _settings(request: ImagineRequest) -> list[str]:
    settings = request.settings
    words = ["--seed", str(settings.seed)]
    if settings.temperature != _DEFAULTS.temperature:
        words += ["--temperature", f"{settings.temperature:g}"]
    if settings.top_p != _DEFAULTS.top_p:
        words += ["--top-p", f"{settings.top_p:g}"]
    if settings.max_reasoning_tokens != _DEFAULTS.max_reasoning_tokens:
        words += ["--max-reasoning-tokens", str(settings.max_reasoning_tokens)]
    if settings.samples != _DEFAULTS.samples:
        words += ["--samples", str(settings.samples)]
    return [*words, "--estimand", "contrast"] if request.estimand == "contrast" else words


def _backend(graph: ReasoningGraph) -> list[str]:
    return ["--backend", started_of(graph).model.backend]
