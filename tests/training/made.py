"""Made-up trials that pairs can be drawn from, as registry records (API v2 JSON)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cli.records import record

PLACEBO, LOW, HIGH = "Placebo", "Glivazin 10 mg once daily", "Glivazin 25 mg once daily"
DOSES = {PLACEBO: "PLACEBO_COMPARATOR", LOW: "EXPERIMENTAL", HIGH: "EXPERIMENTAL"}

Values = Mapping[str, float]


def outcome(
    title: str,
    classes: Mapping[str, Values],
    *,
    p: Mapping[str, str] | None = None,
    role: str = "PRIMARY",
    time_frame: str = "Week 24",
    unit: str = "percentage of HbA1c",
    sd: float = 0.8,
    n: int = 150,
    population: str = "",
) -> dict[str, Any]:
    """A measure: by class title, the mean of each arm; `p` is that of each arm against placebo."""
    labels = list(next(iter(classes.values())))
    ids = {label: f"OG{at:03d}" for at, label in enumerate(labels)}
    first = next(iter(classes.values()))
    analyses = [
        {
            "groupIds": [ids[label], ids[PLACEBO]],
            "nonInferiorityType": "SUPERIORITY",
            "pValue": value,
            "statisticalMethod": "ANCOVA",
            "paramType": "Mean Difference (Final Values)",
            "paramValue": f"{first[label] - first[PLACEBO]:.2f}",
        }
        for label, value in (p or {}).items()
    ]
    return {
        "type": role,
        "title": title,
        "populationDescription": population,
        "timeFrame": time_frame,
        "reportingStatus": "POSTED",
        "paramType": "MEAN",
        "dispersionType": "Standard Deviation",
        "unitOfMeasure": unit,
        "groups": [{"id": ids[label], "title": label} for label in labels],
        "denoms": [{"units": "Participants", "counts": [{"groupId": ids[label], "value": str(n)} for label in labels]}],
        "classes": [
            {
                "title": name,
                "categories": [
                    {
                        "measurements": [
                            {"groupId": ids[label], "value": str(v), "spread": str(sd)} for label, v in values.items()
                        ]
                    }
                ],
            }
            for name, values in classes.items()
        ],
        "analyses": analyses,
    }


def trial(nct_id: str, outcomes: Sequence[Mapping[str, Any]], arms: Mapping[str, str] = DOSES, **change: Any) -> dict[str, Any]:
    """A randomised trial in type 2 diabetes that posted `outcomes`. `change` sets `enrolment`, `allocation`, `org`, `posted`,
    `countries` or `agents`."""
    agents = change.pop("agents", {label: [label.split()[0]] for label in arms})
    made = record(nct_id, dict(arms), dict.fromkeys(arms, (0.0, 1.0, 100)), agents=agents)
    protocol = made["protocolSection"]
    protocol["identificationModule"]["orgStudyIdInfo"]["id"] = change.pop("org", f"ORG-{nct_id}")
    protocol["designModule"]["enrollmentInfo"]["count"] = change.pop("enrolment", 450)
    protocol["designModule"]["designInfo"]["allocation"] = change.pop("allocation", "RANDOMIZED")
    protocol["statusModule"]["resultsFirstPostDateStruct"]["date"] = change.pop("posted", "2015-06-01")
    countries = change.pop("countries", ("France", "United States"))
    protocol["contactsLocationsModule"]["locations"] = [{"city": "A", "country": country} for country in countries]
    assert not change, change
    made["resultsSection"] = {"outcomeMeasuresModule": {"outcomeMeasures": list(outcomes)}}
    return made


def hba1c(
    placebo: float = -0.1, low: float = -0.6, high: float = -0.8, p_low: str = "<0.001", p_high: str = "<0.001"
) -> dict[str, Any]:
    """The primary outcome of the dose-ranging trials."""
    values = {PLACEBO: placebo, LOW: low, HIGH: high}
    return outcome("Change From Baseline in HbA1c", {"": values}, p={LOW: p_low, HIGH: p_high})


def weight(**change: Any) -> dict[str, Any]:
    """A second measure at the same time."""
    values = {PLACEBO: -0.2, LOW: -0.3, HIGH: -2.4}
    given = {"unit": "kg", "sd": 2.0, "role": "SECONDARY", "p": {LOW: "0.62", HIGH: "<0.001"}} | change
    return outcome("Change From Baseline in Body Weight", {"": values}, **given)


def glucose_by_week() -> dict[str, Any]:
    """A measure at the start and at two times."""
    weeks = {
        name: {PLACEBO: 8.0 - at, LOW: 7.5 - at, HIGH: 7.0 - at} for at, name in enumerate(("Baseline", "Week 12", "Week 24"))
    }
    return outcome("Fasting Plasma Glucose", weeks, unit="mmol/L", role="SECONDARY", time_frame="Baseline, Week 12, Week 24")


def dose_trial(nct_id: str = "NCT99100001", **change: Any) -> dict[str, Any]:
    """Two doses and placebo with three measures."""
    return trial(nct_id, [hba1c(), weight(), glucose_by_week()], **change)


def many_trials(count: int = 12) -> list[dict[str, Any]]:
    """Dose-ranging trials of one drug that differ in countries, dates and results; every third shares a protocol with the one
    before."""
    return [
        trial(
            f"NCT991001{at:02d}",
            [hba1c(low=-0.2 - at / 20, p_low="0.21" if at % 2 else "0.004"), weight(), glucose_by_week()],
            countries=("Japan",) if at % 2 else ("France", "Spain"),
            posted=f"{2008 + at}-03-01",
            org=f"GLIVA-{at - (at % 3 == 2)}",
        )
        for at in range(count)
    ]


def write(folder: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """The records as files of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in records:
        name = found["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{name}.json").write_text(json.dumps(found), "utf-8")
    return folder
