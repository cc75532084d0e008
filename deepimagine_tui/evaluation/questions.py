"""What an evaluation asks: questions as they stood before their answer was known, and the answers, kept apart from them.

A question is a forecast (a target that has to be reached from retrieved anchors) or a step (a posted state and the changes that
lead to another one, as a natural or approximate pair has them). What was posted of the target is in a `Key`, which no system
sees: systems are given `Question`s, and the keys of other trials to learn from.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_tui.reasoning.state import Configuration, Direction, Perturbation, State

QuestionClass = Literal["superiority", "comparative effect", "endpoint", "natural pair", "approximate pair"]

MET, NOT_MET = "met", "not met"
TWO_WAY = (MET, NOT_MET)
THREE_WAY = ("better", "worse", "no difference")
"""The options of a comparative effect, in CT Open's order."""

NO_CUTOFF = "9999-12-31"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `programme` is the cluster of its trial: the smallest NCT id of the programme, or its own.

    `options` are what probabilities are given over, in this order. `cutoff` is an ISO date: nothing posted after it is used.
    `source` and `changes` are of a step, `None` and empty for a forecast; `factor` is the one that changes, empty for a
    forecast, `several` where more than one does. `comparator_type` is the registered type of the comparator's arm ("placebo
    comparator"), empty where it is not known. `arms` are labels that an endpoint question lists, where it names no one arm.
    """

    id: str
    nct_id: str
    programme: str
    kind: QuestionClass
    target: Configuration
    options: tuple[str, ...] = TWO_WAY
    title: str = ""
    cutoff: str = NO_CUTOFF
    source: State | None = None
    changes: tuple[Perturbation, ...] = ()
    factor: str = ""
    comparator_type: str = ""
    arms: tuple[str, ...] = ()


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted: the right option (`None` where the verdict is undetermined), the direction, and the target's state where
    values can be compared. `posted` is the ISO date of first posting, empty where it is not known."""

    question_id: str
    answer: str | None
    direction: Direction | None = None
    target: State | None = None
    posted: str = ""


class QuestionSet(msgspec.Struct, frozen=True, kw_only=True):
    """Questions in the order of asking, with their keys by id. `sha256` identifies the file or the drawing that they come from;
    `is_watched` marks a set whose every scoring is entered into the ledger."""

    name: str
    sha256: str
    questions: tuple[Question, ...]
    keys: dict[str, Key]
    is_watched: bool = False

    def key(self, question: Question) -> Key:
        """The key of a question.

        Raises:
            KeyError: the set has none for it.
        """
        return self.keys[question.id]

    def take(self, ids: frozenset[str]) -> QuestionSet:
        """The set with these questions alone, in the same order."""
        kept = tuple(question for question in self.questions if question.id in ids)
        return msgspec.structs.replace(self, questions=kept, keys={question.id: self.keys[question.id] for question in kept})
