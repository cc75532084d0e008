"""The reasoning graph: what a run's events add up to. The live view, the saved journal and the export are folds to
this same value."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import assert_never

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning.events import (
    Aggregated,
    AnchorChosen,
    PathwayDone,
    ReasoningEvent,
    Revealed,
    RunFinished,
    RunStarted,
    StepEstimated,
    StepFailed,
    StepPlanned,
    TokensArrived,
)
from deepimagine_tui.reasoning.state import State


class StepView(msgspec.Struct, frozen=True):
    """One step as known so far: planned, then answered or failed. `text` is what has streamed."""

    planned: StepPlanned
    text: str = ""
    tokens: int = 0
    estimated: StepEstimated | None = None
    failed: StepFailed | None = None

    @property
    def revealed(self) -> Revealed | None:
        """The posted result that this step landed on, once the model has answered."""
        return self.estimated.revealed if self.estimated else None


class PathwayView(msgspec.Struct, frozen=True):
    """One pathway: its anchor, its steps in order, and how it ended."""

    anchor: AnchorChosen
    steps: tuple[StepView, ...] = ()
    done: PathwayDone | None = None

    @property
    def states(self) -> tuple[State, ...]:
        """The anchor's state and the state after each answered step."""
        return (self.anchor.state, *(step.estimated.state for step in self.steps if step.estimated))


class ReasoningGraph(msgspec.Struct, frozen=True):
    """A run. `pathways` by pathway number."""

    started: RunStarted | None = None
    pathways: tuple[PathwayView, ...] = ()
    aggregated: Aggregated | None = None
    finished: RunFinished | None = None


def _with_step(graph: ReasoningGraph, pathway: int, index: int, step: StepView) -> ReasoningGraph:
    view = graph.pathways[pathway]
    steps = (*view.steps[:index], step, *view.steps[index + 1 :])
    return _with_pathway(graph, pathway, replace(view, steps=steps))


def _with_pathway(graph: ReasoningGraph, pathway: int, view: PathwayView) -> ReasoningGraph:
    return replace(graph, pathways=(*graph.pathways[:pathway], view, *graph.pathways[pathway + 1 :]))


def fold(graph: ReasoningGraph, event: ReasoningEvent) -> ReasoningGraph:
    """The graph after one more event. Events of one run come in order of `seq`; pathways and steps are numbered from
    0 in order."""
    match event:
        case RunStarted():
            return replace(graph, started=event)
        case AnchorChosen(pathway=pathway):
            return _with_pathway(graph, pathway, PathwayView(event))
        case StepPlanned(pathway=pathway, step=step):
            return _with_step(graph, pathway, step, StepView(event))
        case TokensArrived(pathway=pathway, step=step, text=text, tokens=tokens):
            view = graph.pathways[pathway].steps[step]
            return _with_step(graph, pathway, step, replace(view, text=view.text + text, tokens=view.tokens + tokens))
        case StepEstimated(pathway=pathway, step=step):
            view = graph.pathways[pathway].steps[step]
            return _with_step(graph, pathway, step, replace(view, estimated=event))
        case StepFailed(pathway=pathway, step=step):
            view = graph.pathways[pathway].steps[step]
            return _with_step(graph, pathway, step, replace(view, failed=event))
        case PathwayDone(pathway=pathway):
            return _with_pathway(graph, pathway, replace(graph.pathways[pathway], done=event))
        case Aggregated():
            return replace(graph, aggregated=event)
        case RunFinished():
            return replace(graph, finished=event)
        case _:
            assert_never(event)


def build_graph(events: Iterable[ReasoningEvent]) -> ReasoningGraph:
    """The graph that `events` of one run add up to."""
    return reduce(fold, events, ReasoningGraph())
