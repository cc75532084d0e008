"""Running the engine: one run at a time, in one thread worker; its events reach the screens as a fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event

from textual import on, work
from textual.message import Message

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import StorageError
from deepimagine_tui.reasoning.events import ReasoningEvent, RunFinished, StepPlanned
from deepimagine_tui.reasoning.graph import ReasoningGraph, fold
from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf
from deepimagine_tui.tui.jobs.corpus import CorpusJobs
from deepimagine_tui.tui.jobs.model import ModelJobs
from deepimagine_tui.tui.status import RunStatus


@dataclass
class EngineEvent(Message):
    """One event of the run."""

    event: ReasoningEvent


@dataclass
class EngineEnded(Message):
    """The worker of a run is done, whatever the run came to."""

    run_id: str


@dataclass
class NotKept(Message):
    """The journal of the run cannot be written; the run goes on."""

    error: StorageError


@dataclass(frozen=True)
class RunUpdate:
    """What screens hear: the request, its latest event (`None` when queued, or when the worker ended), the graph so far."""

    request: ImagineRequest
    event: ReasoningEvent | None
    graph: ReasoningGraph
    queued: bool = False
    ended: bool = False


class RunJobs(ModelJobs, CorpusJobs):
    """The part of the app that runs questions."""

    request: ImagineRequest | None = None
    graph: ReasoningGraph = ReasoningGraph()
    queued: ImagineRequest | None = None
    running: bool = False

    def start_run(self, request: ImagineRequest) -> bool:
        """Run `request`, or queue it until the model is ready. False, with a toast, when something runs already."""
        if not self.may_start():
            return False
        self.request, self.graph = request, ReasoningGraph()
        if self.backend is None or not self.corpus_open:
            self.queued = request
            if self.status.model.phase == "failed":
                self.prepare_model()
            self.set_status(replace(self.status, run=RunStatus(queued=True)))
            self.run_signal.publish(RunUpdate(request, None, self.graph, queued=True))
            return True
        self._start(request, self.backend)
        return True

    def is_watched(self, run_id: str) -> bool:
        """Whether the user looks at this run already."""
        return False

    def may_start(self) -> bool:
        """Whether nothing runs; else a toast says what to do."""
        if self.running:
            self.notify("Something runs already. Stop it with esc first.", severity="warning", markup=False)
        return not self.running

    def _start(self, request: ImagineRequest, backend: ModelBackend) -> None:
        self.queued = None
        self.running = True
        self.run_cancel = Event()
        self.set_status(replace(self.status, run=RunStatus(doing=_doing(request, None))))
        self.run_signal.publish(RunUpdate(request, None, self.graph))
        self.engine(request, backend, self.run_cancel)

    @work(thread=True, exclusive=True, exit_on_error=False, group="engine", description="imagine")
    def engine(self, request: ImagineRequest, backend: ModelBackend, cancel: Event) -> None:
        """Consume the engine's events and post each."""

        def warn(error: StorageError) -> None:
            self.post_message(NotKept(error))

        try:
            for event in self.services.imagine(request, backend, cancel, warn):
                self.post_message(EngineEvent(event))
        finally:
            self.post_message(EngineEnded(request.run_id))

    def model_is_ready(self) -> None:
        """Start what waited for the model."""
        if self.queued is not None and self.backend is not None and self.corpus_open:
            self._start(self.queued, self.backend)

    def stop_run(self) -> bool:
        """Stop the run, or take it out of the queue. False when there was nothing to stop."""
        if self.queued is not None and self.request is not None:
            self.queued = None
            self.set_status(replace(self.status, run=RunStatus()))
            self.run_signal.publish(RunUpdate(self.request, None, self.graph, ended=True))
            return True
        if not self.running:
            return False
        self.run_cancel.set()
        self.set_status(replace(self.status, run=replace(self.status.run, stopping=True)))
        return True

    @on(EngineEvent)
    def _engine_event(self, message: EngineEvent) -> None:
        event = message.event
        if self.request is None or event.run_id != self.request.run_id:
            return
        self.graph = fold(self.graph, event)
        if isinstance(event, StepPlanned) and not self.status.run.stopping:
            self.set_status(replace(self.status, run=RunStatus(doing=_doing(self.request, event))))
        self.run_signal.publish(RunUpdate(self.request, event, self.graph))
        if isinstance(event, RunFinished) and event.outcome == "answered" and not self.is_watched(event.run_id):
            self.notify("The run is done.", title=self.request.name, markup=False)

    @on(NotKept)
    def _not_kept(self, message: NotKept) -> None:
        self.notify(f"This run is not kept. {message.error}", severity="warning", timeout=15, markup=False)

    @on(EngineEnded)
    def _engine_ended(self, message: EngineEnded) -> None:
        if self.request is None or message.run_id != self.request.run_id:
            return
        self.running = False
        self.set_status(replace(self.status, run=RunStatus()))
        self.run_signal.publish(RunUpdate(self.request, None, self.graph, ended=True))


def _doing(request: ImagineRequest, planned: StepPlanned | None) -> str:
    question = request.question
    if not isinstance(question, WhatIf):
        return "forecasting"
    if planned is None:
        return "imagining"
    return f"imagining {planned.step + 1} of {len(question.perturbations)}"
