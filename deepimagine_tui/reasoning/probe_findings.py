"""What the runs of a probe show, in numbers: a fold of their graphs. Definitions stand at each finding; g and s are those of
`scales`, s of the anchor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.interpret import Together, interpret, logit_of_met
from deepimagine_tui.reasoning.probes import Probe
from deepimagine_tui.reasoning.scales import NotScorableError, g
from deepimagine_tui.reasoning.scoring import value_errors
from deepimagine_tui.reasoning.state import State

LEAST_RUNGS = 3
"""Fewer doses with a value are no ladder."""


class Ladder(msgspec.Struct, frozen=True):
    """Dose monotonicity, over the doses that have a value, the anchor's posted one among them.

    `in_order` is the share of neighbouring pairs whose values go in the probe's direction as the dose rises, `level` the share
    that do not move at all. `tau` is Kendall's tau-a: (pairs in that direction - pairs against it) / all pairs, in [-1, 1].
    """

    in_order: float
    level: float
    tau: float
    rungs: int


class Return(msgspec.Struct, frozen=True):
    """Whether undoing a change returns: `back` is e of A' against A, `away` e of B against A, each |delta g| / s, the mean over
    the values that the model said there. `away` is `None` where B is of another measure. `verdict` tells whether A' has the
    posted verdict of A; `None` where A has none."""

    back: float | None
    away: float | None
    verdict: bool | None


class Order(msgspec.Struct, frozen=True):
    """What the order of two changes does to the answer: `value` is |delta g| / s, the mean over the values that the model said;
    `logit` is |delta logit P(met)|; `verdict` whether both orders give one verdict."""

    value: float | None
    logit: float | None
    verdict: bool | None


Finding = Ladder | Return | Order | Together


def measure(probe: Probe, graphs: Sequence[ReasoningGraph]) -> Finding | None:
    """What the runs of a probe show, in the order of its paths; `None` where too few were answered to tell."""
    match probe.kind:
        case "dose ladder":
            return _ladder(probe, graphs)
        case "return":
            return _return(graphs[0])
        case "order":
            return _order(graphs)
        case "seeds":
            return interpret(graphs[0]).together


def _states(graph: ReasoningGraph) -> tuple[State, ...]:
    """The anchor and what followed, of a first pathway that reached its target; nothing of another."""
    view = graph.pathways[0] if graph.pathways else None
    return view.states if view is not None and view.done is not None and view.done.complete else ()


def rungs(graphs: Sequence[ReasoningGraph]) -> list[State]:
    """The states that a ladder's runs reached, the anchor's among them, from the lowest dose to the highest."""
    walked = [states for graph in graphs if (states := _states(graph))]
    return sorted([*(states[-1] for states in walked), *(states[0] for states in walked[:1])], key=_amount)


def _ladder(probe: Probe, graphs: Sequence[ReasoningGraph]) -> Ladder | None:
    places = []
    for state in rungs(graphs):
        try:
            if state.arm_value is not None:
                places.append(g(state.arm_value, state.configuration.outcome))
        except NotScorableError:
            continue
    return ladder_of(places, probe.direction) if len(places) >= LEAST_RUNGS else None


def _amount(state: State) -> float:
    return state.configuration.arm.doses[0].amount


def ladder_of(places: Sequence[float], direction: int) -> Ladder:
    """The monotonicity of at least two values on g, from the lowest dose to the highest."""
    near = [direction * (second - first) for first, second in pairwise(places)]
    every = [direction * (later - first) for at, first in enumerate(places) for later in places[at + 1 :]]
    concordant, discordant = sum(step > 0 for step in every), sum(step < 0 for step in every)
    return Ladder(
        in_order=sum(step > 0 for step in near) / len(near),
        level=sum(step == 0 for step in near) / len(near),
        tau=(concordant - discordant) / len(every),
        rungs=len(places),
    )


def _return(graph: ReasoningGraph) -> Return | None:
    states = _states(graph)
    if not states:
        return None
    start, there, back = states[0], states[len(states) // 2], states[-1]
    posted = start.met.verdict if start.met is not None else "undetermined"
    said = back.met.verdict if back.met is not None else "undetermined"
    known = posted != "undetermined" and said != "undetermined"
    return Return(_error(start, back, start), _error(start, there, start), said == posted if known else None)


def _order(graphs: Sequence[ReasoningGraph]) -> Order | None:
    first, second = (_states(graph) for graph in graphs)
    if not first or not second:
        return None
    anchor, one, other = first[0], first[-1], second[-1]
    chances = logit_of_met(one), logit_of_met(other)
    verdicts = [state.met.verdict for state in (one, other) if state.met is not None]
    known = len(verdicts) == 2 and "undetermined" not in verdicts
    return Order(
        value=_error(anchor, one, other),
        logit=abs(chances[0] - chances[1]) if chances[0] is not None and chances[1] is not None else None,
        verdict=verdicts[0] == verdicts[1] if known else None,
    )


def _error(anchor: State, said: State, other: State) -> float | None:
    """The mean e of the values said, against those of `other`; `None` where none can be compared."""
    errors = value_errors(anchor, said, other)
    return sum(errors) / len(errors) if errors else None
