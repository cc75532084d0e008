"""Whatever a record holds that nobody knows is a problem with its path, in every module and in both formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lxml import etree

from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import parse_record
from tests.trials.conftest import TWINS

RESULTS: dict[str, Any] = {
    "participantFlowModule": {
        "groups": [{"id": "FG000", "title": "Drug"}],
        "periods": [
            {
                "title": "Overall Study",
                "milestones": [{"type": "STARTED", "achievements": [{"groupId": "FG000", "numSubjects": "40"}]}],
                "dropWithdraws": [{"type": "Death", "reasons": [{"groupId": "FG000", "numSubjects": "1"}]}],
            }
        ],
    },
    "baselineCharacteristicsModule": {
        "groups": [{"id": "BG000", "title": "Drug"}],
        "denoms": [{"units": "Participants", "counts": [{"groupId": "BG000", "value": "40"}]}],
        "measures": [{"title": "Age", "classes": [{"categories": [{"measurements": [{"groupId": "BG000", "value": "50"}]}]}]}],
    },
    "adverseEventsModule": {
        "eventGroups": [{"id": "EG000", "title": "Drug"}],
        "seriousEvents": [
            {"term": "Stroke", "organSystem": "Nerves", "stats": [{"groupId": "EG000", "numAffected": 1, "numAtRisk": 40}]}
        ],
    },
}


def unknown(trial: Trial) -> list[str]:
    return [problem.path for problem in trial.problems if problem.code == "unknown-field"]


@pytest.mark.parametrize(
    "place",
    [
        "",
        "protocolSection",
        "protocolSection.identificationModule",
        "protocolSection.identificationModule.orgStudyIdInfo",
        "protocolSection.designModule.enrollmentInfo",
        "protocolSection.conditionsModule",
        "protocolSection.armsInterventionsModule.armGroups[0]",
        "protocolSection.armsInterventionsModule.interventions[1]",
        "resultsSection",
        "resultsSection.participantFlowModule.groups[0]",
        "resultsSection.participantFlowModule.periods[0]",
        "resultsSection.participantFlowModule.periods[0].milestones[0]",
        "resultsSection.participantFlowModule.periods[0].milestones[0].achievements[0]",
        "resultsSection.participantFlowModule.periods[0].dropWithdraws[0].reasons[0]",
        "resultsSection.baselineCharacteristicsModule.denoms[0].counts[0]",
        "resultsSection.baselineCharacteristicsModule.measures[0]",
        "resultsSection.baselineCharacteristicsModule.measures[0].classes[0].categories[0].measurements[0]",
        "resultsSection.outcomeMeasuresModule.outcomeMeasures[0]",
        "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].groups[1]",
        "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].denoms[0]",
        "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].classes[0].categories[0].measurements[1]",
        "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].analyses[0]",
        "resultsSection.adverseEventsModule.eventGroups[0]",
        "resultsSection.adverseEventsModule.seriousEvents[0]",
        "resultsSection.adverseEventsModule.seriousEvents[0].stats[0]",
    ],
)
def test_an_unknown_field_is_recorded_wherever_it_stands(small: dict[str, Any], place: str) -> None:
    small["resultsSection"] |= json.loads(json.dumps(RESULTS))
    assert unknown(parse_record(json.dumps(small).encode())) == []
    node: Any = small
    for step in place.replace("[", ".[").split(".") if place else ():
        node = node[int(step[1:-1])] if step.startswith("[") else node[step]
    node["shoeSize"] = 44
    assert unknown(parse_record(json.dumps(small).encode())) == [f"{place}.shoeSize".lstrip(".")]


XML = b"""
<clinical_study>
  <id_info><org_study_id>S-1</org_study_id><nct_id>NCT99999902</nct_id></id_info>
  <brief_title>A small study</brief_title>
  <sponsors><lead_sponsor><agency>A</agency><agency_class>Other</agency_class></lead_sponsor></sponsors>
  <start_date>May 2010</start_date>
  <study_design_info><allocation>Randomized</allocation></study_design_info>
  <primary_outcome><measure>Pain</measure><time_frame>1 week</time_frame></primary_outcome>
  <arm_group><arm_group_label>Drug</arm_group_label></arm_group>
  <intervention><intervention_type>Drug</intervention_type><intervention_name>Mindazol</intervention_name></intervention>
  <eligibility><criteria><textblock>Adults</textblock></criteria></eligibility>
  <clinical_results>
    <participant_flow>
      <group_list><group group_id="P1"><title>Drug</title></group></group_list>
      <period_list><period><title>Overall Study</title><milestone_list><milestone><title>STARTED</title>
        <participants_list><participants group_id="P1" count="40"/></participants_list></milestone></milestone_list>
      </period></period_list>
    </participant_flow>
    <baseline>
      <group_list><group group_id="B1"><title>Drug</title></group></group_list>
      <analyzed_list><analyzed><units>Participants</units><count_list><count group_id="B1" value="40"/></count_list></analyzed>
      </analyzed_list>
      <measure_list><measure><title>Age</title><class_list><class><category_list><category><measurement_list>
        <measurement group_id="B1" value="50"/></measurement_list></category></category_list></class></class_list></measure>
      </measure_list>
    </baseline>
    <outcome_list><outcome><type>Primary</type><title>Pain</title>
      <group_list><group group_id="O1"><title>Drug</title></group></group_list>
      <measure><title>Pain</title><units>score</units><param>Mean</param><class_list><class><category_list><category>
        <measurement_list><measurement group_id="O1" value="5"/></measurement_list></category></category_list></class>
      </class_list></measure>
      <analysis_list><analysis><group_id_list><group_id>O1</group_id></group_id_list><p_value>0.5</p_value></analysis>
      </analysis_list>
    </outcome></outcome_list>
    <reported_events>
      <group_list><group group_id="E1"><title>Drug</title></group></group_list>
      <serious_events><category_list><category><title>Nerves</title><event_list><event><sub_title>Stroke</sub_title>
        <counts group_id="E1" subjects_affected="1" subjects_at_risk="40"/></event></event_list></category></category_list>
      </serious_events>
    </reported_events>
  </clinical_results>
