"""One run as a state machine: its pathways, what they ask next, and its events in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal, assert_never

from msgspec.structs import asdict, replace

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    ModelInfo,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import DeepImagineError, ModelError, NotFoundError, RefusedError
from deepimagine_tui.reasoning import prompts, steps
from deepimagine_tui.reasoning.aggregate import aggregate
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.arithmetic import resized
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.calibration_text import calibration_word
from deepimagine_tui.reasoning.events import (
    Aggregated,
    AnchorChosen,
    PathwayDone,
    ReasoningEvent,
    RunFinished,
    RunStarted,
    StepEstimated,
    StepFailed,
    StepPlanned,
    TokensArrived,
)
from deepimagine_tui.reasoning.ids import sequence_seed, step_id
from deepimagine_tui.reasoning.opening import NothingClose, open_pathways
from deepimagine_tui.reasoning.opening_words import with_opening
from deepimagine_tui.reasoning.parse import ParseProblem, parse
from deepimagine_tui.reasoning.pathway import Ask, Pathway
from deepimagine_tui.reasoning.records import Records, said_of
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest
from deepimagine_tui.reasoning.revealing import reveal_aggregate
from deepimagine_tui.reasoning.stamps import Clock, Stamps, utc_now
from deepimagine_tui.reasoning.state import Direction, State
from deepimagine_tui.trials.factors import ARITHMETIC, Factor

DIRECTIONS: dict[str, Direction] = {"up": "up", "down": "down", "no clear change": "no clear change"}


class Run:
    """The events of one request. What its methods yield or return is what happened, in the order of `seq`."""

    def __init__(
        self,
        request: ImagineRequest,
        info: ModelInfo,
        anchors: AnchorSource,
        *,
        trained_on: frozenset[str] | None = None,
        calibration: Calibration | None = None,
        records: Records | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self.request = request
        self.pathways: list[Pathway] = []
        self.finished = False
        self._info = info
        self._anchors = anchors
        self._trained_on = trained_on
        self._calibration = calibration
        self._records = records
        self._stamps = Stamps(request.run_id, clock)

    @property
    def asks(self) -> list[Ask]:
        """The steps that wait for the model."""
        return [] if self.finished else [pathway.ask for pathway in self.pathways if pathway.ask is not None]

    def begin(self) -> Iterator[ReasoningEvent]:
        """Start, and choose the anchors. A question that cannot be asked ends the run here."""
        source = self._anchors
        yield RunStarted(
            **self._stamps.next(),
            request=self.request,
            model=_by_name(self._info),
            prompt_version=prompts.PROMPT_VERSION,
            corpus_name=source.name,
            corpus_version=source.version,
            data_date=source.data_date,
            calibration=calibration_word(self._calibration),
        )
        # The boundary of one run: a question that cannot be asked ends it and leaves the other runs of the call alone.
        try:
            opened = open_pathways(self.request, source)
        except (RefusedError, NotFoundError) as error:
            yield self._end("no_answer", error.message, error.hint)
            return
        except DeepImagineError as error:
            yield self._end("failed", error.message, error.hint)
            return
        if isinstance(opened, NothingClose):
            yield self._end("no_answer", opened.message, opened.hint, nearest=opened.nearest)
            return
        for opening in opened:
            pathway = opening.pathway
            self.pathways.append(pathway)
            seen = None if self._trained_on is None else pathway.anchor.nct_id in self._trained_on
            yield AnchorChosen(
                **self._stamps.next(),
                pathway=pathway.number,
                state=pathway.anchor,
                similarity=pathway.similarity,
                parts=opening.parts,
                differs_in=opening.differs_in,
                unknown_factors=opening.unknown_factors,
                unwalked=opening.unwalked,
                seen_in_training=seen,
                warnings=opening.warnings,
            )

    def advance(self) -> Iterator[ReasoningEvent]:
        """Walk every pathway up to its next question to the model, or to its end; end the run when all have ended."""
        if self.finished:
            return
        for pathway in self.pathways:
            while not pathway.done and pathway.ask is None:
                yield from self._advance_one(pathway)
        if all(pathway.done for pathway in self.pathways):
            yield from self._conclude()

    def plan(self, ask: Ask, question: prompts.Question, shortened: int) -> StepPlanned:
        """The step is about to be asked with this question."""
        ask.question = question
        step = ask.step
        said = prompts.shortened_by(step.source, step.perturbation, step.target, self.request.estimand, shortened)
        return self._planned(ask, question.prompt, said, question.opening)

    def receive(self, ask: Ask, event: GenerationEvent) -> Iterator[ReasoningEvent]:
        """Something came from the model for `ask`."""
        match event:
            case TextArrived(text=text, part=part, tokens=tokens):
                ask.texts.append(text)
                number, position = ask.pathway.number, ask.pathway.position
                yield TokensArrived(**self._stamps.next(), pathway=number, step=position, text=text, part=part, tokens=tokens)
            case SlotFilled(slot=slot):
                ask.slots[slot] = event
            case GenerationFinished(reason=reason):
                if reason == "answered":
                    yield from self._answer(ask, event)
            case GenerationFailed(message=message, hint=hint, restartable=restartable):
                yield from self.fail_step(ask, "model stopped", message, hint, restartable=restartable)
            case _:
                assert_never(event)

    def fail_step(
        self,
        ask: Ask,
        kind: Literal["model stopped", "no answer", "too long"],
        message: str,
        hint: str = "",
        *,
        restartable: bool = False,
    ) -> Iterator[ReasoningEvent]:
        """The step has no answer: its pathway ends before its target."""
        pathway = ask.pathway
        failed = StepFailed(
            **self._stamps.next(),
            pathway=pathway.number,
            step=pathway.position,
            step_id=ask.step_id,
            kind=kind,
            message=message,
            hint=hint,
            completion=ask.completion,
            restartable=restartable,
        )
        pathway.failure = failed
        yield failed
        yield self._close(pathway)

    def fail(self, error: ModelError) -> Iterator[ReasoningEvent]:
        """The model cannot be used any more: every open step fails and the run ends."""
        if self.finished:
            return
        for ask in self.asks:
            if ask.question is not None:
                yield from self.fail_step(ask, "model stopped", error.message, error.hint, restartable=True)
        yield from self._close_all()
        yield self._end("failed", error.message, error.hint)

    def cancel(self) -> Iterator[ReasoningEvent]:
        """The user stopped: answered steps stand, the run ends."""
        if self.finished:
            return
        answered = sum(pathway.position for pathway in self.pathways)
        yield from self._close_all()
        yield self._end("cancelled", f"Stopped; {answered} answered step{'' if answered == 1 else 's'} kept.")

    def _advance_one(self, pathway: Pathway) -> Iterator[ReasoningEvent]:
        """The next change of `pathway`: walk it if no model is needed, else make it an ask."""
        if pathway.complete:
            yield self._close(pathway)
            return
        number, position, change = pathway.number, pathway.position, pathway.next_change
        seed = sequence_seed(self.request.settings.seed, number, position)
        key = step_id(pathway.state, change, prompts.PROMPT_VERSION, self._info, seed)
        try:
            step = pathway.next_step()
        except DeepImagineError as error:
            yield from self._impossible(pathway, key, error)
            return
        ask = Ask(pathway, step, key, seed, pathway.posted_at(step.target))
        edit, kept = pathway.edits.get(position), pathway.kept_step
        if edit is not None:
            yield self._planned(ask)
            yield from self._estimate(ask, steps.entered(step, edit), "entered")
        elif kept is not None:
            yield self._planned(ask, opening=kept.opening)
            ask.texts.append(kept.completion)
            yield from self._estimate(ask, kept.state, "kept", reasoning=kept.reasoning)
        elif step.factor in ARITHMETIC:
            yield self._planned(ask)
            state, warnings = resized(step.source, step.target)
            yield from self._estimate(ask, state, "arithmetic", warnings=warnings)
        else:
            pathway.ask = ask

    def _impossible(self, pathway: Pathway, key: str, error: DeepImagineError) -> Iterator[ReasoningEvent]:
        """The change cannot be made to the state at which the pathway stands."""
        number, position = pathway.number, pathway.position
        yield StepPlanned(
            **self._stamps.next(),
            pathway=number,
            step=position,
            step_id=key,
            perturbation=pathway.next_change,
            source_state_id=pathway.state.id,
        )
        failed = StepFailed(
            **self._stamps.next(),
            pathway=number,
            step=position,
            step_id=key,
            kind="no answer",
            message=error.message,
            hint=error.hint,
        )
        pathway.failure = failed
        yield failed
        yield self._close(pathway)

    def _answer(self, ask: Ask, event: GenerationFinished) -> Iterator[ReasoningEvent]:
        """Read the completion; only now may a posted result be looked at."""
        assert ask.question is not None
        answer = parse(ask.completion, ask.question.slots)
        if isinstance(answer, ParseProblem):
            hint = "Run again with a new seed, or use a model that follows the answer form."
            yield from self.fail_step(ask, "no answer", f"The model's answer cannot be read: {answer.reason}.", hint)
            return
        slot = ask.slots.get(prompts.VERDICT)
        calibration, forecast = self._calibration, isinstance(self.request.question, Forecast)
        state, warnings = steps.answered(ask.step, answer, ask.question.asked, slot, calibration, forecast=forecast)
        ask.pathway.model_steps += 1
        yield from self._estimate(
            ask,
            state,
            "model",
            reasoning=with_opening(ask.question.opening, answer.reasoning),
            stated=DIRECTIONS.get(answer.choices.get(prompts.DIRECTION, "")),
            warnings=warnings,
            finished=event,
        )

    def _estimate(
        self,
        ask: Ask,
        state: State,
        kind: Literal["model", "arithmetic", "entered", "kept"],
        *,
        reasoning: str = "",
        stated: Direction | None = None,
        warnings: tuple[str, ...] = (),
        finished: GenerationFinished | None = None,
    ) -> Iterator[ReasoningEvent]:
        pathway = ask.pathway
        yield StepEstimated(
            **self._stamps.next(),
            pathway=pathway.number,
            step=pathway.position,
            step_id=ask.step_id,
            state=state,
            kind=kind,
            stated_direction=stated,
            completion=ask.completion,
            reasoning=reasoning,
            reasoning_cut=finished.reasoning_cut if finished is not None else False,
            prompt_tokens=finished.prompt_tokens if finished is not None else 0,
            completion_tokens=finished.completion_tokens if finished is not None else 0,
            seconds=finished.seconds if finished is not None else 0.0,
            revealed=pathway.reveal(ask.step, state, ask.posted, stated),
            record=self._record(ask.step.factor, state) if kind in ("model", "kept") else "",
            warnings=warnings,
        )
        pathway.advance(state)

    def _record(self, factor: Factor | None, state: State) -> str:
        """The record of a factor, of forecasts for `None`, beside what was imagined; empty where nothing was."""
        numbers = (state.arm_value, state.comparator_value, state.contrast.number if state.contrast is not None else None)
        if all(number is None or number.status != "imagined" for number in numbers):
            return ""
        return said_of(self._records, factor, verdict=state.met is not None and state.met.status == "imagined")

    def _planned(self, ask: Ask, prompt: str = "", shortened: str = "", opening: str = "") -> StepPlanned:
        return StepPlanned(
            **self._stamps.next(),
            pathway=ask.pathway.number,
            step=ask.pathway.position,
            step_id=ask.step_id,
            perturbation=ask.step.perturbation,
            source_state_id=ask.step.source.id,
            prompt=prompt,
            shortened=shortened,
            opening=opening,
            can_be_checked=ask.posted is not None,
        )

    def _close(self, pathway: Pathway) -> PathwayDone:
        pathway.done, pathway.ask = True, None
        return PathwayDone(
            **self._stamps.next(),
            pathway=pathway.number,
            complete=pathway.complete,
            steps=pathway.position,
            final_state_id=pathway.state.id,
        )

    def _close_all(self) -> Iterator[ReasoningEvent]:
        for pathway in self.pathways:
            if not pathway.done:
                yield self._close(pathway)

    def _conclude(self) -> Iterator[ReasoningEvent]:
        """All pathways have ended: aggregate those that reached the target, and end the run."""
        complete = [pathway for pathway in self.pathways if pathway.complete]
        failures = [pathway.failure for pathway in self.pathways if pathway.failure is not None]
        if not complete:
            walked = any(pathway.model_steps for pathway in self.pathways)
            stopped = not walked and all(failure.kind == "model stopped" for failure in failures)
            yield self._end("failed" if stopped else "no_answer", failures[0].message, failures[0].hint)
            return
        if len(self.pathways) > 1 or isinstance(self.request.question, Forecast):
            summary = aggregate(self.request, self.pathways, self._calibration)
            revealed, warnings = reveal_aggregate(self.request, self._anchors, complete, summary)
            said = replace(summary, warnings=(*summary.warnings, *warnings))
            record = self._record(None, complete[0].state) if isinstance(self.request.question, Forecast) else ""
            yield Aggregated(**self._stamps.next(), **asdict(said), revealed=revealed, record=record)
        message = ""
        if failures:
            message = f"{len(complete)} of {len(self.pathways)} pathways reached the target; {failures[0].message}"
        yield self._end("answered", message)

    def _end(
        self,
        outcome: Literal["answered", "no_answer", "cancelled", "failed"],
        message: str = "",
        hint: str = "",
        nearest: tuple[str, ...] = (),
    ) -> RunFinished:
        self.finished = True
        seconds = self._stamps.seconds
        return RunFinished(**self._stamps.next(), outcome=outcome, message=message, hint=hint, nearest=nearest, seconds=seconds)


def _by_name(info: ModelInfo) -> ModelInfo:
    """What a run keeps of a model: its files by name, since runs are shared and where a file lies is one machine's affair."""
    return replace(info, path=PurePath(info.path).name, adapter=PurePath(info.adapter).name)
