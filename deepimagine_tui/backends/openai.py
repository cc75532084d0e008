"""Any OpenAI-compatible server as a backend: streamed, cancellable, retried, and never contacted without permission."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from email.utils import parsedate_to_datetime
from threading import Event
from typing import Literal
from urllib.parse import urlsplit

import httpx
import msgspec

from deepimagine_tui.backends.event_stream import Emit, EventStream
from deepimagine_tui.backends.openai_answer import Choice, Chunk, StreamedAnswer, Usage, payload
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelInfo,
)
from deepimagine_tui.backends.sse import SseDecoder
from deepimagine_tui.errors import NetworkError, RefusedError

_POLL_SECONDS = 0.02
_TRIES = 4
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_OPTIONAL = ("top_logprobs", "logprobs", "stream_options", "seed", "max_tokens", "temperature", "top_p")
_BYTES_PER_TOKEN = 3


_END = Chunk(choices=[Choice(finish_reason="stop")])


class _RetryableError(Exception):
    """This try failed in a way that another may not."""

    def __init__(self, error: NetworkError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


class OpenAIBackend:
    """The model `model` of the server at `url` (which ends before `/chat/completions`).

    Args:
        url: The server's base address.
        model: The model's name there.
        api: `chat`, or `completions` for a base model.
        context_length: Tokens that a prompt and its answer may take; the server is not asked.
        offline: Refuse to send anything.
        confirm: Asked once, with the host, before the first send.
        api_key: Sent as a bearer token; never logged, never part of a message.
        concurrency: How many requests are open at once.
        read_timeout: Seconds without a byte after which the server counts as silent.
        first_wait: Seconds before the first retry; doubled each time unless the server says how long.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api: Literal["chat", "completions"] = "chat",
        context_length: int = 8192,
        offline: bool = False,
        confirm: Callable[[str], bool] = lambda _host: False,
        api_key: str = "",
        concurrency: int = 4,
        read_timeout: float = 120.0,
        first_wait: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._url = url.rstrip("/") + ("/chat/completions" if api == "chat" else "/completions")
        self._model = model
        self._api: Literal["chat", "completions"] = api
        self._offline = offline
        self._confirm = confirm
        self._key = api_key
        self._concurrency = concurrency
        self._timeout = httpx.Timeout(10.0, read=read_timeout, pool=None)
        self._first_wait = first_wait
        self._allowed = False
        self._left_out: set[str] = set()
        self._info = ModelInfo(
            name=model,
            backend="openai",
            context_length=context_length,
            template="chat" if api == "chat" else "plain",
            host=shown_host(url),
        )

    @property
    def info(self) -> ModelInfo:
        """The model and the host; nothing is asked of the server."""
        return self._info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """A cautious estimate, one token per three bytes: the server's tokenizer is not known."""
        return [1 + len(text.encode("utf-8")) // _BYTES_PER_TOKEN for text in texts]

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        """Generate all of `batch`, a few at a time; see `ModelBackend.generate`.

        Raises:
            RefusedError: offline, or the user declined to send to this host.
        """
        if not batch:
            return
        started = time.monotonic()
        if not cancel.is_set():
            self._permit()
        unfinished = {request.request_id for request in batch}
        stream = EventStream(lambda emit: self._all(batch, emit))
        try:
            while unfinished and not cancel.is_set():
                event = stream.next(_POLL_SECONDS)
                if event is not None:
                    if isinstance(event, GenerationFinished | GenerationFailed):
                        unfinished.discard(event.request_id)
                    yield event
                elif stream.ended:
                    break
        finally:
            stream.stop()
        for request_id in sorted(unfinished):
            if cancel.is_set():
                yield GenerationFinished(request_id, "cancelled", 0, 0, time.monotonic() - started)
            else:
                yield GenerationFailed(request_id, "The request ended without an answer.")

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def _permit(self) -> None:
        if self._offline:
            raise RefusedError(f"{self._model} is at {self._info.host}, and the network is forbidden.", "Leave out --offline.")
        if not self._allowed and not self._confirm(self._info.host):
            raise RefusedError(f"Nothing was sent to {self._info.host}.", "Allow it, or choose a model on this machine.")
        self._allowed = True

    async def _all(self, batch: Sequence[GenerationRequest], emit: Emit) -> None:
        gate = asyncio.Semaphore(self._concurrency)
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        async with httpx.AsyncClient(timeout=self._timeout, headers=headers) as client, asyncio.TaskGroup() as tasks:
            for request in batch:
                tasks.create_task(self._one(client, gate, request, emit))

    async def _one(
        self,
        client: httpx.AsyncClient,
        gate: asyncio.Semaphore,
        request: GenerationRequest,
        emit: Emit,
    ) -> None:
        async with gate:
            started = time.monotonic()
            wait = self._first_wait
            for attempt in range(_TRIES):
                try:
                    await self._ask(client, request, emit, started)
                except _RetryableError as failed:
                    pause = wait if failed.wait is None else failed.wait
                    if attempt == _TRIES - 1 or pause > _LONGEST_WAIT_SECONDS:
                        emit(GenerationFailed(request.request_id, failed.error.message, failed.error.hint, restartable=True))
                        return
                    await asyncio.sleep(pause)
                    wait *= 2
                except NetworkError as error:
                    emit(GenerationFailed(request.request_id, error.message, error.hint))
                    return
                else:
                    return

    async def _ask(
        self,
        client: httpx.AsyncClient,
        request: GenerationRequest,
        emit: Emit,
        started: float,
    ) -> None:
        """One try. Once text has arrived, a failure is final: a second answer must not be joined to half of a first.

        Raises:
            _RetryableError: nothing arrived, and another try may help.
            NetworkError: another try would not help.
        """
        full = payload(request, self._model, self._api)
        body = {key: value for key, value in full.items() if key not in self._left_out}
        if "max_tokens" in self._left_out:
            body["max_completion_tokens"] = full["max_tokens"]
        answer = StreamedAnswer(request)
        usage = Usage()
        reason = ""
        try:
            async with client.stream("POST", self._url, json=body) as response:
                await self._check(response, body)
                async with contextlib.aclosing(_chunks(response)) as chunks:
                    async for chunk in chunks:
                        self._check_chunk(chunk)
                        usage = chunk.usage or usage
                        for choice in chunk.choices[:1]:
                            text = (choice.delta.content if choice.delta else choice.text) or ""
                            for event in answer.add(text, choice.logprobs.scores() if choice.logprobs else ()):
                                emit(event)
                            reason = reason or choice.finish_reason or ""
                        if answer.over:
                            break
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise self._failure(error, begun=answer.tokens > 0) from error
        if not reason and not answer.over:
            raise self._failure(None, begun=answer.tokens > 0)
        for filled in answer.slots():
            emit(filled)
        emit(
            GenerationFinished(
                request_id=request.request_id,
                reason="answered",
                prompt_tokens=usage.prompt_tokens or self.count_tokens([request.prompt])[0],
                completion_tokens=usage.completion_tokens or answer.tokens,
                seconds=time.monotonic() - started,
                reasoning_cut=reason == "length" and not answer.over,
            )
        )

    async def _check(self, response: httpx.Response, body: Collection[str]) -> None:
        """Raise what an error status calls for; an optional parameter that the server does not know is left out from now on."""
        if response.is_success:
            return
        said = self._said(await response.aread())
        status = response.status_code
        text = f"{self._info.host} answered {status}" + (f": {said}" if said else ".")
        if status in _RETRIED:
            raise _RetryableError(NetworkError(text, "Try again later."), _retry_after(response.headers.get("retry-after", "")))
        unknown = next((name for name in _OPTIONAL if name in said and name in body), None)
        if status in (400, 422) and unknown:
            self._left_out |= {unknown, "top_logprobs"} if unknown == "logprobs" else {unknown}
            raise _RetryableError(NetworkError(text), 0.0)
        if status in (401, 403):
            raise NetworkError(text, "Set DEEPIMAGINE_API_KEY to a key for this server.")
        raise NetworkError(text, "Check the address and the model's name." if status == 404 else "")

    def _check_chunk(self, chunk: Chunk) -> None:
        if chunk.error is not None:
            said = chunk.error if isinstance(chunk.error, str) else chunk.error.message
            raise NetworkError(f"{self._info.host} stopped: {self._redacted(said)}")

    def _said(self, body: bytes) -> str:
        """The server's own words in an error's body, one line of at most 200 characters."""
        try:
            error = msgspec.json.decode(body, type=Chunk).error
        except msgspec.DecodeError:
            error = body.decode("utf-8", "replace") if not body.lstrip().startswith(b"<") else ""
        said = error.message if not isinstance(error, str) and error is not None else error or ""
        return self._redacted(" ".join(said.split())[:200])

    def _redacted(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text

    def _failure(self, error: Exception | None, *, begun: bool) -> Exception:
        """What to raise for a connection that failed, or a stream that ended without its end (`error` is `None`)."""
        host = self._info.host
        if isinstance(error, msgspec.DecodeError):
            return NetworkError(f"{host} sent something that is not an event of a completion.", "Check the address.")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return _RetryableError(NetworkError(f"{host} cannot be reached.", "Check that the server runs, and its address."))
        if isinstance(error, httpx.ReadTimeout):
            return NetworkError(f"{host} was silent for {self._timeout.read:g} seconds.", "Try again, or use a smaller model.")
        cut = NetworkError(f"The answer of {host} was cut off.", "Try again.")
        return cut if begun else _RetryableError(cut)


async def _chunks(response: httpx.Response) -> AsyncGenerator[Chunk, None]:
    """The events of a streamed response; the server's end mark becomes a chunk that stops."""
    decoder = SseDecoder()
    chunk_decoder = msgspec.json.Decoder(Chunk)
    async for piece in response.aiter_bytes():
        for data in decoder.feed(piece):
            yield _END if data == b"[DONE]" else chunk_decoder.decode(data)
    for data in decoder.end():
        yield _END if data == b"[DONE]" else chunk_decoder.decode(data)


def _retry_after(header: str) -> float | None:
    """Seconds to wait as the server asks, from a number or a date; `None` when it does not."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def shown_host(url: str) -> str:
    """The host of `url` as it is shown; plain http to another machine says so."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" or _is_loopback(parts.hostname or ""):
        return host
    return f"{host} (not encrypted)"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
