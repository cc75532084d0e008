"""The classic registry XML, brought to the shape of the v2 JSON. Knows element names, never what they mean.

A `clinical_study` element becomes the object that the v2 interface would give for it, as far as the reader uses it.
"""

from __future__ import annotations

import re

from lxml import etree

from deepimagine_tui.trials.registry.classic_results import results_section
from deepimagine_tui.trials.registry.fields import Log, Node

_MONTHS = {
    name: f"{number:02d}"
    for number, name in enumerate(
        "January February March April May June July August September October November December".split(), start=1
    )
}
_LONG_DATE = re.compile(r"^([A-Z][a-z]+)(?: (\d{1,2}),)? (\d{4})$")
_OBSERVATIONAL = re.compile(r"^Observational \[(.+)\]$")

_READ = frozenset(
    """id_info brief_title official_title acronym sponsors brief_summary detailed_description overall_status why_stopped start_date
    completion_date primary_completion_date phase study_type study_design study_design_info primary_outcome secondary_outcome
    other_outcome enrollment condition keyword arm_group intervention eligibility location location_countries
    study_first_posted firstreceived_date results_first_posted firstreceived_results_date last_update_posted lastchanged_date
    condition_browse intervention_browse clinical_results""".split()
)
_LEFT_OUT = frozenset(
    """required_header source oversight_info has_expanded_access number_of_arms number_of_groups biospec_retention biospec_descr
    overall_official overall_contact overall_contact_backup removed_countries link reference results_reference
    verification_date study_first_submitted study_first_submitted_qc results_first_submitted results_first_submitted_qc
    disposition_first_submitted disposition_first_submitted_qc disposition_first_posted last_update_submitted
    last_update_submitted_qc responsible_party is_fda_regulated is_section_801 target_duration last_known_status patient_data
    study_docs provided_document_section pending_results expanded_access_info firstreceived_results_disposition_date""".split()
)


def to_v2(root: etree._Element, log: Log) -> Node:
    """The v2-shaped object of a `clinical_study` element; elements that nobody knows are recorded in `log`."""
    for element in root:
        if element.tag not in _READ and element.tag not in _LEFT_OUT:
            log.add(f"protocolSection.{element.tag}", "unknown-field", "This element is not known to the reader and was left out.")
    study: Node = {"protocolSection": _protocol(root), "derivedSection": _derived(root)}
    results = root.find("clinical_results")
    if results is not None:
        study["resultsSection"] = results_section(results, log)
    return study


def _texts(root: etree._Element, path: str) -> list[object]:
    return [element.text or "" for element in root.iterfind(path)]


def _put(node: Node, key: str, root: etree._Element, path: str) -> None:
    value = root.findtext(path)
    if value is not None:
        node[key] = value


def iso_date(text: str) -> str:
    """`June 25, 2007` as `2007-06-25`, `June 2007` as `2007-06`; any other text as it is."""
    found = _LONG_DATE.match(" ".join(text.split()))
    month = _MONTHS.get(found[1]) if found else None
    if found is None or month is None:
        return text
    return f"{found[3]}-{month}-{int(found[2]):02d}" if found[2] else f"{found[3]}-{month}"


def _date(node: Node, key: str, root: etree._Element, path: str) -> bool:
    element = root.find(path)
    if element is None:
        return False
    struct: Node = {"date": iso_date(element.text or "")}
    kind = element.get("type")
    if kind:
        struct["type"] = kind
    node[key] = struct
    return True


def _protocol(root: etree._Element) -> Node:
    return {
        "identificationModule": _identification(root),
        "statusModule": _status(root),
        "sponsorCollaboratorsModule": {
            "leadSponsor": _agency(root.find("sponsors/lead_sponsor")),
            "collaborators": [_agency(element) for element in root.iterfind("sponsors/collaborator")],
        },
        "descriptionModule": {"briefSummary": root.findtext("brief_summary/textblock") or ""},
        "conditionsModule": {"conditions": _texts(root, "condition"), "keywords": _texts(root, "keyword")},
        "designModule": _design(root),
        "armsInterventionsModule": _arms(root),
        "outcomesModule": {
            "primaryOutcomes": [_planned(element) for element in root.iterfind("primary_outcome")],
            "secondaryOutcomes": [_planned(element) for element in root.iterfind("secondary_outcome")],
            "otherOutcomes": [_planned(element) for element in root.iterfind("other_outcome")],
        },
        "eligibilityModule": _eligibility(root),
        "contactsLocationsModule": {"locations": _locations(root)},
    }


def _identification(root: etree._Element) -> Node:
    node: Node = {"orgStudyIdInfo": {"id": root.findtext("id_info/org_study_id") or ""}}
    _put(node, "nctId", root, "id_info/nct_id")
    _put(node, "briefTitle", root, "brief_title")
    _put(node, "officialTitle", root, "official_title")
    _put(node, "acronym", root, "acronym")
    node["secondaryIdInfos"] = [{"id": value} for value in _texts(root, "id_info/secondary_id")]
    node["nctIdAliases"] = _texts(root, "id_info/nct_alias")
    return node


