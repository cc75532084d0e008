"""What classical systems see of a question: the words of its arms and its outcome, and fields read from them and the registry.

Nothing of the target's result is read: a `Question` holds none. Of a step the source and the change are seen as well.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from deepimagine_tui.evaluation import word_classes
from deepimagine_tui.evaluation.questions import Question
from deepimagine_tui.reasoning import agents
from deepimagine_tui.reasoning.scoring import NotScorableError, g
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, DoseChange, Perturbation, State
from deepimagine_tui.reasoning.ztest import effect

Fields = dict[str, float | str]

INERT = frozenset({"placebo", "sham", "no intervention"})
"""What a control is given when it is nothing active."""

_FARTHEST = 6.0
"""Where a z or a logarithm of a ratio is cut off: beyond it nothing more is said."""
_MOST = 5
_WORD = re.compile(r"[a-z][a-z0-9-]{2,}")
_COMMON = frozenset(
    _WORD.findall(
        "and plus with the arm group treatment dose daily once twice placebo for matching tablet tablets capsule capsules"
        " injection oral day study drug control standard care therapy mcg week weeks every"
    )
)
"""Words of arms that name nothing given."""


class Overlap(NamedTuple):
    """What the words of arm and comparator have in common: whether the comparator's are all the arm's too, and fewer (the arm
    is the comparator with something added); whether they are the same; the share of both that both have, in [0, 1]."""

    added_on: bool
    same: bool
    shared: float


def texts(question: Question) -> tuple[str, str, str]:
    """The words of a question: of its arm, of its comparator and of its outcome. The title of its trial is not among them:
    claims have none, and titles composed from facts read unlike those of a registry."""
    at = question.target
    return arm_text(at.arm), arm_text(at.comparator), at.outcome.title


def fields(question: Question) -> Fields:
    """Fields by name; texts are categories, absent numbers are 0.

    - `outcome …`, `area …`, `arm …`, `comparator …`: 1 for each class of words (`word_classes`) in the outcome's title, in all
      texts, in the arm's and in the comparator's label and interventions;
    - `inert`: 1 where the comparator gets nothing active; `inert and …`: the same, for the classes of arm and outcome;
    - `control`, `registered`: what the comparator is, by words and type; its registered type;
    - `added on`, `same words`, `shared`: what the words of both arms have in common (`Overlap`);
    - `role`, `kind`, `benefit`, `basis`: of the outcome; `weeks`: of the time frame, on ln, `weeks known` whether there is one;
    - `interventions`, `interventions of comparator`, `doses`: how many, at most 5; `words of outcome`, `words of arm`: on ln;
    - of a step also those of `step_fields`.
    """
    at = question.target
    arm, comparator = arm_text(at.arm), arm_text(at.comparator)
    everything = " ".join((question.title, *at.population.conditions, arm, comparator, at.outcome.title))
    overlap = overlap_of(at)
    inert = float(is_inert(at))
    weeks = at.time.weeks if at.time else None
    measured = word_classes.found(word_classes.OUTCOMES, at.outcome.title)
    used = word_classes.found(word_classes.INTERVENTIONS, arm)
    found: Fields = {
        "inert": inert,
        "control": at.comparator.control if at.comparator else "none",
        "registered": question.comparator_type or "unknown",
        "added on": float(overlap.added_on),
        "same words": float(overlap.same),
        "shared": overlap.shared,
        "role": at.outcome.role,
        "kind": at.outcome.kind,
        "benefit": at.outcome.benefit,
        "basis": at.outcome.change_basis,
        "weeks": math.log1p(max(weeks, 0.0)) if weeks else 0.0,
        "weeks known": float(weeks is not None),
        "interventions": float(min(len(at.arm.interventions), _MOST)),
        "interventions of comparator": float(min(len(at.comparator.interventions), _MOST)) if at.comparator else 0.0,
        "doses": float(min(len(at.arm.doses), _MOST)),
        "words of outcome": math.log1p(len(at.outcome.title.split())),
        "words of arm": math.log1p(len(at.arm.label.split())),
    }
    found |= {f"outcome {name}": 1.0 for name in measured}
    found |= {f"area {name}": 1.0 for name in word_classes.found(word_classes.AREAS, everything)}
    found |= {f"arm {name}": 1.0 for name in used}
    found |= {f"comparator {name}": 1.0 for name in word_classes.found(word_classes.COMPARATORS, comparator)}
    found |= {f"inert and outcome {name}": inert for name in measured}
    found |= {f"inert and arm {name}": inert for name in used}
    if question.source is not None and question.changes:
        found |= step_fields(question.source, question.changes[0], at)
    return found


def step_fields(source: State, change: Perturbation, after: Configuration) -> Fields:
    """Fields of a step, by name: the factor; measure kind, benefit, role and change basis of the target's outcome; both
    comparators' kind; phases, masking, sponsor; enrolment and times on ln; the source's verdict, its z and its arm's value
    beside the comparator's; the ratios of doses and of times on ln, alone and with the sign of that difference; how many
    agents stay, come and go."""
    before = source.configuration
    ratio, later = dose_ratio(source, change), _time_ratio(before, after)
    moved = from_comparator(source)
    z = _z(source)
    old, new = agents.agents_of(before.arm), agents.agents_of(after.arm)
    found: Fields = {
        "factor": change.factor,
        "kind": after.outcome.kind,
        "benefit": after.outcome.benefit,
        "role": after.outcome.role,
        "role before": before.outcome.role,
        "basis": after.outcome.change_basis,
        "comparator": after.comparator.control if after.comparator else "none",
        "comparator before": before.comparator.control if before.comparator else "none",
        "arm control": after.arm.control,
        "masking": before.context.masking,
        "sponsor": before.context.sponsor_class,
        "source": _verdict(source),
        "source and factor": f"{_verdict(source)} {change.factor}",
        "enrolment": math.log(before.enrolment) if before.enrolment else 0.0,
        "weeks": math.log1p(after.time.weeks) if after.time and after.time.weeks and after.time.weeks > 0 else 0.0,
        "z": z,
        "size of z": abs(z),
        "moved": moved,
        "dose": ratio,
        "dose and moved": ratio * _sign(moved),
        "later": later,
        "later and moved": later * _sign(moved),
        "agents kept": float(bool(old & new)),
        "agents added": float(len(new - old)),
        "agents dropped": float(len(old - new)),
    }
    return found | {f"phase {phase}": 1.0 for phase in before.context.phases}


def dose_ratio(source: State, change: Perturbation) -> float:
    """ln of how many times the old dose the new one is; 0 where that is not known, or is no dose that changes."""
    if not isinstance(change.change, DoseChange):
        return 0.0
    found = agents.times_the_dose(source.configuration.arm, change.change.dose)
    return _cut(math.log(found)) if found else 0.0


def from_comparator(source: State) -> float:
    """The arm's value minus the comparator's on the scoring scale; 0 where it is not known."""
    outcome = source.configuration.outcome
    if source.arm_value is None or source.comparator_value is None:
        return 0.0
    try:
        return _cut(g(source.arm_value, outcome) - g(source.comparator_value, outcome))
    except NotScorableError:
        return 0.0


def overlap_of(at: Configuration) -> Overlap:
    """What the words of the two arms have in common, but for those that name nothing given (`_COMMON`)."""
    return overlap_of_words(arm_text(at.arm), arm_text(at.comparator))


def overlap_of_words(arm: str, comparator: str) -> Overlap:
    """The same of two texts."""
    given, against = _content(arm), _content(comparator)
    shared = len(given & against) / max(1, len(given | against))
    return Overlap(bool(against) and against < given, bool(given) and given == against, shared)


def is_inert(at: Configuration) -> bool:
    """Whether the comparator gets nothing active, by its words and type."""
    return at.comparator is not None and at.comparator.control in INERT


def arm_text(arm: ArmSpec | None) -> str:
    """An arm's label and what is given in it; empty where there is none."""
    return " ".join((arm.label, *arm.interventions)) if arm is not None else ""


def _content(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower())) - _COMMON


def _time_ratio(before: Configuration, after: Configuration) -> float:
    old = before.time.weeks if before.time else None
    new = after.time.weeks if after.time else None
    return _cut(math.log(new / old)) if old and new and old > 0 and new > 0 else 0.0


def _verdict(source: State) -> str:
    return source.met.verdict if source.met is not None else "undetermined"


def _z(source: State) -> float:
    found = effect(source)
    return _cut(found.estimate / found.error) if found is not None and found.error else 0.0


def _cut(value: float) -> float:
    return min(max(value, -_FARTHEST), _FARTHEST)


def _sign(value: float) -> float:
    return float((value > 0) - (value < 0))
