"""What the engine's journals of an evaluation show: what each run was asked, where it started, and every prompt it sent.

A text of the target's reports is found by its runs of eight words; those that its question says itself do not count. A posted
number is found where it is written with three digits or more and nothing that the run may know has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from deepimagine_tui.errors import NotFoundError
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
    """One journal, with the question that it is of, what was said of it and what is right."""

    question: Question
    prediction: Prediction
    key: Key
    events: tuple[ReasoningEvent, ...]

    @property
    def prompts(self) -> list[str]:
        """Every text that the model was sent."""
        return [event.prompt for event in self.events if isinstance(event, StepPlanned) and event.prompt]


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
            question = by_id[prediction.question_id]
            found.append(AskedRun(question, prediction, asked.key(question), events))
    for path in sorted((folder / RUNS).glob(f"*{SUFFIX}")):
        if path.stem in wanted:
            continue
        events = read_events(path).events
        other = next((by_id.get(event.request.name) for event in events if isinstance(event, RunStarted)), None)
        if other is not None and other.id in predictions.by_id:
            found.append(AskedRun(other, predictions.by_id[other.id], asked.key(other), events))
    return Runs(found, missing)


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


def leaks(run: AskedRun, reported: Iterable[str], programmes: Mapping[str, str]) -> Iterator[Finding]:
    """What a run's prompts hold of its target: ids, reported texts, posted numbers."""
    own = {run.question.programme, programmes.get(run.question.nct_id, run.question.nct_id)}
    anchors = {event.state.nct_id for event in run.events if isinstance(event, AnchorChosen)}
    quotations = quotations_of(reported, run)
    numbers = _posted_numbers(run.key) - _known_numbers(run)
    for prompt in run.prompts:
        for nct_id in sorted(set(_NCT_ID.findall(prompt)) - anchors):
            if nct_id == run.question.nct_id or programmes.get(nct_id, nct_id) in own:
                yield Finding(run.question.id, f"a prompt names {nct_id}")
        spaced = _spaced(prompt)
        for text in sorted(text for text in quotations if text in spaced):
            yield Finding(run.question.id, f"a prompt quotes a report: {text.strip()!r}")
        for number in sorted(numbers & set(_NUMBER.findall(prompt))):
            yield Finding(run.question.id, f"a prompt holds {number}, which its target posted")


def quotations_of(reported: Iterable[str], run: AskedRun) -> frozenset[str]:
    """What of the reports would be a quotation: their runs of words, or a short one whole, but what the run may know."""
    known = _spaced(" ".join(_texts(run)))
    found: set[str] = set()
    for text in reported:
        words = _WORD.findall(text.lower())
        if len(words) < WORDS_TOGETHER:
            found.update({_spaced(text)} if len(text) >= _SHORTEST else ())
        for at in range(len(words) - WORDS_TOGETHER + 1):
            found.add(f" {' '.join(words[at : at + WORDS_TOGETHER])} ")
    return frozenset(text for text in found if text not in known)


def _spaced(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _texts(run: AskedRun) -> Iterator[str]:
    """All that a run may know: its question, the states that it went through, and what the model wrote."""
    yield from _texts_in(msgspec.to_builtins(run.question))
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


def _known_numbers(run: AskedRun) -> set[str]:
    return {number for text in _texts(run) for number in _NUMBER.findall(text)}
