"""CliniFact's claims: a verdict where an unsigned p-value can give one, and nowhere else."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from deepimagine_training.clinifact import ClaimFile, members_of, read_claims, states_of

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation.sides import assign

LONG = "Participants received the study drug by mouth once daily for 24 weeks, fasting."


def row(nct_id: str = "NCT99200001", **change: str) -> dict[str, str]:
    title, time = change.pop("outcome", "Pain Score"), change.pop("time", "Week 12")
    return {
        "nctId": nct_id,
        "claim": f"Drug is superior to Placebo in terms of {title} {time}",
        "label": "2",
        "outcome_title": title,
        "outcome_description": "A score.",
        "intervention_group_title": "Drug",
        "comparator_group_title": "Placebo",
        "intervention_group_description": f"{nct_id} drug",
        "comparator_group_description": f"{nct_id} placebo",
        "intervention_group_arm_group_type": "EXPERIMENTAL",
        "comparator_group_arm_group_type": "PLACEBO_COMPARATOR",
        "pValues": "['0.4']",
        "statisticalMethods": "['ANCOVA']",
        "nonInferiorityTypes": "['Superiority']",
        **change,
    }


def claims(folder: Path, *rows: dict[str, str]) -> ClaimFile:
    path = folder / "claims.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return read_claims(path)


@pytest.mark.parametrize(
    ("p", "kind", "expected"),
    [
        ("['0.4']", "['Superiority']", "not met"),
        ("['>0.05']", "['Superiority or Other']", "not met"),
        ("['0.051', '.9']", "['Superiority']", "not met"),
        ("['0.01']", "['Superiority']", "undetermined"),
        ("['<0.001']", "['Superiority or Other']", "undetermined"),
        ("['0.4', '0.01']", "['Superiority']", "undetermined"),
        ("['<0.1']", "['Superiority']", "undetermined"),
        ("['0.4']", "['Non-Inferiority']", "undetermined"),
        ("['0.4']", "['Equivalence']", "undetermined"),
        ("[]", "['Superiority']", "undetermined"),
    ],
)
def test_the_verdict_of_a_claim(tmp_path: Path, p: str, kind: str, expected: str):
    [state] = states_of(claims(tmp_path, row(pValues=p, nonInferiorityTypes=kind)).claims)
    assert state.met is not None
    assert state.met.verdict == expected


def test_a_claim_has_no_values_and_says_where_it_stands(tmp_path: Path):
    [state] = states_of(claims(tmp_path, row()).claims)
    assert (state.arm_value, state.comparator_value) == (None, None)
    assert state.contrast is not None
    assert state.contrast.number.value is None
    assert state.contrast.number.source is not None
    assert "claims.csv:1" in state.contrast.number.source.class_title
    assert state.configuration.time is not None
    assert state.configuration.time.weeks == 12


def test_analyses_of_one_comparison_that_disagree_settle_nothing(tmp_path: Path):
    agreeing = claims(tmp_path, row(), row(pValues="['0.8']"))
    assert [state.met.verdict for state in states_of(agreeing.claims) if state.met] == ["not met"]
    disagreeing = claims(tmp_path, row(), row(pValues="['0.003']"))
    assert [state.met.verdict for state in states_of(disagreeing.claims) if state.met] == ["undetermined"]


def test_their_own_label_changes_nothing(tmp_path: Path):
    assert states_of(claims(tmp_path, row(label="0")).claims) == states_of(claims(tmp_path, row(label="2")).claims)


def test_twins_are_on_one_side(tmp_path: Path):
    described = {"intervention_group_description": LONG, "comparator_group_description": LONG.replace("drug", "placebo")}
    twins = [row("NCT99200001", **described), row("NCT99200002", **described), row("NCT99200003")]
    sides = assign(members_of([claims(tmp_path, *twins)]))
    assert sides.programme("NCT99200002") == "NCT99200001"
    assert sides.programme("NCT99200003") == "NCT99200003"


def test_what_is_no_file_of_claims(tmp_path: Path):
    with pytest.raises(NotFoundError):
        read_claims(tmp_path / "none.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(BadInputError, match="nctId"):
        read_claims(tmp_path / "other.csv")
    with pytest.raises(BadInputError, match=r"claims\.csv:1"):
        claims(tmp_path, row("a trial"))
    with pytest.raises(BadInputError, match=r"claims\.csv:1"):
        claims(tmp_path, row(pValues="0.3; 0.4"))
    (tmp_path / "bytes.csv").write_bytes(b"nctId\xff\xfe\x00")
    with pytest.raises(BadInputError):
        read_claims(tmp_path / "bytes.csv")
