"""What an evaluation keeps of what it asked: the engine's journals, and the prompts of systems that ask a model themselves.

A text of the target's reports is found by its runs of eight words; those that its question says itself do not count. A posted
number is found where it is written with three digits or more and nothing that the system may know has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.evaluation.asking import ASKED, read_asked
from deepimagine_tui.evaluation.findings import Finding
from deepimagine_tui.evaluation.options import turned
from deepimagine_tui.evaluation.predictions import Prediction, Predictions
from deepimagine_tui.evaluation.questions import Key, Question, QuestionSet
from deepimagine_tui.evaluation.runner import RUNS
from deepimagine_tui.reasoning.events import AnchorChosen, ReasoningEvent, RunStarted, StepEstimated, StepPlanned
from deepimagine_tui.reasoning.journal import SUFFIX, read_events
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.state import Number, State

WORDS_TOGETHER = 8
"""So many words in a row are a quotation."""

_SHORTEST = 12
"""Characters of a shorter report that is looked for whole."""
_LEAST_DIGITS = 3
_WORD = re.compile(r"[a-z0-9.%-]+")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NCT_ID = re.compile(r"NCT\d{8}")


class AskedRun(NamedTuple):
    """One journal, with the question that it is of and what was said of it."""

    question: Question
    prediction: Prediction
    events: tuple[ReasoningEvent, ...]


class Sent(NamedTuple):
    """The prompts about one question, with what is right. `known` are texts that these may repeat, `anchors` trials that they
    may name."""

    question: Question
    key: Key
    prompts: tuple[str, ...]
    known: tuple[str, ...]
    anchors: frozenset[str]


class Runs(NamedTuple):
    """The journals of an evaluation, and those that predictions name and nobody finds."""

    found: list[AskedRun]
    missing: list[Finding]


def runs_of(asked: QuestionSet, predictions: Predictions, folder: Path) -> Runs:
    """The journals of a folder's runs: those that predictions name, and any other of a question.

    Raises:
        BadInputError: one of them is no journal.
    """
    by_id = {question.id: question for question in asked.questions}
    wanted = {one.run_id: one for one in predictions.by_id.values() if one.run_id and one.question_id in by_id}
    found, missing = [], []
    for run_id, prediction in wanted.items():
        try:
            events = read_events(folder / RUNS / f"{run_id}{SUFFIX}").events
        except NotFoundError:
            missing.append(Finding(prediction.question_id, f"names the run {run_id}, which is not there"))
        else:
            found.append(AskedRun(by_id[prediction.question_id], prediction, events))
    for path in sorted((folder / RUNS).glob(f"*{SUFFIX}")):
        if path.stem in wanted:
            continue
        events = read_events(path).events
        other = next((by_id.get(event.request.name) for event in events if isinstance(event, RunStarted)), None)
        if other is not None and other.id in predictions.by_id:
            found.append(AskedRun(other, predictions.by_id[other.id], events))
    return Runs(found, missing)


def sent(
    asked: QuestionSet, predictions: Predictions, runs: Iterable[AskedRun], folder: Path, trials: Mapping[str, str]
) -> Iterator[Sent]:
    """Every prompt that a folder keeps, by question; `trials` holds the words and numbers of trials that were retrieved.

    Raises:
        BadInputError: the file of prompts is damaged.
    """
    for run in runs:
        prompts = tuple(event.prompt for event in run.events if isinstance(event, StepPlanned) and event.prompt)
        anchors = frozenset(event.state.nct_id for event in run.events if isinstance(event, AnchorChosen))
        known = (*_texts_of(run.question), *_texts_of_run(run))
        yield Sent(run.question, asked.key(run.question), prompts, known, anchors)
    path = folder / ASKED
    if not path.is_file():
        return
    by_id = {question.id: question for question in asked.questions}
    for name, answer in read_asked(path).items():
        question = by_id.get(name) or by_id.get(name.rpartition("#")[0])
        if question is None or question.id not in predictions.by_id:
            continue
        anchors = frozenset(used.nct_id for used in predictions.by_id[question.id].used)
        known = (*_texts_of(question), *(trials.get(nct_id, "") for nct_id in anchors))
        yield Sent(question, asked.key(question), (answer.prompt,) if answer.prompt else (), known, anchors)


def asked_otherwise(run: AskedRun) -> Iterator[Finding]:
    """Where a run's request or anchors are not those of its question and prediction."""
    name = run.question.id
    for event in run.events:
        match event:
            case RunStarted(request=request) if isinstance(request.question, Forecast):
                forecast, other = request.question, turned(run.question)
                if forecast.nct_id not in (run.question.nct_id, None):
                    yield Finding(name, f"its run is of {forecast.nct_id}")
                if forecast.cutoff > run.question.cutoff:
                    yield Finding(name, f"its run has the cutoff {forecast.cutoff}, its question {run.question.cutoff}")
                if forecast.target not in (run.question.target, other.target if other else None):
                    yield Finding(name, "its run has another target")
            case AnchorChosen(state=state) if state.nct_id not in {used.nct_id for used in run.prediction.used}:
                yield Finding(name, f"its run starts from {state.nct_id}, which its prediction does not name")
            case _:
                continue


