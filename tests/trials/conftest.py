"""The real records, parsed once a session, and small records to bend."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import RawRecord, iter_records, parse_record

TWINS = Path(__file__).parent.parent / "data" / "twins"


@pytest.fixture(scope="session")
def raw_records(shared_data: Path) -> list[RawRecord]:
    """Every real record as bytes."""
    found = list(iter_records(shared_data / "ctgov"))
    assert all(isinstance(record, RawRecord) for record in found)
    return [record for record in found if isinstance(record, RawRecord)]


@pytest.fixture(scope="session")
def trials(raw_records: list[RawRecord]) -> dict[str, Trial]:
    """Every real record, parsed, by NCT id."""
    parsed = (parse_record(record.raw, record.name) for record in raw_records)
    return {trial.nct_id: trial for trial in parsed}


SMALL: dict[str, Any] = {
    "protocolSection": {
        "identificationModule": {"nctId": "NCT99999901", "briefTitle": "A small study", "orgStudyIdInfo": {"id": "SMALL-01"}},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "enrollmentInfo": {"count": 80, "type": "ACTUAL"},
        },
        "conditionsModule": {"conditions": ["Hypertension"]},
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": "Drug",
                    "type": "EXPERIMENTAL",
                    "description": "Mindazol 10 mg once daily",
                    "interventionNames": ["Drug: Mindazol"],
                },
                {"label": "Placebo", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Drug: Placebo"]},
            ],
            "interventions": [{"type": "DRUG", "name": "Mindazol"}, {"type": "DRUG", "name": "Placebo"}],
        },
    },
    "resultsSection": {
        "outcomeMeasuresModule": {
            "outcomeMeasures": [
                {
                    "type": "PRIMARY",
                    "title": "Change from baseline in systolic blood pressure",
                    "timeFrame": "Baseline, Week 12",
                    "paramType": "MEAN",
                    "dispersionType": "Standard Deviation",
                    "unitOfMeasure": "mmHg",
                    "groups": [{"id": "OG000", "title": "Drug"}, {"id": "OG001", "title": "Placebo"}],
                    "denoms": [
                        {
                            "units": "Participants",
                            "counts": [{"groupId": "OG000", "value": "40"}, {"groupId": "OG001", "value": "40"}],
                        }
                    ],
                    "classes": [
                        {
                            "categories": [
                                {
                                    "measurements": [
                                        {"groupId": "OG000", "value": "-9.0", "spread": "5.0"},
                                        {"groupId": "OG001", "value": "-2.0", "spread": "5.5"},
                                    ]
                                }
                            ]
                        }
                    ],
                    "analyses": [
                        {
                            "groupIds": ["OG000", "OG001"],
                            "nonInferiorityType": "SUPERIORITY",
                            "pValue": "<0.001",
                            "statisticalMethod": "ANCOVA",
                            "paramType": "Mean Difference (Net)",
                            "paramValue": "-7.0",
                            "ciPctValue": "95",
                            "ciNumSides": "TWO_SIDED",
                            "ciLowerLimit": "-9.1",
                            "ciUpperLimit": "-4.9",
                        }
                    ],
                }
            ]
        }
    },
}


@pytest.fixture
def small() -> dict[str, Any]:
    """A small v2 record with one outcome and one contrast, the test's own to change."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def outcome(small: dict[str, Any]) -> dict[str, Any]:
    """The one outcome of `small`."""
    found: dict[str, Any] = small["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"][0]
    return found
