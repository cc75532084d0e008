"""An outcome that is known by its words alone: planned, or typed."""

from __future__ import annotations

import re

from msgspec.structs import replace

from deepimagine_tui.reasoning.state import OutcomeSpec
from deepimagine_tui.trials.concepts.benefits import benefit
from deepimagine_tui.trials.concepts.measures import change_basis, value_kind
from deepimagine_tui.trials.results import ChangeBasis, ValueKind

_SHARE = re.compile(
    r"^\W*(?:the )?(?:percentage|percent|%|proportion|number|incidence|rate|frequency)s? (?:\([^)]*\) )?(?:of|with|in)\b.*?"
    r"\b(?:participants|patients|subjects|people|adults|children|women|men|individuals|persons|responders)\b",
    re.I,
)


def planned_spec(title: str, unit: str = "", role: str = "primary") -> OutcomeSpec:
    """An outcome known by its words only: kind and change basis where the title says them, `unknown` else."""
    kind: ValueKind = "unknown"
    basis: ChangeBasis = "unknown"
    if _SHARE.search(title):
        kind, basis = "share", "final"
    elif value_kind("median", "months", title, "final") == "time to event":
        kind, basis = "time to event", "final"
    else:
        said = change_basis("mean", unit, title)
        if said != "final":
            kind, basis = value_kind("mean", unit, title, said), said
    good = benefit(title, "", kind if kind != "unknown" else "signed", basis)
    outcome_role = "secondary" if role == "secondary" else "other" if role == "other" else "primary"
    spec = OutcomeSpec(title, unit, kind=kind, change_basis=basis, benefit=good)
    return replace(spec, role=outcome_role)
