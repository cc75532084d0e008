"""What a system says of a held-out pair, graded: the same fields for a model and for each rule beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from deepimagine_training.held_out import Answer, HeldOut
from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.reasoning import prompts, scoring
from deepimagine_tui.reasoning.parse import ParseProblem, parse
from deepimagine_tui.reasoning.state import Direction, State
from deepimagine_tui.reasoning.steps import answered

Says = Literal["verdict", "direction", "value"]


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one pair; `None` where nothing is. `probability` is P(met) in [0, 1]; `met` is the verdict said;
    `direction` that of the value said, `stated` the one in words; `error` is e of the value. `problem`: no answer, and why."""

    probability: float | None = None
    met: bool | None = None
    direction: Direction | None = None
    stated: Direction | None = None
    error: float | None = None
    problem: str = ""


class System(msgspec.Struct, frozen=True):
    """Something that predicts. `says` is what it speaks of at all: elsewhere it is not scored, rather than wrong."""

    name: str
    what: str
    says: frozenset[Says]
    predictions: dict[str, Prediction]


class Imagined(NamedTuple):
    """What an answer says: the state, and the direction in words, `None` where it was not asked for."""

    state: State
    stated: Direction | None


def verdict_of(probability: float) -> Prediction:
    """A forecast of the verdict alone, its likelier label said."""
    return Prediction(probability=probability, met=probability >= 0.5)


def graded(one: HeldOut, answer: Answer) -> Prediction:
    """A model's answer, read by the one parser and graded by the one grader."""
    read = imagined(one, answer)
    if isinstance(read, str):
        return Prediction(problem=read)
    found = scoring.grade(one.step.source, read.state, one.target, one.step.factor, read.stated)
    met = read.state.met
    return Prediction(
        probability=met.probability if met is not None else None,
        met=met.verdict == "met" if met is not None and met.verdict != "undetermined" else None,
        direction=found.imagined_direction,
        stated=read.stated,
        error=found.error,
    )


def imagined(one: HeldOut, answer: Answer) -> Imagined | str:
    """The state that an answer leads to, uncalibrated; or why there is none."""
    if answer.problem:
        return answer.problem
    read = parse(answer.completion, one.question.slots)
    if isinstance(read, ParseProblem):
        return read.reason
    slot = None
    if answer.probability is not None and prompts.VERDICT in read.choices:
        shares = {prompts.MET: answer.probability, prompts.NOT_MET: 1 - answer.probability}
        slot = SlotFilled("", prompts.VERDICT, read.choices[prompts.VERDICT], shares, answer.mass, "logits")
    state, _ = answered(one.step, read, one.question.asked, slot)
    stated: Any = read.choices.get(prompts.DIRECTION)
    return Imagined(state, stated)


def model_system(name: str, what: str, asked: Iterable[HeldOut], answers: Mapping[str, Answer]) -> System:
    """A model by its answers; pairs without one are left out."""
    found = {one.row.id: graded(one, answers[one.row.id]) for one in asked if one.row.id in answers}
    return System(name, what, frozenset({"verdict", "direction", "value"}), found)
