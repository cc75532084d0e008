"""Making the model ready in the background, and asking before anything is sent to a remote one."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Event
from time import monotonic

from textual import on, work
from textual.message import Message
from textual.worker import get_current_worker

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.tui.jobs.shell import Shell
from deepimagine_tui.tui.services import ModelChoice
from deepimagine_tui.tui.status import ModelPhase, ModelStatus

_REPORT_EVERY = 0.1


@dataclass
class ModelChosen(Message):
    """Which model will be used."""

    choice: ModelChoice


@dataclass
class ModelProgress(Message):
    """How far the model is."""

    phase: ModelPhase
    progress: float


@dataclass
class ModelReady(Message):
    """The model can be used."""

    backend: ModelBackend


@dataclass
class ModelFailed(Message):
    """The model cannot be used; the error itself is shown by the app."""

    message: str


@dataclass
class ConfirmRemote(Message):
    """A worker waits until the user says whether text may be sent to `host`."""

    host: str
    answer: Future[bool]


class ModelJobs(Shell):
    """The part of the app that owns the model."""

    backend: ModelBackend | None = None
    waiting_answer: Future[bool] | None = None

    def prepare_model(self) -> None:
        """Close the model in use, if any, and make the default one ready."""
        self.model_cancel.set()
        self.model_cancel = Event()
        previous, self.backend = self.backend, None
        self.set_status(replace(self.status, model=ModelStatus()))
        self.load_model(previous, self.model_cancel)

    @work(thread=True, exclusive=True, exit_on_error=False, group="model", description="make the model ready")
    def load_model(self, previous: ModelBackend | None, cancel: Event) -> None:
        """Assemble and open the default model."""
        worker = get_current_worker()
        if previous is not None:
            previous.close()
        self.post_message(ModelChosen(self.services.model_choice()))
        last = 0.0

        def report(phase: str, progress: float) -> None:
            nonlocal last
            if progress >= 1 or monotonic() - last >= _REPORT_EVERY:
                last = monotonic()
                self.post_message(ModelProgress("assembling" if phase == "assembling" else "loading", progress))

        def confirm(host: str) -> bool:
            answer: Future[bool] = Future()
            self.post_message(ConfirmRemote(host, answer))
            return answer.result()

        backend = self.services.open_model(report, cancel, confirm)
        if worker.is_cancelled:
            backend.close()
        else:
            self.post_message(ModelReady(backend))

    @on(ModelChosen)
    def _model_chosen(self, event: ModelChosen) -> None:
        choice = event.choice
        self._set_model(ModelStatus(choice.name, choice.adapter, "loading", demo=choice.demo, host=choice.host))

    @on(ModelProgress)
    def _model_progress(self, event: ModelProgress) -> None:
        self._set_model(replace(self.status.model, phase=event.phase, progress=event.progress))

    @on(ModelReady)
    def _model_ready(self, event: ModelReady) -> None:
        self.backend = event.backend
        self._set_model(replace(self.status.model, phase="ready", failed=""))
        self.model_is_ready()

    def model_failed(self, message: str) -> None:
        """Say in the header that there is no usable model."""
        self._set_model(replace(self.status.model, phase="failed", failed=message))

    def model_is_ready(self) -> None:
        """Called when the model can be used; the run jobs start what is queued."""

    @on(ConfirmRemote)
    def _confirm_remote(self, event: ConfirmRemote) -> None:
        from deepimagine_tui.tui.screens.dialog import Question

        self.waiting_answer = event.answer

        def answered(yes: bool | None) -> None:
            self.answer_remote(bool(yes))

        text = f"Prompts with trial data, and what you type, will be sent to {event.host}. Send them?"
        self.push_screen(Question("A remote model", text, "Send"), answered)

    def answer_remote(self, yes: bool) -> None:
        """Let the worker that waits for an answer go on; without one, nothing happens."""
        waiting, self.waiting_answer = self.waiting_answer, None
        if waiting is not None:
            waiting.set_result(yes)

    def _set_model(self, model: ModelStatus) -> None:
        self.set_status(replace(self.status, model=model))
