"""Made-up registry records (API v2 JSON) small enough to read: a dose-ranging trial with results, and one without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOSE_TRIAL = "NCT99000101"
PLANNED_TRIAL = "NCT99000102"
TWO_AGENTS = "NCT99000103"


def record(
    nct_id: str, arms: dict[str, str], values: dict[str, tuple[float, float, int]] | None = None, **change: Any
) -> dict[str, Any]:
    """A two- or more-armed trial in type 2 diabetes: label -> type, and by label (mean, SD, n) of HbA1c at week 24."""
    agents = change.pop("agents", {label: [label.split()[0]] for label in arms})
    names = sorted({name for given in agents.values() for name in given})
    protocol: dict[str, Any] = {
        "identificationModule": {"nctId": nct_id, "briefTitle": "A study", "orgStudyIdInfo": {"id": f"ORG-{nct_id}"}},
        "statusModule": {
            "overallStatus": "COMPLETED" if values else "RECRUITING",
            "startDateStruct": {"date": "2013-02", "type": "ACTUAL"},
            "lastUpdatePostDateStruct": {"date": "2016-01-01", "type": "ACTUAL"},
        },
        "sponsorCollaboratorsModule": {"leadSponsor": {"name": f"Sponsor of {nct_id}", "class": "INDUSTRY"}},
        "conditionsModule": {"conditions": ["Diabetes Mellitus, Type 2"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE3"],
            "designInfo": {"allocation": "RANDOMIZED", "interventionModel": "PARALLEL", "maskingInfo": {"masking": "DOUBLE"}},
            "enrollmentInfo": {"count": 200 * len(arms), "type": "ACTUAL"},
        },
        "armsInterventionsModule": {
            "armGroups": [
                {"label": label, "type": kind, "interventionNames": [f"Drug: {name}" for name in agents[label]]}
                for label, kind in arms.items()
            ],
            "interventions": [
                {"type": "DRUG", "name": name, "armGroupLabels": [label for label in arms if name in agents[label]]}
                for name in names
            ],
        },
        "outcomesModule": {"primaryOutcomes": [{"measure": "Change From Baseline in HbA1c", "timeFrame": "Baseline, Week 24"}]},
        "eligibilityModule": {"sex": "ALL", "minimumAge": "18 Years", "maximumAge": "80 Years", "healthyVolunteers": False},
        "contactsLocationsModule": {
            "locations": [{"city": "Lyon", "country": "France"}, {"city": "Boston", "country": "United States"}]
        },
    }
    found: dict[str, Any] = {"protocolSection": protocol, "derivedSection": {}, "hasResults": bool(values)}
    if values:
        protocol["statusModule"]["resultsFirstPostDateStruct"] = {"date": "2015-06-01", "type": "ACTUAL"}
        found["resultsSection"] = {"outcomeMeasuresModule": {"outcomeMeasures": [_measure(values)]}}
    return found


def _measure(values: dict[str, tuple[float, float, int]]) -> dict[str, Any]:
    ids = {label: f"OG{index:03d}" for index, label in enumerate(values)}
    labels = list(values)
    analyses = [
        {
            "groupIds": [ids[labels[0]], ids[label]],
            "nonInferiorityType": "SUPERIORITY",
            "pValue": "<0.001",
            "statisticalMethod": "ANCOVA",
            "paramType": "Mean Difference (Final Values)",
            "paramValue": f"{values[label][0] - values[labels[0]][0]:.2f}",
            "ciPctValue": "95",
            "ciNumSides": "TWO_SIDED",
            "ciLowerLimit": f"{values[label][0] - values[labels[0]][0] - 0.15:.2f}",
            "ciUpperLimit": f"{values[label][0] - values[labels[0]][0] + 0.15:.2f}",
        }
        for label in labels[1:]
    ]
    return {
        "type": "PRIMARY",
        "title": "Change From Baseline in HbA1c",
        "description": "Change in HbA1c.",
        "timeFrame": "Baseline, Week 24",
        "reportingStatus": "POSTED",
        "paramType": "MEAN",
        "dispersionType": "Standard Deviation",
        "unitOfMeasure": "percentage of HbA1c",
        "groups": [{"id": ids[label], "title": label} for label in values],
        "denoms": [
            {
                "units": "Participants",
                "counts": [{"groupId": ids[label], "value": str(n)} for label, (_, _, n) in values.items()],
            }
        ],
        "classes": [
            {
                "categories": [
                    {
                        "measurements": [
                            {"groupId": ids[label], "value": str(mean), "spread": str(sd)}
                            for label, (mean, sd, _) in values.items()
                        ]
                    }
                ]
            }
        ],
        "analyses": analyses,
    }


def all_records() -> list[dict[str, Any]]:
    """A dose-ranging trial, a planned one, and one in which two agents carry doses."""
    doses = {
        "Placebo": "PLACEBO_COMPARATOR",
        "Glivazin 10 mg once daily": "EXPERIMENTAL",
        "Glivazin 25 mg once daily": "EXPERIMENTAL",
    }
    both = "Glivazin 10 mg plus Metformin 500 mg"
    return [
        record(
            DOSE_TRIAL,
            doses,
            {
                "Placebo": (-0.08, 0.81, 228),
                "Glivazin 10 mg once daily": (-0.66, 0.79, 224),
                "Glivazin 25 mg once daily": (-0.78, 0.8, 224),
            },
        ),
        record(PLANNED_TRIAL, {"Placebo": "PLACEBO_COMPARATOR", "Glivazin 50 mg once daily": "EXPERIMENTAL"}),
        record(
            TWO_AGENTS,
            {"Placebo": "PLACEBO_COMPARATOR", both: "EXPERIMENTAL"},
            {"Placebo": (-0.1, 0.9, 150), both: (-1.2, 0.9, 152)},
            agents={"Placebo": ["Placebo"], both: ["Glivazin", "Metformin"]},
        ),
    ]


def write_records(folder: Path) -> Path:
    """The records as files of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in all_records():
        name = found["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{name}.json").write_text(json.dumps(found), "utf-8")
    return folder
