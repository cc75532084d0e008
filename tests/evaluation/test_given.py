"""What arms are truly given: a placebo of a drug is no drug, and a placebo that something follows is one at first."""

from __future__ import annotations

import pytest

from deepimagine_tui.evaluation.expectations import expected
from deepimagine_tui.evaluation.given import given_text, is_blank
from deepimagine_tui.reasoning.state import ArmSpec
from tests.evaluation.made_questions import asked


@pytest.mark.parametrize(
    ("label", "interventions", "left"),
    [
        ("Cohort 4: Placebo", (), ""),
        ("Placebo", ("Tolumab",), ""),
        ("Placebo", ("Tolumab 300 mg", "Placebo"), ""),
        ("Tolumab Matching Placebo", ("Tolumab",), ""),
        ("Placebo for Tolumab", ("Placebo for Tolumab",), ""),
        ("Adults Treated With Placebo", (), ""),
        ("Arm 4: Pbo for 50 mg AAA + 20 mg BBB", ("Tolumab", "Ranovir"), ""),
        ("Tolumab Placebo + Ranovir Placebo", ("Placebo",), ""),
        ("Control Group", ("Tolumab placebo",), "Control Group"),
        ("Placebo + SOC", ("Placebo", "Standard of care"), "SOC"),
        ("Standard of Care Plus Vehicle Gel", (), "Standard of Care"),
        ("Sham Stimulation", ("Device A",), ""),
        ("Normal Saline Group", (), ""),
        ("Placebo then Tolumab", ("Tolumab",), ""),
        ("Placebo / Tolumab 5 mg", ("Tolumab",), ""),
        ("Deferred Group: Placebo > Tolumab/Ranovir", (), ""),
        ("Tolumab/Placebo", ("Placebo",), ""),
    ],
)
def test_a_placebo_is_blank_whatever_is_listed_or_follows(label: str, interventions: tuple[str, ...], left: str):
    arm = ArmSpec(label, interventions)
    assert is_blank(arm)
    assert given_text(arm) == left


@pytest.mark.parametrize(
    ("label", "interventions", "given"),
    [
        ("Placebo + Metformin", ("Placebo", "Metformin"), "Metformin; Metformin"),
        ("Arm I (Metformin and Placebo)", (), "Arm I Metformin"),
        ("Placebo with Metformin", (), "Metformin"),
        ("Tolumab 10 mg + Ranovir Placebo + Ranovir 20 mg", (), "Tolumab 10 mg + Ranovir 20 mg"),
        ("Tolumab", ("Tolumab", "Placebo of Ranovir"), "Tolumab; Tolumab"),
        ("Control Group", ("Placebo", "Metformin"), "Control Group; Metformin"),
        ("Tolumab/Placebo", ("Tolumab", "Placebo"), "Tolumab; Tolumab"),
        ("Tolumab → Placebo", ("Tolumab",), "Tolumab; Tolumab"),
        ("Tolumab in Normal Saline", ("Tolumab and solvent",), "Tolumab in Normal Saline; Tolumab and solvent"),
        ("Control", (), "Control"),
        ("Usual Care", ("Standard of care",), "Usual Care; Standard of care"),
    ],
)
def test_what_is_given_beside_or_before_a_placebo_is_left(label: str, interventions: tuple[str, ...], given: str):
    arm = ArmSpec(label, interventions)
    assert not is_blank(arm)
    assert given_text(arm) == given


def test_a_placebo_is_expected_to_lose_whatever_is_registered_of_it():
    placebo = expected(asked(1, "Tolumab", "Placebo", "placebo")).comparator
    for label, control in (("Placebo then Tolumab", "none"), ("Tolumab placebo", "active"), ("Arm I: Placebo", "active")):
        assert expected(asked(1, "Tolumab", label, control)).comparator == placebo
    rival = expected(asked(1, "Tolumab", "Ranovir", "active"))
    assert expected(asked(1, "Tolumab", "Ranovir", "none")) == rival
    assert expected(asked(1, "Tolumab + Ranovir", "Tolumab placebo + Ranovir", "active")).comparator > rival.comparator


def test_no_comparator_is_given_nothing_and_is_no_placebo():
    assert given_text(None) == ""
    assert not is_blank(None)
