"""Comparing trials in child processes, so that finding similar ones uses every core.

A child is `python -m deepimagine_training.comparing`: it reads one task from its input, writes what it finds to its output
as it goes, and ends; when its reader is gone, writing fails and it ends too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from deepimagine_training.approximate import Compared, compare
from deepimagine_tui.corpus.starter import STARTER_NAME, open_starter
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import CorpusError

FEW_TRIALS = 24
"""Up to here, starting child processes costs more than it saves."""

_CHILDREN = 2
_DECODER = msgspec.msgpack.Decoder(Compared)
_LENGTH = 8


class Task(msgspec.Struct, frozen=True):
    """Which trials to compare with which: each of `asked` with the others of its side in `sides`."""

    corpus: str
    is_starter: bool
    sides: tuple[tuple[str, ...], ...]
    asked: frozenset[str]


class Comparison:
    """The trials of each side compared with one another; begins at once. A context manager that ends its children."""

    def __init__(self, corpus: Corpus, sides: Sequence[Sequence[str]]) -> None:
        every = [nct_id for side in sides for nct_id in side]
        parts = min(_CHILDREN, os.cpu_count() or 1) if len(every) > FEW_TRIALS else 0
        tasks = [
            Task(str(corpus.path), corpus.name == STARTER_NAME, tuple(map(tuple, sides)), frozenset(every[part::parts]))
            for part in range(parts)
        ]
        self._here = None if tasks else Task("", False, tuple(map(tuple, sides)), frozenset(every))
        self._corpus = corpus
        self._children = [_start() for _ in tasks]
        self._threads = ThreadPoolExecutor(max(1, parts), thread_name_prefix="compare-trials")
        pairs = zip(self._children, tasks, strict=True)
        self._answers = [self._threads.submit(_ask, child, task) for child, task in pairs]

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.kill()
            child.wait()
        self._threads.shutdown()

    @property
    def is_done(self) -> bool:
        """Whether every child has ended."""
        return all(answer.done() for answer in self._answers)

    def results(self) -> Iterator[Compared]:
        """What was found for each trial; waits for the children.

        Raises:
            CorpusError: a child failed; its own words went to standard error.
        """
        if self._here is not None:
            yield from _work(self._here, self._corpus)
        for answer in self._answers:
            yield from answer.result()


def _work(task: Task, corpus: Corpus) -> Iterator[Compared]:
    for side in task.sides:
        yield from compare(corpus, [nct_id for nct_id in side if nct_id in task.asked], side)


def _start() -> subprocess.Popen[bytes]:
    roots = [str(Path(__file__).resolve().parents[1]), *(path for path in sys.path if path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
    command = [sys.executable, "-m", "deepimagine_training.comparing"]
    # In a session of its own: Ctrl-C is for the parent alone, which ends its children.
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True)


def _ask(child: subprocess.Popen[bytes], task: Task) -> list[Compared]:
    answered, _ = child.communicate(msgspec.msgpack.encode(task))
    if child.returncode != 0:
        raise CorpusError("A process that compares trials stopped.", "Try again; the corpus may be damaged.")
    found = []
    at = 0
    while at < len(answered):
        end = at + _LENGTH + int.from_bytes(answered[at : at + _LENGTH], "little")
        found.append(_DECODER.decode(answered[at + _LENGTH : end]))
        at = end
    return found


def main() -> None:
    """Do the one task on standard input."""
    task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    corpus = open_starter() if task.is_starter else Corpus.open(Path(task.corpus))
    with corpus, os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0) as answers:
        for compared in _work(task, corpus):
            frame = msgspec.msgpack.encode(compared)
            try:
                answers.write(len(frame).to_bytes(_LENGTH, "little") + frame)
            except BrokenPipeError:
                return


if __name__ == "__main__":
    main()
