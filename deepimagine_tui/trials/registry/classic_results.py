"""The `clinical_results` element of the classic XML, brought to the shape of the v2 `resultsSection`."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain

from lxml import etree

from deepimagine_tui.trials.registry.classic_events import events_module
from deepimagine_tui.trials.registry.classic_groups import group_id, groups_of, unknown_element
from deepimagine_tui.trials.registry.fields import Log, Node

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
_CELL = {
    "group_id": "groupId",
    "value": "value",
    "spread": "spread",
    "lower_limit": "lowerLimit",
    "upper_limit": "upperLimit",
}
_WALKED_PAST = frozenset(
    {"class_list", "category_list", "measurement_list", "analyzed", "units", "scope", "count_list", "count"}
)
# fmt: off
_FLOW = frozenset({
    "recruitment_details", "pre_assignment_details", "group_list", "title", "period_list", "period", "milestone_list",
    "milestone", "drop_withdraw_reason_list", "drop_withdraw_reason", "participants_list", "participants",
})
_BASELINE = frozenset({"population", "group_list", "analyzed_list", "measure_list"})
_SECTIONS = frozenset({
    "participant_flow", "baseline", "outcome_list", "reported_events", "certain_agreements", "point_of_contact",
    "limitations_and_caveats",
})
# fmt: on


def results_section(results: etree._Element, log: Log) -> Node:
    """The v2-shaped `resultsSection` of a `clinical_results` element."""
    section: Node = {}
    for element in results:
        if element.tag == "participant_flow":
            section["participantFlowModule"] = _flow(element, log)
        elif element.tag == "baseline":
            section["baselineCharacteristicsModule"] = _baseline(element, log)
        elif element.tag == "outcome_list":
            outcomes = [
                _outcome(outcome, f"resultsSection.outcomeMeasuresModule.outcomeMeasures[{index}]", log)
                for index, outcome in enumerate(element)
            ]
            section["outcomeMeasuresModule"] = {"outcomeMeasures": outcomes}
        elif element.tag == "reported_events":
            section["adverseEventsModule"] = events_module(element, log)
        elif element.tag == "limitations_and_caveats":
            section["moreInfoModule"] = {"limitationsAndCaveats": {"description": element.text or ""}}
        elif element.tag not in _SECTIONS:
            unknown_element("resultsSection", element, log)
    return section


def _flow(flow: etree._Element, log: Log) -> Node:
    for element in chain(flow, flow.iterfind("period_list//*")):
        if element.tag not in _FLOW:
            unknown_element("resultsSection.participantFlowModule", element, log)
    periods: list[Node] = []
    for period in flow.iterfind("period_list/period"):
        node: Node = {"title": period.findtext("title") or ""}
        node["milestones"] = _rows(period.find("milestone_list"), "achievements")
        node["dropWithdraws"] = _rows(period.find("drop_withdraw_reason_list"), "reasons")
        periods.append(node)
    return {"groups": groups_of(flow.find("group_list")), "periods": periods}


def _rows(rows: etree._Element | None, counts: str) -> list[Node]:
    found: list[Node] = []
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


def _denoms(analyzed_list: etree._Element | None) -> list[Node]:
    found: list[Node] = []
    for analyzed in analyzed_list if analyzed_list is not None else ():
        node: Node = {}
        for item in analyzed:
            if item.tag == "count_list":
                node["counts"] = [
                    {"groupId": group_id(count.get("group_id", "")), "value": count.get("value")} for count in item
                ]
            else:
                node[item.tag] = item.text or ""
        found.append(node)
    return found


def _baseline(baseline: etree._Element, log: Log) -> Node:
    for element in baseline:
        if element.tag not in _BASELINE:
            unknown_element("resultsSection.baselineCharacteristicsModule", element, log)
    node: Node = {"groups": groups_of(baseline.find("group_list"))}
    denoms = _denoms(baseline.find("analyzed_list"))
    measures: list[Node] = []
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
            node["groups"] = groups_of(element)
        elif tag == "measure":
            node.update(_measure(element, path, log, older_titles_are_classes=True))
        elif tag == "measure_list":
            _older_measures(node, element, path, log)
        elif tag == "analysis_list":
            node["analyses"] = [_analysis(item, f"{path}.analyses[{at}]", log) for at, item in enumerate(element)]
        else:
            unknown_element(path, element, log)
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


def _as_denoms(measure: Node) -> list[Node]:
    counts: list[Node] = []
    classes = measure.get("classes")
    for item in classes if isinstance(classes, list) else []:
        for category in item["categories"]:
            counts += [{"groupId": cell["groupId"], "value": cell.get("value")} for cell in category["measurements"]]
    return [{"units": "Participants", "counts": counts}]


def _measure(measure: etree._Element, path: str, log: Log, *, older_titles_are_classes: bool) -> Node:
    node: Node = {}
    for element in measure:
        tag = element.tag
        if tag in _MEASURE:
            node[_MEASURE[tag]] = element.text or ""
        elif tag == "class_list":
            node["classes"] = _classes(element, path, log)
        elif tag == "analyzed_list":
            node["denoms"] = _denoms(element)
        elif tag == "category_list":
            categories = _classes(element, path, log)
            if older_titles_are_classes:
                node["classes"] = [{"title": category.pop("title", ""), "categories": [category]} for category in categories]
            else:
                node["classes"] = [{"categories": categories}]
        else:
            unknown_element(path, element, log)
    return node


def _classes(root: etree._Element, path: str, log: Log) -> list[Node]:
    """The classes of a `class_list`, or the categories of a `category_list`, walked flat: records hold hundreds of thousands
    of elements here, and going down level by level costs three times as much."""
    classes: list[Node] = []
    categories: list[Node] = []
    strays: list[Node] = []
    measurements = strays
    titled: Node = {}
    for element in root.iter():
        tag = element.tag
        if tag == "measurement":
            measurements.append(_measurement(element))
        elif tag == "category":
            measurements = []
            titled = {"measurements": measurements}
            categories.append(titled)
        elif tag == "class":
            categories, measurements = [], strays
            titled = {"categories": categories}
            classes.append(titled)
        elif tag in ("title", "sub_title"):
            titled["title"] = element.text or ""
        elif tag == "analyzed_list":
            titled["denoms"] = _denoms(element)
        elif tag not in _WALKED_PAST:
            unknown_element(path, element, log)
    if strays:
        log.add(f"{path}.classes", "misplaced-field", f"{len(strays)} measurements outside a category were left out.")
    return classes if root.tag == "class_list" else categories


def _measurement(item: etree._Element) -> Node:
    node: Node = dict(zip(_cell_fields(tuple(item.keys())), item.values(), strict=True))
    node["groupId"] = group_id(str(node.get("groupId", "")))
    comment = item.text
    if comment is not None:
        node["comment"] = comment
    return node


@lru_cache(maxsize=256)
def _cell_fields(attributes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_CELL.get(name, name) for name in attributes)


def _analysis(analysis: etree._Element, path: str, log: Log) -> Node:
    node: Node = {}
    for element in analysis:
        if element.tag == "group_id_list":
            node["groupIds"] = [group_id(item.text or "") for item in element]
        elif element.tag in _ANALYSIS:
            node[_ANALYSIS[element.tag]] = element.text or ""
        else:
            unknown_element(path, element, log)
    return node
