"""What the probes of a run showed: a fold of the journals that `probe_asking` kept, never stored itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError, RefusedError
from deepimagine_tui.reasoning.directions import step_direction
from deepimagine_tui.reasoning.events import DEMO_MARK, RunStarted
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph
from deepimagine_tui.reasoning.interpret import Share, Together
from deepimagine_tui.reasoning.probe_asking import AskedProbe, read_file, read_graphs, was_answered
from deepimagine_tui.reasoning.probe_findings import Finding, Ladder, measure, rungs
from deepimagine_tui.reasoning.probe_numbers import (
    IN_ORDER,
    LEVEL,
    SAME_DIRECTION,
    SAME_VERDICT,
    SEEDS,
    ProbeNumber,
    numbers,
    told,
)
from deepimagine_tui.reasoning.probe_offers import Offer, offers
from deepimagine_tui.reasoning.probes import ProbeKind
from deepimagine_tui.reasoning.scales import NotScorableError
from deepimagine_tui.reasoning.state import Direction, Number, State

Standing = Literal["not possible", "not asked", "no answer", "answered"]


class Rung(msgspec.Struct, frozen=True):
    """A dose of a ladder, and the arm's value there: the posted one, or what the model said."""

    amount: float
    unit: str
    value: Number


class ProbeResult(msgspec.Struct, frozen=True):
    """One probe. `why` says in words what `not possible` and `no answer` come from."""

    kind: ProbeKind
    standing: Standing
    why: str = ""
    numbers: tuple[ProbeNumber, ...] = ()
    rungs: tuple[Rung, ...] = ()


class RunProbes(msgspec.Struct, frozen=True):
    """The probes of one run, one result a kind, by the run's own `model`.

    A run that allows none has no result, and `why` says so; `problem` tells that what was kept cannot be read.
    """

    run_id: str = ""
    model: str = ""
    results: tuple[ProbeResult, ...] = ()
    why: str = ""
    problem: str = ""

    @property
    def asked(self) -> bool:
        """Whether the run was probed, with whatever result."""
        return any(each.standing in ("answered", "no answer") for each in self.results)

    @property
    def open(self) -> bool:
        """Whether there is something left to ask."""
        return any(each.standing in ("not asked", "no answer") for each in self.results)


def probes_of(graph: ReasoningGraph, folder: Path) -> RunProbes:
    """The probes of a run as far as `folder` has them. Never raises for what cannot be read: `problem` says it."""
    run_id = graph.started.run_id if graph.started is not None else ""
    model = _model(graph.started) if graph.started is not None else ""
    try:
        offered = offers(graph)
    except RefusedError as error:
        return RunProbes(run_id, model, why=str(error))
    asked: tuple[AskedProbe, ...] = ()
    problem = ""
    try:
        asked = read_file(folder).asked
    except NotFoundError:
        # Not probed yet, as most runs are.
        pass
    except BadInputError as error:
        problem = str(error)
    return RunProbes(run_id, model, tuple(_result(offer, asked, graph, folder) for offer in offered), problem=problem)


def _model(started: RunStarted) -> str:
    if started.model.demo:
        return DEMO_MARK
    adapter = f" with adapter {started.model.adapter}" if started.model.adapter else ""
    return f"{started.model.full_name}{adapter}"


def _result(offer: Offer, asked: Sequence[AskedProbe], graph: ReasoningGraph, folder: Path) -> ProbeResult:
    if offer.probe is None:
        return ProbeResult(offer.kind, "not possible", offer.why)
    mine = next((each for each in asked if each.probe == offer.probe), None)
    if mine is None:
        return ProbeResult(offer.kind, "not asked")
    graphs = read_graphs(folder, mine)
    finding = measure(offer.probe, graphs)
    if not all(map(was_answered, graphs)) or finding is None:
        return ProbeResult(offer.kind, "no answer", _why(graphs))
    steps = _rungs(graphs) if isinstance(finding, Ladder) else ()
    return ProbeResult(offer.kind, "answered", numbers=_numbers(finding, graphs, graph), rungs=steps)


def _why(graphs: Sequence[ReasoningGraph]) -> str:
    for graph in graphs:
        if graph.finished is None or graph.finished.outcome == "cancelled":
            return "It was stopped."
        if graph.finished.outcome != "answered":
            return graph.finished.message or "The model gave no answer."
    return "Too few of its answers hold a value to tell."


def _rungs(graphs: Sequence[ReasoningGraph]) -> tuple[Rung, ...]:
    found = []
    for state in rungs(graphs):
        dose = state.configuration.arm.doses[0]
        if state.arm_value is not None:
            found.append(Rung(dose.amount, dose.unit, state.arm_value))
    return tuple(found)


def _numbers(finding: Finding, graphs: Sequence[ReasoningGraph], run: ReasoningGraph) -> tuple[ProbeNumber, ...]:
    values = told(finding)
    match finding:
        case Ladder():
            between = finding.rungs - 1
            return numbers(values, finding.rungs, {IN_ORDER: between, LEVEL: between})
        case Together():
            walked = [view for view in graphs[0].pathways if view.done is not None and view.done.complete]
            verdicts, directions = _as_run(walked, run.pathways[0])
            counted = {SEEDS: finding.agree.total, SAME_VERDICT: verdicts.total, SAME_DIRECTION: directions.total}
            same = {SAME_VERDICT: verdicts.value, SAME_DIRECTION: directions.value}
            return numbers(values | same, len(walked), counted)
        case _:
            return numbers(values, len(graphs))


def _as_run(walked: Sequence[PathwayView], run: PathwayView) -> tuple[Share, Share]:
    """How many of the seeds have the run's verdict, and how many its direction from the anchor."""
    ends = [view.states[-1] for view in walked]
    mine = _verdict(run.states[-1])
    verdicts = [_verdict(end) for end in ends if _verdict(end)] if mine else []
    way = _direction(run)
    ways = [each for each in map(_direction, walked) if each] if way else []
    return _share(verdicts, mine), _share(ways, way)


def _share(found: Iterable[str], mine: str) -> Share:
    every = list(found)
    return Share(every.count(mine), len(every))


def _verdict(state: State) -> str:
    return state.met.verdict if state.met is not None and state.met.verdict != "undetermined" else ""


def _direction(view: PathwayView) -> Direction | Literal[""]:
    """Where the arm's value, or the contrast alone, went from the anchor; empty where it cannot be told."""
    try:
        return step_direction(view.anchor.state, view.states[-1], "arm")
    except NotScorableError:
        return ""
