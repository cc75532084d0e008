"""The model's process: reads commands, answers with events, dies with its parent.

Run as `python -m deepimagine_tui.backends.llama_child`. Its standard output carries nothing but the protocol: the descriptor is
moved away at once and replaced by standard error, so that whatever native code prints ends in the log.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from typing import BinaryIO, assert_never

import msgspec

from deepimagine_tui.backends.llama_decode import BatchDecoder
from deepimagine_tui.backends.llama_model import AbortFlag, LlamaModel, NativeLog
from deepimagine_tui.backends.outbox import Outbox
from deepimagine_tui.backends.protocol import GenerationRequest
from deepimagine_tui.backends.wire import (
    Cancel,
    Command,
    Count,
    Counted,
    Done,
    Generate,
    Load,
    Loaded,
    Refused,
)
from deepimagine_tui.errors import DeepImagineError


class _Child:
    """Two threads: this one loads and generates, the reader counts tokens, cancels, and ends the process with the input."""

    def __init__(self, commands: BinaryIO, replies: BinaryIO) -> None:
        self._commands = commands
        self._outbox = Outbox(replies)
        self._work: queue.SimpleQueue[Load | Generate] = queue.SimpleQueue()
        self._abort = AbortFlag()
        self._lock = threading.Lock()
        self._running = 0
        self._cancelled: set[int] = set()
        self._model: LlamaModel | None = None

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        log = NativeLog()
        load = self._work.get()
        if not isinstance(load, Load):
            return
        try:
            model = LlamaModel(load, self._abort, log)
        except DeepImagineError as error:
            self._outbox.send(Refused(0, error.message, error.hint))
            return
        self._model = model
        self._outbox.send(Loaded(model.sequence_tokens))
        decoder = BatchDecoder(model, self._outbox.event, self._outbox.step_done)
        while True:
            command = self._work.get()
            if isinstance(command, Generate):
                self._generate(command, decoder)

    def _generate(self, command: Generate, decoder: BatchDecoder) -> None:
        self._outbox.generation = command.id
        with self._lock:
            self._running = command.id
            if command.id in self._cancelled:
                self._abort.set()
        try:
            for adapter, requests in _by_adapter(command).items():
                decoder.use_adapter(adapter)
                decoder.run(requests)
        except DeepImagineError as error:
            self._outbox.flush()
            self._outbox.send(Refused(command.id, error.message, error.hint))
        except Exception:  # noqa: BLE001 - the boundary of the process: a defect is logged and reported, and the model lives on
            traceback.print_exc()
            self._outbox.flush()
            self._outbox.send(Refused(command.id, "The model's process met a defect.", "Its log says more."))
        with self._lock:
            self._running = 0
            self._cancelled.discard(command.id)
            self._abort.clear()
        self._outbox.flush()
        self._outbox.send(Done(command.id))

    def _read(self) -> None:
        decoder = msgspec.json.Decoder(Command)
        try:
            for line in self._commands:
                self._take(decoder.decode(line))
        finally:
            os._exit(0)

    def _take(self, command: Command) -> None:
        match command:
            case Cancel():
                with self._lock:
                    self._cancelled.add(command.id)
                    if self._running == command.id:
                        self._abort.set()
            case Count():
                self._count(command)
            case Load() | Generate():
                self._work.put(command)
            case _:
                assert_never(command)

    def _count(self, command: Count) -> None:
        if self._model is None:
            self._outbox.send(Refused(command.id, "The model is not loaded yet."))
            return
        try:
            counts = [len(self._model.prompt_tokens(text)) for text in command.texts]
        except DeepImagineError as error:
            self._outbox.send(Refused(command.id, error.message, error.hint))
            return
        self._outbox.send(Counted(command.id, counts))


def _by_adapter(command: Generate) -> dict[str, list[GenerationRequest]]:
    """The requests by the adapter that answers them: one batch cannot mix adapters."""
    one_for_all = command.adapters.get("", "")
    found: dict[str, list[GenerationRequest]] = {}
    for request in command.requests:
        found.setdefault(command.adapters.get(request.operator, one_for_all), []).append(request)
    return found


def main() -> None:
    """Serve one parent until its end of input."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _Child(sys.stdin.buffer, replies).run()


if __name__ == "__main__":
    main()
