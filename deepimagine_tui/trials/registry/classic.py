"""The classic registry XML, brought to the shape of the v2 JSON. Knows element names, never what they mean.

A `clinical_study` element becomes the object that the v2 interface would give for it, as far as the reader uses it.
"""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

from deepimagine_tui.trials.registry.classic_known import record_unknown_elements
from deepimagine_tui.trials.registry.classic_results import results_section
from deepimagine_tui.trials.registry.fields import Log, Node

_MONTHS = {
    name: f"{number:02d}"
    for number, name in enumerate(
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
        start=1,
    )
}
_LONG_DATE = re.compile(r"^([A-Z][a-z]+)(?: (\d{1,2}),)? (\d{4})$")
_DESIGN_PART = re.compile(r"([A-Z][A-Za-z ]+): +((?:[^,(]|\([^)]*\))+)")
_ARM = {"arm_group_label": "label", "arm_group_type": "type", "description": "description"}
_INTERVENTION = {"intervention_type": "type", "intervention_name": "name", "description": "description"}
_PLANNED = {"measure": "measure", "time_frame": "timeFrame"}
_SITE_COUNTRIES = etree.XPath("location/facility/address/country/text()", smart_strings=False)
_OBSERVATIONAL = re.compile(r"^Observational \[(.+)\]$")