def leaks(one: Sent, reported: Iterable[str], programmes: Mapping[str, str]) -> Iterator[Finding]:
    """What the prompts about a question hold of its target: ids, reported texts, posted numbers."""
    question = one.question
    own = {question.programme, programmes.get(question.nct_id, question.nct_id)}
    quotations = quotations_of(reported, one.known)
    numbers = _posted_numbers(one.key) - {number for text in one.known for number in _NUMBER.findall(text)}
    for prompt in one.prompts:
        for nct_id in sorted(set(_NCT_ID.findall(prompt)) - one.anchors):
            if nct_id == question.nct_id or programmes.get(nct_id, nct_id) in own:
                yield Finding(question.id, f"a prompt names {nct_id}")
        spaced = _spaced(prompt)
        for text in sorted(text for text in quotations if text in spaced):
            yield Finding(question.id, f"a prompt quotes a report: {text.strip()!r}")
        for number in sorted(numbers & set(_NUMBER.findall(prompt))):
            yield Finding(question.id, f"a prompt holds {number}, which its target posted")


def quotations_of(reported: Iterable[str], known: Iterable[str]) -> frozenset[str]:
    """What of the reports would be a quotation: their runs of words, or a short one whole, but what may be known."""
    allowed = _spaced(" ".join(known))
    found: set[str] = set()
    for text in reported:
        words = _WORD.findall(text.lower())
        if len(words) < WORDS_TOGETHER:
            found.update({_spaced(text)} if len(text) >= _SHORTEST else ())
        for at in range(len(words) - WORDS_TOGETHER + 1):
            found.add(f" {' '.join(words[at : at + WORDS_TOGETHER])} ")
    return frozenset(text for text in found if text not in allowed)


def words_of(value: object) -> str:
    """Every text and number of a record, as one text."""
    return " ".join(_texts_in(msgspec.to_builtins(value)))


def _spaced(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _texts_of(question: Question) -> Iterator[str]:
    yield from _texts_in(msgspec.to_builtins(question))


def _texts_of_run(run: AskedRun) -> Iterator[str]:
    """The states that a run went through, and what the model wrote."""
    for event in run.events:
        if isinstance(event, AnchorChosen | StepEstimated):
            yield from _texts_in(msgspec.to_builtins(event.state))
        if isinstance(event, StepEstimated):
            yield event.completion


def _texts_in(value: object) -> Iterator[str]:
    """Every text and number somewhere in plain containers, as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts_in(each)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)


def _posted_numbers(key: Key) -> set[str]:
    """The numbers of a target's posted state, as they may be written, where they have enough digits to be told."""
    state = key.target
    if state is None:
        return set()
    return {text for number in _numbers(state) for text in _written(number)}


def _numbers(state: State) -> Iterator[float]:
    contrast = state.contrast.number if state.contrast is not None else None
    for number in (state.arm_value, state.comparator_value, contrast):
        if isinstance(number, Number):
            yield from (each for each in (number.value, number.dispersion, number.lower, number.upper) if each is not None)


def _written(number: float) -> Iterator[str]:
    text = f"{abs(number):.10f}".rstrip("0").rstrip(".")
    if len(text.replace(".", "").lstrip("0")) >= _LEAST_DIGITS:
        yield text
