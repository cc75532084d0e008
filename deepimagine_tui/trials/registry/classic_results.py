"""The `clinical_results` element of the classic XML, brought to the shape of the v2 `resultsSection`."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from deepimagine_tui.trials.registry.fields import Log, Node
from deepimagine_tui.trials.results import AffectedAtRisk

_GROUP = re.compile(r"^([OPBE])(\d+)$")
_PREFIX = {"O": "OG", "P": "FG", "B": "BG", "E": "EG"}
_COUNT_TITLES = frozenset({"number of participants", "number of participants analyzed"})

_ANALYSIS = {
    "groups_desc": "groupDescription",
    "non_inferiority_type": "nonInferiorityType",
    "non_inferiority_desc": "nonInferiorityComment",
    "non_inferiority": "testedNonInferiority",
    "p_value": "pValue",
    "p_value_desc": "pValueComment",
    "method": "statisticalMethod",
    "method_desc": "statisticalComment",
    "param_type": "paramType",
    "param_value": "paramValue",
    "dispersion_type": "dispersionType",
    "dispersion_value": "dispersionValue",
    "ci_percent": "ciPctValue",
    "ci_n_sides": "ciNumSides",
    "ci_lower_limit": "ciLowerLimit",
    "ci_lower_limit_na_comment": "ciLowerLimitComment",
    "ci_upper_limit": "ciUpperLimit",
    "ci_upper_limit_na_comment": "ciUpperLimitComment",
    "estimate_desc": "estimateComment",
    "other_analysis_desc": "otherAnalysisDescription",
}
_MEASURE = {
    "title": "title",
    "description": "description",
    "population": "populationDescription",
    "units": "unitOfMeasure",
    "param": "paramType",
    "dispersion": "dispersionType",
    "units_analyzed": "typeUnitsAnalyzed",
}
_OUTCOME = {
    "type": "type",
    "title": "title",
    "description": "description",
    "time_frame": "timeFrame",
    "safety_issue": "",
    "population": "populationDescription",
    "posting_date": "anticipatedPostingDate",
}
_TOTALS = {
    "Total, all-cause mortality": ("deathsNumAffected", "deathsNumAtRisk"),
    "Total, serious adverse events": ("seriousNumAffected", "seriousNumAtRisk"),
    "Total, other adverse events": ("otherNumAffected", "otherNumAtRisk"),
}
_CELL: dict[str | bytes, str] = {
    "group_id": "groupId",
    "value": "value",
    "spread": "spread",
    "lower_limit": "lowerLimit",
    "upper_limit": "upperLimit",
}
# fmt: off
_SECTIONS = frozenset({
    "participant_flow", "baseline", "outcome_list", "reported_events", "certain_agreements", "point_of_contact",
    "limitations_and_caveats",
})
# fmt: on


@lru_cache(maxsize=4096)
def group_id(text: str) -> str:
    """The v2 form of a classic group id: `O1` is `OG000`; an id of another form stays as it is."""
    found = _GROUP.match(text)
    return f"{_PREFIX[found[1]]}{max(int(found[2]) - 1, 0):03d}" if found else text


def results_section(results: etree._Element, log: Log) -> Node:
    """The v2-shaped `resultsSection` of a `clinical_results` element."""
    section: Node = {}
    for element in results:
        if element.tag == "participant_flow":
            section["participantFlowModule"] = _flow(element)
        elif element.tag == "baseline":
            section["baselineCharacteristicsModule"] = _baseline(element, log)
        elif element.tag == "outcome_list":
            outcomes = [
                _outcome(outcome, f"resultsSection.outcomeMeasuresModule.outcomeMeasures[{index}]", log)
                for index, outcome in enumerate(element)
            ]
            section["outcomeMeasuresModule"] = {"outcomeMeasures": outcomes}
        elif element.tag == "reported_events":
            section["adverseEventsModule"] = _events(element, log)
        elif element.tag == "limitations_and_caveats":
            section["moreInfoModule"] = {"limitationsAndCaveats": {"description": element.text or ""}}
        elif element.tag not in _SECTIONS:
            _unknown("resultsSection", element, log)
    return section


def _unknown(path: str, element: etree._Element, log: Log) -> None:
    log.add(f"{path}.{element.tag}", "unknown-field", "This element is not known to the reader and was left out.")


def _groups(groups: etree._Element | None) -> list[object]:
    found: list[object] = []
    for element in groups if groups is not None else ():
        group: Node = {"id": group_id(element.get("group_id", ""))}
        for item in element:
            group[item.tag] = item.text or ""
        found.append(group)
    return found


def _flow(flow: etree._Element) -> Node:
    periods: list[object] = []
    for period in flow.iterfind("period_list/period"):
        node: Node = {"title": period.findtext("title") or ""}
        node["milestones"] = _rows(period.find("milestone_list"), "achievements")
        node["dropWithdraws"] = _rows(period.find("drop_withdraw_reason_list"), "reasons")
        periods.append(node)
    return {"groups": _groups(flow.find("group_list")), "periods": periods}


def _rows(rows: etree._Element | None, counts: str) -> list[object]:
    found: list[object] = []
    for row in rows if rows is not None else ():
        node: Node = {}
        for item in row:
            if item.tag == "title":
                node["type"] = item.text or ""
            else:
                node[counts] = [
                    {"groupId": group_id(cell.get("group_id", "")), "numSubjects": cell.get("count")} for cell in item
                ]
        found.append(node)
    return found


def _denoms(analyzed_list: etree._Element | None) -> list[object]:
    found: list[object] = []
    for analyzed in analyzed_list if analyzed_list is not None else ():
        node: Node = {}
        for item in analyzed:
            if item.tag == "units":
                node["units"] = item.text or ""
            elif item.tag == "count_list":
                node["counts"] = [
                    {"groupId": group_id(count.get("group_id", "")), "value": count.get("value")} for count in item
                ]
        found.append(node)
    return found


def _baseline(baseline: etree._Element, log: Log) -> Node:
    node: Node = {"groups": _groups(baseline.find("group_list"))}
    denoms = _denoms(baseline.find("analyzed_list"))
    measures: list[object] = []
    for index, element in enumerate(baseline.iterfind("measure_list/measure")):
        path = f"resultsSection.baselineCharacteristicsModule.measures[{index}]"
        measure = _measure(element, path, log, older_titles_are_classes=False)
        if not denoms and _counts_participants(measure):
            denoms = _as_denoms(measure)
        else:
            measures.append(measure)
    node["denoms"] = denoms
    node["measures"] = measures
    return node


def _outcome(outcome: etree._Element, path: str, log: Log) -> Node:
    node: Node = {}
    for element in outcome:
        tag = element.tag
        if tag in _OUTCOME:
            if _OUTCOME[tag]:
                node[_OUTCOME[tag]] = element.text or ""
        elif tag == "group_list":
            node["groups"] = _groups(element)
        elif tag == "measure":
            node.update(_measure(element, path, log, older_titles_are_classes=True))
        elif tag == "measure_list":
            _older_measures(node, element, path, log)
        elif tag == "analysis_list":
            node["analyses"] = [_analysis(item, f"{path}.analyses[{at}]", log) for at, item in enumerate(element)]
        else:
            _unknown(path, element, log)
    if "denoms" in node and "typeUnitsAnalyzed" in node:
        node["denomUnitsSelected"] = node["typeUnitsAnalyzed"]
    return node


def _older_measures(node: Node, measures: etree._Element, path: str, log: Log) -> None:
    """The older records give the number analysed as a first measure beside the measure itself."""
    for element in measures:
        measure = _measure(element, path, log, older_titles_are_classes=True)
        if _counts_participants(measure) and "denoms" not in node:
            node["denoms"] = _as_denoms(measure)
        elif "classes" in node:
            log.add(path, "second-measure", f"An outcome with a second measure, left out: {measure.get('title')}")
        else:
            node.update(measure)


def _counts_participants(measure: Node) -> bool:
    return str(measure.get("title")).lower() in _COUNT_TITLES


def _as_denoms(measure: Node) -> list[object]:
    counts: list[object] = []
    classes = measure.get("classes")
    for item in classes if isinstance(classes, list) else []:
        for category in item["categories"]:
            counts += [{"groupId": cell["groupId"], "value": cell["value"]} for cell in category["measurements"]]
    return [{"units": "Participants", "counts": counts}]


def _measure(measure: etree._Element, path: str, log: Log, *, older_titles_are_classes: bool) -> Node:
    node: Node = {}
    for element in measure:
        tag = element.tag
        if tag in _MEASURE:
            node[_MEASURE[tag]] = element.text or ""
        elif tag == "class_list":
            node["classes"] = [_class(item) for item in element]
        elif tag == "analyzed_list":
            node["denoms"] = _denoms(element)
        elif tag == "category_list":
            categories = [_category(item) for item in element]
            if older_titles_are_classes:
                node["classes"] = [{"title": category.pop("title", ""), "categories": [category]} for category in categories]
            else:
                node["classes"] = [{"categories": list(categories)}]
        else:
            _unknown(path, element, log)
    return node


def _class(item: etree._Element) -> Node:
    node: Node = {}
    for element in item:
        if element.tag == "title":
            node["title"] = element.text or ""
        elif element.tag == "category_list":
            node["categories"] = [_category(category) for category in element]
        elif element.tag == "analyzed_list":
            node["denoms"] = _denoms(element)
    return node


def _category(category: etree._Element) -> Node:
    node: Node = {}
    for element in category:
        if element.tag == "measurement_list":
            node["measurements"] = [_measurement(item) for item in element]
        elif element.tag in ("title", "sub_title"):
            node["title"] = element.text or ""
    return node


def _measurement(item: etree._Element) -> Node:
    """The attributes are read in one go: there are tens of thousands in a corpus and each access costs."""
    node: Node = {_CELL[name]: value for name, value in item.items() if name in _CELL}
    node["groupId"] = group_id(str(node.get("groupId", "")))
    comment = item.text
    if comment is not None:
        node["comment"] = comment
    return node


def _analysis(analysis: etree._Element, path: str, log: Log) -> Node:
    node: Node = {}
    for element in analysis:
        if element.tag == "group_id_list":
            node["groupIds"] = [group_id(item.text or "") for item in element]
        elif element.tag in _ANALYSIS:
            node[_ANALYSIS[element.tag]] = element.text or ""
        else:
            _unknown(path, element, log)
    return node


def _events(events: etree._Element, log: Log) -> Node:
    groups = _groups(events.find("group_list"))
    node: Node = {"eventGroups": groups}
    totals: dict[str, Node] = {str(group["id"]): group for group in groups if isinstance(group, dict)}
    for element in events:
        tag = element.tag
        if tag == "time_frame":
            node["timeFrame"] = element.text or ""
        elif tag == "serious_events":
            node["seriousEvents"] = _terms(element.find("category_list"), totals)
        elif tag == "other_events":
            node["frequencyThreshold"] = element.findtext("frequency_threshold") or ""
            node["otherEvents"] = _terms(element.find("category_list"), totals)
        elif tag not in ("desc", "group_list"):
            _unknown("resultsSection.adverseEventsModule", element, log)
    return node


def _terms(categories: etree._Element | None, totals: dict[str, Node]) -> list[object]:
    terms: list[object] = []
    for category in categories if categories is not None else ():
        organ_system = ""
        for element in category:
            if element.tag == "title":
                organ_system = element.text or ""
            elif element.tag == "event_list":
                for event in element:
                    term, stats = _event(event)
                    keys = _TOTALS.get(term) if organ_system == "Total" else None
                    if keys:
                        _put_totals(stats, keys, totals)
                    else:
                        terms.append({"term": term, "organSystem": organ_system, "stats": stats})
    return terms


def _event(event: etree._Element) -> tuple[str, list[object]]:
    term = ""
    stats: list[object] = []
    for element in event:
        if element.tag == "counts":
            stats.append(_stat(element))
        elif element.tag == "sub_title":
            term = element.text or ""
    return term, stats


def _put_totals(stats: list[object], keys: tuple[str, str], totals: dict[str, Node]) -> None:
    """The first terms of the classic lists are totals, which the v2 shape holds with the groups."""
    for stat in stats:
        if isinstance(stat, AffectedAtRisk):
            stat = {"groupId": stat.group_id, "numAffected": stat.affected, "numAtRisk": stat.at_risk}
        if isinstance(stat, dict) and stat["groupId"] in totals:
            totals[stat["groupId"]].update({keys[0]: stat["numAffected"], keys[1]: stat["numAtRisk"]})


def _stat(element: etree._Element) -> AffectedAtRisk | Node:
    """The counts of one group: finished where they are plain digits, since records hold thousands; else as an object to look
    into."""
    group = group_id(element.get("group_id", ""))
    affected, at_risk = _digits(element.get("subjects_affected")), _digits(element.get("subjects_at_risk"))
    events = _digits(element.get("events"))
    if type(affected) is int and type(at_risk) is int and (events is None or type(events) is int):
        return AffectedAtRisk(group, affected, at_risk, events)
    return {"groupId": group, "numEvents": events, "numAffected": affected, "numAtRisk": at_risk}


@lru_cache(maxsize=16384)
def _digits(text: str | None) -> int | str | None:
    """Plain digits as the number that the v2 interface gives; anything else as it is, for the reader to record."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else text
