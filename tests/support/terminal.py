"""A real pseudo-terminal to drive a program in, with the screen it draws."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence

import pyte

ESCAPE, ENTER, TAB, DOWN, CLEAR = "\x1b", "\r", "\t", "\x1b[B", "\x15"


class Terminal:
    """`command` running in a terminal of `columns` by `rows`."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], columns: int = 120, rows: int = 36) -> None:
        self._leader, self._follower = pty.openpty()
        fcntl.ioctl(self._follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.modes_before = termios.tcgetattr(self._follower)
        self.screen = pyte.Screen(columns, rows)
        self.output = b""
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self.process = subprocess.Popen(
            command,
            stdin=self._follower,
            stdout=self._follower,
            stderr=self._follower,
            # A program believes COLUMNS and LINES before its terminal, and here they are those of the tests' own terminal.
            env={**{key: env[key] for key in env.keys() - {"COLUMNS", "LINES"}}, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._leader, 65536)
            except OSError:
                return
            with self._lock:
                self.output += data
                self._stream.feed(data)

    def text(self) -> str:
        """What is on the screen now."""
        with self._lock:
            return "\n".join(self.screen.display)

    def press(self, *keys: str) -> None:
        """Press each of `keys` (a character or an escape sequence), at the pace of a fast typist."""
        for key in keys:
            os.write(self._leader, key.encode())
            time.sleep(0.04)

    def wait_for(self, wanted: str, seconds: float = 60) -> str:
        """Wait until `wanted` is on the screen and return the screen."""
        return self._wait(wanted, True, seconds)

    def wait_until_gone(self, unwanted: str, seconds: float = 60) -> str:
        """Wait until `unwanted` has left the screen and return the screen."""
        return self._wait(unwanted, False, seconds)

    def _wait(self, words: str, there: bool, seconds: float) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            if (words in text) == there:
                return text
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"{'no' if there else 'still'} {words!r} (exit {self.process.poll()}) in:\n{self.text()}")

    def finish(self, seconds: float = 20) -> int:
        """Wait for the program to end and return its exit code."""
        code = self.process.wait(seconds)
        time.sleep(0.2)
        return code

    @property
    def modes_after(self) -> list[object]:
        """The terminal's modes now, to be compared with `modes_before`."""
        return list(termios.tcgetattr(self._follower))

    def close(self) -> None:
        """Kill what still runs and close the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._follower, self._leader):
            os.close(descriptor)
