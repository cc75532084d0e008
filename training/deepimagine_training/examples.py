"""A pair as a training example: the engine's own question of one step, and the answer that the registry posted.

Nothing is phrased here: the prompt and the answer form are `reasoning.prompts`', and a completion reads back with
`reasoning.parse`. What the registry does not say (a direction that cannot be told, an undetermined verdict) is in no loss.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from deepimagine_training.rows import PairRow
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.asked import contrast_form
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.describe import number_text
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.scales import same_contrast
from deepimagine_tui.reasoning.state import Direction, Number, Perturbation, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.trials.factors import ARITHMETIC

SIGNIFICANT_DIGITS = 4
"""A number that was computed is told to so many digits; a posted one as it was posted, up to as many decimals."""

_UNKNOWN_DIRECTION: Direction = "no clear change"


class Piece(msgspec.Struct, frozen=True):
    """A part of a completion. `role` is `reasoning`, `form` (the leads) or the slot that it fills. `known` is whether the
    registry says it: what it does not say has to stand there for the form's sake, and is in no loss."""

    text: str
    role: str
    known: bool = True


class Posed(NamedTuple):
    """A pair as the engine asks it: one step and its question."""

    step: Step
    question: Question


class Example(msgspec.Struct, frozen=True):
    """One prompt with the completion to learn: reasoning, then the answer form filled in with what was posted."""

    row: PairRow
    prompt: str
    pieces: tuple[Piece, ...]

    @property
    def completion(self) -> str:
        """The whole completion."""
        return "".join(piece.text for piece in self.pieces)


def states_of(row: PairRow) -> tuple[State, State]:
    """The source and the target state of a row.

    Raises:
        BadInputError: they cannot be read.
    """
    try:
        return msgspec.json.decode(row.source_state, type=State), msgspec.json.decode(row.target_state, type=State)
    except msgspec.DecodeError as error:
        raise BadInputError(f"The states of pair {row.id} cannot be read ({error}).", "Draw the pairs again.") from error


def pose(row: PairRow, shortening: int = 0) -> Posed:
    """The one step that leads from the source of a pair to its target, asked as the engine asks it. A change of enrolment,
    which is arithmetic, is not asked.

    Raises:
        RefusedError: the two differ in more than one factor, or the change does not apply.
        BadInputError: the row cannot be read.
    """
    source, _ = states_of(row)
    changes = changes_of(row)
    if len(changes) != 1:
        raise RefusedError(f"Pair {row.id} differs in {len(changes)} changes, and one step is one change.")
    return posed(source, changes[0], shortening)


def changes_of(row: PairRow) -> tuple[Perturbation, ...]:
    """The changes that lead from the source of a pair to its target, without those of enrolment.

    Raises:
        BadInputError: the row cannot be read.
    """
    return tuple(change for change in _perturbations(row) if change.factor not in ARITHMETIC)


def posed(source: State, change: Perturbation, shortening: int = 0) -> Posed:
    """The question of one change from a state, observed or imagined.

    Raises:
        RefusedError: the change does not apply.
    """
    target = apply(source.configuration, change.change)
    return Posed(Step(source, change, target, 1), prompts.question(source, change, target, "arm values", shortening))


def example_of(row: PairRow, reasoning: str, shortening: int = 0) -> Example:
    """The example of a pair with this reasoning (one line, without the answer). The question's opening, with which the
    reasoning begins, is in the prompt and not in what is learnt.

    Raises:
        RefusedError: it cannot be asked as one step, or nothing of its answer is posted.
        BadInputError: the row cannot be read.
    """
    step, question = pose(row, shortening)
    _, target = states_of(row)
    learnt = " ".join(reasoning.split()).removeprefix(question.opening).strip()
    pieces = [Piece(f" {learnt}", "reasoning")]
    for slot in question.slots:
        value, known = _answer(slot.name, row, step, target)
        if value is None:
            raise RefusedError(f"Pair {row.id} has no posted value for the slot {slot.name}.")
        pieces += [Piece(slot.lead, "form"), Piece(f" {value}", slot.name, known)]
    if not any(piece.known for piece in pieces if piece.role not in ("reasoning", "form")):
        raise RefusedError(f"Nothing of the answer of pair {row.id} is posted.")
    return Example(row, question.prompt, tuple(pieces))


def _perturbations(row: PairRow) -> tuple[Perturbation, ...]:
    try:
        return msgspec.json.decode(row.perturbations, type=tuple[Perturbation, ...])
    except msgspec.DecodeError as error:
        raise BadInputError(f"The changes of pair {row.id} cannot be read ({error}).", "Draw the pairs again.") from error


def _answer(slot: str, row: PairRow, step: Step, target: State) -> tuple[str | None, bool]:
    """What fills a slot, and whether the registry says it; `None` where a number is not posted."""
    match slot:
        case prompts.DIRECTION:
            return row.direction or _UNKNOWN_DIRECTION, row.direction is not None
        case prompts.VERDICT:
            known = row.target_verdict != "undetermined"
            return (prompts.MET if row.target_verdict == "met" else prompts.NOT_MET), known
        case prompts.ARM_VALUE:
            return _number(target.arm_value), True
        case prompts.COMPARATOR_VALUE:
            return _number(target.comparator_value), True
        case prompts.CONTRAST:
            contrast = target.contrast
            form = contrast_form(step.source, step.target)
            if contrast is None or form is None or not same_contrast(form, contrast):
                return None, False
            return _number(contrast.number), True
    raise AssertionError(f"unknown slot {slot}")


def _number(number: Number | None) -> str | None:
    if number is None or number.value is None:
        return None
    return number_text(float(f"{number.value:.{SIGNIFICANT_DIGITS}g}"))
