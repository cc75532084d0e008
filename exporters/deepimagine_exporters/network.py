"""A run as a networkx graph: states are nodes, steps are edges, and everything on them is a plain scalar.

Nodes: `p0` (the anchor of pathway 0), `p0.s0` (the state after its first step, or the step that failed), `p0.s0.posted`
(the posted result it landed on), `aggregate`. Pathways of one run that start at one state share its node. The figure, GraphML,
DOT and JSON all come from here. An attribute that is unknown is absent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from deepimagine_exporters.words import comparison_text, state_status
from deepimagine_tui.reasoning.events import Aggregated, PathwayShare, Revealed
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.state import ContrastEstimate, MetEstimate, Number, State
from deepimagine_tui.text import inert, one_line

if TYPE_CHECKING:
    import networkx as nx

Scalar = str | int | float | bool
Attributes = dict[str, Scalar]

AGGREGATE = "aggregate"


def anchor_node(graph: ReasoningGraph, pathway: int) -> str:
    """The node of a pathway's anchor: that of the first pathway that starts at the same state."""
    state_id = graph.pathways[pathway].anchor.state.id
    first = next(index for index, view in enumerate(graph.pathways) if view.anchor.state.id == state_id)
    return f"p{first}"


def step_node(pathway: int, step: int) -> str:
    """The node that a step leads to."""
    return f"p{pathway}.s{step}"


def run_network(graph: ReasoningGraph) -> nx.DiGraph:
    """The run as a directed graph; its graph attributes hold everything needed to repeat it."""
    import networkx as nx

    network: nx.DiGraph = nx.DiGraph(**run_attributes(graph))
    for index, view in enumerate(graph.pathways):
        anchor = anchor_node(graph, index)
        if anchor not in network:
            network.add_node(anchor, **_anchor_attributes(index, view))
        before = anchor
        for number, step in enumerate(view.steps):
            node = step_node(index, number)
            network.add_node(node, **_step_attributes(index, number, step))
            network.add_edge(before, node, **_edge_attributes(number, step))
            if step.revealed:
                network.add_node(f"{node}.posted", pathway=index, step=number + 1, **_posted_attributes(step.revealed))
                network.add_edge(node, f"{node}.posted", kind="posted", label="posted")
            before = node
    if graph.aggregated:
        network.add_node(AGGREGATE, **_aggregate_attributes(graph.aggregated))
        if graph.aggregated.revealed:
            network.add_node(f"{AGGREGATE}.posted", **_posted_attributes(graph.aggregated.revealed))
            network.add_edge(AGGREGATE, f"{AGGREGATE}.posted", kind="posted", label="posted")
        for share in arrived_shares(graph.aggregated):
            last = len(graph.pathways[share.pathway].steps)
            node = step_node(share.pathway, last - 1) if last else anchor_node(graph, share.pathway)
            network.add_edge(node, AGGREGATE, kind="aggregate", weight=share.weight, label=f"weight {share.weight:.3g}")
    return network


def arrived_shares(aggregated: Aggregated) -> tuple[PathwayShare, ...]:
    """The shares of the pathways that reached the target; the others weigh nothing."""
    return tuple(share for share in aggregated.shares if share.weight > 0)


def run_attributes(graph: ReasoningGraph) -> Attributes:
    """What the whole run carries: model, versions, seed, corpus, context of use, how it ended."""
    found: dict[str, Scalar | None] = {"format": "deepimagine reasoning graph", "schema_version": 1}
    if graph.started:
        started = graph.started
        found |= {
            "run_id": started.run_id,
            "name": one_line(started.request.name),
            "question": "what-if" if type(started.request.question).__name__ == "WhatIf" else "forecast",
            "at": started.at,
            "model": one_line(started.model.name),
            "model_sha256": started.model.sha256,
            "adapter": one_line(started.model.adapter),
            "adapter_sha256": started.model.adapter_sha256,
            "prompt_version": started.prompt_version,
            "seed": started.request.settings.seed,
            "corpus": one_line(started.corpus_name),
            "corpus_version": started.corpus_version,
            "data_date": started.data_date,
            "context_of_use": started.context_of_use,
            "demo": started.model.demo,
        }
    if graph.finished:
        found |= {"ended": graph.finished.outcome, "message": inert(graph.finished.message)}
    return _known(found)


def _anchor_attributes(pathway: int, view: PathwayView) -> Attributes:
    seen = view.anchor.seen_in_training
    extra: dict[str, Scalar | None] = {
        "kind": "anchor",
        "pathway": pathway,
        "similarity": view.anchor.similarity,
        "seen_in_training": "unknown" if seen is None else "yes" if seen else "no",
        "warnings": " ".join(map(one_line, view.anchor.warnings)),
    }
    return _known(extra | _state_attributes(view.anchor.state))


def _step_attributes(pathway: int, number: int, step: StepView) -> Attributes:
    place: dict[str, Scalar | None] = {"pathway": pathway, "step": number + 1}
    if step.estimated:
        said = {"warnings": " ".join(map(one_line, step.estimated.warnings)), "record": one_line(step.estimated.record)}
        return _known(place | {"kind": "state"} | said | _state_attributes(step.estimated.state))
    if step.failed:
        message = inert(step.failed.message)
        return _known(
            place | {"kind": "failed", "failure": step.failed.kind, "message": message, "label": f"failed: {message}"}
        )
    return _known(place | {"kind": "unanswered", "label": "not answered"})


