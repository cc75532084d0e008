"""Which trials belong to one programme. Source fields: sponsor with protocol id, secondary ids, acronym."""

from __future__ import annotations

import re

from deepimagine_tui.trials.model import Trial

_WORD = re.compile(r"[^a-z0-9]+")
_PART = re.compile(
    r"[-_/. ]*(?:ext(?:ension)?|ol[e]?|lte?|part ?\d|phase ?\d|stage ?\d|cohort ?\d|follow[- ]?up|am\d+)[-_/. ]*\w{0,2}$"
)
_SHORTEST = 4


def programme_keys(trial: Trial) -> frozenset[str]:
    """Keys that sibling trials share: two trials belong to one programme when any key is common to both.

    Keys are the sponsor's own protocol id without an ending that marks a part or extension, every secondary id, and the acronym
    without its number; each of at least four letters or digits.
    """
    keys: set[str] = set()
    sponsor = _WORD.sub("", trial.sponsor.lower())
    own = _WORD.sub("", _PART.sub("", trial.org_study_id.lower()))
    if len(own) >= _SHORTEST:
        keys.add(f"protocol:{sponsor}:{own}")
        keys.add(f"id:{own}")
    for identifier in trial.secondary_ids:
        plain = _WORD.sub("", identifier.lower())
        if len(plain) >= _SHORTEST:
            keys.add(f"id:{plain}")
    acronym = _WORD.sub("", re.sub(r"[-\s]*\d+$", "", trial.acronym.lower()))
    if len(acronym) >= _SHORTEST:
        keys.add(f"acronym:{acronym}")
    return frozenset(keys)
