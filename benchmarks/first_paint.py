"""How long the app takes to its first paint, against a bare Textual app with a table, in the same run.

    python benchmarks/first_paint.py [--runs N]

Each run starts a fresh process in a pseudo-terminal of 120x36 and stops the clock when its first frame has arrived: the
text that only the frame holds. The two take turns. Prints a row of markdown, then the same as JSON. Bar: at most 2x.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time

from machine import describe_machine

BAR = 2.0
LIMIT_SECONDS = 30.0
BARE = """
from textual.app import App
from textual.widgets import DataTable, Footer, Header

class Bare(App):
    def compose(self):
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("first", "second", "third")
        table.add_rows([(f"painted {row}", "b", "c") for row in range(50)])

Bare().run()
"""
OURS = "from deepimagine_tui.cli import main; main()"


def seconds_to(code: str, marker: bytes, home: str) -> float:
    """Seconds from starting a process that runs `code` until `marker` has been drawn."""
    started = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "DEEPIMAGINE_HOME": home, "DEEPIMAGINE_MODEL": "scripted"}
        os.execve(sys.executable, [sys.executable, "-c", code], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    seen = b""
    try:
        while time.perf_counter() - started < LIMIT_SECONDS:
            if select.select([terminal], [], [], 0.5)[0]:
                seen += os.read(terminal, 65536)
                if marker in seen:
                    return time.perf_counter() - started
        raise SystemExit(f"No first frame in {LIMIT_SECONDS:.0f} s; the terminal showed: {seen[-400:]!r}")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main() -> None:
    """Measure, print, and fail above the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    bare, ours = [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(runs + 1):
            bare.append(seconds_to(BARE, b"painted 0", home))
            ours.append(seconds_to(OURS, b"not for patient care", home))
    base, measured = statistics.median(bare[1:]), statistics.median(ours[1:])
    ratio = measured / base
    result = {"bare_s": round(base, 3), "ours_s": round(measured, 3), "ratio": round(ratio, 2), "bar": BAR}
    sys.stdout.write(
        f"| first paint | {measured:.2f} s, {ratio:.2f}x a bare Textual app ({base:.2f} s) | at most {BAR:g}x "
        f"| {'kept' if ratio <= BAR else 'missed'} |\n"
    )
    sys.stdout.write(json.dumps({"benchmark": "first paint", **result, "runs": runs, "machine": describe_machine()}) + "\n")
    if ratio > BAR:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
