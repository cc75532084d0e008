"""Reading records in child processes, so that parsing uses every core and the writer never waits for it.

The children (see `reader`) are a session of their own: a terminal's Ctrl-C reaches only this process, which ends them. A record
that kills its child is reported as unread, and the others go on in a new one.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from deepimagine_tui.corpus.derive import pack
from deepimagine_tui.corpus.reader import Task, receive, send
from deepimagine_tui.corpus.records import Item, Read, Unread, read_record

_AHEAD = 2
"""How many pages per child are read in advance of the writer; bounds the memory in flight."""

_PATIENCE = 2.0
"""Seconds that children may take to end by themselves: none is longer than the page it was reading."""

Page = Sequence[Item | Task]


def read_here(pages: Iterable[Page]) -> Iterator[list[Item]]:
    """Read pages in this process, in order."""
    for page in pages:
        yield [read_record(entry.name, entry.raw, entry.sha256) if isinstance(entry, Task) else entry for entry in page]


class WorkerPool:
    """Child processes that read pages; a context manager that ends them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: queue.SimpleQueue[_Reader] = queue.SimpleQueue()
        self._families: list[_Family] = []
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="read-records")

    def __enter__(self) -> WorkerPool:
        for reader in self._start(self._size):
            self._idle.put(reader)
        return self

    def __exit__(self, *_: object) -> None:
        for family in self._families:
            family.end()
        self._threads.shutdown(cancel_futures=True)

    def read(self, pages: Iterable[Page]) -> Iterator[list[Item]]:
        """Read pages, several at a time; they come back in order."""
        waiting: deque[Future[list[Item]]] = deque()
        for page in pages:
            waiting.append(self._threads.submit(self._read_page, page))
            if len(waiting) > self._size * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _start(self, size: int) -> list[_Reader]:
        family = _Family(size)
        self._families.append(family)
        return family.readers

    def _read_page(self, page: Page) -> list[Item]:
        tasks = [entry for entry in page if isinstance(entry, Task)]
        answers = iter(self._ask(tasks) if tasks else ())
        return [next(answers) if isinstance(entry, Task) else entry for entry in page]

    def _ask(self, tasks: Sequence[Task]) -> list[Read | Unread]:
        reader = self._idle.get()
        answers = reader.ask(tasks)
        if answers is None:
            reader.close()
            (reader,) = self._start(1)
        self._idle.put(reader)
        if answers is not None:
            return answers
        if len(tasks) == 1:
            return [Unread(tasks[0].name, "The process that read it stopped.", pack(tasks[0].raw))]
        return [answer for task in tasks for answer in self._ask([task])]


class _Family:
    """Readers that one start made: the first process imports, the others are its forks."""

    def __init__(self, size: int) -> None:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        ours, theirs = zip(*(socket.socketpair() for _ in range(size)), strict=True)
        files = [end.fileno() for end in theirs]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deepimagine_tui.corpus.reader", *map(str, files)],
            stdin=subprocess.DEVNULL,
            pass_fds=files,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        for end in theirs:
            end.close()
        self.readers = [_Reader(end) for end in ours]

    def end(self) -> None:
        """Stop; nothing is lost, since only the writer keeps anything."""
        for reader in self.readers:
            reader.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Reader:
    """This side of one reader."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._asked = end.makefile("wb")
        self._answered = end.makefile("rb")
        self._decoder = msgspec.msgpack.Decoder(list[Read | Unread])

    def ask(self, tasks: Sequence[Task]) -> list[Read | Unread] | None:
        """What became of the tasks; `None` when the child is gone."""
        try:
            send(self._asked, msgspec.msgpack.encode(tasks))
            frame = receive(self._answered)
        except (OSError, ValueError):
            return None
        return self._decoder.decode(frame) if frame else None

    def close(self) -> None:
        """Let go of the child, which ends when it notices."""
        with suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._end.close()