def _status(root: etree._Element) -> Node:
    node: Node = {}
    _put(node, "overallStatus", root, "overall_status")
    _put(node, "whyStopped", root, "why_stopped")
    _date(node, "startDateStruct", root, "start_date")
    _date(node, "primaryCompletionDateStruct", root, "primary_completion_date")
    _date(node, "completionDateStruct", root, "completion_date")
    for key, submitted, path, older in (
        ("studyFirstPostDateStruct", "studyFirstSubmitDate", "study_first_posted", "firstreceived_date"),
        ("resultsFirstPostDateStruct", "resultsFirstSubmitDate", "results_first_posted", "firstreceived_results_date"),
        ("lastUpdatePostDateStruct", "lastUpdateSubmitDate", "last_update_posted", "lastchanged_date"),
    ):
        if not _date(node, key, root, path):
            value = root.findtext(older)
            if value is not None:
                node[submitted] = iso_date(value)
    return node


def _agency(element: etree._Element | None) -> Node:
    if element is None:
        return {}
    return {"name": element.findtext("agency") or "", "class": element.findtext("agency_class") or ""}


def _design(root: etree._Element) -> Node:
    kind = root.findtext("study_type") or ""
    node: Node = {}
    registry = _OBSERVATIONAL.match(kind)
    if registry:
        kind = "Observational"
        node["patientRegistry"] = True
    node["studyType"] = kind
    phase = root.findtext("phase")
    node["phases"] = [] if phase is None else phase.split("/") if phase != "N/A" else [phase]
    info: Node = {}
    design = root.find("study_design_info")
    if design is not None:
        _put(info, "allocation", design, "allocation")
        _put(info, "interventionModel", design, "intervention_model")
        _put(info, "observationalModel", design, "observational_model")
        _put(info, "primaryPurpose", design, "primary_purpose")
        masking = design.findtext("masking")
        if masking is not None:
            info["maskingInfo"] = {"masking": masking}
    else:
        _read_design_line(info, root.findtext("study_design") or "")
    node["designInfo"] = info
    enrolment = root.find("enrollment")
    if enrolment is not None:
        node["enrollmentInfo"] = {"count": enrolment.text or "", "type": enrolment.get("type") or ""}
    return node


def _read_design_line(info: Node, line: str) -> None:
    """The older records hold one line: `Allocation: Randomized, Intervention Model: …, Masking: …`."""
    keys = {
        "Allocation": "allocation",
        "Intervention Model": "interventionModel",
        "Observational Model": "observationalModel",
        "Primary Purpose": "primaryPurpose",
        "Masking": "masking",
    }
    for found in re.finditer(r"([A-Z][A-Za-z ]+): +((?:[^,(]|\([^)]*\))+)", line):
        key = keys.get(found[1])
        if key == "masking":
            info["maskingInfo"] = {"masking": found[2]}
        elif key:
            info[key] = found[2]


def _arms(root: etree._Element) -> Node:
    arms: list[Node] = []
    for element in root.iterfind("arm_group"):
        arm: Node = {"label": element.findtext("arm_group_label") or ""}
        _put(arm, "type", element, "arm_group_type")
        _put(arm, "description", element, "description")
        arms.append(arm)
    names: dict[str, list[object]] = {str(arm["label"]): [] for arm in arms}
    interventions: list[Node] = []
    for element in root.iterfind("intervention"):
        name = element.findtext("intervention_name") or ""
        kind = element.findtext("intervention_type") or ""
        labels = _texts(element, "arm_group_label")
        node: Node = {"type": kind, "name": name, "armGroupLabels": labels, "otherNames": _texts(element, "other_name")}
        _put(node, "description", element, "description")
        interventions.append(node)
        for label in labels:
            if label in names:
                names[str(label)].append(f"{kind}: {name}")
    for arm in arms:
        arm["interventionNames"] = names[str(arm["label"])]
    return {"armGroups": list(arms), "interventions": list(interventions)}


def _planned(element: etree._Element) -> Node:
    return {"measure": element.findtext("measure") or "", "timeFrame": element.findtext("time_frame") or ""}


def _eligibility(root: etree._Element) -> Node:
    node: Node = {}
    _put(node, "eligibilityCriteria", root, "eligibility/criteria/textblock")
    _put(node, "sex", root, "eligibility/gender")
    _put(node, "minimumAge", root, "eligibility/minimum_age")
    _put(node, "maximumAge", root, "eligibility/maximum_age")
    healthy = root.findtext("eligibility/healthy_volunteers")
    if healthy is not None:
        node["healthyVolunteers"] = {"No": False, "Accepts Healthy Volunteers": True}.get(healthy, healthy)
    return node


def _locations(root: etree._Element) -> list[object]:
    sites: list[object] = [{"country": element.text or ""} for element in root.iterfind("location/facility/address/country")]
    if sites:
        return sites
    return [{"countryOnly": element.text or ""} for element in root.iterfind("location_countries/country")]


def _derived(root: etree._Element) -> Node:
    return {
        "conditionBrowseModule": {"meshes": [{"term": term} for term in _texts(root, "condition_browse/mesh_term")]},
        "interventionBrowseModule": {"meshes": [{"term": term} for term in _texts(root, "intervention_browse/mesh_term")]},
    }
