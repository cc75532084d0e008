"""What arms are truly given: a placebo of a drug is no drug, and a placebo that something follows is one at first."""

from __future__ import annotations

import pytest

from deepimagine_tui.evaluation.expectations import expected
from deepimagine_tui.evaluation.given import given_text, is_blank
from deepimagine_tui.reasoning.state import ArmSpec
from tests.evaluation.made_questions import asked


@pytest.mark.parametrize(
    ("arm", "given"),
    [
        (ArmSpec("Semaglutide + Tolumab placebo", ("Tolumab placebo", "Semaglutide")), "Semaglutide + Semaglutide"),
        (ArmSpec("Metoprolol plus placebo for perfinib"), "Metoprolol plus"),
        (ArmSpec("Azathioprine", ("Azathioprine", "Placebo-rituximab")), "Azathioprine Azathioprine"),
        (ArmSpec("Placebo + Azacitidine", ("Azacitidine", "Placebo")), "+ Azacitidine Azacitidine"),
        (ArmSpec("Tolumab and placebo", ("Tolumab", "Placebo")), "Tolumab and Tolumab"),
        (ArmSpec("Tolumab 20 mg"), "Tolumab 20 mg"),
    ],
)
def test_the_placebo_of_a_drug_is_not_given(arm: ArmSpec, given: str):
    assert given_text(arm).split() == given.split()


@pytest.mark.parametrize(
    ("label", "blank"),
    [
        ("Placebo", True),
        ("Group 4: Placebo", True),
        ("Placebo Topical Powder", True),
        ("Tolumab placebo", True),
        ("Group 3: Placebo Followed by Tolumab", True),
        ("Placebo/Pioglitazone", True),
        ("Placebo → Tolumab", True),
        ("Group B: Part 1 Placebo and Part 2 Active Treatment", True),
        ("Normal Saline", True),
        ("Sham stimulation", True),
        ("Placebo + Azacitidine", False),
        ("Metoprolol plus placebo for perfinib", False),
        ("Tolumab followed by placebo", False),
        ("Saline Lavage with no Local Antibiotics", False),
        ("Tolumab 20 mg", False),
        ("Control", False),
    ],
)
def test_a_label_says_whether_anything_active_is_given_at_first(label: str, blank: bool):
    assert is_blank(ArmSpec(label)) is blank


def test_a_placebo_is_expected_to_lose_whatever_is_registered_of_it():
    placebo = expected(asked(1, "Tolumab", "Placebo", "placebo")).comparator
    for label, control in (
        ("Placebo Followed by Tolumab", "none"),
        ("Tolumab placebo", "active"),
        ("Arm I: Placebo", "active"),
    ):
        assert expected(asked(1, "Tolumab", label, control)).comparator == placebo
    rival = expected(asked(1, "Tolumab", "Ranovir", "active"))
    assert expected(asked(1, "Tolumab", "Ranovir", "none")) == rival
    assert expected(asked(1, "Tolumab + Ranovir", "Tolumab placebo + Ranovir", "active")).comparator > rival.comparator


def test_no_comparator_is_given_nothing_and_is_no_placebo():
    assert given_text(None) == ""
    assert not is_blank(None)
