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
_RATE = re.compile(
    r"\b(?:response|remission|cure|success|survival|mortality|recurrence|relapse|complication|infection|seroconversion"
    r"|engraftment|failure|progression|healing|eradication|clearance)s?[- ]rates?\b"
    r"|^(?:overall |\d+[- ]day |all[- ]cause |in-hospital )*(?:mortality|deaths?)\b"
    r"|\b(?:complete|objective|overall|clinical|tumou?r|best overall|partial) (?:clinical |tumou?r |overall |hematologic )?"
    r"(?:response|remission)s?\b|\b(?:cumulative )?incidence of\b",
    re.I,
)
"""What is counted in participants by convention: of the real records' outcomes with such titles, 285 of 307 are shares."""
_NO_RATE = re.compile(
    r"\b(?:time to|duration|days|score|change|mean|median|correlation|per|events"
    r"|number of (?!participants|patients|subjects))\b",
    re.I,
)
_AT_A_TIME = re.compile(
    r"\brates?\b|\bprobability\b|\bproportion\b|\bpercent|%"
    r"|\b(?:at|of|by) (?:\d+|one|two|three|five)[- ]?(?:years?|months?|days?)\b"
    r"|\b(?:\d+|one|two|three|five)[- ](?:years?|months?|days?)\b",
    re.I,
)


def planned_spec(title: str, unit: str = "", role: str = "primary") -> OutcomeSpec:
    """An outcome known by its words only: kind and change basis where the title says them, `unknown` else."""
    kind: ValueKind = "unknown"
    basis: ChangeBasis = "unknown"
    timed = value_kind("median", "months", title, "final") == "time to event"
    if _SHARE.search(title) or (timed and _AT_A_TIME.search(title)) or (_RATE.search(title) and not _NO_RATE.search(title)):
        kind, basis = "share", "final"
    elif timed:
        kind, basis = "time to event", "final"
    else:
        said = change_basis("mean", unit, title)
        if said != "final":
            kind, basis = value_kind("mean", unit, title, said), said
    good = benefit(title, "", kind if kind != "unknown" else "signed", basis)
    outcome_role = "secondary" if role == "secondary" else "other" if role == "other" else "primary"
    spec = OutcomeSpec(title, unit, kind=kind, change_basis=basis, benefit=good)
    return replace(spec, role=outcome_role)
