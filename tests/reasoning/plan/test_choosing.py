"""What a few typed words, or none, choose as the anchor."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.observed import default_anchor
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.results import Contrast, ResultGroup
from tests.reasoning.plan.made import (
    GROUPS,
    HBA1C,
    HBA1C_CHANGE,
    NCT,
    RESPONDERS,
    RESPONSE,
    TRIAL,
    WEIGHT,
    cell,
    dose,
    ref,
    with_outcome,
)


def test_the_default_is_the_first_primary_the_highest_dose_and_placebo_at_the_latest_time() -> None:
    assert default_anchor(TRIAL) == ref("OG002", "OG000", HBA1C, "Week 24")


def test_a_primary_outcome_goes_before_an_earlier_secondary_one() -> None:
    assert default_anchor(replace(TRIAL, outcomes=(RESPONDERS, HBA1C_CHANGE))).outcome_id == HBA1C


def test_doses_are_compared_across_units() -> None:
    groups = (GROUPS[0], replace(GROUPS[1], doses=(dose(0.1, unit="g"),)), replace(GROUPS[2], doses=(dose(25),)))
    assert default_anchor(with_outcome(replace(HBA1C_CHANGE, groups=groups))).arm_group_id == "OG001"


def test_a_regimen_of_several_doses_does_not_hide_the_agent_that_varies() -> None:
    regimen = (Dose("ICE", 5.0, "g", "5 g"), Dose("ICE", 800.0, "mg", "800 mg"))
    groups = (replace(GROUPS[0], doses=regimen), *(replace(g, doses=(*g.doses, *regimen)) for g in GROUPS[1:3]))
    assert default_anchor(with_outcome(replace(HBA1C_CHANGE, groups=groups))).arm_group_id == "OG002"


@pytest.mark.parametrize(
    ("controls", "expected"),
    [(("active", "sham", "none"), "OG001"), (("active", "unknown", "none"), "OG000"), (("unknown", "none", "none"), "OG000")],
)
def test_the_comparator_is_the_best_control_there_is(controls: tuple[str, str, str], expected: str) -> None:
    groups = tuple(
        replace(group, control=control, doses=(dose(25),) if group.id == "OG002" else (), link=None)
        for group, control in zip(GROUPS[:3], controls, strict=True)
    )
    outcome = replace(HBA1C_CHANGE, groups=groups)
    assert default_anchor(with_outcome(outcome), arm="Glucofake 25 mg").comparator_group_id == expected


def test_of_two_placebos_the_one_that_was_tested_against_is_taken() -> None:
    second = ResultGroup("OG004", "Placebo for 25 mg", "arm", "placebo")
    tested = Contrast(0, ("OG002", "OG004"), "superiority", "difference")
    outcome = replace(RESPONDERS, role="primary", groups=(*GROUPS[:3], second), contrasts=(tested,))
    trial = with_outcome(replace(outcome, cells=(*RESPONDERS.cells[:3], cell("OG004", 21.0))))
    assert default_anchor(trial).comparator_group_id == "OG004"


@pytest.mark.parametrize("text", ["10 mg", "glucofake 10 MG", "OG001", "O2", "10 mg once daily"])
def test_an_arm_is_named_by_dose_title_or_id(text: str) -> None:
    assert default_anchor(TRIAL, arm=text).arm_group_id == "OG001"


def test_micrograms_are_one_unit_however_they_are_written() -> None:
    groups = (GROUPS[0], replace(GROUPS[1], title="72 μg Glucofake"), replace(GROUPS[2], title="145 ug Glucofake"))
    trial = with_outcome(replace(HBA1C_CHANGE, groups=groups))
    assert default_anchor(trial, arm="72 ug Glucofake").arm_group_id == "OG001"
    assert default_anchor(trial, arm="145 mcg glucofake").arm_group_id == "OG002"


@pytest.mark.parametrize("text", ["Glucofake", "5 mg", "nothing like it"])
def test_a_name_for_several_arms_or_none_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        default_anchor(TRIAL, arm=text)
    assert "Glucofake 10 mg" in caught.value.hint
    assert "Glucofake 25 mg" in caught.value.hint


@pytest.mark.parametrize(("text", "expected"), [("placebo", "OG000"), ("10 mg", "OG001")])
def test_a_comparator_is_named_by_what_it_is(text: str, expected: str) -> None:
    assert default_anchor(TRIAL, arm="25 mg", comparator=text).comparator_group_id == expected


@pytest.mark.parametrize(
    ("text", "outcome", "where"),
    [
        ("1", HBA1C, "Week 24"),
        ("O2", RESPONSE, ""),
        ("weight", WEIGHT, ""),
        ("Change from baseline in HbA1c", HBA1C, "Week 24"),
        ("1 @ week 12", HBA1C, "Week 12"),
        ("change from baseline @ 12 weeks", HBA1C, "Week 12"),
        (HBA1C, HBA1C, "Week 24"),
    ],
)
def test_an_outcome_is_named_by_number_title_id_and_time(text: str, outcome: str, where: str) -> None:
    found = default_anchor(TRIAL, outcome=text)
    assert (found.outcome_id, found.class_title) == (outcome, where)


@pytest.mark.parametrize("text", ["HbA1c", "9", "blood pressure", "1 @ week 99"])
def test_an_outcome_that_is_unclear_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        default_anchor(TRIAL, outcome=text)
    assert caught.value.hint


def test_an_arm_that_is_missing_from_the_first_outcome_is_found_in_a_later_one() -> None:
    first = replace(HBA1C_CHANGE, cells=tuple(each for each in HBA1C_CHANGE.cells if each.group_id != "OG001"))
    assert default_anchor(replace(TRIAL, outcomes=(first, RESPONDERS)), arm="10 mg").outcome_id == RESPONSE


def test_without_two_arms_a_single_arm_is_taken() -> None:
    only = replace(HBA1C_CHANGE, groups=GROUPS[2:3], cells=tuple(c for c in HBA1C_CHANGE.cells if c.group_id == "OG002"))
    assert default_anchor(with_outcome(only)).comparator_group_id is None


def test_a_trial_without_results_is_refused() -> None:
    with pytest.raises(RefusedError, match=NCT):
        default_anchor(replace(TRIAL, outcomes=()))


def test_an_outcome_with_pooled_groups_only_is_refused() -> None:
    pooled = replace(RESPONDERS, groups=GROUPS[3:], cells=RESPONDERS.cells[3:])
    with pytest.raises(RefusedError):
        default_anchor(with_outcome(pooled))


def test_the_start_is_never_the_default_time() -> None:
    cells = tuple(
        replace(each, class_title="Baseline (n=100)" if each.class_title == "Week 24" else "End of study", time=None)
        for each in HBA1C_CHANGE.cells
    )
    assert default_anchor(with_outcome(replace(HBA1C_CHANGE, cells=cells, class_axis="other"))).class_title == "End of study"