</clinical_study>
"""


PLACES = """
    . id_info sponsors/lead_sponsor start_date study_design_info primary_outcome arm_group intervention eligibility
    eligibility/criteria clinical_results
    clinical_results/participant_flow clinical_results/participant_flow/group_list/group
    clinical_results/participant_flow/period_list/period/milestone_list/milestone
    clinical_results/baseline clinical_results/baseline/analyzed_list/analyzed clinical_results/baseline/measure_list/measure
    clinical_results/baseline/measure_list/measure/class_list/class/category_list/category
    clinical_results/outcome_list/outcome clinical_results/outcome_list/outcome/measure
    clinical_results/outcome_list/outcome/measure/class_list/class
    clinical_results/outcome_list/outcome/analysis_list/analysis
    clinical_results/reported_events clinical_results/reported_events/serious_events
    clinical_results/reported_events/serious_events/category_list/category/event_list/event
"""


@pytest.mark.parametrize("place", PLACES.split())
def test_an_unknown_element_is_recorded_wherever_it_stands(place: str) -> None:
    root = etree.fromstring(XML)
    assert unknown(parse_record(XML)) == []
    (parent,) = [root] if place == "." else root.findall(place)
    etree.SubElement(parent, "shoe_size").text = "44"
    (path,) = unknown(parse_record(etree.tostring(root)))
    assert path.endswith(".shoe_size")


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (".//outcome//measurement", "outcomeMeasures[0].classes[0].categories[0].measurements[0].shoe_size"),
        (".//baseline//measurement", "measures[0].classes[0].categories[0].measurements[0].shoe_size"),
        (".//counts", "adverseEventsModule.seriousEvents[0].stats[0].shoe_size"),
    ],
)
def test_an_unknown_attribute_of_a_number_is_recorded(place: str, path: str) -> None:
    root = etree.fromstring(XML)
    (element,) = root.findall(place)
    element.set("shoe_size", "44")
    (found,) = unknown(parse_record(etree.tostring(root)))
    assert found.endswith(path)


def test_a_measurement_outside_a_category_is_recorded_and_those_within_are_read() -> None:
    root = etree.fromstring(XML)
    (parent,) = root.findall(".//outcome//class")
    etree.SubElement(parent, "measurement", group_id="O1", value="7")
    trial = parse_record(etree.tostring(root))
    assert [cell.value for cell in trial.outcomes[0].cells] == [5.0, 7.0]
    parent.insert(0, parent[-1])
    trial = parse_record(etree.tostring(root))
    assert [cell.value for cell in trial.outcomes[0].cells] == [5.0]
    assert "misplaced-field" in {problem.code for problem in trial.problems}


def test_the_real_records_hold_no_field_that_is_not_known(trials: dict[str, Trial]) -> None:
    strange = {trial.nct_id: unknown(trial) for trial in trials.values() if unknown(trial)}
    assert strange == {}


def test_the_twins_hold_no_field_that_is_not_known() -> None:
    for path in sorted(TWINS.iterdir()):
        assert unknown(parse_record(path.read_bytes(), path.name)) == [], path.name
