"""The journal of a run, `<run id>.jsonl`: a header, the events, one a line, the last one terminal. It is the truth about the
run.

Tokens are coalesced: those of one pathway, step and part become one event, written before the next other event. A line that was
cut short by a crash is dropped and reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from msgspec.structs import replace

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, StorageError
from deepimagine_tui.files import make_dir, storage_error
from deepimagine_tui.reasoning import events as event_types
from deepimagine_tui.reasoning.events import ReasoningEvent, RunFinished, RunStarted, TokensArrived

SCHEMA_VERSION = 1
SUFFIX = ".jsonl"


class Header(msgspec.Struct, frozen=True, tag="journal", tag_field="type"):
    """The first line of a journal."""

    run_id: str
    schema_version: int = SCHEMA_VERSION


class JournalContent(msgspec.Struct, frozen=True):
    """What a journal holds, and what of it could not be used, one sentence each."""

    events: tuple[ReasoningEvent, ...]
    problems: tuple[str, ...] = ()


class Journal:
    """Writes the events of one run to `path`.

    The file is made at once, so that a place that cannot be written is found before the model works; when writing fails later
    (the disk is full), the run goes on without it, `problem` says why, and closing raises it. Every event but tokens is
    flushed to the disk before `write` returns.

    Raises:
        StorageError: the file cannot be made; or, on leaving the `with` block, it could not be written to the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem: StorageError | None = None
        self._tokens: dict[tuple[int, int, str], TokensArrived] = {}
        self._begun = False
        make_dir(path.parent)
        try:
            self._stream: BinaryIO | None = path.open("xb")
        except OSError as error:
            raise storage_error(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()
        if kind is None and self.problem is not None:
            raise self.problem

    def write(self, event: ReasoningEvent) -> None:
        """Append one event. Never raises: a failure is kept in `problem`, and nothing is written after it."""
        if isinstance(event, TokensArrived):
            key = (event.pathway, event.step, event.part)
            before = self._tokens.get(key)
            if before is not None:
                event = replace(event, text=before.text + event.text, tokens=before.tokens + event.tokens)
            self._tokens[key] = event
            return
        lines = [*self._pending(), event]
        if not self._begun:
            self._append(Header(event.run_id))
            self._begun = True
        for line in lines:
            self._append(line)
        self._sync()

    def close(self) -> None:
        """Write the tokens that still wait and close the file; does nothing the second time."""
        if self._stream is None:
            return
        for line in self._pending():
            self._append(line)
        self._sync()
        stream, self._stream = self._stream, None
        try:
            stream.close()
        except OSError as error:
            self._fail(error)

    def _pending(self) -> list[TokensArrived]:
        """The coalesced tokens, in the order in which they ended."""
        tokens = sorted(self._tokens.values(), key=lambda event: event.seq)
        self._tokens.clear()
        return tokens

    def _append(self, line: Header | ReasoningEvent) -> None:
        if self._stream is None or self.problem is not None:
            return
        try:
            self._stream.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:
            self._fail(error)

    def _sync(self) -> None:
        if self._stream is None or self.problem is not None:
            return
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.problem = self.problem or storage_error(self.path, error)


def record(
    events: Iterable[ReasoningEvent], path: Path, on_problem: Callable[[StorageError], None] | None = None
) -> Iterator[ReasoningEvent]:
    """Pass on the events of one run, each written to the journal at `path` first.

    A journal that cannot be written to the end does not stop the run: `on_problem` is told once; without it, the error is
    raised after the last event.

    Raises:
        StorageError: the journal cannot be made, or (without `on_problem`) not be written to the end.
    """
    journal = Journal(path)
    told = False
    try:
        for event in events:
            journal.write(event)
            if journal.problem is not None and on_problem is not None and not told:
                told = True
                on_problem(journal.problem)
            yield event
    finally:
        journal.close()
    if journal.problem is not None and on_problem is None:
        raise journal.problem


def record_each(events: Iterable[ReasoningEvent], paths: Mapping[str, Path]) -> Iterator[ReasoningEvent]:
    """Pass on the events of several runs, each written first to the journal of its run in `paths`, which are by run id.

    Raises:
        StorageError: a journal cannot be made, or could not be written to the end; the others are whole.
    """
    with ExitStack() as stack:
        journals = {run_id: stack.enter_context(Journal(path)) for run_id, path in paths.items()}
        for event in events:
            journals[event.run_id].write(event)
            yield event


def read_events(path: Path) -> JournalContent:
    """Read a journal back.

    Reading stops at the first line that is no event; that line and what follows it are reported as a problem, and so is a
    missing terminal event.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no journal.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no run at {path}.", "List them: deepimagine runs list") from error
    except OSError as error:
        raise BadInputError(f"The run at {path} cannot be read ({error.strerror}).") from error
    lines = content.split(b"\n")
    torn = lines.pop()
    if not lines:
        raise BadInputError(f"{path} is no run: it has no header.")
    _check_header(lines[0], path)
    events: list[ReasoningEvent] = []
    problems: list[str] = []
    decoder = msgspec.json.Decoder(ReasoningEvent)
    for number, line in enumerate(lines[1:], start=2):
        try:
            event = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            left = len(lines) - number + (1 if torn else 0)
            after = f" and {left} after it" if left else ""
            problems.append(f"Line {number} is no event; it{after} was left out.")
            torn = b""
            break
        if isinstance(event, RunStarted) and event.schema_version > event_types.SCHEMA_VERSION:
            raise _newer(path)
        events.append(event)
    if torn:
        problems.append("The last line was cut short and was left out.")
    if not events or not isinstance(events[-1], RunFinished):
        problems.append("The run has no end: it is still going on, or was killed.")
    return JournalContent(tuple(events), tuple(problems))


def _check_header(line: bytes, path: Path) -> None:
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is no run: its first line is not the header of a journal.") from error
    if header.schema_version > SCHEMA_VERSION:
        raise _newer(path)


def _newer(path: Path) -> NewerSchemaError:
    return NewerSchemaError(f"{path} was written by a newer DeepImagine.", "Update DeepImagine to open it.")
