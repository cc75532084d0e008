"""Every element of the classic XML's protocol part that is known, read or not. Others are recorded as problems."""

from __future__ import annotations

from lxml import etree

from deepimagine_tui.trials.registry.classic_groups import unknown_element
from deepimagine_tui.trials.registry.fields import Log

_PLANNED = "measure time_frame safety_issue description"
_PLAIN = """
    acronym brief_title completion_date condition enrollment firstreceived_date firstreceived_results_date keyword
    last_update_posted lastchanged_date official_title overall_status phase primary_completion_date results_first_posted
    start_date study_design study_first_posted study_type why_stopped
"""
_WITHIN = dict.fromkeys(_PLAIN.split(), "") | {
    "arm_group": "arm_group_label arm_group_type description",
    "brief_summary": "textblock",
    "condition_browse": "mesh_term",
    "eligibility": "study_pop textblock sampling_method criteria gender gender_based gender_description minimum_age "
    "maximum_age healthy_volunteers",
    "id_info": "org_study_id secondary_id nct_id nct_alias",
    "intervention": "intervention_type intervention_name description arm_group_label other_name",
    "intervention_browse": "mesh_term",
    "location_countries": "country",
    "other_outcome": _PLANNED,
    "primary_outcome": _PLANNED,
    "secondary_outcome": _PLANNED,
    "sponsors": "lead_sponsor collaborator agency agency_class",
    "study_design_info": "allocation intervention_model intervention_model_description primary_purpose observational_model "
    "time_perspective masking masking_description",
}
"""What may stand within each element that is read."""

_KNOWN = {tag: frozenset(names.split()) for tag, names in _WITHIN.items()}
_ELSEWHERE = frozenset({"clinical_results", "location"})
"""Results are checked where they are read. Of a site only the country is, and a record may hold a thousand sites."""

_UNUSED = """
    biospec_descr biospec_retention detailed_description disposition_first_posted disposition_first_submitted
    disposition_first_submitted_qc expanded_access_info firstreceived_results_disposition_date has_expanded_access
    is_fda_regulated is_section_801 last_known_status last_update_submitted last_update_submitted_qc link number_of_arms
    number_of_groups overall_contact overall_contact_backup overall_official oversight_info patient_data pending_results
    provided_document_section reference removed_countries required_header responsible_party results_first_submitted
    results_first_submitted_qc results_reference source study_docs study_first_submitted study_first_submitted_qc
    target_duration verification_date
"""
"""Known and not looked into: contacts, documents, references, dates of paperwork."""
_LEFT_OUT = frozenset(_UNUSED.split())


def record_unknown_elements(root: etree._Element, log: Log) -> None:
    """Record every element outside the results that nobody here knows."""
    for element in root:
        tag = element.tag
        known = _KNOWN.get(tag)
        if known is not None:
            for item in element.iterdescendants() if len(element) else ():
                if item.tag not in known:
                    unknown_element(f"protocolSection.{tag}", item, log)
        elif tag not in _LEFT_OUT and tag not in _ELSEWHERE:
            unknown_element("protocolSection", element, log)
