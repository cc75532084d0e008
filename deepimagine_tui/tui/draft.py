"""A what-if being put together: where it starts, its changes in order, and what of an earlier run stands. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.difference import perturbation
from deepimagine_tui.reasoning.graph import PathwayView
from deepimagine_tui.reasoning.ids import new_run_id
from deepimagine_tui.reasoning.landing import find_posted
from deepimagine_tui.reasoning.request import AnchorRef, ImagineRequest, ImagineSettings, KeptStep, StepEdit, WhatIf
from deepimagine_tui.reasoning.state import Configuration, Estimand, Perturbation, State
from deepimagine_tui.trials.model import Trial

MOST_SEED = 2**32 - 1
NEW_SEEDS = 1_000_000
"""A new seed is below this: short enough to be read out and typed again."""


@dataclass(frozen=True)
class Draft:
    """The question so far. `parent`, `kept` and `edits` are set when it goes on from a run."""

    trial: Trial
    anchor: AnchorRef
    source: State
    settings: ImagineSettings
    changes: tuple[Perturbation, ...] = ()
    estimand: Estimand = "arm values"
    parent: str = ""
    kept: tuple[KeptStep, ...] = ()
    edits: tuple[StepEdit, ...] = ()

    def configurations(self) -> list[Configuration]:
        """The configuration at the anchor and after each change."""
        found = [self.source.configuration]
        for change in self.changes:
            found.append(apply(found[-1], change.change))
        return found

    def state_before(self, index: int) -> State:
        """The source with the configuration that change `index` (from 0) starts from."""
        return with_fields(self.source, configuration=self.configurations()[index])

    def can_be_checked(self, index: int) -> bool:
        """Whether the trial posted the result that change `index` leads to."""
        return find_posted(self.configurations()[index + 1], self.trial) is not None

    def added(self, change: Perturbation) -> Draft:
        """With one more change at the end."""
        return self._with((*self.changes, change), len(self.changes))

    def removed(self, index: int) -> Draft:
        """Without one change.

        Raises:
            DeepImagineError: a later change makes no sense without it.
        """
        return self._with((*self.changes[:index], *self.changes[index + 1 :]), index)

    def moved(self, index: int, by: int) -> Draft:
        """With a change walked earlier or later.

        Raises:
            DeepImagineError: the changes make no sense in that order.
        """
        other = index + by
        if not 0 <= other < len(self.changes):
            return self
        changes = list(self.changes)
        changes[index], changes[other] = changes[other], changes[index]
        return self._with(tuple(changes), min(index, other))

    def changed(self, index: int, change: Perturbation) -> Draft:
        """With another value at one change.

        Raises:
            DeepImagineError: a later change makes no sense after it.
        """
        return self._with((*self.changes[:index], change, *self.changes[index + 1 :]), index)

    def fresh(self) -> Draft:
        """The same question, of which nothing has been answered."""
        return replace(self, parent="", kept=(), edits=())

    def with_seed(self, seed: int) -> Draft:
        """The same question with another seed, asked from the start."""
        return replace(self, settings=with_fields(self.settings, seed=seed & MOST_SEED), kept=(), edits=())

    def asking_again(self, request: ImagineRequest, question: WhatIf) -> Draft:
        """With the changes, settings and estimand of an earlier question, asked from the start as a child of it."""
        return replace(
            self,
            changes=question.perturbations,
            settings=request.settings,
            estimand=request.estimand,
            parent=request.run_id,
            kept=(),
            edits=(),
        )

    def going_on(self, run_id: str, pathway: PathwayView, steps: int, edit: StepEdit | None = None) -> Draft:
        """The same question going on from a run: its first `steps` answered steps stand, then the user's own result, if any."""
        kept = tuple(
            KeptStep(0, index, step.estimated.state, step.estimated.reasoning, step.estimated.completion, step.planned.opening)
            for index, step in enumerate(pathway.steps[:steps])
            if step.estimated is not None
        )
        return replace(self, parent=run_id, kept=kept, edits=(edit,) if edit else ())

    def request(self) -> ImagineRequest:
        """The question as the engine takes it, with a new id."""
        return ImagineRequest(
            new_run_id(),
            WhatIf(self.anchor, self.changes, self.edits),
            self.settings,
            self.estimand,
            self.name(),
            self.parent,
            self.kept,
        )

    def name(self) -> str:
        """`NCT00000001: dose 10 mg -> 50 mg; geography 9 countries -> Japan`."""
        said = "; ".join(f"{each.factor.replace('_', ' ')} {each.before} -> {each.after}" for each in self.changes)
        return f"{self.trial.nct_id}: {said}"

    def _with(self, changes: tuple[Perturbation, ...], first: int) -> Draft:
        configuration, described = self.source.configuration, []
        for change in changes:
            after = apply(configuration, change.change)
            described.append(perturbation(change.change, configuration, after, change.typed, change.reading))
            configuration = after
        kept = tuple(step for step in self.kept if step.step < first)
        return replace(self, changes=tuple(described), kept=kept, edits=tuple(edit for edit in self.edits if edit.step < first))
