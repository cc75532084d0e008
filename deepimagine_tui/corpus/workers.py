"""Reading records in child processes, so that parsing uses every core and the writer never waits for it.

A child is `python -m deepimagine_tui.corpus.workers`: it reads lengths and msgpack frames from its input, answers on its
output, and ends when its input does. A parent that is killed therefore leaves no child behind. A record that kills its child is
reported as unread, and the others go on in a new one.
"""

from __future__ import annotations

import gc
import os
import queue
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import msgspec

from deepimagine_tui.corpus.derive import pack
from deepimagine_tui.corpus.records import Item, Read, Unread, read_record

_HEADER = struct.Struct("<Q")
_AHEAD = 2
"""How many pages per child are read in advance of the writer; bounds the memory in flight."""


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A record to read: its name in the source and its bytes."""

    name: str
    raw: bytes


Page = Sequence[Item | Task]


def read_here(pages: Iterable[Page]) -> Iterator[list[Item]]:
    """Read pages in this process, in order."""
    for page in pages:
        yield [read_record(entry.name, entry.raw) if isinstance(entry, Task) else entry for entry in page]


class WorkerPool:
    """Child processes that read pages; a context manager that ends them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: queue.SimpleQueue[_Child] = queue.SimpleQueue()
        self._children: list[_Child] = []
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="read-records")

    def __enter__(self) -> WorkerPool:
        for _ in range(self._size):
            self._idle.put(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.end()
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

    def _start(self) -> _Child:
        child = _Child()
        self._children.append(child)
        return child

    def _read_page(self, page: Page) -> list[Item]:
        tasks = [entry for entry in page if isinstance(entry, Task)]
        answers = iter(self._ask(tasks) if tasks else ())
        return [next(answers) if isinstance(entry, Task) else entry for entry in page]

    def _ask(self, tasks: Sequence[Task]) -> list[Read | Unread]:
        child = self._idle.get()
        answers = child.ask(tasks)
        if answers is None:
            child.end()
            child = self._start()
        self._idle.put(child)
        if answers is not None:
            return answers
        if len(tasks) == 1:
            return [Unread(tasks[0].name, "The process that read it stopped.", pack(tasks[0].raw))]
        return [answer for task in tasks for answer in self._ask([task])]


class _Child:
    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deepimagine_tui.corpus.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._decoder = msgspec.msgpack.Decoder(list[Read | Unread])

    def ask(self, tasks: Sequence[Task]) -> list[Read | Unread] | None:
        """What became of the tasks; `None` when the child is gone."""
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            return None
        try:
            _send(asked, msgspec.msgpack.encode(tasks))
            frame = _receive(answered)
        except (OSError, ValueError):
            return None
        return None if frame is None else self._decoder.decode(frame)

    def end(self) -> None:
        """Stop at once; nothing is lost, since only the writer keeps anything."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue


def _send(stream: IO[bytes], frame: bytes) -> None:
    stream.write(_HEADER.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    frame = stream.read(length)
    return frame if len(frame) == length else None


def main() -> None:
    """Answer every frame of tasks with a frame of results, until there is no more input."""
    # A page makes many objects and no cycles: collecting while it is read costs a quarter of the time and frees nothing.
    gc.disable()
    gc.freeze()
    decoder = msgspec.msgpack.Decoder(list[Task])
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        while (frame := _receive(sys.stdin.buffer)) is not None:
            _send(answers, msgspec.msgpack.encode([read_record(task.name, task.raw) for task in decoder.decode(frame)]))
            gc.collect()


if __name__ == "__main__":
    main()
