"""What leaves the model's process: one reply a line, with events gathered so that a token does not cost a line."""

from __future__ import annotations

import threading
import time
from typing import BinaryIO

import msgspec

from deepimagine_tui.backends.protocol import GenerationEvent, TextArrived
from deepimagine_tui.backends.wire import Happened, Reply

FLUSH_SECONDS = 0.03
FLUSH_TOKENS = 8


class Outbox:
    """Writes replies to `stream`, from any thread; events belong to the `Generate` whose id is `generation`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._events: list[GenerationEvent] = []
        self._texts: dict[str, int] = {}
        self._flushed = 0.0
        self.generation = 0

    def send(self, reply: Reply) -> None:
        """Write one reply now."""
        with self._lock:
            self._stream.write(self._encoder.encode(reply) + b"\n")
            self._stream.flush()

    def event(self, event: GenerationEvent) -> None:
        """Gather an event; text of one request and part is joined while nothing else of that request came between."""
        place = self._texts.get(event.request_id)
        if not isinstance(event, TextArrived):
            self._texts.pop(event.request_id, None)
        elif place is not None and isinstance(before := self._events[place], TextArrived) and before.part == event.part:
            joined = TextArrived(event.request_id, before.text + event.text, event.part, before.tokens + event.tokens)
            self._events[place] = joined
            return
        else:
            self._texts[event.request_id] = len(self._events)
        self._events.append(event)

    def step_done(self) -> None:
        """Send what was gathered when enough time has passed or a request has enough text."""
        now = time.monotonic()
        if now - self._flushed >= FLUSH_SECONDS or any(
            isinstance(event, TextArrived) and event.tokens >= FLUSH_TOKENS for event in self._events
        ):
            self.flush()

    def flush(self) -> None:
        """Send everything gathered."""
        if self._events:
            self.send(Happened(self.generation, self._events))
        self._events, self._texts, self._flushed = [], {}, time.monotonic()
