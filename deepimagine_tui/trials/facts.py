"""The facts of a trial without the registry's sentences, for what ships."""

from __future__ import annotations

import msgspec

from deepimagine_tui.trials.model import Problem, Trial
from deepimagine_tui.trials.results import AdverseEvents, Cell, Contrast, Outcome

_NAME_LIMIT = 300
"""A name is a label; the few that run on into a description are cut here, in characters."""


def facts_only(trial: Trial) -> Trial:
    """The trial without prose: identifiers, terms, numbers, dates, and the names of arms, groups, outcomes and classes stay.

    Comments on cells and on methods go, and the text of problems keeps only its code.
    """
    return msgspec.structs.replace(
        trial,
        prose=None,
        outcomes=tuple(map(_outcome, trial.outcomes)),
        adverse_events=_events(trial.adverse_events),
        problems=tuple(Problem(problem.path, problem.code, "") for problem in trial.problems),
    )


def _outcome(outcome: Outcome) -> Outcome:
    return msgspec.structs.replace(
        outcome,
        title=_name(outcome.title),
        time_frame=_name(outcome.time_frame),
        cells=tuple(map(_cell, outcome.cells)),
        contrasts=tuple(map(_contrast, outcome.contrasts)),
    )


def _cell(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, text=cell.text.split(":", 1)[0]) if cell.text else cell


def _contrast(contrast: Contrast) -> Contrast:
    return msgspec.structs.replace(contrast, method=_name(contrast.method), scale=_name(contrast.scale))


def _events(events: AdverseEvents | None) -> AdverseEvents | None:
    return msgspec.structs.replace(events, time_frame="") if events is not None else None


def _name(text: str) -> str:
    return text if len(text) <= _NAME_LIMIT else text[:_NAME_LIMIT].rsplit(" ", 1)[0]
