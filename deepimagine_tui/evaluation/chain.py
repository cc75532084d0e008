"""`deepimagine`: forecasts walked by the engine from k anchors, one factor at a time; steps by its question of one step."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

import msgspec
from msgspec.structs import replace

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import CancelledError, ModelError
from deepimagine_tui.evaluation.asking import LEAN, AskingSettings
from deepimagine_tui.evaluation.direct import batch_of, model_facts
from deepimagine_tui.evaluation.options import chance_of, rates_of, shares, turned
from deepimagine_tui.evaluation.persistent import Persistent
from deepimagine_tui.evaluation.predictions import Fallback, Prediction, UsedTrial, fallback
from deepimagine_tui.evaluation.questions import MET, THREE_WAY, Question
from deepimagine_tui.evaluation.rag import DEFAULT_ANCHORS, posted
from deepimagine_tui.evaluation.rules import BASE_RATE
from deepimagine_tui.evaluation.system import Learnt
from deepimagine_tui.evaluation.walking import walk
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import Aggregated, AnchorChosen, RunFinished, StepEstimated
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.journal import SUFFIX, Journal
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, ImagineSettings

BATCH = 8
"""Forecasts whose steps are decoded together. Part of what an answer depends on, as of `direct`."""
STEPS_BATCH = 32
"""The same of questions that are one step each."""
TURNED = ".turned"
"""Follows the run's id in the name of the journal of a three-way question's second run."""
_WALKED = "walked from {} anchors, one factor at a time"


class _Told(msgspec.Struct):
    """What the events of one run have told so far."""

    used: list[UsedTrial] = []
    probability: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    mass: float | None = None
    problem: str = ""


class Chain:
    """The engine's forecasts, lean by default: at most 2 steps a pathway, 64 reasoning tokens, prompts of 400 tokens.

    P of a two-way question is the aggregate's P(met). A three-way one is run twice, the second time with arm and comparator
    exchanged, and the two are put together by `options.shares`; a second run without an answer counts as the base rate.

    Args:
        backend: The model.
        source: Where anchors come from.
        learnt: Its base rates are said for want of an anchor or an answer.
        anchors: How many anchors a forecast is walked from, k.
        runs: Where the journals of the runs go; `None` keeps none.
        kept_in: Where prompts and answers of steps are kept; those of forecasts are in the journals.
        are_steps: Every question is a step: no anchor is looked for, and prompts are not shortened.
    """

    def __init__(
        self,
        backend: ModelBackend,
        source: AnchorSource,
        learnt: Learnt,
        anchors: int = DEFAULT_ANCHORS,
        settings: ImagineSettings = LEAN,
        runs: Path | None = None,
        kept_in: Path | None = None,
        *,
        are_steps: bool = False,
    ) -> None:
        self._backend, self._source, self._rates, self._anchors = Persistent(backend), source, learnt.base_rates, anchors
        self._settings, self._runs, self._kept_in = settings, runs, kept_in
        self.batch = batch_of(backend, STEPS_BATCH if are_steps else BATCH)
        self._asking = AskingSettings(settings.max_reasoning_tokens, settings.temperature, settings.top_p, settings.seed)
        # A step is asked as it is learnt and as the app asks it: with the whole prompt.
        self._max_prompt_tokens = 0 if are_steps else settings.max_prompt_tokens
        more = {"max_steps": settings.max_steps, "anchors": anchors} if not are_steps else {}
        more |= {"max_prompt_tokens": self._max_prompt_tokens, "batch": self.batch}
        what = "one factor at a time from the posted state" if are_steps else _WALKED.format(anchors)
        facts = replace(model_facts("deepimagine", what, backend, learnt, self._asking, **more), prompt_version=PROMPT_VERSION)
        self.facts = facts if are_steps else replace(facts, corpus=source.name, corpus_version=source.version)

    def predict(self, questions: Sequence[Question], cancel: Event) -> list[Prediction]:
        """See `system.System.predict`.

        Raises:
            StorageError: a run's journal cannot be written.
        """
        started = time.monotonic()
        forecasts = self._forecasts([question for question in questions if question.source is None], cancel)
        stepped = [question for question in questions if question.source is not None]
        walked = walk(stepped, self._backend, self._rates, cancel, self._asking, self._kept_in, self._max_prompt_tokens)
        took = round((time.monotonic() - started) / max(len(questions), 1), 3)
        return [replace((forecasts | walked)[question.id], seconds=took) for question in questions]

    def _forecasts(self, questions: Sequence[Question], cancel: Event) -> dict[str, Prediction]:
        """Predictions by id, all runs decoded together."""
        runs = {new_run_id(): question for question in questions}
        other = {
            new_run_id(): (run_id, other_way)
            for run_id, question in runs.items()
            if question.options == THREE_WAY and (other_way := turned(question)) is not None
        }
        names = {run_id: f"{first}{TURNED}" for run_id, (first, _) in other.items()}
        told = self._told([*runs.items(), *((run_id, question) for run_id, (_, question) in other.items())], names, cancel)
        turned_of = {first: told[second] for second, (first, _) in other.items()}
        return {
            question.id: self._prediction(question, run_id, told[run_id], turned_of.get(run_id))
            for run_id, question in runs.items()
        }

    def _prediction(self, question: Question, run_id: str, told: _Told, other: _Told | None) -> Prediction:
        if told.probability is None:
            why: Fallback = "no answer" if told.used else "no anchor"
            said = fallback(question.id, question.options, rates_of(question.options, self._rates), why, told.problem)
        else:
            back = other.probability if other is not None else None
            share = shares(question.options, told.probability, self._rates.get(MET, BASE_RATE) if back is None else back)
            said = Prediction(question_id=question.id, probabilities=share, mass=told.mass)
        both = [told] if other is None else [told, other]
        return replace(
            said,
            used=tuple({trial.nct_id: trial for each in both for trial in each.used}.values()),
            run_id=run_id,
            prompt_tokens=sum(each.prompt_tokens for each in both),
            completion_tokens=sum(each.completion_tokens for each in both),
        )

    def _told(self, asked: Sequence[tuple[str, Question]], names: Mapping[str, str], cancel: Event) -> dict[str, _Told]:
        """What the runs told, by run id; `names` are of journals that are not called like their run."""
        requests = [
            ImagineRequest(
                run_id,
                Forecast(question.target, question.nct_id, question.cutoff, self._anchors),
                self._settings,
                name=question.id,
            )
            for run_id, question in asked
        ]
        told = {run_id: _Told() for run_id, _ in asked}
        journals = {}
        if self._runs is not None:
            journals = {run_id: Journal(self._runs / f"{names.get(run_id, run_id)}{SUFFIX}") for run_id, _ in asked}
        try:
            for event in imagine(requests, self._backend, self._source, cancel) if requests else ():
                if event.run_id in journals:
                    journals[event.run_id].write(event)
                found = told[event.run_id]
                match event:
                    case AnchorChosen(state=state, similarity=similarity):
                        found.used.append(UsedTrial(state.nct_id, posted(self._source, state.nct_id), similarity))
                    case StepEstimated():
                        found.prompt_tokens += event.prompt_tokens
                        found.completion_tokens += event.completion_tokens
                    case Aggregated(met=met) if met is not None:
                        found.probability, found.mass = chance_of(met), met.mass
                    case RunFinished(outcome="failed", message=message, hint=hint):
                        raise ModelError(message, hint)
                    case RunFinished(message=message):
                        found.problem = message or "No pathway has a verdict."
                    case _:
                        continue
        finally:
            for journal in journals.values():
                journal.close()
        if cancel.is_set():
            raise CancelledError("Predicting was stopped.", "The same command goes on from there.")
        return told
