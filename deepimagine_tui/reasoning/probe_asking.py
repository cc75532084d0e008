"""Asking the probes of one run, into a folder beside its journal: `probes.json` says what was asked and by which runs, whose
journals lie next to it. They are no runs of the user's list.

Probing again asks what has no answer yet; see `probe_results` for what the answers show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import msgspec
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.files import storage_error, write_bytes
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import ReasoningEvent, RunFinished, RunStarted, StepEstimated, StepFailed
from deepimagine_tui.reasoning.graph import ReasoningGraph, build_graph
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import SUFFIX, read_events, record_each
from deepimagine_tui.reasoning.probe_offers import offers
from deepimagine_tui.reasoning.probes import Probe, requests_of
from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf
from deepimagine_tui.reasoning.subject import Subject, subject_of
from deepimagine_tui.reasoning.versioned import read_versioned

FORMAT = "deepimagine probes of a run"
SCHEMA_VERSION = 1
FILE = "probes.json"


class AskedProbe(msgspec.Struct, frozen=True):
    """A probe with the ids of its runs, one a path."""

    probe: Probe
    run_ids: tuple[str, ...]


class ProbesFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the run `run_id`."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    run_id: str
    asked: tuple[AskedProbe, ...]


class ProbeProgress(msgspec.Struct, frozen=True):
    """How many steps have an answer."""

    done: int
    total: int


def ask_probes(
    graph: ReasoningGraph,
    backend: ModelBackend,
    anchors: AnchorSource,
    folder: Path,
    cancel: Event,
    *,
    calibration: Calibration | None = None,
) -> Iterator[ProbeProgress]:
    """Ask every probe that the run allows and that `folder` has no answer of. All are decoded together.

    Raises:
        RefusedError: the run allows no probe, or was answered by another model than `backend`.
        NewerSchemaError: a newer DeepImagine probed this run.
        ModelError: the model cannot be loaded, or stopped; what was answered is kept.
        CancelledError: `cancel` was set; what was answered is kept.
        StorageError: a journal cannot be written.
    """
    started = graph.started
    probes = [offer.probe for offer in offers(graph) if offer.probe is not None]
    assert started is not None
    mine, theirs = _subject(started), subject_of(backend.info)
    if not mine.is_same(theirs):
        raise RefusedError(
            f"This run was answered by {mine.name}, prompts {mine.prompt_version}; the model in use is {theirs.name}, "
            f"prompts {theirs.prompt_version}.",
            "Use the run's model, or ask the question again and probe the new run.",
        )
    kept = _answered(folder)
    asked = [next((each for each in kept if each.probe == probe), None) or _new(probe) for probe in probes]
    _begin(folder, ProbesFile(run_id=started.run_id, asked=tuple(asked)))
    request = started.request
    requests = [
        each
        for new in asked
        if new not in kept
        for each in requests_of(new.probe, new.run_ids, request.settings, request.estimand)
    ]
    events = imagine(requests, backend, anchors, cancel, calibration=calibration)
    yield from _progress(record_each(events, {each.run_id: folder / f"{each.run_id}{SUFFIX}" for each in requests}), requests)
    if cancel.is_set():
        raise CancelledError("Probing was stopped.", "Probe the run again to go on from there.")


def read_file(folder: Path) -> ProbesFile:
    """What was asked.

    Raises:
        NotFoundError: the run was not probed.
        BadInputError: the file is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    return read_versioned(folder / FILE, ProbesFile, (FORMAT, SCHEMA_VERSION), "probes", "deepimagine runs probe RUN")


def read_graphs(folder: Path, asked: AskedProbe) -> list[ReasoningGraph]:
    """The runs of a probe; one whose journal is missing or damaged is empty."""
    return [_graph(folder / f"{run_id}{SUFFIX}") for run_id in asked.run_ids]


def was_answered(graph: ReasoningGraph) -> bool:
    """Whether a run of a probe ended with an answer."""
    return graph.finished is not None and graph.finished.outcome == "answered"


def _graph(path: Path) -> ReasoningGraph:
    try:
        return build_graph(read_events(path).events)
    except (NotFoundError, BadInputError, LookupError):
        return ReasoningGraph()


def _subject(started: RunStarted) -> Subject:
    return replace(subject_of(started.model), prompt_version=started.prompt_version)


def _answered(folder: Path) -> list[AskedProbe]:
    """The probes that `folder` has every answer of; a damaged file has none, and is written anew."""
    try:
        asked = read_file(folder).asked
    except NewerSchemaError:
        raise
    except (NotFoundError, BadInputError):
        return []
    return [each for each in asked if all(map(was_answered, read_graphs(folder, each)))]


def _new(probe: Probe) -> AskedProbe:
    return AskedProbe(probe, tuple(new_run_id() for _ in probe.paths))


def _begin(folder: Path, file: ProbesFile) -> None:
    """Write down what is asked, and remove the journals of what was asked before and has no answer."""
    write_bytes(folder / FILE, msgspec.json.encode(file))
    named = {run_id for each in file.asked for run_id in each.run_ids}
    try:
        for path in folder.glob(f"*{SUFFIX}"):
            if path.stem not in named:
                path.unlink()
    except OSError as error:
        raise storage_error(folder, error) from error


def _progress(events: Iterator[ReasoningEvent], requests: Sequence[ImagineRequest]) -> Iterator[ProbeProgress]:
    """How far the runs are; the first that failed is an error once all have ended."""
    done, failed = 0, list[RunFinished]()
    total = sum(_steps(request) for request in requests)
    yield ProbeProgress(done, total)
    for event in events:
        if isinstance(event, StepEstimated | StepFailed):
            done += 1
            yield ProbeProgress(done, total)
        elif isinstance(event, RunFinished) and event.outcome == "failed":
            failed.append(event)
    if failed:
        raise ModelError(failed[0].message, failed[0].hint)


def _steps(request: ImagineRequest) -> int:
    assert isinstance(request.question, WhatIf)
    return len(request.question.perturbations) * request.settings.samples
