"""Which probes a finished run allows, from its own anchor and changes, and why not the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import get_args

import msgspec

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probes import Probe, ProbeKind, both_orders, dose_ladder, several_seeds, there_and_back
from deepimagine_tui.reasoning.request import WhatIf
from deepimagine_tui.trials.factors import ARITHMETIC

KINDS: tuple[ProbeKind, ...] = get_args(ProbeKind)


class Offer(msgspec.Struct, frozen=True):
    """A probe of a run, or in `why` the reason for which there is none of this kind."""

    kind: ProbeKind
    probe: Probe | None = None
    why: str = ""


def offers(graph: ReasoningGraph) -> tuple[Offer, ...]:
    """One offer a kind. The changes of the run are walked as they were, from its anchor; the ladder is of the anchor's dose.

    Raises:
        RefusedError: the run allows no probe at all: it is a forecast, was not answered, or is not the model's alone.
    """
    question = _question(graph)
    state, path = graph.pathways[0].anchor.state, question.perturbations
    ref = question.anchor
    makers: dict[ProbeKind, Callable[[], Probe]] = {
        "dose ladder": partial(dose_ladder, "dose ladder", ref, state),
        "return": partial(there_and_back, "return", ref, state, path),
        "order": partial(both_orders, "order", ref, state, path),
        "seeds": partial(several_seeds, "seeds", ref, path),
    }
    return tuple(_offer(kind, makers[kind]) for kind in KINDS)


def _question(graph: ReasoningGraph) -> WhatIf:
    started, finished = graph.started, graph.finished
    if started is None or finished is None or finished.outcome != "answered" or not graph.pathways:
        raise RefusedError("Only a run that was answered can be probed.", "Ask its question again, and probe the new run.")
    question = started.request.question
    if not isinstance(question, WhatIf):
        raise RefusedError(
            "A forecast has no one anchor to probe from; its pathways show already how far its answers lie apart.",
            "Ask a what-if from one of its anchors, and probe that.",
        )
    if question.edits:
        raise RefusedError(
            "This run goes on from a result that you entered, so that its answer is not the model's alone.",
            "Ask the question without it, and probe that run.",
        )
    if all(change.factor in ARITHMETIC for change in question.perturbations):
        raise RefusedError("This run is arithmetic: the model was not asked, and so cannot be probed.")
    return question


def _offer(kind: ProbeKind, make: Callable[[], Probe]) -> Offer:
    try:
        return Offer(kind, make())
    except RefusedError as error:
        return Offer(kind, why=error.message)
