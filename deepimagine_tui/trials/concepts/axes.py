"""What the classes of an outcome are: times, components, subgroups, analysis sets, arms, or something else.

Source fields: the class titles, then the registered arms' labels. Order: none, time, analysis set, arm, subgroup, component,
other.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.concepts.links import plain
from deepimagine_tui.trials.concepts.time_titles import differ_in_time, without_time
from deepimagine_tui.trials.results import AxisKind

_SET = re.compile(
    r"\b(?:m?itt|intent(?:ion)?[- ]to[- ]treat|per[- ]protocol|pps?|fas|full analysis|evaluable|safety (?:set|population)"
    r"|completers?|observed cases?|locf|oc|bocf|efficacy population|tvc|atp(?:[- ][ei])?)\b",
)
# fmt: off
_PLAIN_WORDS = frozenset({
    "a", "an", "and", "any", "at", "by", "dose", "for", "from", "in", "no", "not", "of", "on", "only", "or", "other",
    "than", "the", "then", "to", "with", "without", "yes",
})
# fmt: on
_SUBGROUP = re.compile(
    r"\b(?:age[ds]?|years?(?: old| of age)|(?:fe)?males?|men|women|boys|girls|strat(?:um|a)|sub-?group|subset"
    r"|seronegative|seropositive|naive|experienced|race|white|black|asian|hispanic|caucasian"
    r"|region|europe|north america|(?:non-)?smokers?|carriers?|genotype|wild[- ]type|mutant|mutation|histology"
    r"|stage [iv]+|ecog|prior|high risk|low risk|pd-?l1|her-?2|baseline .*[<>≥≤]|[<>≥≤=].* at baseline"
    r"|with diabetes|without diabetes|diabetics?|with \w+ disease|children|adults|adolescents|infants|elderly)\b"
    r"|^\d+ ?(?:-|to) ?<?\d+ (?:years|months)",
)


@lru_cache(maxsize=8192)
def class_axis(titles: tuple[str, ...], arm_labels: tuple[str, ...], intervention_names: tuple[str, ...] = ()) -> AxisKind:
    """The kind of the class axis with these titles; `none` when no class is titled.

    Every title must fit for `time`, `analysis set` and `arm`; most must fit for `subgroup`. Titles that mix a time with
    something else are `other`; all else is a `component`. `intervention_names` are given where the outcome has one group
    only, so that
    its classes may be the arms.
    """
    named = [title.lower() for title in titles if title]
    if not named:
        return "none"
    if differ_in_time(tuple(named)):
        return "time"
    if all(_SET.search(title) for title in named):
        return "analysis set"
    if _are_arms(named, arm_labels, intervention_names):
        return "arm"
    if sum(bool(_SUBGROUP.search(title)) for title in named) * 2 > len(named):
        return "subgroup"
    timed = sum(without_time(title) is not None for title in named)
    return "other" if timed > 1 and timed * 2 > len(named) else "component"


def _are_arms(titles: list[str], arm_labels: tuple[str, ...], intervention_names: tuple[str, ...]) -> bool:
    """Whether the titles are arms' labels, or differ only in words by which arms and interventions are named."""
    if len(titles) < 2:
        return False
    labels = {plain(label) for label in arm_labels}
    if all(plain(title) in labels for title in titles):
        return True
    if not intervention_names:
        return False
    vocabulary = {word for name in (*arm_labels, *intervention_names) for word in plain(name).split()} - _PLAIN_WORDS
    words = [frozenset(plain(title).split()) for title in titles]
    common = frozenset.intersection(*words)
    rests = [rest - common for rest in words]
    return all(rest and rest <= vocabulary for rest in rests) and len(set(rests)) == len(rests)
