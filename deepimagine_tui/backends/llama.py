"""The llama.cpp backend: a GGUF model in a child process that is started when first needed and again after it stopped."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui import paths
from deepimagine_tui.backends import digests, operators
from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.gguf_header import GgufHeader, check_model, read_header
from deepimagine_tui.backends.host import Inbox, ModelProcess, Stopped
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelInfo,
    TextArrived,
)
from deepimagine_tui.backends.wire import Count, Counted, Done, Generate, Happened, Load, Loaded, Refused
from deepimagine_tui.errors import CancelledError, MissingExtraError, ModelError

CONTEXT_TOKENS = 8192
"""Room for all sequences of a batch together, in tokens, unless more is asked for."""

_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 2.0
_COUNT_SECONDS = 60.0


class LlamaBackend:
    """A GGUF model on this machine.

    Opening reads the file's header only. The weights are loaded by a child process at the first use.

    Args:
        path: The GGUF file.
        adapter: A LoRA adapter in GGUF, applied to everything generated; or a folder with one for each factor.
        name: Shown as the model's name; by default the one in the file.
        licence: The licence to show; by default the one in the file.
        context_tokens: Room for all sequences of a batch together.
        sequences: How many sequences are decoded at once; more are run in waves.
        threads: Processor threads; 0 chooses.

    Raises:
        NotFoundError, BadInputError, ModelError: the file or the adapter cannot be used; each says why in one sentence.
    """

    def __init__(
        self,
        path: Path,
        *,
        adapter: Path | None = None,
        name: str = "",
        licence: str = "",
        context_tokens: int = CONTEXT_TOKENS,
        sequences: int = 16,
        threads: int = 0,
    ) -> None:
        self._path = path
        self._header = read_header(path)
        check_model(self._header)
        self._load = Load(str(path), context_tokens, sequences=sequences, threads=threads)
        self._info = _describe(self._header, name, licence, context_tokens)
        self._operators: dict[str, Path] = {}
        self._process: ModelProcess | None = None
        self._loaded = False
        self._starting = threading.Lock()
        self._turn = threading.Lock()
        self.use_adapter(adapter)

    @property
    def info(self) -> ModelInfo:
        """What the file says of the model. `sha256` is empty until the model was loaded once from this file."""
        return self._info

    @property
    def process_id(self) -> int | None:
        """The child's process id, while there is one."""
        return self._process.pid if self._process is not None else None

    def use_adapter(self, adapter: Path | None) -> None:
        """Generate with this LoRA adapter from now on, or with none; a folder has one for each factor, as `operators.find`
        has it. The next batch starts with an empty memory.

        Raises:
            NotFoundError, BadInputError, ModelError: it is no LoRA adapter for this model.
        """
        if adapter is None:
            self._operators = {}
            self._info = msgspec.structs.replace(self._info, adapter="", adapter_sha256="")
            return
        found = operators.find(adapter)
        for path in found.values():
            check_adapter(read_header(path), self._header)
        self._operators = found
        self._info = msgspec.structs.replace(self._info, adapter=str(adapter), adapter_sha256=operators.sha256(found))

    def load(self, cancel: Event | None = None) -> ModelInfo:
        """Load the weights now, unless they are loaded, and return the full description with its SHA-256.

        Raises:
            MissingExtraError: llama.cpp is not installed.
            ModelError: llama.cpp cannot load the file, or stopped while loading.
            CancelledError: `cancel` was set; loading goes on in the background.
        """
        self._ready(cancel or Event())
        return self._info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text takes as a prompt.

        Raises:
            ModelError: the model cannot be loaded, or does not answer.
        """
        process = self._ready(Event())
        number, inbox = process.open()
        process.send(Count(number, list(texts)))
        try:
            reply = inbox.get(timeout=_COUNT_SECONDS)
        except queue.Empty:
            process.kill()
            raise ModelError("The model does not answer.", "It will be started again.") from None
        finally:
            process.release(number)
        match reply:
            case Counted():
                return reply.counts
            case Refused():
                raise ModelError(reply.message, reply.hint)
            case Stopped():
                raise ModelError(f"The model stopped ({reply.reason}).", _stop_hint())
            case _:
                raise ModelError("The model's process gave another answer than was asked for.")

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """Generate all of `batch` together, or those of each operator; see `ModelBackend.generate`."""
        answered = [request for request in batch if self._answers(request)]
        for request in batch:
            if not self._answers(request):
                yield GenerationFailed(
                    request.request_id,
                    f"This model has no operator for {request.operator!r}.",
                    "Choose another model or adapter.",
                )
        if not answered:
            return
        batch = answered
        started = time.monotonic()
        unfinished = {request.request_id: 0 for request in batch}
        try:
            process = self._ready(cancel)
            _acquire(self._turn, cancel)
        except CancelledError:
            for request_id in unfinished:
                yield _cancelled(request_id, 0, started)
            return
        try:
            yield from _Conversation(process, unfinished, started).run(self._command(batch), cancel)
        finally:
            self._turn.release()

    def _answers(self, request: GenerationRequest) -> bool:
        return not self._operators or operators.ALL in self._operators or request.operator in self._operators

    def _command(self, batch: Sequence[GenerationRequest]) -> Generate:
        return Generate(0, list(batch), {factor: str(path) for factor, path in self._operators.items()})

    def close(self) -> None:
        """End the child process. The next use starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _ready(self, cancel: Event) -> ModelProcess:
        """The running child with its model loaded.

        Raises:
            MissingExtraError, ModelError, CancelledError: as `load`.
        """
        _acquire(self._starting, cancel)
        try:
            if self._process is None or not self._process.alive:
                if find_spec("llama_cpp") is None:
                    raise MissingExtraError("llama.cpp is not installed.", "pip install 'deepimagine[local]'")
                self._process = ModelProcess(self._load, paths.log_dir() / "model.log")
                self._loaded = False
            process = self._process
            if not self._loaded:
                digest = digests.sha256(self._path, cancel.is_set)
                try:
                    reply = _wait_loaded(process.load_inbox, cancel)
                except ModelError:
                    process.kill()
                    raise
                self._info = msgspec.structs.replace(
                    self._info, sha256=digest, context_length=min(self._load.context_tokens, reply.sequence_tokens)
                )
                self._loaded = True
            return process
        finally:
            self._starting.release()


