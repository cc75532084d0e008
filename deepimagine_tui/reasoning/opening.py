"""From a request to its pathways: the anchor that the user chose, or the anchors that retrieval found for a target."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from deepimagine_tui.errors import DeepImagineError, NotFoundError
from deepimagine_tui.reasoning import difference, landing
from deepimagine_tui.reasoning.aggregate import Summary
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.asked import has_unit, with_unit
from deepimagine_tui.reasoning.events import Revealed
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.pathway import Pathway
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, WhatIf
from deepimagine_tui.reasoning.scoring import grade
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.trials.factors import Factor

NO_UNIT = "the target's outcome states no unit: no value is imagined on this path, only the verdict"
WHOLE_TARGET: Factor = "context"
"""What a forecast is graded as: a change of both arms."""


class Opening(msgspec.Struct, frozen=True):
    """A pathway about to be walked, with what is said of its anchor."""

    pathway: Pathway
    parts: dict[str, float] = {}
    differs_in: tuple[Factor, ...] = ()
    unknown_factors: tuple[Factor, ...] = ()
    warnings: tuple[str, ...] = ()


class NothingClose(msgspec.Struct, frozen=True):
    """Why a forecast abstains; `nearest` names what was closest."""

    message: str
    hint: str = ""
    nearest: tuple[str, ...] = ()


def open_pathways(request: ImagineRequest, source: AnchorSource) -> list[Opening] | NothingClose:
    """The pathways of `request`, numbered from 0.

    Raises:
        DeepImagineError: the anchor does not exist or cannot be one, or the corpus cannot be read.
    """
    match request.question:
        case WhatIf():
            return _what_if(request, request.question, source)
        case Forecast():
            return _forecast(request, request.question, source)


def reveal_target(
    request: ImagineRequest, source: AnchorSource, complete: list[Pathway], summary: Summary
) -> tuple[Revealed | None, tuple[str, ...]]:
    """The posted result that an aggregate landed on, graded, and what kept it from being looked up. Called once everything
    imagined is settled.

    A what-if's is that of its last step. The source state of a forecast, for scale and copying, is its nearest anchor.
    """
    nearest = max(complete, key=lambda pathway: pathway.similarity or 0.0)
    if not nearest.perturbations:
        return None, ()
    question = request.question
    nct_id = question.anchor.nct_id if isinstance(question, WhatIf) else question.nct_id
    if nct_id is None:
        return None, ()
    factor = nearest.perturbations[-1].factor if isinstance(question, WhatIf) else WHOLE_TARGET
    imagined = State(
        "",
        nearest.anchor.nct_id,
        nearest.state.configuration,
        summary.arm_value,
        summary.comparator_value,
        summary.contrast,
        summary.met,
    )
    # The boundary of the look-up: an aggregate that stands is not lost because its target cannot be read.
    try:
        trial = source.trial(nct_id)
        posted = landing.find_posted(imagined.configuration, trial)
        return (None, ()) if posted is None else (grade(nearest.anchor, imagined, observed_state(trial, posted), factor), ())
    except NotFoundError:
        return None, ()
    except DeepImagineError as error:
        return None, (f"whether {nct_id} has posted a result could not be looked up: {error.message}",)


def _what_if(request: ImagineRequest, question: WhatIf, source: AnchorSource) -> list[Opening]:
    trial = source.trial(question.anchor.nct_id)
    anchor = observed_state(trial, question.anchor)
    edits = {edit.step: edit for edit in question.edits}
    openings = []
    for number in range(max(request.settings.samples, 1)):
        kept = {step.step: step for step in request.kept if step.pathway == number}
        pathway = Pathway(number, anchor, question.perturbations, trial=trial, edits=edits, kept=kept)
        openings.append(Opening(pathway))
    return openings


def _forecast(request: ImagineRequest, question: Forecast, source: AnchorSource) -> list[Opening] | NothingClose:
    found = source.nearest(question.target, question.nct_id, question.k, question.cutoff, question.drop)
    target = replace(question.target, outcome=with_unit(question.target.outcome))
    openings: list[Opening] = []
    for anchor in found.anchors:
        walk = difference.path(anchor.state.configuration, target)
        number = len(openings)
        kept = {step.step: step for step in request.kept if step.pathway == number}
        pathway = Pathway(number, anchor.state, walk.perturbations, kept=kept, similarity=anchor.similarity)
        factors: tuple[Factor, ...] = tuple(dict.fromkeys(change.factor for change in walk.perturbations))
        warnings = (NO_UNIT,) if "outcome" in factors and not has_unit(target.outcome) else ()
        openings.append(Opening(pathway, dict(anchor.parts), factors, walk.unknown_factors, warnings))
    if openings:
        return openings
    nearest = tuple(f"{near.nct_id} {near.similarity:.2f} ({near.reason})" for near in found.nearest_refused)
    return NothingClose(
        f"{found.why_none} Nothing was imagined.", "Change the target or its cutoff, or import more trials.", nearest
    )
