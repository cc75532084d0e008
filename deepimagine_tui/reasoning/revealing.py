"""The posted result that an aggregate landed on, looked up and graded once everything imagined is settled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from deepimagine_tui.errors import DeepImagineError, NotFoundError
from deepimagine_tui.reasoning import landing
from deepimagine_tui.reasoning.aggregate import Summary
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.difference import differs
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.pathway import Pathway
from deepimagine_tui.reasoning.request import AnchorRef, ImagineRequest, WhatIf
from deepimagine_tui.reasoning.scoring import grade
from deepimagine_tui.reasoning.specs import base_configuration
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, State
from deepimagine_tui.reasoning.words import plain
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Outcome

WHOLE_TARGET: Factor = "context"
"""What a forecast is graded as: a change of both arms."""

_PLANNED: tuple[Factor, ...] = ("geography", "context", "population", "enrolment")


def reveal_aggregate(
    request: ImagineRequest, source: AnchorSource, complete: Sequence[Pathway], summary: Summary
) -> tuple[Revealed | None, tuple[str, ...]]:
    """The posted result beside the aggregate of the `complete` pathways, and what kept it from being looked up.

    A what-if's is that of its last step; a forecast's is its target's own. For scale and copying, the source state of a
    forecast is its nearest anchor.
    """
    nearest = max(complete, key=lambda pathway: pathway.similarity or 0.0)
    question = request.question
    nct_id = question.anchor.nct_id if isinstance(question, WhatIf) else question.nct_id
    if nct_id is None or not nearest.perturbations:
        return None, ()
    # The boundary of the look-up: an aggregate that stands is not lost because its target cannot be read.
    try:
        trial = source.trial(nct_id)
        if isinstance(question, WhatIf):
            factor, posted = nearest.perturbations[-1].factor, landing.find_posted(nearest.state.configuration, trial)
        else:
            factor, posted = WHOLE_TARGET, find_target(question.target, trial)
        if posted is None:
            return None, ()
        observed = observed_state(trial, posted)
    except NotFoundError:
        return None, ()
    except DeepImagineError as error:
        return None, (f"whether {nct_id} has posted a result could not be looked up: {error.message}",)
    return grade(nearest.anchor, _aggregated_state(nearest, summary, observed), observed, factor), ()


def find_target(target: Configuration, trial: Trial) -> AnchorRef | None:
    """The result that `trial` posted for `target`, which was read from its plan; `None` where none or several fit.

    What a plan does not state (actual enrolment, baseline, analysis population) or only suggests (the kind of value) is the
    trial's own, and a posted group is a planned arm where it is linked to it. A target that was changed to differ from its
    trial has no posted result.
    """
    own = base_configuration(trial, target.arm, target.comparator, target.outcome, target.time)
    if any(differs(factor, own, target) for factor in _PLANNED):
        return None
    found = {ref for outcome in trial.outcomes for ref in _posted_in(outcome, own, trial) if ref.outcome_id == outcome.id}
    return found.pop() if len(found) == 1 else None


def _posted_in(outcome: Outcome, own: Configuration, trial: Trial) -> Iterator[AnchorRef]:
    """The results of `outcome` that could be those of the planned configuration `own`."""
    spec = own.outcome
    if not spec.outcome_id:
        spec = replace(spec, kind="unknown", change_basis="unknown", unit="")
    if spec.analysis_set == "unknown":
        spec = replace(spec, analysis_set=outcome.analysis_set)
    for arm in _as_posted(outcome, own.arm):
        for comparator in _as_posted(outcome, own.comparator) if own.comparator is not None else (None,):
            found = landing.find_posted(replace(own, arm=arm, comparator=comparator, outcome=spec), trial)
            if found is not None:
                yield found


def _as_posted(outcome: Outcome, arm: ArmSpec) -> Iterator[ArmSpec]:
    """The arm as it is, and as each posted group that is linked to it."""
    yield arm
    if not arm.group_id:
        yield from (
            replace(arm, group_id=group.id)
            for group in outcome.groups
            if group.link is not None and plain(group.link.arm_label) == plain(arm.label)
        )


def _aggregated_state(nearest: Pathway, summary: Summary, observed: State) -> State:
    """The aggregate as a state; an analysis population that the plan did not state is the posted one."""
    configuration = nearest.state.configuration
    if configuration.outcome.analysis_set == "unknown":
        outcome = replace(configuration.outcome, analysis_set=observed.configuration.outcome.analysis_set)
        configuration = replace(configuration, outcome=outcome)
    numbers = summary.arm_value, summary.comparator_value
    return State("", nearest.anchor.nct_id, configuration, *numbers, summary.contrast, summary.met)