def _state_attributes(state: State) -> dict[str, Scalar | None]:
    configuration = state.configuration
    return {
        "label": comparison_text(configuration),
        "status": state_status(state),
        "state_id": state.id,
        "nct_id": state.nct_id,
        "outcome": one_line(configuration.outcome.title),
        "outcome_id": configuration.outcome.outcome_id,
        "time": one_line(configuration.time.text) if configuration.time else None,
        "arm": one_line(configuration.arm.label),
        "comparator": one_line(configuration.comparator.label) if configuration.comparator else None,
        **_number_attributes("k1", state.arm_value),
        **_number_attributes("k2", state.comparator_value),
        **_contrast_attributes(state.contrast),
        **_met_attributes(state.met),
        "z": state.z_test.z if state.z_test else None,
        "z_p": state.z_test.p if state.z_test else None,
        "z_agrees": state.z_test.agrees if state.z_test else None,
    }


def _number_attributes(name: str, number: Number | None) -> dict[str, Scalar | None]:
    if number is None:
        return {}
    interval = number.interval
    return {
        f"{name}_value": number.value,
        f"{name}_status": number.status,
        f"{name}_unit": one_line(number.unit),
        f"{name}_lower": interval.lower if interval else None,
        f"{name}_upper": interval.upper if interval else None,
        f"{name}_level": interval.level if interval else None,
        f"{name}_interval_kind": interval.kind if interval else None,
        f"{name}_dispersion_kind": None if number.dispersion_kind == "none" else number.dispersion_kind,
        f"{name}_dispersion": number.dispersion,
        f"{name}_spread_lower": number.lower,
        f"{name}_spread_upper": number.upper,
        f"{name}_n": number.n,
        f"{name}_note": one_line(number.note),
        f"{name}_after_entered": number.after_entered or None,
    }


def _contrast_attributes(contrast: ContrastEstimate | None) -> dict[str, Scalar | None]:
    if contrast is None:
        return {}
    return _number_attributes("contrast", contrast.number) | {
        "contrast_kind": contrast.kind,
        "contrast_scale": one_line(contrast.scale),
        "contrast_orientation": contrast.orientation,
        "contrast_hypothesis": contrast.hypothesis,
        "contrast_p": one_line(contrast.p_text),
    }


def _met_attributes(met: MetEstimate | None) -> dict[str, Scalar | None]:
    if met is None:
        return {}
    return {
        "verdict": met.verdict,
        "met_status": met.status,
        "met_probability": met.probability,
        "met_mass": met.mass,
        "met_how": met.how,
        "met_calibrated": met.calibrated if met.probability is not None else None,
    }


def _posted_attributes(revealed: Revealed) -> Attributes:
    found: dict[str, Scalar | None] = {
        "kind": "posted",
        "label": "posted",
        "status": "observed",
        "nct_id": revealed.source.nct_id,
        "outcome_id": revealed.source.outcome_id,
        **_number_attributes("k1", revealed.arm_value),
        **_number_attributes("k2", revealed.comparator_value),
        **_contrast_attributes(revealed.contrast),
        **_met_attributes(revealed.met),
        "error": revealed.error,
        "copy_error": revealed.copy_error,
        "direction_right": revealed.direction_right,
        "verdict_right": revealed.verdict_right,
        "brier": revealed.brier,
        "why": one_line(revealed.why),
    }
    return _known(found)


def _aggregate_attributes(aggregated: Aggregated) -> Attributes:
    found: dict[str, Scalar | None] = {
        "kind": "aggregate",
        "label": f"aggregate of {aggregated.answered}",
        "status": "imagined",
        **_number_attributes("k1", aggregated.arm_value),
        **_number_attributes("k2", aggregated.comparator_value),
        **_contrast_attributes(aggregated.contrast),
        **_met_attributes(aggregated.met),
        "spread_lower": aggregated.spread_lower,
        "spread_upper": aggregated.spread_upper,
        "answered": aggregated.answered,
        "agreement": aggregated.agreement,
        "anchors_met": aggregated.anchors_met,
        "anchors_with_verdict": aggregated.anchors_with_verdict,
        "comparator_rule": one_line(aggregated.comparator_rule),
        "record": one_line(aggregated.record),
        "warnings": " ".join(map(one_line, aggregated.warnings)),
    }
    return _known(found)


def _edge_attributes(number: int, step: StepView) -> Attributes:
    perturbation = step.planned.perturbation
    before, after = one_line(perturbation.before), one_line(perturbation.after)
    found: dict[str, Scalar | None] = {
        "kind": "step",
        "step": number + 1,
        "step_id": step.planned.step_id,
        "factor": perturbation.factor,
        "before": before,
        "after": after,
        "typed": one_line(perturbation.typed),
        "label": f"{perturbation.factor}: {before} -> {after}",
    }
    if step.estimated:
        found |= {
            "how": step.estimated.kind,
            "reasoning": inert(step.estimated.reasoning),
            "computed": one_line(step.planned.opening),
        }
    return _known(found)


def _known(attributes: dict[str, Scalar | None]) -> Attributes:
    return {key: value for key, value in attributes.items() if value is not None and value != "" and _finite(value)}


def _finite(value: Scalar) -> bool:
    return not isinstance(value, float) or math.isfinite(value)
