"""The processes that read records: one that dies is replaced, and none outlives its parent or answers to its terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepimagine_tui.corpus.reader import Task
from deepimagine_tui.corpus.records import Read, Unread
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.corpus.workers import WorkerPool
from deepimagine_tui.errors import ExitCode
from tests.corpus.conftest import record, write_records

PROCESSES = Path("/proc")
needs_proc = pytest.mark.skipif(not (PROCESSES / "self").exists(), reason="finds processes in /proc")


def readers_of(pid: int) -> list[int]:
    """The readers under a process, those that a reader forked included."""
    found: list[int] = []
    for task in (PROCESSES / str(pid) / "task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            if b"corpus.reader" in (PROCESSES / str(child) / "cmdline").read_bytes():
                found += [child, *readers_of(child)]
    return found


def is_running(pid: int) -> bool:
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> list[int]:
    """Those that still run after ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until and any(map(is_running, pids)):
        time.sleep(0.02)
    return [pid for pid in pids if is_running(pid)]


def task(number: int) -> Task:
    return Task(f"{number}.json", record(f"NCT{number:08d}"), "0" * 64)


@needs_proc
def test_a_reader_that_dies_is_replaced_and_no_record_is_lost() -> None:
    pages = [[task(page * 10 + at) for at in range(5)] for page in range(1, 9)]
    with WorkerPool(2) as pool:
        answers = pool.read(pages)
        found = list(next(answers))
        for pid in readers_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        for page in answers:
            found += page
        started = readers_of(os.getpid())
    assert [item.name for item in found] == [entry.name for page in pages for entry in page]
    assert all(isinstance(item, Read) for item in found)
    assert wait_until_gone(started) == []


@needs_proc
def test_readers_are_all_gone_after_the_pool() -> None:
    with WorkerPool(3) as pool:
        assert [len(page) for page in pool.read([[task(1)], [task(2)], [task(3)], [task(4)]])] == [1, 1, 1, 1]
        started = readers_of(os.getpid())
    assert len(started) == 3
    assert wait_until_gone(started) == []


def test_a_record_that_kills_its_reader_is_set_aside_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "import deepimagine_tui.corpus.records as records\n"
        "read = records.read_record\n"
        "records.read_record = lambda name, *rest: os._exit(9) if name == '3.json' else read(name, *rest)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with WorkerPool(2) as pool:
        (page,) = pool.read([[task(1), task(2), task(3), task(4)]])
    assert [type(item) for item in page] == [Read, Read, Unread, Read]


@needs_proc
def test_ctrl_c_in_the_terminal_stops_an_import_without_a_traceback_and_keeps_what_was_read(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 1500)})
    command = [sys.executable, "-m", "deepimagine_tui.cli", "corpus", "import", str(source), "--corpus", str(tmp_path / "c.db")]
    environment = {**os.environ, "DEEPIMAGINE_HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
    ) as process:
        until = time.monotonic() + 30
        while len(started := readers_of(process.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        # What a terminal does: the signal goes to every process of the foreground group.
        os.killpg(process.pid, signal.SIGINT)
        _, narration = process.communicate(timeout=30)
    assert len(started) == 2
    assert process.returncode == ExitCode.CANCELLED
    assert "Traceback" not in narration
    assert "KeyboardInterrupt" not in narration
    assert wait_until_gone(started) == []
    with Corpus.open(tmp_path / "c.db") as corpus:
        assert corpus.history()[0].state == "cancelled"


@needs_proc
def test_readers_of_a_killed_import_end(tmp_path: Path) -> None:
    source = write_records(tmp_path / "in", {f"{at}.json": record(f"NCT0000{at:04d}") for at in range(1, 600)})
    script = (
        "import sys; from pathlib import Path; from threading import Event\n"
        "from deepimagine_tui.corpus.ingest import ingest\n"
        "for event in ingest(Path(sys.argv[1]), Path(sys.argv[2]), Event()): print(event, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "c.db"), str(source)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        started = readers_of(process.pid)
        process.kill()
    assert len(started) == 2
    assert wait_until_gone(started) == []
