"""The deterministic writer of reasoning: what of the registry's facts bears on one change, in one or two sentences.

It reads the source state and the change alone, never the target's result: the answer after it stays a prediction, and P(met) at
the verdict slot is that of the question and not of a conclusion drawn before. The wording varies by a hash of the pair's id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from deepimagine_training.examples import pose
from deepimagine_training.rows import PairRow
from deepimagine_tui.reasoning import describe
from deepimagine_tui.reasoning.agents import agents_of, times_the_dose
from deepimagine_tui.reasoning.opening_words import opening_of, times_as_long
from deepimagine_tui.reasoning.plain import plain
from deepimagine_tui.reasoning.scales import NotScorableError
from deepimagine_tui.reasoning.scoring import favoured
from deepimagine_tui.reasoning.state import ArmSpec, Configuration, DoseChange, State
from deepimagine_tui.reasoning.steps import Step
from deepimagine_tui.reasoning.words import measure_key
from deepimagine_tui.reasoning.ztest import effect

_CLASSES = {
    "gliflozin": "SGLT2 inhibitor",
    "gliptin": "DPP-4 inhibitor",
    "glutide": "GLP-1 agonist",
    "statin": "statin",
    "sartan": "angiotensin blocker",
    "olol": "beta blocker",
    "pril": "ACE inhibitor",
    "tinib": "kinase inhibitor",
    "ciclib": "CDK inhibitor",
    "parib": "PARP inhibitor",
    "mab": "antibody",
    "cept": "receptor fusion protein",
    "vir": "antiviral",
    "prazole": "proton pump inhibitor",
    "triptan": "triptan",
    "xaban": "factor Xa inhibitor",
    "gepant": "CGRP antagonist",
    "vaccine": "vaccine",
}
"""Classes of mechanism by the end of a generic name, after the WHO's list of stems for international nonproprietary names."""
_NO_CLASS = re.compile(r"(?:piprazole|(?:ny|pento|somato|cila)statin|teduglutide)$")
"""Names that end like a class and are not of it."""

_LARGE_Z = 4.0
_LABEL = 40
_INERT = {"placebo": "placebo", "sham": "a sham procedure", "no intervention": "no treatment"}
_SHARED_MUCH, _SHARED_SOME = 0.5, 0.2


def write(row: PairRow) -> str:
    """The rationale of a pair that is one step.

    Raises:
        RefusedError: the pair cannot be asked as one step.
        BadInputError: it cannot be read.
    """
    step = pose(row).step
    return f"{_change(step, row.id)} {_source(step.source, row.id)}"


def _source(source: State, key: str) -> str:
    """How the source's comparison came out."""
    verdict = source.met.verdict if source.met is not None else "undetermined"
    against = _opponent(source.configuration.comparator)
    if verdict == "met":
        found = effect(source)
        clear = found is not None and found.estimate / found.error >= _LARGE_Z
        return _one_of(key, _MET_CLEARLY if clear else _MET).format(against)
    if verdict == "not met":
        return _one_of(key, _NOT_MET).format(against)
    try:
        said = favoured(source)
    except NotScorableError:
        return _one_of(key, _UNKNOWN).format(against)
    return _one_of(key, {"up": _BETTER, "down": _WORSE, "no clear change": _ALIKE}[said]).format(against)


_MET = ("So far it beat {}, with a margin that could be lost.", "It was better than {}, but not by far.")
_MET_CLEARLY = ("So far it clearly beat {}.", "Its lead over {} was large against the noise.")
_NOT_MET = ("So far it did not beat {}.", "It was not shown to be better than {}.")
_BETTER = ("So far it did better than {}.", "The values favour it over {}.")
_WORSE = ("So far it did worse than {}.", "The values favour {} over it.")
_ALIKE = ("So far it and {} were alike.", "It hardly differed from {}.")
_UNKNOWN = ("Whether it beat {} is not said.", "How it compares with {} is open.")


def _change(step: Step, key: str) -> str:
    before, after = step.source.configuration, step.target
    match step.factor:
        case "dose":
            return _dose(step)
        case "arm":
            return _arm(before, after, key)
        case "comparator":
            return _comparator(before, after)
        case "outcome":
            return _outcome(before, after)
        case "time_frame":
            return _time(step)
        case "geography":
            shown = plain(describe.geography_text(after.geography), _LABEL)
            return f"In {shown} the standard of care and the patients may differ, which moves both arms alike."
        case "population":
            return "Other patients start elsewhere, which moves both arms; their difference moves less."
        case "context" | "enrolment":
            return "Another setting moves both arms; their difference moves less."


