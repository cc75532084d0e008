"""The parent's side of the model's process: starting it, talking to it, noticing its death."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

import deepimagine_tui
from deepimagine_tui import files
from deepimagine_tui.backends.wire import Cancel, Command, Load, Loaded, Reply

_MODULE = "deepimagine_tui.backends.llama_child"
_LOG_KEPT_BYTES = 2 << 20
_CLOSE_SECONDS = 1.0


class Stopped(msgspec.Struct, frozen=True):
    """The process ended by itself. `reason` says how, e.g. `killed by SIGKILL` or `exit code 1`."""

    reason: str


Inbox = queue.SimpleQueue[Reply | Stopped]


def open_log(path: Path) -> BinaryIO:
    """Open the log for appending; one that grew past 2 MB becomes `<name>.1` first.

    Raises:
        StorageError: it cannot be written.
    """
    files.make_dir(path.parent)
    try:
        if path.exists() and path.stat().st_size > _LOG_KEPT_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        return path.open("ab")
    except OSError as error:
        raise files.storage_error(path, error) from error


class ModelProcess:
    """One running child and the replies it sends, sorted by the command they answer.

    It is started in a session of its own, so that a key pressed in the terminal does not reach it. It ends when its input ends:
    with `close`, or with this process however that dies.

    Args:
        load: Sent first.
        log: What the child and llama.cpp say is appended here.

    Raises:
        StorageError: the log cannot be written.
    """

    def __init__(self, load: Load, log: Path) -> None:
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._inboxes: dict[int, Inbox] = {}
        self._reason = ""
        self._killed = False
        # Threads that wait in a spin take the processor from one another on a busy machine: decoding is then four times slower.
        spin = {"GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "1000")}
        root = str(Path(deepimagine_tui.__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        with open_log(log) as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | spin | {"PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,
            )
        self.load_inbox = self._inboxes[0] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="model-replies", daemon=True).start()
        self._write(load)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child can be talked to."""
        return not self._reason and not self._killed and self._process.poll() is None

    def open(self) -> tuple[int, Inbox]:
        """A new id for a command, and the queue where the replies to it will be put; `release` it afterwards."""
        inbox: Inbox = queue.SimpleQueue()
        with self._lock:
            number = next(self._ids)
            self._inboxes[number] = inbox
            if self._reason:
                inbox.put(Stopped(self._reason))
        return number, inbox

    def release(self, number: int) -> None:
        """Forget the replies to a command."""
        with self._lock:
            self._inboxes.pop(number, None)

    def send(self, command: Command) -> None:
        """Send a command. To a child that has stopped nothing is sent; its inboxes say so."""
        self._write(command)

    def cancel(self, number: int) -> None:
        """Ask the child to end a `Generate` now."""
        self._write(Cancel(number))

    def kill(self) -> None:
        """End the child at once. It is not `alive` from here on, even while the system still clears it away."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """End the child: its input is closed, and a second later it is killed."""
        with self._lock, contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _input(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    def _write(self, command: Command) -> None:
        line = msgspec.json.encode(command) + b"\n"
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._input.write(line)
            self._input.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        decoder = msgspec.json.Decoder(Reply)
        with self._process.stdout as replies:
            for line in replies:
                try:
                    reply = decoder.decode(line)
                except msgspec.DecodeError:
                    self._process.kill()
                    break
                self._route(reply)
        reason = describe_exit(self._process.wait())
        with self._lock:
            self._reason = reason
            for inbox in self._inboxes.values():
                inbox.put(Stopped(reason))

    def _route(self, reply: Reply) -> None:
        number = 0 if isinstance(reply, Loaded) else reply.id
        with self._lock:
            inbox = self._inboxes.get(number)
        if inbox is not None:
            inbox.put(reply)


def describe_exit(code: int) -> str:
    """How a process ended, from its return code (negative: the signal)."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
