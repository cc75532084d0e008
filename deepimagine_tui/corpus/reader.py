"""The process that reads records for an import: `python -m deepimagine_tui.corpus.reader FD…`, one reader a socket.

The first process has imported everything when it forks the others. A reader takes lengths and msgpack frames from its socket,
answers on it, and ends when the other side does: a parent that is killed leaves none behind. It imports as little as it can,
because every reader's start is waited for.
"""

from __future__ import annotations

import gc
import os
import struct
import sys
from typing import IO

import msgspec

from deepimagine_tui.corpus.records import read_record

_HEADER = struct.Struct("<Q")


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A record to read: its name in the source, its bytes and their SHA-256."""

    name: str
    raw: bytes
    sha256: str


def send(stream: IO[bytes], frame: bytes) -> None:
    """Write one frame.

    Raises:
        OSError: the other side is gone.
    """
    stream.write(_HEADER.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """The next frame; empty when the other side is gone, which no frame is."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return b""
    (length,) = _HEADER.unpack(header)
    frame = stream.read(length)
    return frame if len(frame) == length else b""


def serve(socket: int) -> None:
    """Answer every frame of tasks with a frame of results, until there is no more input."""
    decoder = msgspec.msgpack.Decoder(list[Task])
    with os.fdopen(socket, "rb") as asked, os.fdopen(os.dup(socket), "wb") as answers:
        while frame := receive(asked):
            found = [read_record(task.name, task.raw, task.sha256) for task in decoder.decode(frame)]
            send(answers, msgspec.msgpack.encode(found))


def main(sockets: list[int]) -> None:
    """Serve each socket in a process of its own, and wait for all of them."""
    # Reading makes many objects and hardly a cycle: collecting as often as usual would cost a quarter of the time.
    gc.freeze()
    gc.set_threshold(500_000, 20, 100)
    mine, others = sockets[0], list[int]()
    for socket in sockets[1:]:
        pid = os.fork()
        if pid == 0:
            os.close(mine)
            mine, others = socket, []
            break
        os.close(socket)
        others.append(pid)
    try:
        serve(mine)
    except OSError:
        return  # the other side has ended, and nobody waits for the answer
    finally:
        for pid in others:
            os.waitpid(pid, 0)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
