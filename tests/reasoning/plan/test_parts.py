"""Which groups of a trial make a comparison, and which one is chosen when little is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.reasoning.observed import anchor_choices
from deepimagine_tui.reasoning.parts import other_part
from deepimagine_tui.reasoning.specs import background_of
from deepimagine_tui.reasoning.state import ArmSpec
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.model import Arm, Trial
from tests.reasoning.plan.made import ARMS, TRIAL


def with_groups(*titles: str, arms: tuple[Arm, ...] = ARMS[:1]) -> Trial:
    outcome = TRIAL.outcomes[0]
    groups = tuple(
        replace(group, title=title, kind="arm", doses=(), link=None, control="unknown")
        for group, title in zip(outcome.groups, titles, strict=False)
    )
    kept = {group.id for group in groups}
    cells = tuple(cell for cell in outcome.cells if cell.group_id in kept)
    return replace(TRIAL, arms=arms, outcomes=(replace(outcome, groups=groups, cells=cells, contrasts=()),))


def test_strata_of_one_registered_arm_are_no_comparison() -> None:
    choices = anchor_choices(with_groups("Follicular lymphoma", "Mantle cell lymphoma"))
    assert choices
    assert all(choice.comparator is None for choice in choices)


def test_two_groups_of_several_registered_arms_are_one() -> None:
    choices = anchor_choices(with_groups("Glucofake early", "Glucofake late", arms=ARMS))
    assert any(choice.comparator is not None for choice in choices)


@pytest.mark.parametrize(("first", "second"), [("Day 1", "Month 7"), ("Pre-infusion", "1 hour post-infusion")])
def test_times_of_one_group_are_no_comparison(first: str, second: str) -> None:
    assert all(choice.comparator is None for choice in anchor_choices(with_groups(first, second, arms=ARMS)))


@pytest.mark.parametrize(
    ("arm", "comparator", "apart"),
    [
        ("Drug A (Part 2)", "Placebo (Part 1)", True),
        ("Drug A (Part 2)", "Placebo (Part 2-Prevention)", False),
        ("Glycemia Trial: intensive control", "Lipid Trial: placebo", True),
        ("Phase II- 8 mg/kg", "Phase II placebo", False),
        ("Drug A 10 mg", "Placebo", False),
    ],
)
def test_labels_tell_the_parts_of_a_trial_apart(arm: str, comparator: str, apart: bool) -> None:
    assert other_part(ArmSpec(arm), ArmSpec(comparator)) is apart


def test_a_planned_comparator_is_of_the_arms_own_part() -> None:
    arms = (
        Arm("Placebo (Part 1)", "placebo comparator", ("Placebo",)),
        Arm("Standard (Part 2)", "active comparator", ("Standard",)),
        replace(ARMS[1], label="Glucofake 10 mg (Part 1)"),
        replace(ARMS[2], label="Glucofake 25 mg (Part 2)"),
    )
    target = target_of(replace(TRIAL, arms=arms))
    assert target.comparator is not None
    assert (target.arm.label, target.comparator.label) == ("Glucofake 25 mg (Part 2)", "Standard (Part 2)")


def test_an_arm_is_a_control_by_its_words_too() -> None:
    arms = (*ARMS[1:], Arm("Wait list", "other", ("Usual diet",)))
    target = target_of(replace(TRIAL, arms=arms))
    assert target.comparator is not None
    assert (target.comparator.label, target.comparator.control) == ("Wait list", "no intervention")


def test_a_placebo_that_all_arms_get_is_no_background() -> None:
    arms = tuple(replace(arm, interventions=(f"Drug {n}", "Placebo")) for n, arm in enumerate(ARMS))
    assert background_of(replace(TRIAL, arms=arms)) == ""
    assert background_of(TRIAL) == "Metformin"


def test_arms_whose_doses_are_only_words_are_ranked_by_them() -> None:
    arms = tuple(Arm(f"{word} dose: Vaccine", "experimental", ("Vaccine",)) for word in ("Low", "High", "Medium"))
    assert target_of(replace(TRIAL, arms=arms)).arm.label == "High dose: Vaccine"
