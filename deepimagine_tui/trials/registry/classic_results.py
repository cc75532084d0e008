"""The `clinical_results` element of the classic XML, brought to the shape of the v2 `resultsSection`."""

from __future__ import annotations

import re

from lxml import etree

from deepimagine_tui.trials.registry.fields import Log, Node

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
_SECTIONS = frozenset(
    "participant_flow baseline outcome_list reported_events certain_agreements point_of_contact limitations_and_caveats".split()
)


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


def _groups(parent: etree._Element) -> list[object]:
    groups: list[object] = []
    for element in parent.iterfind("group_list/group"):
        group: Node = {"id": group_id(element.get("group_id") or ""), "title": element.findtext("title") or ""}
        description = element.findtext("description")
        if description is not None:
            group["description"] = description
        groups.append(group)
    return groups


def _flow(flow: etree._Element) -> Node:
    periods: list[object] = []
    for period in flow.iterfind("period_list/period"):
        node: Node = {"title": period.findtext("title") or ""}
        node["milestones"] = _rows(period, "milestone_list/milestone", "achievements")
        node["dropWithdraws"] = _rows(period, "drop_withdraw_reason_list/drop_withdraw_reason", "reasons")
        periods.append(node)
    return {"groups": _groups(flow), "periods": periods}


def _rows(period: etree._Element, path: str, counts: str) -> list[object]:
    return [
        {
            "type": row.findtext("title") or "",
            counts: [
                {"groupId": group_id(cell.get("group_id") or ""), "numSubjects": cell.get("count")}
                for cell in row.iterfind("participants_list/participants")
            ],
        }
        for row in period.iterfind(path)
    ]


def _denoms(parent: etree._Element) -> list[object]:
    return [
        {
            "units": analyzed.findtext("units") or "",
            "counts": [
                {"groupId": group_id(count.get("group_id") or ""), "value": count.get("value")}
                for count in analyzed.iterfind("count_list/count")
            ],
        }
        for analyzed in parent.iterfind("analyzed_list/analyzed")
    ]


def _baseline(baseline: etree._Element, log: Log) -> Node:
    node: Node = {"groups": _groups(baseline)}
    denoms = _denoms(baseline)
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
            node["groups"] = _groups(outcome)
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
            node["denoms"] = _denoms(measure)
        elif tag == "category_list":
            categories = [_category(item) for item in element]
            if older_titles_are_classes:
                node["classes"] = [
                    {"title": category.pop("title", ""), "categories": [category]} for category in categories
                ]
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
            node["denoms"] = _denoms(item)
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
    node: Node = {"groupId": group_id(item.get("group_id") or ""), "value": item.get("value")}
    spread, lower, upper, comment = item.get("spread"), item.get("lower_limit"), item.get("upper_limit"), item.text
    if spread is not None:
        node["spread"] = spread
    if lower is not None:
        node["lowerLimit"] = lower
    if upper is not None:
        node["upperLimit"] = upper
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
    groups = _groups(events)
    node: Node = {"eventGroups": groups}
    totals: dict[str, Node] = {str(group["id"]): group for group in groups if isinstance(group, dict)}
    for element in events:
        tag = element.tag
        if tag == "time_frame":
            node["timeFrame"] = element.text or ""
        elif tag == "serious_events":
            node["seriousEvents"] = _terms(element, totals)
        elif tag == "other_events":
            node["frequencyThreshold"] = element.findtext("frequency_threshold") or ""
            node["otherEvents"] = _terms(element, totals)
        elif tag not in ("desc", "group_list"):
            _unknown("resultsSection.adverseEventsModule", element, log)
    return node


def _terms(section: etree._Element, totals: dict[str, Node]) -> list[object]:
    terms: list[object] = []
    ids: dict[str, str] = {}
    for category in section.iterfind("category_list/category"):
        organ_system = category.findtext("title") or ""
        for event in category.iterfind("event_list/event"):
            term = ""
            stats: list[object] = []
            for element in event:
                if element.tag == "counts":
                    attributes = dict(element.attrib)
                    key = attributes.get("group_id", "")
                    if key not in ids:
                        ids[key] = group_id(key)
                    stat: Node = {"groupId": ids[key]}
                    for name, v2 in _STAT:
                        if name in attributes:
                            stat[v2] = attributes[name]
                    stats.append(stat)
                elif element.tag == "sub_title":
                    term = element.text or ""
            keys = _TOTALS.get(term)
            if keys and organ_system == "Total":
                for stat in stats:
                    if isinstance(stat, dict) and stat["groupId"] in totals:
                        group = totals[stat["groupId"]]
                        group[keys[0]], group[keys[1]] = stat.get("numAffected"), stat.get("numAtRisk")
            else:
                terms.append({"term": term, "organSystem": organ_system, "stats": stats})
    return terms


_STAT = (("events", "numEvents"), ("subjects_affected", "numAffected"), ("subjects_at_risk", "numAtRisk"))
