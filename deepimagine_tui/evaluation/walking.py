"""Steps of many questions in one batch: from a posted state over its changes, one after another, by the engine's question of
one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation.asking import LIKELIEST, MAX_PROMPT_TOKENS, Answer, AskingSettings, Prompt, ask
from deepimagine_tui.evaluation.options import chance_of, rates_of, shares
from deepimagine_tui.evaluation.predictions import Prediction, UsedTrial, fallback
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.reasoning import directions, prompts, steps
from deepimagine_tui.reasoning.arithmetic import resized
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.parse import ParseProblem, parse
from deepimagine_tui.reasoning.run import DIRECTIONS
from deepimagine_tui.reasoning.scales import NotScorableError
from deepimagine_tui.reasoning.state import Direction, Perturbation, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.trials.factors import ARITHMETIC, Factor


class _Walk:
    """One question on its way: where it stands, what is left, and why it ended before its target."""

    def __init__(self, question: Question, source: State) -> None:
        self.question = question
        self.source = source
        self.state = source
        self.position = 0
        self.problem = ""
        self.stated: Direction | None = None
        self.prompt_tokens = 0
        self.completion_tokens = 0

    @property
    def prompt_id(self) -> str:
        """What its next prompt is called."""
        return f"{self.question.id}#{self.position}"

    @property
    def open(self) -> bool:
        """Whether a change is left to walk."""
        return not self.problem and self.position < len(self.question.changes)

    @property
    def change(self) -> Perturbation:
        """The change to walk next."""
        return self.question.changes[self.position]

    def step(self) -> Step:
        """The step over the next change.

        Raises:
            RefusedError: it does not apply.
        """
        return Step(self.state, self.change, apply(self.state.configuration, self.change.change), self.position + 1)


def walk(
    questions: Sequence[Question],
    backend: ModelBackend,
    base_rates: dict[str, float],
    cancel: Event,
    settings: AskingSettings = LIKELIEST,
    kept_in: Path | None = None,
    max_prompt_tokens: int = MAX_PROMPT_TOKENS,
) -> dict[str, Prediction]:
    """The predictions of step questions by id: P(met), the imagined state and its direction. A prompt is shortened to
    `max_prompt_tokens`; 0 leaves it to the context.

    Raises:
        ModelError: the model cannot be loaded, or stopped.
        CancelledError: `cancel` was set.
    """
    walks = [_Walk(question, question.source) for question in questions if question.source is not None]
    while True:
        ready = [(each, step) for each in walks if (step := _ready(each)) is not None]
        if not ready:
            break
        asked = [
            Prompt(
                each.prompt_id,
                tuple(dict.fromkeys(_texts(step))),
                _question(step).slots,
                max_tokens=max_prompt_tokens,
                operator=step.factor,
            )
            for each, step in ready
        ]
        answers = ask(asked, backend, cancel, settings, kept_in)
        for each, step in ready:
            _take(each, step, answers[each.prompt_id])
    return {each.question.id: _prediction(each, base_rates) for each in walks}


def _ready(each: _Walk) -> Step | None:
    """The next step that needs the model, arithmetic ones before it walked; `None` where there is none."""
    while each.open:
        try:
            step = each.step()
            if step.factor not in ARITHMETIC:
                return step
            each.state, _ = resized(step.source, step.target)
            each.position += 1
        except RefusedError as error:
            each.problem = error.message
    return None


def _question(step: Step, shortening: int = 0) -> prompts.Question:
    return prompts.question(step.source, step.perturbation, step.target, shortening=shortening)


def _texts(step: Step) -> Iterator[str]:
    for level in range(len(prompts.SHORTENING) + 1):
        yield _question(step, level).prompt


def _take(each: _Walk, step: Step, answer: Answer) -> None:
    """Stand where the answer leads, or end."""
    each.prompt_tokens += answer.prompt_tokens
    each.completion_tokens += answer.completion_tokens
    question = _question(step)
    read = ParseProblem(answer.problem) if answer.problem else parse(answer.completion, question.slots)
    if isinstance(read, ParseProblem):
        each.problem = read.reason
        return
    each.state, _ = steps.answered(step, read, question.asked, answer.slots.get(prompts.VERDICT), None, forecast=False)
    each.stated = DIRECTIONS.get(read.choices.get(prompts.DIRECTION, ""))
    each.position += 1


def _prediction(each: _Walk, base_rates: dict[str, float]) -> Prediction:
    question, met = each.question, each.state.met
    chance = chance_of(met) if met is not None else None
    if each.problem or met is None or chance is None:
        problem = each.problem or "There is no verdict."
        said = fallback(question.id, question.options, rates_of(question.options, base_rates), "no answer", problem)
    else:
        said = Prediction(question_id=question.id, probabilities=shares(question.options, chance), mass=met.mass)
    reached = None if each.problem else each.state
    return msgspec.structs.replace(
        said,
        state=reached,
        direction=_direction(each) if reached is not None else None,
        stated=each.stated if reached is not None else None,
        used=(UsedTrial(each.source.nct_id, ""),),
        prompt_tokens=each.prompt_tokens,
        completion_tokens=each.completion_tokens,
    )


def _direction(each: _Walk) -> Direction | None:
    """Where the result went from the source: of the last change's factor, as a step of it is graded."""
    factors: list[Factor] = [change.factor for change in each.question.changes if change.factor not in ARITHMETIC]
    if not factors:
        return None
    try:
        return directions.step_direction(each.source, each.state, factors[-1])
    except NotScorableError:
        return None
