"""What the factor picker offers, with how much is known of each value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest

from deepimagine_tui.corpus.query import DoseSeen
from deepimagine_tui.reasoning.propose import propose
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor
from tests.reasoning.plan.made import TRIAL, ref, state


class SmallCorpus:
    """A corpus that has seen three doses, one of them in another kind of unit, and two countries."""

    def doses_of(self, intervention: str) -> Sequence[DoseSeen]:
        assert intervention == "Glucofake"
        return [
            DoseSeen(25.0, "mg", "flat", 1.0, 25.0, ("NCT99000007", "NCT99000008")),
            DoseSeen(40.0, "mg", "flat", 1.0, 40.0, ("NCT99000009", "NCT99000010", "NCT99000011")),
            DoseSeen(7.0, "IU", "flat", None, None, ("NCT99000012",)),
        ]

    def facets(self, field: Literal["country"], words: str = "") -> Sequence[tuple[str, int]]:
        return [("Japan", 5), ("Germany", 1)]


def test_doses_come_with_their_support() -> None:
    found = propose("dose", state(at=ref("OG001")), TRIAL, SmallCorpus())
    assert [(each.label, each.support, each.trials, each.can_be_checked) for each in found] == [
        ("25 mg once daily", "this trial", 1, True),
        ("40 mg once daily", "3 trials", 3, False),
        ("5 mg once daily", "none seen", 0, False),
        ("20 mg once daily", "none seen", 0, False),
    ]


def test_the_dose_of_the_comparator_cannot_be_checked() -> None:
    found = propose("dose", state(at=ref("OG001", "OG002")), TRIAL)
    assert [(each.label, each.can_be_checked) for each in found if each.support == "this trial"] == [
        ("25 mg once daily", False)
    ]


def test_posted_arms_outcomes_and_times_can_be_checked() -> None:
    start = state(at=ref("OG001"))
    assert [(each.label, each.can_be_checked) for each in propose("arm", start, TRIAL)] == [("Glucofake 25 mg", True)]
    assert [each.can_be_checked for each in propose("outcome", start, TRIAL)] == [True, True]
    assert [(each.label, each.can_be_checked) for each in propose("time_frame", start, TRIAL)] == [
        ("Week 12", True),
        ("week 52", False),
    ]
    assert [each.label for each in propose("comparator", start, TRIAL) if each.can_be_checked] == ["Glucofake 25 mg"]


def test_countries_come_from_the_trial_then_the_corpus() -> None:
    found = propose("geography", state(), TRIAL, SmallCorpus())
    assert [(each.support, each.trials) for each in found] == [
        ("this trial", 1),
        ("this trial", 1),
        ("1 trial", 1),
        ("none seen", 0),
    ]


@pytest.mark.parametrize("factor", WALKING_ORDER)
def test_every_factor_has_something_to_offer(factor: Factor) -> None:
    found = propose(factor, state(at=ref("OG001")), TRIAL)
    assert found
    assert all(each.perturbation.factor == factor for each in found)
    assert len({each.label for each in found}) == len(found)
