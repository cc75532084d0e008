"""Traces written by a model: it answers a pair's question, and where its answer is the posted one its reasoning is kept.

What is never right within the tries falls out and is noted, so that a stopped run does not ask it again. A teacher that is
right of nothing is told of early.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Event
from typing import NamedTuple

from deepimagine_training import traces
from deepimagine_training.rows import PairRow
from deepimagine_training.tasks import Task, task_of
from deepimagine_training.trace_checks import Reason, objection
from deepimagine_training.traces import Rejected, Trace
from deepimagine_tui.backends.protocol import (
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import CancelledError, ModelError, RefusedError
from deepimagine_tui.evaluation.sides import hash_share
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.opening_words import with_opening
from deepimagine_tui.reasoning.parse import ParsedAnswer, parse

GIVE_UP = 64
"""A teacher that is right of none of so many pairs will not be right of the rest."""
TAUGHT_SIDES = ("train", "validation")
"""Test pairs get no trace that was chosen by their answers."""


class Asking(NamedTuple):
    """How a teacher is asked: `tries` answers a pair at most, each with another seed, `batch` pairs together."""

    tries: int = 4
    batch: int = 16
    seed: int = 7
    temperature: float = 0.7
    top_p: float = 0.95
    max_reasoning_tokens: int = 96


class Taught(NamedTuple):
    """How many pairs have a trace, how many fell out by the last reason against them, and how many were never asked: not one
    step, of the test side, or with nothing posted to be right of."""

    traces: int
    rejected: dict[str, int]
    left_out: int


class Answer(NamedTuple):
    """What a model wrote to one request, and what it told of the verdict slot."""

    completion: str
    verdict: SlotFilled | None
    cut: bool


def write_model(
    rows: Iterable[PairRow],
    folder: Path,
    backend: ModelBackend,
    asking: Asking,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
) -> Taught:
    """Let `backend` write the reasoning of every pair that has none in `folder` yet and did not fall out there.

    Raises:
        RefusedError: the folder holds something else, or traces of another writer, model or version.
        BadInputError: a line there is damaged.
        ModelError: the model cannot answer, or is right of nothing.
        CancelledError: `cancel` was set; what was written is kept.
        StorageError: the folder cannot be written.
    """
    traces.check_target(folder)
    backend.count_tokens([""])  # A local model knows its hash once it is loaded.
    teacher = _Teacher(backend, asking)
    before, fallen = traces.read_lines(folder), traces.read_rejected(folder)
    if not all(map(teacher.wrote, before.values())) or not all(map(teacher.wrote, fallen.values())):
        raise RefusedError(f"{folder} holds traces of another writer, model or version.", "Name a new folder with --out.")
    tasks, left_out = _tasks(rows)
    waiting = [task for task in tasks if task.row.id not in before and task.row.id not in fallen]
    count, reasons = len(before), Counter(each.reason for each in fallen.values())
    with traces.appending(folder) as kept, traces.appending(folder, traces.REJECTED) as rejected:
        for start in range(0, len(waiting), asking.batch):
            if not count and reasons.total() >= GIVE_UP:
                break
            batch = {task.row.id: task for task in waiting[start : start + asking.batch]}
            last: dict[str, Reason] = {}
            for attempt in range(1, asking.tries + 1):
                made, last = teacher.tried(list(batch.values()), attempt, cancel)
                traces.append(kept, made)
                count += len(made)
                if cancel.is_set():
                    raise CancelledError(f"Stopped after {count:,} traces.", "The same command goes on from there.")
                batch = {key: task for key, task in batch.items() if key in last}
            traces.append(rejected, [teacher.rejection(batch[key], reason) for key, reason in last.items()])
            reasons.update(last.values())
            told(f"{len(tasks) - len(waiting) + min(start + asking.batch, len(waiting)):,} of {len(tasks):,}, {count:,} right")
    if not count:
        raise _useless(teacher.name, reasons)
    return Taught(count, dict(reasons.most_common()), left_out)


def _tasks(rows: Iterable[PairRow]) -> tuple[list[Task], int]:
    """What is asked, and how many rows are not."""
    found: list[Task] = []
    left_out = 0
    for row in rows:
        try:
            if row.side not in TAUGHT_SIDES or not row.teaches:
                raise RefusedError(f"Pair {row.id} teaches nothing.")
            found.append(task_of(row))
        except RefusedError:
            left_out += 1
    return found, left_out


class _Teacher:
    """A model with its name on everything it writes."""

    def __init__(self, backend: ModelBackend, asking: Asking) -> None:
        info = backend.info
        self._backend = backend
        self._asking = asking
        self.name = info.name
        self._sha256 = "+".join(filter(None, (info.sha256, info.adapter_sha256)))

    def wrote(self, line: Trace | Rejected) -> bool:
        """Whether a line of an earlier sitting is of this very model and of today's prompts."""
        writer = line.writer if isinstance(line, Trace) else "model"
        return (writer, line.model, line.model_sha256, line.prompt_version) == (
            "model",
            self.name,
            self._sha256,
            prompts.PROMPT_VERSION,
        )

    def tried(self, tasks: Sequence[Task], attempt: int, cancel: Event) -> tuple[list[Trace], dict[str, Reason]]:
        """One try at each task: the traces that came of it, and what is against the other answers, by pair id."""
        by_id = {task.row.id: task for task in tasks}
        made: list[Trace] = []
        against: dict[str, Reason] = {}
        requests = [self._request(task, attempt) for task in tasks]
        for key, answer in _answers(self._backend, requests, cancel).items():
            task = by_id[key]
            if isinstance(answer, GenerationFailed):
                against[key] = "no answer"
            elif (reason := objection(task, answer.completion, answer.verdict, cut=answer.cut)) is not None:
                against[key] = reason
            else:
                made.append(self._trace(task, answer, attempt))
        return made, against

    def rejection(self, task: Task, reason: Reason) -> Rejected:
        """The note on a pair that fell out."""
        tries = self._asking.tries
        return Rejected(task.row.id, task.row.factor, reason, tries, prompts.PROMPT_VERSION, self.name, self._sha256)

    def _seed(self, task: Task, attempt: int) -> int:
        return int(hash_share(f"trace {self._asking.seed} {attempt}", task.row.id) * 2**32)

    def _request(self, task: Task, attempt: int) -> GenerationRequest:
        return GenerationRequest(
            task.row.id,
            task.question.prompt,
            task.question.slots,
            self._seed(task, attempt),
            max_reasoning_tokens=self._asking.max_reasoning_tokens,
            temperature=self._asking.temperature,
            top_p=self._asking.top_p,
            operator=task.step.factor,
        )

    def _trace(self, task: Task, answer: Answer, attempt: int) -> Trace:
        read = parse(answer.completion, task.question.slots)
        assert isinstance(read, ParsedAnswer)
        return Trace(
            task.row.id,
            task.row.factor,
            " ".join(with_opening(task.question.opening, read.reasoning).split()),
            "model",
            prompts.PROMPT_VERSION,
            self.name,
            self._sha256,
            self._seed(task, attempt),
            attempt,
        )


