"""The user's runs: journals in a folder, a note beside each, and an index that can be rebuilt from them.

`<run id>.jsonl` is the journal and is never changed; `<run id>.json` holds the name and notes that the user gave it, the folder
`<run id>.probes` the probes of the run. The index only saves reading every journal for a list: it may be deleted, damaged or
read-only, and nothing but time is lost.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from deepimagine_tui import files, paths
from deepimagine_tui.errors import BadInputError, DeepImagineError, NotFoundError, UsageError
from deepimagine_tui.reasoning import journal
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.graph import ReasoningGraph, build_graph
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.probe_results import RunProbes, probes_of
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
from deepimagine_tui.reasoning.summary import describe_answer, describe_request

SCHEMA_VERSION = 1
Outcome = Literal["answered", "no_answer", "cancelled", "failed", "interrupted", "unreadable"]


class RunSummary(msgspec.Struct, frozen=True):
    """One line of the list of runs. `when` is ISO 8601 in UTC; `target` what was asked, `answer` what came of it.

    `outcome` is that of the run, `interrupted` without a terminal event (it goes on, or was killed), `unreadable` when the
    journal is damaged or of a newer version; then `answer` says why.
    """

    run_id: str
    when: str
    outcome: Outcome
    name: str = ""
    kind: Literal["what-if", "forecast", ""] = ""
    nct_id: str = ""
    model: str = ""
    adapter: str = ""
    target: str = ""
    answer: str = ""
    demo: bool = False
    parent: str = ""
    seed: int = 0
    notes: str = ""


class RunNote(msgspec.Struct, frozen=True):
    """What the user says about a run."""

    name: str | None = None
    notes: str = ""
    schema_version: int = SCHEMA_VERSION


class _Row(NamedTuple):
    run_id: str
    stamp: str
    summary: RunSummary


class RunStore:
    """The runs in `folder`, indexed in the database `index`. Reading makes no folder and needs no right to write."""

    def __init__(self, folder: Path, index: Path) -> None:
        self.folder = folder
        self.index = index

    @classmethod
    def default(cls) -> RunStore:
        """The runs of this user's workspace."""
        return cls(paths.runs_dir(), paths.workspace_db())

    def path(self, run_id: str) -> Path:
        """Where the journal of `run_id` is, or will be."""
        return self.folder / f"{run_id}{journal.SUFFIX}"

    def list(self) -> tuple[RunSummary, ...]:
        """All runs, newest first. A damaged journal is listed as `unreadable`, never an error."""
        found = {path.stem: path for path in self.folder.glob(f"*{journal.SUFFIX}")} if self.folder.is_dir() else {}
        known = self._indexed()
        current: list[RunSummary] = []
        changed: list[_Row] = []
        for run_id, path in found.items():
            stamp = self._stamp(path)
            if stamp.startswith("0:"):
                continue
            row = known.get(run_id)
            if row is not None and row[0] == stamp:
                current.append(row[1])
            else:
                current.append(self._summarise(run_id, path))
                changed.append(_Row(run_id, stamp, current[-1]))
        gone = [run_id for run_id in known if run_id not in found]
        if changed or gone:
            self._update_index(changed, gone)
        return tuple(sorted(current, key=lambda run: (run.when, run.run_id), reverse=True))

    def resolve(self, text: str) -> str:
        """The run that `text` means: its id, the beginning of exactly one id, or `last`.

        Raises:
            NotFoundError: there is no such run.
            UsageError: several runs begin like that.
        """
        if text == "last":
            runs = self.list()
            if not runs:
                raise NotFoundError("There are no runs yet.", "Ask something first: deepimagine imagine NCT…")
            return runs[0].run_id
        ids = sorted(path.stem for path in self.folder.glob(f"*{journal.SUFFIX}")) if self.folder.is_dir() else []
        fitting = [text] if text in ids else [run_id for run_id in ids if text and run_id.startswith(text)]
        if not fitting:
            raise NotFoundError(f"There is no run {text}.", "List them: deepimagine runs list")
        if len(fitting) > 1:
            raise UsageError(f"{len(fitting)} runs begin with {text}.", f"Say more of the id: {', '.join(fitting[:5])}.")
        return fitting[0]

    def events(self, run_id: str) -> journal.JournalContent:
        """The events of a run. Raises as `show` does."""
        return journal.read_events(self.path(self.resolve(run_id)))

    def show(self, run_id: str) -> ReasoningGraph:
        """The graph that the run's events add up to, with the name that the user gave it.

        Raises:
            NotFoundError: there is no such run.
            BadInputError: its journal is damaged.
            NewerSchemaError: a newer DeepImagine wrote it.
        """
        run_id = self.resolve(run_id)
        graph = _graph(journal.read_events(self.path(run_id)).events, run_id)
        name = self._note(run_id).name
        if graph.started is None or name is None:
            return graph
        return replace(graph, started=replace(graph.started, request=replace(graph.started.request, name=name)))

    def duplicate(self, run_id: str, *, seed: int | None = None) -> ImagineRequest:
        """The question of a run under a new id, to be asked again, with another `seed` if one is given. Raises as `show`
        does."""
        run_id = self.resolve(run_id)
        graph = self.show(run_id)
        if graph.started is None:
            raise BadInputError(f"The run {run_id} does not say what was asked.")
        request = graph.started.request
        settings = request.settings if seed is None else replace(request.settings, seed=seed)
        return replace(request, run_id=new_run_id(), parent=run_id, settings=settings)

    def rename(self, run_id: str, name: str) -> None:
        """Give a run a name.

        Raises:
            NotFoundError: there is no such run.
            StorageError: the name cannot be written.
        """
        run_id = self.resolve(run_id)
        self._write_note(run_id, replace(self._note(run_id), name=name))

    def notes(self, run_id: str) -> str:
        """What the user wrote about a run; empty when nothing.

        Raises:
            NotFoundError: there is no such run.
        """
        return self._note(self.resolve(run_id)).notes

    def set_notes(self, run_id: str, notes: str) -> None:
        """Write about a run. Raises as `rename` does."""
        run_id = self.resolve(run_id)
        self._write_note(run_id, replace(self._note(run_id), notes=notes))

    def probes_folder(self, run_id: str) -> Path:
        """Where the probes of `run_id` are, or will be; what is in there is no run of the list."""
        return self.folder / f"{run_id}.probes"

    def probes(self, run_id: str) -> RunProbes:
        """What the probes of a run showed, and which it allows. Raises as `show` does."""
        run_id = self.resolve(run_id)
        return probes_of(self.show(run_id), self.probes_folder(run_id))

    def delete(self, run_id: str) -> None:
        """Delete a run with its name, notes and probes. It cannot be brought back.

        Raises:
            NotFoundError: there is no such run.
            StorageError: it cannot be deleted.
        """
        run_id = self.resolve(run_id)
        path = self.path(run_id)
        try:
            path.unlink()
            self._note_path(run_id).unlink(missing_ok=True)
            if self.probes_folder(run_id).is_dir():
                shutil.rmtree(self.probes_folder(run_id))
        except OSError as error:
            raise files.storage_error(path, error) from error
        self._update_index([], [run_id])

    def _summarise(self, run_id: str, path: Path) -> RunSummary:
        try:
            graph = _graph(journal.read_events(path).events, run_id)
        except DeepImagineError as error:
            return RunSummary(run_id, "", "unreadable", answer=str(error))
        started = graph.started
        if started is None:
            return RunSummary(run_id, "", "unreadable", answer="The journal holds no start of a run.")
        request, note = started.request, self._note(run_id)
        forecast = isinstance(request.question, Forecast)
        nct_id = request.question.nct_id if isinstance(request.question, Forecast) else request.question.anchor.nct_id
        return RunSummary(
            run_id=run_id,
            when=started.at,
            outcome=graph.finished.outcome if graph.finished is not None else "interrupted",
            name=request.name if note.name is None else note.name,
            kind="forecast" if forecast else "what-if",
            nct_id=nct_id or "",
            model=started.model.name,
            adapter=started.model.adapter,
            target=describe_request(request),
            answer=describe_answer(graph),
            demo=started.model.demo,
            parent=request.parent,
            seed=request.settings.seed,
            notes=note.notes,
        )

    def _note_path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.json"

    def _note(self, run_id: str) -> RunNote:
        """What the user says about a run; nothing where the file is missing or damaged, since the run itself is not in it."""
        try:
            return msgspec.json.decode(self._note_path(run_id).read_bytes(), type=RunNote)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return RunNote()

    def _write_note(self, run_id: str, note: RunNote) -> None:
        files.write_bytes(self._note_path(run_id), msgspec.json.encode(note))

    def _stamp(self, path: Path) -> str:
        """Changes whenever journal or note do; begins with `0:` for an empty journal."""
        parts = []
        for file in (path, self._note_path(path.stem)):
            try:
                status = file.stat()
            except OSError:
                parts.append("-")
            else:
                parts.append(f"{status.st_size}:{status.st_mtime_ns}")
        return " ".join(parts)

    def _indexed(self) -> dict[str, tuple[str, RunSummary]]:
        """What the index knows; nothing where there is none or it is damaged."""
        if not self.index.is_file():
            return {}
        try:
            with closing(sqlite3.connect(f"{self.index.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                rows = connection.execute("SELECT run_id, stamp, summary FROM run_index WHERE version = ?", (SCHEMA_VERSION,))
                return {run_id: (stamp, msgspec.json.decode(text, type=RunSummary)) for run_id, stamp, text in rows}
        except (sqlite3.Error, msgspec.DecodeError):
            return {}

    def _update_index(self, changed: Sequence[_Row], gone: Sequence[str]) -> None:
        """Bring the index up to date, as far as it can be written: it is only ever a copy. A damaged one is made anew."""
        try:
            self._write_index(changed, gone)
        except sqlite3.OperationalError:
            return
        except sqlite3.DatabaseError:
            with suppress(OSError, sqlite3.Error):
                self.index.unlink()
                self._write_index(changed, gone)

    def _write_index(self, changed: Sequence[_Row], gone: Sequence[str]) -> None:
        rows = [(row.run_id, SCHEMA_VERSION, row.stamp, msgspec.json.encode(row.summary).decode()) for row in changed]
        with self._opened_index() as connection:
            connection.executemany("DELETE FROM run_index WHERE run_id = ?", [(run_id,) for run_id in gone])
            connection.executemany(
                "INSERT OR REPLACE INTO run_index (run_id, version, stamp, summary) VALUES (?, ?, ?, ?)", rows
            )

    @contextmanager
    def _opened_index(self) -> Iterator[sqlite3.Connection]:
        """The index for writing, in one transaction; only where the workspace exists already."""
        with closing(sqlite3.connect(self.index, timeout=1.0)) as connection, connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS run_index (run_id TEXT PRIMARY KEY, version INTEGER, stamp TEXT, summary TEXT)"
            )
            yield connection


def _graph(events: tuple[ReasoningEvent, ...], run_id: str) -> ReasoningGraph:
    """The fold of `events`; a journal whose events do not fit one another is damaged."""
    try:
        return build_graph(events)
    except LookupError as error:
        raise BadInputError(f"The run {run_id} is damaged: an event of it names a step that does not exist.") from error
