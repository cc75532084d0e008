"""Running a coroutine that emits events beside a thread that consumes them, so that it can be stopped at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Coroutine

from deepimagine_tui.backends.protocol import GenerationEvent

Emit = Callable[[GenerationEvent], None]

_STOP_SECONDS = 0.15


class EventStream:
    """Starts `work` in an event loop on a thread of its own; what it emits is read with `next`."""

    def __init__(self, work: Callable[[Emit], Coroutine[None, None, None]]) -> None:
        self._work = work
        self._events: queue.SimpleQueue[GenerationEvent] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._stopped = False
        self._cancel: Callable[[], object] | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="model-requests", daemon=True)
        self._thread.start()

    async def _main(self) -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._stopped or task is None:
                return
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await self._work(self._events.put)
        with self._lock:
            self._cancel = None

    @property
    def ended(self) -> bool:
        """Whether no further event can come."""
        return not self._thread.is_alive() and self._events.empty()

    def next(self, seconds: float) -> GenerationEvent | None:
        """The next event, or `None` when there is none for `seconds`."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Cancel the work, which closes its connections, and wait a moment for that."""
        with self._lock:
            self._stopped = True
            if self._cancel is not None:
                self._cancel()
        self._thread.join(_STOP_SECONDS)
