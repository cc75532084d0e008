"""Probing a run: in the worker of runs, one at a time with them, and stopped as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event

from textual import on, work
from textual.message import Message
from textual.signal import Signal

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.probe_asking import ProbeProgress
from deepimagine_tui.tui.jobs.run import RunJobs
from deepimagine_tui.tui.services import Services
from deepimagine_tui.tui.status import RunStatus


@dataclass
class ProbeStep(Message):
    """One more step has an answer."""

    run_id: str
    progress: ProbeProgress


@dataclass
class ProbesEnded(Message):
    """The worker of the probes is done, whatever came of them."""

    run_id: str


@dataclass(frozen=True)
class ProbeUpdate:
    """What screens hear: how far the probes of a run are; `None` once nothing is asked any more."""

    run_id: str
    progress: ProbeProgress | None


class ProbeJobs(RunJobs):
    """The part of the app that probes a run."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.probed = ""
        self.probe_signal: Signal[ProbeUpdate] = Signal(self, "probe")

    def start_probes(self, graph: ReasoningGraph) -> bool:
        """Ask the probes of a run that have no answer yet. False, with a toast, when something runs or no model is ready."""
        if graph.started is None or not self.may_start():
            return False
        if self.backend is None or not self.corpus_open:
            self.notify("The model is not ready yet. Probe the run once it is.", severity="warning", markup=False)
            return False
        self.running, self.run_cancel, self.probed = True, Event(), graph.started.run_id
        self._probing(ProbeProgress(0, 0))
        self.probes(graph, self.probed, self.backend, self.run_cancel)
        return True

    @work(thread=True, exclusive=True, exit_on_error=False, group="engine", description="probe the run")
    def probes(self, graph: ReasoningGraph, run_id: str, backend: ModelBackend, cancel: Event) -> None:
        """Ask, and post how far it is."""
        try:
            for progress in self.services.probe(graph, backend, cancel):
                self.post_message(ProbeStep(run_id, progress))
        finally:
            self.post_message(ProbesEnded(run_id))

    def _probing(self, progress: ProbeProgress) -> None:
        doing = f"probing {progress.done} of {progress.total}" if progress.total else "probing"
        self.set_status(replace(self.status, run=replace(self.status.run, doing=doing)))
        self.probe_signal.publish(ProbeUpdate(self.probed, progress))

    @on(ProbeStep)
    def _probe_step(self, message: ProbeStep) -> None:
        if message.run_id == self.probed:
            self._probing(message.progress)

    @on(ProbesEnded)
    def _probes_ended(self, message: ProbesEnded) -> None:
        self.running, self.probed = False, ""
        self.set_status(replace(self.status, run=RunStatus()))
        self.probe_signal.publish(ProbeUpdate(message.run_id, None))
