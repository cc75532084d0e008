"""Small registry records made by code, and corpora made from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from deepimagine_tui.corpus.ingest import IngestFinished, ingest
from deepimagine_tui.corpus.store import Corpus

Group = tuple[str, float]


def outcome_module(title: str, unit: str, groups: Sequence[Group], *, weeks: int = 24) -> dict[str, Any]:
    """One posted outcome with a mean and an SD of 1 in each group."""
    ids = [f"OG{at:03d}" for at in range(len(groups))]
    return {
        "type": "PRIMARY",
        "title": title,
        "timeFrame": f"Week {weeks}",
        "paramType": "MEAN",
        "dispersionType": "Standard Deviation",
        "unitOfMeasure": unit,
        "groups": [{"id": at, "title": name} for at, (name, _) in zip(ids, groups, strict=True)],
        "denoms": [{"units": "Participants", "counts": [{"groupId": at, "value": "100"} for at in ids]}],
        "classes": [
            {
                "categories": [
                    {
                        "measurements": [
                            {"groupId": at, "value": str(value), "spread": "1.0"}
                            for at, (_, value) in zip(ids, groups, strict=True)
                        ]
                    }
                ]
            }
        ],
    }


def record(
    nct_id: str = "NCT00000001",
    *,
    conditions: Sequence[str] = ("Type 2 Diabetes",),
    drug: str = "Examplozin",
    doses: Sequence[int] = (10,),
    phase: str = "PHASE3",
    status: str = "COMPLETED",
    countries: Sequence[str] = ("Norway", "Japan"),
    posted: str = "2015-03-19",
    updated: str = "2016-01-01",
    outcomes: Sequence[dict[str, Any]] | None = None,
    aliases: Sequence[str] = (),
    protocol: str = "",
    enrolment: int = 300,
) -> bytes:
    """A v2 record with every part that the corpus looks at; no sentence of any registry is in it."""
    groups = [("Placebo", -0.1), *((f"{drug} {dose} mg", -dose / 20) for dose in doses)]
    posted_outcomes = [outcome_module("HbA1c change", "percent", groups)] if outcomes is None else list(outcomes)
    study: dict[str, Any] = {
        "protocolSection": {
            "identificationModule": {
                "nctId": nct_id,
                "nctIdAliases": list(aliases),
                "briefTitle": f"{drug} in {conditions[0]}",
                "orgStudyIdInfo": {"id": protocol or f"P-{nct_id}"},
            },
            "statusModule": {
                "overallStatus": status,
                "studyFirstPostDateStruct": {"date": "2010-01-01", "type": "ACTUAL"},
                "lastUpdatePostDateStruct": {"date": updated, "type": "ACTUAL"},
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Example Sponsor", "class": "INDUSTRY"}},
            "conditionsModule": {"conditions": list(conditions)},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "phases": [phase],
                "enrollmentInfo": {"count": enrolment, "type": "ACTUAL"},
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {"label": "Placebo", "type": "PLACEBO_COMPARATOR", "interventionNames": ["Drug: Placebo"]},
                    *(
                        {"label": f"{drug} {dose} mg", "type": "EXPERIMENTAL", "interventionNames": [f"Drug: {drug}"]}
                        for dose in doses
                    ),
                ],
                "interventions": [{"type": "DRUG", "name": drug}, {"type": "DRUG", "name": "Placebo"}],
            },
            "eligibilityModule": {"sex": "ALL", "minimumAge": "18 Years", "maximumAge": "80 Years"},
            "contactsLocationsModule": {"locations": [{"country": country} for country in countries]},
        },
        "hasResults": bool(posted_outcomes),
    }
    if posted_outcomes:
        study["protocolSection"]["statusModule"]["resultsFirstPostDateStruct"] = {"date": posted, "type": "ACTUAL"}
        study["resultsSection"] = {"outcomeMeasuresModule": {"outcomeMeasures": posted_outcomes}}
    return json.dumps(study).encode()


Records = dict[str, bytes]
MakeCorpus = Callable[[Records], Path]


def write_records(folder: Path, records: Records) -> Path:
    """Write each record under its file name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in records.items():
        (folder / name).write_bytes(raw)
    return folder


def ingest_all(corpus: Path, source: Path) -> IngestFinished:
    """Ingest to the end and return how it ended."""
    last = list(ingest(corpus, source, Event()))[-1]
    assert isinstance(last, IngestFinished)
    return last


@pytest.fixture
def make_corpus(tmp_path: Path) -> MakeCorpus:
    """Make a corpus from records by file name."""

    def make(records: Records) -> Path:
        path = tmp_path / "corpus.db"
        ingest_all(path, write_records(tmp_path / "records", records))
        return path

    return make


@pytest.fixture
def small_corpus(make_corpus: MakeCorpus) -> Corpus:
    """Twelve trials of three drugs in two diseases."""
    diseases = (("Type 2 Diabetes",), ("Asthma", "Allergic Rhinitis"))
    drugs = ("Examplozin", "Trialumab", "Placebonol")
    records = {
        f"{at}.json": record(
            f"NCT0000{at:04d}",
            conditions=diseases[at % 2],
            drug=drugs[at % 3],
            doses=(10, 25) if at % 4 == 0 else (10,),
            phase="PHASE3" if at % 3 else "PHASE2",
            countries=("Norway", "Japan") if at % 2 else ("France",),
            posted=f"{2010 + at}-0{1 + at % 9}-15",
        )
        for at in range(1, 13)
    }
    return Corpus.open(make_corpus(records))
