"""A model that an evaluation relies on: what a server drops is asked for again, and a model that is gone ends the run.

In the app a failed answer is told, and the user goes on; in an evaluation it would be counted as the model's own silence. A
run that ends here is gone on with by the same command, and no answer of the batch was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    ModelInfo,
)
from deepimagine_tui.errors import ModelError

_TRIES = 5
_FIRST_WAIT_SECONDS = 1.0
"""Before the first round of asking again; doubled each time. The backend has retried what it can by itself before."""


class Persistent:
    """Another backend with whole answers: the events of a request come together, once it is finished.

    Of a server, every failed request is asked again, alone with the others that failed. Of a model on this machine, whose
    answers depend on the company in which they are decoded, nothing is: what may work the next time ends the run.

    Args:
        backend: The model.
        first_wait: Seconds before the first round of asking again.
    """

    def __init__(self, backend: ModelBackend, first_wait: float = _FIRST_WAIT_SECONDS) -> None:
        self._backend = backend
        self._first_wait = first_wait
        self._has_answered = False

    @property
    def info(self) -> ModelInfo:
        """What the model is."""
        return self._backend.info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `ModelBackend.count_tokens`."""
        return self._backend.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """See `ModelBackend.generate`.

        Raises:
            ModelError: the model stopped, or a server does not answer, however often it is asked.
        """
        left, wait = {request.request_id: request for request in batch}, self._first_wait
        failed: list[GenerationFailed] = []
        for attempt in range(_TRIES):
            failed = []
            for event in self._whole(list(left.values()), cancel, failed):
                if isinstance(event, GenerationFinished | GenerationFailed):
                    del left[event.request_id]
                yield event
            if not failed or cancel.is_set():
                return
            if not self.info.host or attempt == _TRIES - 1 or not self._may_answer(failed):
                break
            cancel.wait(wait)
            wait *= 2
        raise ModelError(failed[0].message, failed[0].hint or "The same command goes on from there.")

    def _whole(
        self, batch: Sequence[GenerationRequest], cancel: Event, failed: list[GenerationFailed]
    ) -> Iterator[GenerationEvent]:
        """The events of every request that finished, or failed for good; the other failures go to `failed`."""
        waiting: dict[str, list[GenerationEvent]] = {request.request_id: [] for request in batch}
        for event in self._backend.generate(batch, cancel):
            if isinstance(event, GenerationFailed) and (event.restartable or self.info.host):
                failed.append(event)
                continue
            waiting[event.request_id].append(event)
            self._has_answered |= isinstance(event, GenerationFinished)
            if isinstance(event, GenerationFinished | GenerationFailed):
                yield from waiting[event.request_id]

    def _may_answer(self, failed: Sequence[GenerationFailed]) -> bool:
        """Whether asking again may help: not where a server has refused everything from the beginning, as without its key."""
        return self._has_answered or any(event.restartable for event in failed)

    def close(self) -> None:
        """Free the model."""
        self._backend.close()
