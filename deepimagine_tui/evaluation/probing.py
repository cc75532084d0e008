"""Asking the probes of many natural pairs, into a folder: `probes.jsonl` says what was asked and by which runs, `runs/` holds
their journals. Nothing is measured here: `interpretability` reads both.

Trials are asked in the order of a hash, one pair each, in batches of `BATCH` trials that are decoded together; a batch that a
killed process left incomplete is asked again whole.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

import msgspec
from msgspec.structs import replace

from deepimagine_tui import __version__
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.evaluation.asking import LEAN
from deepimagine_tui.evaluation.persistent import Persistent
from deepimagine_tui.evaluation.questions import Question, QuestionSet
from deepimagine_tui.evaluation.runner import RUNS, in_order
from deepimagine_tui.files import make_dir, storage_error, write_bytes
from deepimagine_tui.reasoning import probes
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import RunFinished
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import SUFFIX, record_each
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.probes import SEEDS, Probe
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION
from deepimagine_tui.reasoning.request import AnchorRef, ImagineSettings
from deepimagine_tui.reasoning.state import State

FORMAT = "deepimagine probes"
SCHEMA_VERSION = 1
JOURNAL = "probes.jsonl"
BATCH = 1
"""Trials whose probes are decoded together, up to thirteen sequences each. Part of what an answer depends on."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: which model was probed from which questions and corpus, and how."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__
    model: str
    model_sha256: str = ""
    adapter_sha256: str = ""
    prompt_version: str = PROMPT_VERSION
    corpus: str
    corpus_version: str
    set_name: str
    set_sha256: str
    seeds: int = SEEDS
    settings: ImagineSettings = LEAN


class Asked(msgspec.Struct, frozen=True):
    """A probe with the ids of its runs, one a path; `programme` is the cluster of its trial."""

    probe: Probe
    programme: str
    run_ids: tuple[str, ...] = ()


class Probed(msgspec.Struct, frozen=True):
    """What a folder holds."""

    header: Header
    asked: tuple[Asked, ...]


def plan(asked: QuestionSet, source: AnchorSource, trials: int = 0, seeds: int = SEEDS) -> list[list[Asked]]:
    """The probes of up to `trials` trials (0: of all), trial by trial: of one step there and back, both orders and several
    seeds, and a ladder of its first dose against an inert comparator. The step is that of the factor that was probed least so
    far, else the first in the order of asking. Trials whose posted source the corpus does not hold are left out.

    Raises:
        BadInputError: no trial can be probed.
    """
    by_trial: dict[str, list[Question]] = {}
    for question in in_order(asked.questions):
        if question.source is not None and question.source.nct_id == question.nct_id and len(question.changes) == 1:
            by_trial.setdefault(question.nct_id, []).append(question)
    planned: list[list[Asked]] = []
    probed: Counter[str] = Counter()
    for questions in by_trial.values():
        if trials and len(planned) == trials:
            break
        rarest_first = sorted(questions, key=lambda question: probed[question.factor])
        anchored = [(question, ref) for question in rarest_first if (ref := ref_of(question, source)) is not None]
        if anchored:
            planned.append(list(_of_trial(anchored, seeds)))
            probed[anchored[0][0].factor] += 1
    if not planned:
        raise BadInputError("No trial of these questions can be probed.", "Name the corpus that they were drawn from.")
    return planned


def _of_trial(anchored: Sequence[tuple[Question, AnchorRef]], seeds: int) -> Iterator[Asked]:
    for question, ref in anchored[:1]:
        state, path = question.source, question.changes
        assert state is not None
        yield Asked(probes.several_seeds(f"seeds {question.id}", ref, path, seeds), question.programme)
        for make, word in ((probes.there_and_back, "return"), (probes.both_orders, "order")):
            try:
                yield Asked(make(f"{word} {question.id}", ref, state, path), question.programme)
            except RefusedError:
                # The change has no undoing, or is itself one of country.
                continue
    for question, ref in anchored:
        state = question.source
        assert state is not None
        try:
            yield Asked(probes.dose_ladder(f"ladder {question.id}", ref, state), question.programme)
        except RefusedError:
            # No dose against an inert comparator; another pair of the trial may start from one.
            continue
        return


def ref_of(question: Question, source: AnchorSource) -> AnchorRef | None:
    """Where the source of a step stands in the registry; `None` where the corpus does not hold this very state there."""
    state = question.source
    if state is None:
        return None
    arm, comparator, outcome = state.configuration.arm, state.configuration.comparator, state.configuration.outcome
    ref = AnchorRef(
        state.nct_id,
        outcome.outcome_id,
        arm.group_id,
        comparator.group_id if comparator is not None else None,
        arm.class_title or outcome.class_title,
        outcome.category,
        comparator.class_title if comparator is not None else "",
    )
    try:
        return ref if _results(observed_state(source.trial(ref.nct_id), ref)) == _results(state) else None
    except (NotFoundError, RefusedError):
        return None


