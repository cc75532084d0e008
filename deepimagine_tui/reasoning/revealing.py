"""The posted result that an aggregate landed on, looked up and graded once everything imagined is settled."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from deepimagine_tui.errors import DeepImagineError, NotFoundError
from deepimagine_tui.reasoning import landing
from deepimagine_tui.reasoning.aggregate import Summary
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.derived import share_of
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.pathway import Pathway
from deepimagine_tui.reasoning.request import ImagineRequest, WhatIf
from deepimagine_tui.reasoning.scales import share_unit
from deepimagine_tui.reasoning.scoring import grade
from deepimagine_tui.reasoning.state import Number, OutcomeSpec, State
from deepimagine_tui.reasoning.words import unit_key
from deepimagine_tui.trials.factors import Factor

WHOLE_TARGET: Factor = "outcome"
"""What a forecast is graded as: both values, and the direction of benefit, whatever the anchor had."""


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
            factor, posted = WHOLE_TARGET, landing.find_reported(question.target, trial)
        if posted is None:
            return None, ()
        observed = observed_state(trial, posted)
    except NotFoundError:
        return None, ()
    except DeepImagineError as error:
        return None, (f"whether {nct_id} has posted a result could not be looked up: {error.message}",)
    return grade(nearest.anchor, _aggregated_state(nearest, summary, observed), observed, factor), ()


def _aggregated_state(nearest: Pathway, summary: Summary, observed: State) -> State:
    """The aggregate as a state in the terms of the posted result, where the plan left them open: the analysis population is the
    posted one, and a share is expressed in the posted unit."""
    configuration, posted = nearest.state.configuration, observed.configuration.outcome
    outcome = configuration.outcome
    arm, comparator = summary.arm_value, summary.comparator_value
    if outcome.analysis_set == "unknown":
        outcome = replace(outcome, analysis_set=posted.analysis_set)
    if outcome.kind == posted.kind == "share" and unit_key(outcome.unit) != unit_key(posted.unit):
        arm = _in_unit_of(observed.arm_value, arm, outcome, posted)
        comparator = _in_unit_of(observed.comparator_value, comparator, outcome, posted)
        outcome = replace(outcome, unit=posted.unit, parameter=posted.parameter)
    configuration = replace(configuration, outcome=outcome)
    return State("", nearest.anchor.nct_id, configuration, arm, comparator, summary.contrast, summary.met)


def _in_unit_of(like: Number | None, number: Number | None, outcome: OutcomeSpec, posted: OutcomeSpec) -> Number | None:
    """`number`, a share of `outcome`, in the unit of the posted share `like` and for its participants."""
    if number is None or like is None or like.n is None:
        return number
    share = share_of(number, outcome)
    if share is None:
        return number
    return replace(number, value=share * share_unit(like, posted), unit=posted.unit, n=like.n)
