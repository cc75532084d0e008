"""Two trainers in turn, a step each, so that whatever else the machine does slows both alike.

Each runs in a process of its own, whose memory is its own. It says when a step is done and waits to be told to take the next.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple

from machine import describe_machine

if TYPE_CHECKING:
    from deepimagine_training.bases import BaseFacts
    from transformers import TrainerCallback

SIDES = ("ours", "plain")


class Taken(NamedTuple):
    """The seconds of each step after the first, and the most memory that the process held, in bytes."""

    seconds: list[float]
    peak: int

    @property
    def step(self) -> float:
        """Seconds of a typical step."""
        return median(self.seconds)


class Pace:
    """In a child: told of each step that is done, it waits for the next one to be asked for."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._began = time.perf_counter()

    def done(self) -> None:
        """A step is done."""
        seconds = time.perf_counter() - self._began
        # What ru_maxrss counts in is kibibytes on Linux and bytes on macOS.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}) + "\n")
        sys.stdout.flush()
        self._left -= 1
        if self._left:
            sys.stdin.readline()
        self._began = time.perf_counter()

    def heard(self, text: str) -> None:
        """What our trainers tell: a step that is done, or something else."""
        if text.startswith("Step "):
            self.done()


def alternate(script: Path, folder: Path, steps: int) -> dict[str, Taken]:
    """Run `script --side SIDE --folder folder` for both sides, in turn; the first step of each warms it up."""
    children: dict[str, subprocess.Popen[str]] = {}
    taken = {side: Taken([], 0) for side in SIDES}
    try:
        for step in range(steps):
            for side in SIDES:
                if step:
                    _go_on(children[side])
                else:
                    # The second starts when the first waits: the threads of two trainers at once only wait for one another.
                    children[side] = _child(script, folder, side)
                found = _told(children[side], script.stem)
                taken[side] = Taken([*taken[side].seconds, *([found["seconds"]] if step else [])], found["peak"])
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    return taken


def _child(script: Path, folder: Path, side: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(script), "--side", side, "--folder", str(folder)]
    log = (folder / f"{side}.log").open("w")
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)


def _go_on(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def _told(child: subprocess.Popen[str], name: str) -> dict[str, Any]:
    assert child.stdout is not None
    lines: Iterable[str] = child.stdout
    for line in lines:
        if line.startswith('{"seconds"'):
            found: dict[str, Any] = json.loads(line)
            return found
    raise SystemExit(f"{name}: a side ended early; see its log")


def draw(data: Path, folder: Path) -> None:
    """Pairs of the records in `data`, with the deterministic writer's reasoning, as `pairs` and `traces` of `folder`."""
    from deepimagine_training import pair_files, pairs, traces
    from deepimagine_training.inputs import opened
    from deepimagine_training.writing import write_facts

    with opened(str(data), folder, Event()) as corpus:
        drawn = pairs.draw(corpus)
    manifest = pair_files.write(drawn, folder / "pairs")
    write_facts(drawn.rows, folder / "traces", Event())
    traces.finish(folder / "traces", manifest.data_sha256, 0)


def base() -> BaseFacts:
    """The embedded model."""
    from deepimagine_training import bases

    from deepimagine_tui.backends.catalogue import EMBEDDED, ensure_ready

    return bases.resolve(str(ensure_ready(EMBEDDED, lambda share: None, Event())))


def pacing(pace: Pace) -> TrainerCallback:
    """A callback for TRL's own trainers that tells `pace` of each step."""
    from transformers import TrainerCallback

    class Paced(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            pace.done()

    return Paced()


def measured(
    script: Path, about: str, sides: Mapping[str, Callable[[Path, Pace], None]], steps: int
) -> dict[str, Taken] | None:
    """What the command line of `script` asks for: in a child, to be one of the `sides`; else to measure both on registry
    records, and to say on standard error what machine it was.

    Args:
        about: The script's own words for its help.
        sides: What each child does, told its folder and its pace.
        steps: That each side takes; the first is not counted.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of registry records")
    parser.add_argument("--side", choices=SIDES, help="be one of the two sides, told through standard input")
    parser.add_argument("--folder", type=Path, help="of the pairs and traces of a side")
    options = parser.parse_args()
    if options.side:
        sides[options.side](options.folder, Pace(steps))
        return None
    if options.data is None:
        parser.error("--data is needed")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        draw(options.data, Path(name))
        taken = alternate(script, Path(name), steps)
    sys.stderr.write(f"{describe_machine()}, load {load:.1f} at the start\n")
    return taken


def row(what: str, gained: str, taken: Mapping[str, Taken], bar_times: float, bar_bytes: float = math.inf) -> tuple[str, bool]:
    """A row of markdown on `what`, and whether the bars are kept: how many times as fast ours is, and the most it holds.

    Args:
        gained: What there is so many times of.
    """
    ours, plain = taken["ours"], taken["plain"]
    times = sum(plain.seconds) / sum(ours.seconds)
    kept = times >= bar_times and ours.peak <= bar_bytes
    found = f"{times:.1f} times {gained}: steps of {ours.step:.1f} and {plain.step:.1f} s"
    memory = f"{ours.peak / 1e9:.1f} GB against {plain.peak / 1e9:.1f} GB"
    bar = f"{bar_times:g} times" + (f", {bar_bytes / 1e9:g} GB" if math.isfinite(bar_bytes) else "")
    return f"| {what} | {found}, {memory} | {bar} | {'kept' if kept else 'missed'} |\n", kept
