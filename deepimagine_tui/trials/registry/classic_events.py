"""The `reported_events` element of the classic XML, brought to the shape of the v2 `adverseEventsModule`."""

from __future__ import annotations

from functools import lru_cache

from lxml import etree

from deepimagine_tui.trials.registry.classic_groups import group_id, groups_of, unknown_element
from deepimagine_tui.trials.registry.fields import Log, Node
from deepimagine_tui.trials.results import AffectedAtRisk

_PATH = "resultsSection.adverseEventsModule"
_TOTALS = {
    "Total, all-cause mortality": ("deathsNumAffected", "deathsNumAtRisk"),
    "Total, serious adverse events": ("seriousNumAffected", "seriousNumAtRisk"),
    "Total, other adverse events": ("otherNumAffected", "otherNumAtRisk"),
}
_COUNTS = {
    "group_id": "groupId",
    "subjects_affected": "numAffected",
    "subjects_at_risk": "numAtRisk",
    "events": "numEvents",
}
_WALKED_PAST = frozenset({"serious_events", "other_events", "category_list", "category", "event_list"})
_LEFT_OUT = frozenset({"frequency_threshold", "default_vocab", "default_assessment", "assessment", "description"})
Stat = AffectedAtRisk | Node


def events_module(events: etree._Element, log: Log) -> Node:
    """The v2-shaped `adverseEventsModule` of a `reported_events` element."""
    groups = groups_of(events.find("group_list"))
    node: Node = {"eventGroups": groups}
    totals = {str(group["id"]): group for group in groups}
    for element in events:
        tag = element.tag
        if tag == "time_frame":
            node["timeFrame"] = element.text or ""
        elif tag == "serious_events":
            node["seriousEvents"] = _terms(element, totals, log)
        elif tag == "other_events":
            node["frequencyThreshold"] = element.findtext("frequency_threshold") or ""
            node["otherEvents"] = _terms(element, totals, log)
        elif tag not in ("desc", "group_list"):
            unknown_element(_PATH, element, log)
    return node


def _terms(side: etree._Element, totals: dict[str, Node], log: Log) -> list[Node]:
    """The terms of one side, walked flat: records hold tens of thousands of elements here, and going down level by level
    costs three times as much."""
    terms: list[Node] = []
    organ_system = ""
    event: Node = {}
    stats: list[Stat] = []
    for element in side.iter():
        tag = element.tag
        if tag == "counts":
            stats.append(_stat(tuple(element.keys()), tuple(element.values())))
        elif tag == "event":
            stats = []
            event = {"term": "", "organSystem": organ_system, "stats": stats}
            terms.append(event)
        elif tag == "sub_title":
            event["term"] = element.text or ""
        elif tag == "title":
            organ_system = element.text or ""
        elif tag not in _WALKED_PAST and tag not in _LEFT_OUT:
            unknown_element(f"{_PATH}.{side.tag}", element, log)
    return [event for event in terms if event["organSystem"] != "Total" or not _is_total(event, totals)]


def _is_total(event: Node, totals: dict[str, Node]) -> bool:
    """Whether a term is one of the totals that the classic lists begin with; the v2 shape holds those with the groups."""
    keys = _TOTALS.get(str(event["term"]))
    stats = event["stats"]
    if keys is None or not isinstance(stats, list):
        return False
    for stat in stats:
        if isinstance(stat, AffectedAtRisk):
            stat = {"groupId": stat.group_id, "numAffected": stat.affected, "numAtRisk": stat.at_risk}
        if stat["groupId"] in totals:
            totals[stat["groupId"]].update({keys[0]: stat.get("numAffected"), keys[1]: stat.get("numAtRisk")})
    return True


@lru_cache(maxsize=32768)
def _stat(names: tuple[str, ...], values: tuple[str, ...]) -> Stat:
    """The counts of one group: finished where they are plain digits, else as an object to look into. Of the thousands in a
    record six in seven are the same as another, so each is understood once; nobody may change what this gives."""
    given = dict(zip(names, values, strict=True))
    node: Node = {_COUNTS.get(name, name): _digits(value) for name, value in given.items()}
    node["groupId"] = group = group_id(given.get("group_id", ""))
    affected, at_risk, events = node.get("numAffected"), node.get("numAtRisk"), node.get("numEvents")
    if (
        type(affected) is int
        and type(at_risk) is int
        and (events is None or type(events) is int)
        and not node.keys() - _COUNTS.values()
    ):
        return AffectedAtRisk(group, affected, at_risk, events)
    return node


def _digits(text: str) -> int | str:
    """Plain digits as the number that the v2 interface gives; anything else as it is, for the reader to record."""
    return int(text) if text.isdecimal() and len(text) < 10 else text