def _dose(step: Step) -> str:
    opening = opening_of(step.source.configuration, step.perturbation, step.target)
    change = step.perturbation.change
    times = times_the_dose(step.source.configuration.arm, change.dose) if isinstance(change, DoseChange) else None
    if times is not None and opening:
        effect_is = "grow, if it is not" if times > 1 else "shrink, if it was not"
        return f"{opening} the effect should {effect_is} at its plateau."
    name = _class_of(step.source.configuration.arm)
    of = f" of the {name}" if name else ""
    if times is None:
        return f"Another dose{of} whose ratio to the old one is not known."
    return f"The same total dose{of} on another schedule, so little should change."


def _arm(before: Configuration, after: Configuration, key: str) -> str:
    new, old = after.arm, before.arm
    if new.control in _INERT:
        return f"The new arm is {_INERT[new.control]}, so the effect should go."
    shared = agents_of(new) & agents_of(old)
    name = _class_of(new)
    kind = f" ({name})" if name else ""
    if shared and agents_of(new) > agents_of(old):
        return f"The new arm{kind} adds to the old treatment, so the effect should be at least as large."
    if shared and agents_of(new) < agents_of(old):
        return f"The new arm{kind} leaves out a part of the treatment, so the effect should be smaller."
    if shared:
        return f"The new arm{kind} gives the same drug in another way, so the value should stay near."
    return _one_of(
        key,
        (
            f"Another treatment{kind} in the same patients: its value lies between control and the old arm, or near it.",
            f"The new arm{kind} is another treatment of the same patients, whose value should be of the same size.",
        ),
    )


def _comparator(before: Configuration, after: Configuration) -> str:
    old, new = before.comparator, after.comparator
    was_inert = old is not None and old.control in _INERT
    is_inert = new is not None and new.control in _INERT
    if was_inert and not is_inert:
        return "An active comparator in place of an inert one moves towards the arm, so the difference shrinks."
    if is_inert and not was_inert:
        return f"Against {_opponent(new)} in place of a treatment the comparator moves away from the arm, and the gap grows."
    return "The new comparator is of the same kind as the old one, so its value should be near."


def _outcome(before: Configuration, after: Configuration) -> str:
    first, second = measure_key(before.outcome.title), measure_key(after.outcome.title)
    shared = len(first & second) / max(len(first | second), 1)
    how = "closely related to" if shared >= _SHARED_MUCH else "related to" if shared >= _SHARED_SOME else "another matter than"
    roles = {"primary": "the trial was sized for it", "secondary": "the trial was not sized for it"}
    role = roles.get(after.outcome.role, "")
    sized = f", and {role}" if role and after.outcome.role != before.outcome.role else ""
    carries = "the advantage should carry over" if shared >= _SHARED_SOME else "an advantage may not carry over"
    return f"The new outcome is {how} the old one{sized}: {carries}."


def _time(step: Step) -> str:
    opening = opening_of(step.source.configuration, step.perturbation, step.target)
    times = times_as_long(step.source.configuration, step.target)
    if times is None or not opening:
        return "Another time is read, so both arms move along their course."
    if times > 1:
        return f"{opening} both arms go on along their course, and effects build or fade."
    return f"{opening} both arms are nearer to where they began, and less effect has built."


def _opponent(comparator: ArmSpec | None) -> str:
    if comparator is None:
        return "no comparator"
    return _INERT.get(comparator.control, "the active comparator")


def _class_of(arm: ArmSpec) -> str:
    """The class of mechanism of an arm's drugs, by the ends of their names; empty where none is known."""
    words = [word.strip(",.;()").casefold() for name in arm.interventions for word in name.split()]
    named = [word for word in words if not _NO_CLASS.search(word)]
    return next((name for word in named for stem, name in _CLASSES.items() if word.endswith(stem)), "")


def _one_of(key: str, texts: Sequence[str]) -> str:
    """One of several wordings, always the same for a key."""
    return texts[hashlib.sha256(key.encode()).digest()[0] % len(texts)]