class _Conversation:
    """One `Generate` from its sending to the end of every request in it."""

    def __init__(self, process: ModelProcess, unfinished: dict[str, int], started: float) -> None:
        self._process = process
        self._unfinished = unfinished
        self._started = started
        self._deadline: float | None = None

    def run(self, command: Generate, cancel: Event) -> Iterator[GenerationEvent]:
        number, inbox = self._process.open()
        self._process.send(msgspec.structs.replace(command, id=number))
        ended = False
        try:
            while not ended:
                if cancel.is_set() and self._deadline is None:
                    self._ask_to_stop(number)
                if self._deadline is not None and time.monotonic() > self._deadline:
                    self._process.kill()
                    ended = True
                    yield from self._rest()
                    return
                try:
                    reply = inbox.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    continue
                match reply:
                    case Happened():
                        for event in reply.events:
                            self._note(event)
                            yield event
                    case Refused():
                        yield from self._fail(reply.message, reply.hint, restartable=False)
                    case Stopped():
                        ended = True
                        yield from self._rest() if cancel.is_set() else self._crash(reply)
                    case Done():
                        ended = True
                        yield from self._rest()
                    case _:
                        continue
        finally:
            if not ended:
                self._ask_to_stop(number)
                self._await_end(inbox)
            self._process.release(number)

    def _ask_to_stop(self, number: int) -> None:
        self._deadline = time.monotonic() + _PATIENCE_SECONDS
        self._process.cancel(number)

    def _await_end(self, inbox: Inbox) -> None:
        """The caller has gone: wait for the child to be free again, and kill it when it does not answer."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                if isinstance(inbox.get(timeout=left), Done | Stopped):
                    return
            except queue.Empty:
                break
        self._process.kill()

    def _note(self, event: GenerationEvent) -> None:
        if isinstance(event, TextArrived):
            self._unfinished[event.request_id] += event.tokens
        elif isinstance(event, GenerationFinished | GenerationFailed):
            self._unfinished.pop(event.request_id, None)

    def _rest(self) -> Iterator[GenerationEvent]:
        """What the child could not end itself after it was told to stop."""
        for request_id, tokens in self._unfinished.items():
            yield _cancelled(request_id, tokens, self._started)
        self._unfinished.clear()

    def _crash(self, stopped: Stopped) -> Iterator[GenerationEvent]:
        message = f"The model stopped ({stopped.reason}; out of memory?)."
        return self._fail(message, _stop_hint(), restartable=True)

    def _fail(self, message: str, hint: str, *, restartable: bool) -> Iterator[GenerationEvent]:
        for request_id in list(self._unfinished):
            yield GenerationFailed(request_id, message, hint, restartable)
        self._unfinished.clear()


def _describe(header: GgufHeader, name: str, licence: str, context_tokens: int) -> ModelInfo:
    return ModelInfo(
        name=name or header.name,
        backend="llama.cpp",
        context_length=min(header.context_length or context_tokens, context_tokens),
        architecture=header.architecture,
        quantisation=header.quantisation,
        size_bytes=header.size_bytes,
        parameters=header.parameters,
        template="chat" if header.chat_template else "plain",
        licence=licence or header.licence,
        path=header.path,
        sha256=digests.recall(Path(header.path)),
    )


def _cancelled(request_id: str, tokens: int, started: float) -> GenerationFinished:
    return GenerationFinished(request_id, "cancelled", 0, tokens, time.monotonic() - started)


def _acquire(lock: threading.Lock, cancel: Event) -> None:
    while not lock.acquire(timeout=_POLL_SECONDS):
        if cancel.is_set():
            raise CancelledError("Stopped while waiting for the model.")


def _wait_loaded(inbox: Inbox, cancel: Event) -> Loaded:
    while not cancel.is_set():
        try:
            reply = inbox.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        match reply:
            case Loaded():
                return reply
            case Refused():
                raise ModelError(reply.message, reply.hint)
            case Stopped():
                raise ModelError(f"The model stopped while it was loaded ({reply.reason}; out of memory?).", _stop_hint())
            case _:
                continue
    raise CancelledError("Stopped while the model was loaded.")


def _stop_hint() -> str:
    return f"Try again, or choose a smaller model; the log is {paths.log_dir() / 'model.log'}."