def _answers(
    backend: ModelBackend, requests: Sequence[GenerationRequest], cancel: Event
) -> dict[str, Answer | GenerationFailed]:
    """The answers and the failures, by request; what was stopped is in neither.

    Raises:
        ModelError: every one of them failed.
    """
    texts = {request.request_id: "" for request in requests}
    verdicts: dict[str, SlotFilled] = {}
    found: dict[str, Answer | GenerationFailed] = {}
    for event in backend.generate(requests, cancel):
        key = event.request_id
        match event:
            case TextArrived():
                texts[key] += event.text
            case SlotFilled(slot=prompts.VERDICT):
                verdicts[key] = event
            case GenerationFinished(reason="answered"):
                found[key] = Answer(texts[key], verdicts.get(key), event.reasoning_cut)
            case GenerationFailed():
                found[key] = event
    failures = [event for event in found.values() if isinstance(event, GenerationFailed)]
    if failures and len(failures) == len(requests):
        raise ModelError(failures[0].message, failures[0].hint)
    return found


def _useless(name: str, reasons: Counter[str]) -> ModelError:
    total = reasons.total()
    if not total:
        return ModelError(
            "None of the pairs can be taught: they are of the test side, or more than one step.", "Draw more pairs."
        )
    commonest = reasons.most_common(1)[0][0]
    return ModelError(
        f"{name} was right of none of {total:,} pairs, so it cannot teach; most often: {commonest}.",
        "Name a stronger model, raise --tries, or use --writer facts.",
    )
