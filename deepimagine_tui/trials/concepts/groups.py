"""What a column of results is: an arm, a pool, a period, a subgroup or the whole study; and whether it is a control.

Source fields: the group's title, its linked arm's type, the design's intervention model; never its position.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from deepimagine_tui.trials.concepts.vocabulary import any_of
from deepimagine_tui.trials.model import ArmType
from deepimagine_tui.trials.results import GroupKind

Control = Literal["placebo", "sham", "no intervention", "active", "none", "unknown"]

_WHOLE = re.compile(
    r"^(?:overall|total|everyone|entire (?:study |trial )?(?:study|trial|cohort|population|group)|whole (?:study"
    r"|population)|all|overall (?:study|total|population|cohort|group)"
    r"|(?:all|total|overall) (?:study )?(?:participants|patients|subjects|arms|groups|cohorts|randomi[sz]ed(?: \w+)?"
    r"|enrolled(?: \w+)?|treated(?: \w+)?|evaluable(?: \w+)?))\b[^a-z]*$",
)
_POOLED = re.compile(
    r"\b(?:combined|pooled|aggregated?|total)\b(?! (?:with|therapy|treatment|modality|hormone|oral|vaccine|chemo\w*"
    r"|inhib\w*|knee|hip|body|androgen|intravenous|marrow|lymphoid|parenteral|dose|daily))"
    r"|^all (?!grades|cause)(?:\w+[ -]){0,4}(?:doses?|groups|arms|cohorts|dose levels|treatments|regimens|schedules)\b"
    r"|\barms? \w+ (?:and|&|\+) (?:arm )?\w\b|\b(?:groups|cohorts|arms) \w+ ?(?:,|and|&|\+|-)",
)
_PERIOD = any_of(
    "periods? sequence first second third then followed_by crossover cross-over phase_[ab12] treatment_[abcd]{2,4}"
)
_SUBGROUP = any_of(
    r"""strat(?:um|a|ified) subgroup subset aged? years?_(?:old|of_age) (?:fe)?males? men women wild_type mutant
    (?:non_?)?responders? completers
    (?:sero|pcr|her-?2|er|pd-?l1|egfr|kras|brca|marker|biomarker|mutation)_?(?:positive|negative) prior_(?:therapy|treatment)
    treatment_(?:naive|experienced)
    risk_(?:group|patients) low_risk high_risk standard_risk histology: stage_[iv]+ siblings? matched_related unrelated
    mothers? infants? caregivers? who_\w+"""
)
_POPULATION = any_of("relapsed refractory disease patients_with participants_with")
_TREATMENT = re.compile(r"\d ?(?:mg|mcg|µg|μg|ug|g|iu|ml)\b|\bplus\b| \+ |\btherapy\b|\btreatment:|\bchemotherapy\b")
_PLACEBO = re.compile(r"\b(?:placebo|vehicle|dummy|saline)\b")
_SHAM = re.compile(r"\bsham\b")
_NOTHING = re.compile(
    r"\b(?:no (?:treatment|intervention|therapy|drug|vaccine|prophylaxis|further|study)|untreated"
    r"|observation(?:al)?(?: only| arm| alone| group)?|wait(?:ing)?[- ]?list|watchful waiting|deferred"
    r"|delayed (?:treatment|start)|non-?treatment|natural history)\b",
)
_ACTIVE = re.compile(
    r"\b(?:standard[- ]of[- ]care|usual care|standard (?:care|therapy|treatment|arm)|soc|best (?:supportive care"
    r"|available)|active control|control|comparator|reference|conventional)\b",
)
_ADDED = re.compile(r"\b(?:plus|with|and|added to|in addition|on top of|\+)\b|[+/&]")


@lru_cache(maxsize=8192)
def group_kind(title: str, is_crossover: bool, linked_by_label: bool, is_alone: bool) -> GroupKind:
    """What a result group is, from its title. A title that is a registered arm's label is an arm, whatever its words.

    A title that names a treatment is an arm even where it names a population too; a population that is the only group of its
    outcome
    is who the trial was in, no subgroup.
    """
    title = title.lower()
    if linked_by_label and not _WHOLE.match(title):
        return "arm"
    if _WHOLE.match(title):
        return "whole study"
    if _POOLED.search(title):
        return "pooled"
    if is_crossover and _PERIOD.search(title):
        return "crossover period"
    if not _TREATMENT.search(title) and (_SUBGROUP.search(title) or (not is_alone and _POPULATION.search(title))):
        return "subgroup"
    return "arm"


@lru_cache(maxsize=8192)
def control(title: str, arm: ArmType | None) -> Control:
    """Which kind of control a group is: its own words first, then its linked arm's registered type; `none` for a tested arm.

    `Drug A plus placebo` is not a placebo group by its words.
    """
    title = title.lower()
    if _SHAM.search(title):
        return "sham"
    if arm == "placebo comparator":
        return "placebo"
    if (
        _PLACEBO.search(title)
        and not (_ADDED.search(title) and arm not in (None, "unknown", "other"))
        and arm != "experimental"
    ):
        return "unknown" if _ADDED.search(title) else "placebo"
    if _NOTHING.search(title) or arm == "no intervention":
        return "no intervention"
    if arm == "sham comparator":
        return "sham"
    if arm == "active comparator":
        return "active"
    if arm == "experimental":
        return "none"
    return "active" if _ACTIVE.search(title) else "unknown"


def names_addition(title: str) -> bool:
    """Whether a title names more than one thing, as `Placebo + metformin` does."""
    return bool(_ADDED.search(title.lower()))
