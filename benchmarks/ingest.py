"""How long an import takes beside mere parsing of the same bytes, and how much memory it needs.

    python benchmarks/ingest.py --data DIR

Prints a row of markdown, then the same as JSON. Bars: at most 3 times the parsing, under 300 MB with the child processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from machine import describe_machine

from deepimagine_tui.corpus.ingest import IngestFinished, ingest
from deepimagine_tui.trials.reading import RawRecord, iter_records

BAR_RATIO = 3.0
BAR_MEGABYTES = 300.0
REPEATS = 3


def parse_only(data: Path) -> tuple[float, int, int]:
    """Seconds to parse every record with the standard library, and how many records and bytes those are."""
    raws = [record.raw for record in iter_records(data) if isinstance(record, RawRecord)]
    started = time.perf_counter()
    for raw in raws:
        if raw.lstrip()[:1] == b"<":
            ElementTree.fromstring(raw)
        else:
            json.loads(raw)
    return time.perf_counter() - started, len(raws), sum(map(len, raws))


class PeakMemory(threading.Thread):
    """The largest resident memory of this process and its children, in MB, sampled every 20 ms; 0 where /proc is missing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0.0
        self.stop = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stop.wait(0.02):
            self.peak = max(self.peak, resident_megabytes())


def resident_megabytes() -> float:
    """What this process and its direct children hold now: proportional shares, so that shared pages count once."""
    own = Path("/proc/self")
    if not own.exists():
        return 0.0
    children = [pid for task in (own / "task").glob("*/children") for pid in _read(task).split()]
    return sum(_share(Path("/proc") / pid) for pid in ["self", *children]) / 1024


def _share(process: Path) -> float:
    for line in _read(process / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def measure(data: Path) -> dict[str, float | int | str]:
    """The best of several runs, baseline and import taken in turn so that both meet the same machine."""
    parsed = parsed_cpu = imported = worked = again = float("inf")
    records = size = 0
    for _ in range(REPEATS):
        working = time.process_time()
        seconds, records, size = parse_only(data)
        parsed = min(parsed, seconds)
        parsed_cpu = min(parsed_cpu, time.process_time() - working)
        with tempfile.TemporaryDirectory() as folder:
            working = cpu_seconds()
            imported = min(imported, run(data, Path(folder) / "c.db"))
            worked = min(worked, cpu_seconds() - working)
            again = min(again, run(data, Path(folder) / "c.db"))
    # Memory apart, in a process that has not parsed everything first.
    memory = PeakMemory()
    memory.start()
    with tempfile.TemporaryDirectory() as folder:
        run(data, Path(folder) / "c.db")
    memory.stop.set()
    return {
        "records": records,
        "megabytes": round(size / 1e6, 1),
        "parse_seconds": round(parsed, 2),
        "ingest_seconds": round(imported, 2),
        "ratio": round(imported / parsed, 2),
        "again_seconds": round(again, 2),
        "cpu_ratio": round(worked / parsed_cpu, 2),
        "load": round(os.getloadavg()[0], 1),
        "peak_megabytes": round(memory.peak),
        "machine": describe_machine(),
    }


def cpu_seconds() -> float:
    """Processor time of this process and of the children it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run(data: Path, corpus: Path) -> float:
    """Seconds of one whole import."""
    started = time.perf_counter()
    last = list(ingest(corpus, data, threading.Event()))[-1]
    if not isinstance(last, IngestFinished):
        raise SystemExit(f"The import ended early: {last}")
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, and exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of registry records")
    found = measure(parser.parse_args().data)
    kept = float(found["ratio"]) <= BAR_RATIO and float(found["peak_megabytes"]) < BAR_MEGABYTES
    done = f"{found['records']} records, {found['megabytes']} MB in {found['ingest_seconds']} s, {found['ratio']} x parsing"
    also = f"peak {found['peak_megabytes']} MB; again {found['again_seconds']} s; {found['cpu_ratio']} x its CPU"
    row = f"| ingest, load {found['load']} | {done}, {also} | 3 x, 300 MB | {'kept' if kept else 'missed'} |"
    sys.stdout.write(row + "\n" + json.dumps(found) + "\n")
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
