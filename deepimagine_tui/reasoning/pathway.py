"""One pathway as a state machine: from its anchor, one change after another, to its target."""

from __future__ import annotations

from collections.abc import Mapping

from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.reasoning import landing
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.events import Revealed, StepFailed
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.prompts import Question
from deepimagine_tui.reasoning.request import AnchorRef, KeptStep, StepEdit
from deepimagine_tui.reasoning.scoring import grade, without_grade
from deepimagine_tui.reasoning.state import Configuration, Direction, Perturbation, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.trials.model import Trial

ENTERED = "the result was entered, not imagined"


class Ask:
    """A step that waits for the model, and what has come of it so far."""

    def __init__(self, pathway: Pathway, step: Step, step_id: str, seed: int, posted: AnchorRef | None) -> None:
        self.pathway = pathway
        self.step = step
        self.step_id = step_id
        self.seed = seed
        self.posted = posted
        self.question: Question | None = None
        self.texts: list[str] = []
        self.slots: dict[str, SlotFilled] = {}

    @property
    def completion(self) -> str:
        """What the model has written."""
        return "".join(self.texts)


class Pathway:
    """The walk from one anchor. `position` counts the answered steps; `state` is where it stands.

    Args:
        number: Its number in the run, from 0.
        anchor: Where it starts.
        perturbations: The changes to walk, in order.
        trial: The trial whose posted results a step may land on; `None` where none may be looked at.
        edits: The user's own results, by step.
        kept: Steps of the parent run that stand, by step.
    """

    def __init__(
        self,
        number: int,
        anchor: State,
        perturbations: tuple[Perturbation, ...],
        *,
        trial: Trial | None = None,
        edits: Mapping[int, StepEdit] | None = None,
        kept: Mapping[int, KeptStep] | None = None,
        similarity: float | None = None,
    ) -> None:
        self.number = number
        self.anchor = anchor
        self.perturbations = perturbations
        self.similarity = similarity
        self.edits = edits or {}
        self.kept = kept or {}
        self.state = anchor
        self.position = 0
        self.model_steps = 0
        self.done = False
        self.failure: StepFailed | None = None
        self.ask: Ask | None = None
        self.revealed: Revealed | None = None
        self._trial = trial
        self._unbroken = True

    @property
    def complete(self) -> bool:
        """Whether every change has been walked."""
        return self.position == len(self.perturbations)

    @property
    def next_change(self) -> Perturbation:
        """The change to walk next."""
        return self.perturbations[self.position]

    @property
    def kept_step(self) -> KeptStep | None:
        """The parent's step that stands for the next one: only where all before it stand too."""
        return self.kept.get(self.position) if self._unbroken else None

    def next_step(self) -> Step:
        """The step from where the pathway stands over the next change.

        Raises:
            DeepImagineError: the change does not apply to the state.
        """
        target = apply(self.state.configuration, self.next_change.change)
        return Step(self.state, self.next_change, target, self.position + 1)

    def posted_at(self, configuration: Configuration) -> AnchorRef | None:
        """The posted result that `configuration` coincides with; reads no value of it."""
        return landing.find_posted(configuration, self._trial) if self._trial is not None else None

    def reveal(self, step: Step, state: State, posted: AnchorRef | None, stated: Direction | None) -> Revealed | None:
        """The posted result that an answered step landed on, graded; what the user typed is shown beside it without a grade."""
        if posted is None or self._trial is None:
            return None
        observed = observed_state(self._trial, posted)
        found = grade(step.source, state, observed, step.factor, stated)
        self.revealed = without_grade(found, ENTERED) if self.position in self.edits else found
        return self.revealed

    def advance(self, state: State) -> None:
        """Stand at `state`, one change further."""
        self._unbroken = self._unbroken and self.position in self.kept and self.position not in self.edits
        self.state = state
        self.position += 1
        self.ask = None
