"""What the classes of an outcome are: times, components, subgroups, analysis sets, arms, or something else.

Source fields: the class titles, then the registered arms' labels. Order: none, time, analysis set, arm, subgroup, component, other.
"""

from __future__ import annotations

import re
from functools import lru_cache

from deepimagine_tui.trials.concepts.links import plain
from deepimagine_tui.trials.concepts.time_titles import differ_in_time, without_time
from deepimagine_tui.trials.results import AxisKind

_SET = re.compile(
    r"\b(?:m?itt|intent(?:ion)?[- ]to[- ]treat|per[- ]protocol|pps?|fas|full analysis|evaluable|safety (?:set|population)|completers?|observed cases?|locf|oc|bocf|efficacy population|tvc|atp(?:[- ][ei])?)\b",
)
_SUBGROUP = re.compile(
    r"\b(?:age[ds]?|years?(?: old| of age)|(?:fe)?males?|men|women|boys|girls|strat(?:um|a)|sub-?group|subset|seronegative|seropositive|naive|experienced|race|white|black|asian|hispanic|caucasian"
    r"|region|europe|north america|(?:non-)?smokers?|carriers?|genotype|wild[- ]type|mutant|mutation|histology|stage [iv]+|ecog|prior|high risk|low risk|pd-?l1|her-?2|baseline .*[<>≥≤]|[<>≥≤=].* at baseline"
    r"|with diabetes|without diabetes|diabetics?|with \w+ disease|children|adults|adolescents|infants|elderly)\b|^\d+ ?(?:-|to) ?<?\d+ (?:years|months)",
)


@lru_cache(maxsize=8192)
def class_axis(titles: tuple[str, ...], arm_labels: tuple[str, ...]) -> AxisKind:
    """The kind of the class axis with these titles; `none` when no class is titled.

    Every title must fit for `time`, `analysis set` and `arm`; most must fit for `subgroup`. Titles that mix a time with
    something else are `other`; all else is a `component`.
    """
    named = [title.lower() for title in titles if title]
    if not named:
        return "none"
    if differ_in_time(tuple(named)):
        return "time"
    if all(_SET.search(title) for title in named):
        return "analysis set"
    labels = {plain(label) for label in arm_labels}
    if len(named) > 1 and all(plain(title) in labels for title in named):
        return "arm"
    if sum(bool(_SUBGROUP.search(title)) for title in named) * 2 > len(named):
        return "subgroup"
    timed = sum(without_time(title) is not None for title in named)
    return "other" if timed > 1 and timed * 2 > len(named) else "component"
