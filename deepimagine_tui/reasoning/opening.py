"""From a request to its pathways: the anchor that the user chose, or the anchors that retrieval found for a target."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.asked import has_unit, with_unit
from deepimagine_tui.reasoning.lean import lean_path
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.pathway import Pathway
from deepimagine_tui.reasoning.request import Forecast, ImagineRequest, WhatIf
from deepimagine_tui.reasoning.restating import restated
from deepimagine_tui.trials.factors import Factor

NO_UNIT = "the target's outcome states no unit: no value is imagined on this path, only the verdict"


class Opening(msgspec.Struct, frozen=True):
    """A pathway about to be walked, with what is said of its anchor."""

    pathway: Pathway
    parts: dict[str, float] = {}
    differs_in: tuple[Factor, ...] = ()
    unknown_factors: tuple[Factor, ...] = ()
    unwalked: tuple[Factor, ...] = ()
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
        state = restated(anchor.state, target.outcome)
        walk, unwalked = lean_path(state.configuration, target, request.settings.max_steps)
        number = len(openings)
        kept = {step.step: step for step in request.kept if step.pathway == number}
        pathway = Pathway(number, state, walk.perturbations, kept=kept, similarity=anchor.similarity)
        factors: tuple[Factor, ...] = tuple(dict.fromkeys(change.factor for change in walk.perturbations))
        warnings = (NO_UNIT,) if "outcome" in factors and not has_unit(target.outcome) else ()
        openings.append(Opening(pathway, dict(anchor.parts), factors, walk.unknown_factors, unwalked, warnings))
    if openings:
        return openings
    nearest = tuple(f"{near.nct_id} {near.similarity:.2f} ({near.reason})" for near in found.nearest_refused)
    return NothingClose(
        f"{found.why_none} Nothing was imagined.", "Change the target or its cutoff, or import more trials.", nearest
    )