def _results(state: State) -> tuple[object, ...]:
    """What makes a state this one: what is compared, and with which values."""
    sides = state.configuration.arm.label, state.configuration.comparator.label if state.configuration.comparator else ""
    values = [number.value if number is not None else None for number in (state.arm_value, state.comparator_value)]
    return (*sides, *values, state.met.verdict if state.met is not None else "")


def ask(
    planned: Sequence[Sequence[Asked]],
    header: Header,
    backend: ModelBackend,
    source: AnchorSource,
    folder: Path,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Probed:
    """Ask what `folder` does not hold yet.

    Raises:
        RefusedError: the folder holds probes of another model, corpus or setting.
        BadInputError: they are damaged.
        ModelError: the model cannot be loaded, or stopped.
        CancelledError: `cancel` was set; what was answered is kept.
        StorageError: a journal cannot be written.
    """
    path, runs = folder / JOURNAL, folder / RUNS
    done = {each.probe.id: each for each in _begin(path, header)}
    _forget(runs, done.values())
    batches = [planned[at : at + BATCH] for at in range(0, len(planned), BATCH)]
    left = [batch for batch in batches if any(each.probe.id not in done for trial in batch for each in trial)]
    model, started, asked_trials = Persistent(backend), time.monotonic(), 0
    for batch in left:
        named = [replace(each, run_ids=tuple(new_run_id() for _ in each.probe.paths)) for trial in batch for each in trial]
        _imagine(named, header.settings, model, source, runs, cancel)
        _append(path, named)
        done |= {each.probe.id: each for each in named}
        asked_trials += len(batch)
        seconds = (time.monotonic() - started) / asked_trials * (sum(map(len, left)) - asked_trials)
        behind = len(planned) - sum(map(len, left)) + asked_trials
        told(f"{behind:,} of {len(planned):,} trials, about {seconds / 60:.0f} min left")
    return Probed(header, tuple(done[each.probe.id] for trial in planned for each in trial))


def _imagine(
    named: Sequence[Asked], settings: ImagineSettings, model: ModelBackend, source: AnchorSource, runs: Path, cancel: Event
) -> None:
    requests = [each for asked in named for each in probes.requests_of(asked.probe, asked.run_ids, settings)]
    events = imagine(requests, model, source, cancel)
    for event in record_each(events, {request.run_id: runs / f"{request.run_id}{SUFFIX}" for request in requests}):
        if isinstance(event, RunFinished) and event.outcome == "failed":
            raise ModelError(event.message, event.hint)
    if cancel.is_set():
        raise CancelledError("Probing was stopped.", "The same command goes on from there.")


def read(path: Path) -> Probed:
    """What the folder `path` holds; a torn last line is left out.

    Raises:
        NotFoundError: no probe was asked there.
        BadInputError: the file is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    file = path / JOURNAL if path.is_dir() else path
    if not file.is_file():
        raise NotFoundError(f"There are no probes at {path}.", "Ask some: deepimagine evaluate interpret")
    lines = [line for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    try:
        header = msgspec.json.decode(lines[0], type=Header)
        asked = tuple(msgspec.json.decode(line, type=Asked) for line in lines[1:])
    except (msgspec.MsgspecError, IndexError) as error:
        raise BadInputError(f"{file} is damaged ({error}).", "Name another folder.") from error
    if header.format != FORMAT:
        raise BadInputError(f"{file} holds no probes.", "Name another folder.")
    if header.schema_version > SCHEMA_VERSION:
        raise NewerSchemaError(f"{file} was written by a newer DeepImagine.", "Update DeepImagine.")
    return Probed(header, asked)


def _begin(path: Path, header: Header) -> tuple[Asked, ...]:
    if not path.exists():
        make_dir(path.parent)
        write_bytes(path, msgspec.json.encode(header) + b"\n")
        return ()
    before = read(path)
    if replace(before.header, deepimagine=header.deepimagine) != header:
        raise RefusedError(f"{path} holds probes of another model, corpus or setting.", "Name another folder with --out.")
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        write_bytes(path, content[: content.rindex(b"\n") + 1])
    return before.asked


def _append(path: Path, asked: Sequence[Asked]) -> None:
    try:
        with path.open("ab") as stream:
            stream.write(b"".join(msgspec.json.encode(each) + b"\n" for each in asked))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise storage_error(path, error) from error


def _forget(runs: Path, done: Iterable[Asked]) -> None:
    """Remove the journals of runs that no probe names: those of a batch that was stopped."""
    kept = {run_id for each in done for run_id in each.run_ids}
    for path in runs.glob(f"*{SUFFIX}"):
        if path.stem not in kept:
            path.unlink()