class _Parts:
    """The children of the root by tag, found in one pass: records hold hundreds of sites among them."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._by_tag: dict[str, list[etree._Element]] = {}
        for element in root:
            self._by_tag.setdefault(element.tag, []).append(element)

    def all(self, tag: str) -> list[etree._Element]:
        return self._by_tag.get(tag, [])

    def first(self, tag: str) -> etree._Element | None:
        found = self._by_tag.get(tag)
        return found[0] if found else None

    def text(self, tag: str, path: str = "") -> str | None:
        """The text of the first such child, or of what `path` leads to within it; `None` when absent."""
        element = self.first(tag)
        if element is None:
            return None
        return element.findtext(path) if path else element.text or ""

    def texts(self, tag: str, path: str = "") -> list[object]:
        """The texts of all such children, or of what `path` leads to within them."""
        if not path:
            return [element.text or "" for element in self.all(tag)]
        return [found.text or "" for found in self._root.iterfind(f"{tag}/{path}")] if tag in self._by_tag else []

    def site_countries(self) -> list[str]:
        """The country of every site. Asked in one go: a record may hold a thousand sites."""
        return cast("list[str]", _SITE_COUNTRIES(self._root)) if "location" in self._by_tag else []

    def put(self, node: Node, key: str, tag: str, path: str = "") -> None:
        """Set `key` where the text is there."""
        value = self.text(tag, path)
        if value is not None:
            node[key] = value


def to_v2(root: etree._Element, log: Log) -> Node:
    """The v2-shaped object of a `clinical_study` element; elements that nobody knows are recorded in `log`."""
    parts = _Parts(root)
    record_unknown_elements(root, log)
    study: Node = {"protocolSection": _protocol(parts), "derivedSection": _derived(parts)}
    results = parts.first("clinical_results")
    if results is not None:
        study["resultsSection"] = results_section(results, log)
    return study


def iso_date(text: str) -> str:
    """`June 25, 2007` as `2007-06-25`, `June 2007` as `2007-06`; any other text as it is."""
    found = _LONG_DATE.match(" ".join(text.split()))
    month = _MONTHS.get(found[1]) if found else None
    if found is None or month is None:
        return text
    return f"{found[3]}-{month}-{int(found[2]):02d}" if found[2] else f"{found[3]}-{month}"


def _date(node: Node, key: str, element: etree._Element | None) -> None:
    if element is not None:
        struct: Node = {"date": iso_date(element.text or "")}
        kind = element.get("type")
        if kind:
            struct["type"] = kind
        node[key] = struct


def _protocol(parts: _Parts) -> Node:
    sponsors = parts.first("sponsors")
    return {
        "identificationModule": _identification(parts),
        "statusModule": _status(parts),
        "sponsorCollaboratorsModule": _sponsors(sponsors) if sponsors is not None else {},
        "descriptionModule": {"briefSummary": parts.text("brief_summary", "textblock") or ""},
        "conditionsModule": {"conditions": parts.texts("condition"), "keywords": parts.texts("keyword")},
        "designModule": _design(parts),
        "armsInterventionsModule": _arms(parts),
        "outcomesModule": {
            "primaryOutcomes": [_planned(element) for element in parts.all("primary_outcome")],
            "secondaryOutcomes": [_planned(element) for element in parts.all("secondary_outcome")],
            "otherOutcomes": [_planned(element) for element in parts.all("other_outcome")],
        },
        "eligibilityModule": _eligibility(parts),
        "contactsLocationsModule": {"locations": _locations(parts)},
    }


def _identification(parts: _Parts) -> Node:
    node: Node = {"orgStudyIdInfo": {"id": parts.text("id_info", "org_study_id") or ""}}
    parts.put(node, "nctId", "id_info", "nct_id")
    parts.put(node, "briefTitle", "brief_title")
    parts.put(node, "officialTitle", "official_title")
    parts.put(node, "acronym", "acronym")
    node["secondaryIdInfos"] = [{"id": value} for value in parts.texts("id_info", "secondary_id")]
    return node


def _status(parts: _Parts) -> Node:
    node: Node = {}
    parts.put(node, "overallStatus", "overall_status")
    parts.put(node, "whyStopped", "why_stopped")
    _date(node, "startDateStruct", parts.first("start_date"))
    _date(node, "primaryCompletionDateStruct", parts.first("primary_completion_date"))
    _date(node, "completionDateStruct", parts.first("completion_date"))
    for key, submitted, tag, older in (
        ("studyFirstPostDateStruct", "studyFirstSubmitDate", "study_first_posted", "firstreceived_date"),
        ("resultsFirstPostDateStruct", "resultsFirstSubmitDate", "results_first_posted", "firstreceived_results_date"),
        ("lastUpdatePostDateStruct", "lastUpdateSubmitDate", "last_update_posted", "lastchanged_date"),
    ):
        element = parts.first(tag)
        _date(node, key, element)
        value = parts.text(older) if element is None else None
        if value is not None:
            node[submitted] = iso_date(value)
    return node


def _sponsors(sponsors: etree._Element) -> Node:
    return {
        "leadSponsor": next((_agency(element) for element in sponsors.iterfind("lead_sponsor")), {}),
        "collaborators": [_agency(element) for element in sponsors.iterfind("collaborator")],
    }


def _agency(element: etree._Element) -> Node:
    return {"name": element.findtext("agency") or "", "class": element.findtext("agency_class") or ""}


def _design(parts: _Parts) -> Node:
    kind = parts.text("study_type") or ""
    node: Node = {}
    registry = _OBSERVATIONAL.match(kind)
    if registry:
        kind = "Observational"
        node["patientRegistry"] = True
    node["studyType"] = kind
    phase = parts.text("phase")
    node["phases"] = [] if phase is None else phase.split("/") if phase != "N/A" else [phase]
    info: Node = {}
    if parts.first("study_design_info") is not None:
        parts.put(info, "allocation", "study_design_info", "allocation")
        parts.put(info, "interventionModel", "study_design_info", "intervention_model")
        parts.put(info, "primaryPurpose", "study_design_info", "primary_purpose")
        masking = parts.text("study_design_info", "masking")
        if masking is not None:
            info["maskingInfo"] = {"masking": masking}
    else:
        _read_design_line(info, parts.text("study_design") or "")
    node["designInfo"] = info
    enrolment = parts.first("enrollment")
    if enrolment is not None:
        node["enrollmentInfo"] = {"count": enrolment.text or "", "type": enrolment.get("type") or ""}
    return node


def _read_design_line(info: Node, line: str) -> None:
    """The older records hold one line: `Allocation: Randomized, Intervention Model: …, Masking: …`."""
    keys = {"Allocation": "allocation", "Intervention Model": "interventionModel", "Primary Purpose": "primaryPurpose"}
    for found in _DESIGN_PART.finditer(line):
        if found[1] == "Masking":
            info["maskingInfo"] = {"masking": found[2]}
        elif found[1] in keys:
            info[keys[found[1]]] = found[2]


def _arms(parts: _Parts) -> Node:
    arms: list[Node] = []
    names: dict[str, list[object]] = {}
    for element in parts.all("arm_group"):
        arm: Node = {_ARM[item.tag]: item.text or "" for item in element if item.tag in _ARM}
        arm["interventionNames"] = names.setdefault(str(arm.get("label", "")), [])
        arms.append(arm)
    interventions: list[Node] = []
    for element in parts.all("intervention"):
        labels: list[str] = []
        others: list[str] = []
        node: Node = {"armGroupLabels": labels, "otherNames": others}
        for item in element:
            if item.tag == "arm_group_label":
                labels.append(item.text or "")
            elif item.tag == "other_name":
                others.append(item.text or "")
            elif item.tag in _INTERVENTION:
                node[_INTERVENTION[item.tag]] = item.text or ""
        interventions.append(node)
        for label in labels:
            if label in names:
                names[label].append(f"{node.get('type', '')}: {node.get('name', '')}")
    return {"armGroups": list(arms), "interventions": list(interventions)}


def _planned(element: etree._Element) -> Node:
    return {_PLANNED[item.tag]: item.text or "" for item in element if item.tag in _PLANNED}


def _eligibility(parts: _Parts) -> Node:
    node: Node = {}
    parts.put(node, "eligibilityCriteria", "eligibility", "criteria/textblock")
    parts.put(node, "sex", "eligibility", "gender")
    parts.put(node, "minimumAge", "eligibility", "minimum_age")
    parts.put(node, "maximumAge", "eligibility", "maximum_age")
    healthy = parts.text("eligibility", "healthy_volunteers")
    if healthy is not None:
        node["healthyVolunteers"] = {"No": False, "Accepts Healthy Volunteers": True}.get(healthy, healthy)
    return node


def _locations(parts: _Parts) -> list[object]:
    sites: list[object] = [{"country": country} for country in parts.site_countries()]
    return sites or [{"countryOnly": country} for country in parts.texts("location_countries", "country")]


def _derived(parts: _Parts) -> Node:
    return {
        "conditionBrowseModule": {"meshes": [{"term": term} for term in parts.texts("condition_browse", "mesh_term")]},
        "interventionBrowseModule": {"meshes": [{"term": term} for term in parts.texts("intervention_browse", "mesh_term")]},
    }
