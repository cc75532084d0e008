"""Each concept with its table of cases."""

from __future__ import annotations

import math
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepimagine_tui.trials.concepts.ages import age_years, thresholds
from deepimagine_tui.trials.concepts.axes import class_axis
from deepimagine_tui.trials.concepts.benefits import benefit
from deepimagine_tui.trials.concepts.cell_states import missing_state
from deepimagine_tui.trials.concepts.groups import control, group_kind
from deepimagine_tui.trials.concepts.hypotheses import hypothesis
from deepimagine_tui.trials.concepts.links import link_group
from deepimagine_tui.trials.concepts.measures import analysis_set, change_basis, value_kind
from deepimagine_tui.trials.concepts.numbers import parse_count, parse_number
from deepimagine_tui.trials.concepts.orientations import from_comments, from_values, is_inverse
from deepimagine_tui.trials.concepts.p_values import parse_p, stated_alpha, test_sides
from deepimagine_tui.trials.concepts.pairs import find_contrast
from deepimagine_tui.trials.concepts.programmes import programme_keys
from deepimagine_tui.trials.concepts.scales import contrast_kind, null_value
from deepimagine_tui.trials.concepts.terms import dispersion, masking, phase, words
from deepimagine_tui.trials.concepts.time_points import point_text, weeks
from deepimagine_tui.trials.concepts.time_titles import without_time
from deepimagine_tui.trials.concepts.titles import compose_title, is_dose_ranging
from deepimagine_tui.trials.concepts.verdicts import interval_significant, p_significant, verdict
from deepimagine_tui.trials.model import Arm, ArmType, Intervention, Trial
from deepimagine_tui.trials.results import Benefit, Contrast, ContrastInterval, Outcome, PValue, ResultGroup, ValueKind
from deepimagine_tui.trials.units import find_doses

test_sides.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4.5", 4.5), ("-0.05", -0.05), (".04", 0.04), ("10.", 10), ("26,300", 26300), ("4,760,000", 4760000),
        ("0,001", 0.001), ("1,5", 1.5),
        ("−3.2", -3.2), ("1.2E3", 1200), ("45%", 45), (" 7 ", 7), ("NA", None), ("<5", None), ("", None), ("1e999", None),
        ("nan", None),
        ("1.2.3", None), ("12 (3)", None),
    ],
)  # fmt: skip
def test_numbers(text: str, value: float | None) -> None:
    assert parse_number(text) == value


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_written_numbers_are_read_back(value: float) -> None:
    assert parse_number(f"{value:.6f}") == pytest.approx(value, abs=1e-5)
    assert parse_number(f"{value:,.2f}") == pytest.approx(value, abs=0.006)


def test_counts() -> None:
    assert [parse_count(text) for text in ("12", "1,134", "-1", "4.5", "4.0", "NA")] == [12, 1134, None, None, 4, None]


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("<0.0001", "<", 0.0001), ("=0.71", "=", 0.71), ("0.05", "=", 0.05), (">0.05", ">", 0.05),
        ("&lt; 0.0001", "<", 0.0001), ("< .001", "<", 0.001),
        ("0,001", "=", 0.001), ("<=0.05", "<=", 0.05), ("≤ 0.05", "<=", 0.05), ("p = 0.03", "=", 0.03), ("P<0.1", "<", 0.1),
        ("1.0", "=", 1), ("3e-5", "=", 3e-5),
    ],
)  # fmt: skip
def test_p_values(text: str, operator: str, value: float) -> None:
    found = parse_p(text)
    assert found is not None
    assert (found.operator, found.value) == (operator, value)


@pytest.mark.parametrize("text", ["", "NS", "1.2", "-0.1", "not significant", "0.03 and 0.04"])
def test_what_is_no_p_value(text: str) -> None:
    assert parse_p(text) is None


def test_sides_and_alpha_of_a_test() -> None:
    assert test_sides("t-test, 1 sided") == 1
    assert test_sides("ANCOVA", "one-sided test") == 1
    assert test_sides("ANCOVA", "one-sided p doubled to a two-sided p") == 2
    assert stated_alpha("tested at a significance level of 0.025") == 0.025
    assert stated_alpha("alpha = 5%") == 0.05
    assert stated_alpha("a priori threshold for statistical significance is 0.0167") == 0.0167
    assert stated_alpha("nothing said") is None


@pytest.mark.parametrize(
    ("p", "alpha", "significant"),
    [
        (PValue("=", 0.04), None, True), (PValue("=", 0.06), None, False), (PValue("=", 0.04, 1), None, False),
        (PValue("=", 0.02, 1), None, True),
        (PValue("=", 0.04), 0.01, False), (PValue("<", 0.001), None, True), (PValue("<", 0.1), None, None),
        (PValue(">", 0.05), None, False),
        (PValue(">", 0.01), None, None), (PValue(">=", 0.06), None, False), (None, None, None),
    ],
)  # fmt: skip
def test_significance_of_p(p: PValue | None, alpha: float | None, significant: bool | None) -> None:
    assert p_significant(p, alpha) is significant


@pytest.mark.parametrize(
    ("interval", "null", "significant"),
    [
        (ContrastInterval(0.4, 0.9, 95), 1, True), (ContrastInterval(0.4, 1.1, 95), 1, False), (ContrastInterval(1, 3, 95),
        0, True),
        (ContrastInterval(1, 3, 80), 0, None), (ContrastInterval(None, 0.9, 97.5, 1), 1, True),
        (ContrastInterval(0.5, None, 97.5, 1), 1, None),
        (ContrastInterval(1, 3, 95), None, None), (ContrastInterval(1, 3, None), 0, None), (None, 0, None),
    ],
)  # fmt: skip
def test_significance_of_an_interval(interval: ContrastInterval | None, null: float | None, significant: bool | None) -> None:
    assert interval_significant(interval, null, None) is significant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Week 24", 24), ("24 weeks", 24), ("Baseline, Week 12", 12), ("Baseline and 52 weeks", 52), ("Day 85", 12.1429),
        ("6 months", 26.0893), ("1 year", 52.1786),
        ("up to 24 weeks", 24), ("From baseline to Week 26", 26), ("one year", 52.1786), ("12-week treatment period", 12),
        ("48 hours", 0.2857), ("M12", 52.1786),
        ("Baseline", 0), ("Day 1", 0.1429), ("Week 12 and Week 24", None), ("Weeks 4-8", None), ("Weeks 24 and 48", None),
        ("12 and 24 months", None), ("Cycle 2 Day 1", None),
        ("End of treatment", None), ("", None), ("every 4 weeks until Week 48", 48),
    ],
)  # fmt: skip
def test_weeks(text: str, expected: float | None) -> None:
    assert weeks(text) == expected


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.0, "baseline"),
        (24.0, "week 24"),
        (52.0, "week 52"),
        (52.1786, "month 12"),
        (260.893, "year 5"),
        (5 / 7, "day 5"),
        (6 / 168, "hour 6"),
        (2.37, "week 2.4"),
        (100 / 7, "day 100"),
        (15 / 10080, "minute 15"),
    ],
)
def test_a_point_in_time_has_its_natural_unit(number: float, shown: str) -> None:
    assert point_text(number) == shown


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("Week 4 (n=40)", ""), ("Week 12, N = 56,122", ""), ("Month 3", ""), ("FEV1 at Week 4", "fev"), ("30 MIU/day", None),
        ("Nausea", None),
        ("6 months overall survival", "overall survival"), ("Pre-existing immunity", None), ("Cycle 1 Day 8", ""),
    ],
)  # fmt: skip
def test_what_a_class_title_names_beside_a_time(title: str, left: str | None) -> None:
    assert without_time(title) == left


@pytest.mark.parametrize(
    ("titles", "arms", "names", "kind"),
    [
        ((), (), (), "none"), (("",), (), (), "none"), (("Week 4", "Week 8 (n=12)"), (), (), "time"),
        (("PFS at month 3", "PFS at month 6"), (), (), "time"),
        (("Baseline", "Change at Week 24"), (), (), "time"), (("Nausea", "Vomiting"), (), (), "component"),
        (("SBP, Week 4", "DBP, Week 4"), (), (), "other"),
        (("ITT", "Per protocol"), (), (), "analysis set"), (("Male", "Female"), (), (), "subgroup"),
        (("Aged <65", "Aged 65 or older"), (), (), "subgroup"),
        (("Drug A", "Placebo"), ("Placebo", "Drug A"), (), "arm"),
        (("Score for real prisms", "Score for sham prisms"), ("Real first, then sham",),
        ("Real prism glasses", "Sham prism glasses"), "arm"),
        (("Grade 3 anaemia", "Grade 4 anaemia"), ("Drug",), ("Drug",), "component"), (("30 MIU/day", "48 MIU/day"), (), (),
        "component"),
    ],
)  # fmt: skip
def test_class_axes(titles: tuple[str, ...], arms: tuple[str, ...], names: tuple[str, ...], kind: str) -> None:
    assert class_axis(titles, arms, names) == kind


@pytest.mark.parametrize(
    ("title", "crossover", "alone", "kind"),
    [
        ("Mindazol 10 mg", False, False, "arm"), ("All Participants", False, True, "whole study"),
        ("Total", False, False, "whole study"),
        ("Entire Study Population", False, True, "whole study"), ("Pooled placebo", False, False, "pooled"),
        ("All dose levels of alvocidib", False, False, "pooled"),
        ("Arms A and B", False, False, "pooled"), ("Combined with radiation", False, False, "arm"),
        ("Drug A, Period 2", True, False, "crossover period"),
        ("Drug A, Period 2", False, False, "arm"), ("Women", False, False, "subgroup"),
        ("KRAS wild-type", False, False, "subgroup"),
        ("Relapsed or refractory", False, True, "arm"), ("Relapsed or refractory", False, False, "subgroup"),
        ("Adults aged 18 to 55 - 30 µg", False, False, "arm"),
    ],
)  # fmt: skip
def test_group_kinds(title: str, crossover: bool, alone: bool, kind: str) -> None:
    assert group_kind(title, crossover, False, alone) == kind


@pytest.mark.parametrize(
    ("title", "arm", "expected"),
    [
        ("Placebo", None, "placebo"), ("Matching placebo tablets", "experimental", "none"),
        ("Mindazol + placebo", None, "unknown"), ("Placebo + metformin", "placebo comparator", "placebo"),
        ("Sham rTMS", None, "sham"), ("No treatment", None, "no intervention"),
        ("Observation only", None, "no intervention"), ("Standard of care", None, "active"),
        ("Glargine", "active comparator", "active"), ("Mindazol", "experimental", "none"), ("Mindazol", None, "unknown"),
    ],
)  # fmt: skip
def test_controls(title: str, arm: ArmType | None, expected: str) -> None:
    assert control(title, arm) == expected


ARMS = (
    Arm("Mindazol 10 mg", "experimental", ("Mindazol",), find_doses("Mindazol 10 mg", ["Mindazol"])),
    Arm("Mindazol 20 mg", "experimental", ("Mindazol",), find_doses("Mindazol 20 mg", ["Mindazol"])),
    Arm("Placebo", "placebo comparator", ("Placebo",)),
)


@pytest.mark.parametrize(
    ("title", "label", "how"),
    [
        ("Mindazol 10 mg", "Mindazol 10 mg", "label"), ("MINDAZOL 10-mg (ITT population)", "Mindazol 10 mg", "label"),
        ("Mindazol 20 mg Once Daily", "Mindazol 20 mg", "label"),
        ("Matching placebo", "Placebo", "label"), ("MND, 20 mg", "Mindazol 20 mg", "dose"), ("Mindazol", None, ""),
        ("Something else", None, ""), ("", None, ""),
    ],
)  # fmt: skip
def test_links_to_registered_arms(title: str, label: str | None, how: str) -> None:
    link = link_group(title, find_doses(title.replace("MND", "Mindazol"), ["Mindazol"]), ARMS)
    assert (link and link.arm_label, link.how if link else "") == (label, how)


@pytest.mark.parametrize(
    ("parameter", "unit", "title", "kind", "change"),
    [
        ("count of participants", "Participants", "Responders", "share", "final"),
        ("number", "percentage of participants", "Cure", "share", "final"),
        ("number", "participants", "Change in status", "share", "final"),
        ("median", "months", "Overall survival", "time to event", "final"),
        ("median", "days", "Length of stay", "positive", "final"),
        ("geometric mean", "titer", "Antibody titer", "positive", "final"),
        ("mean", "mmHg", "Change from baseline in SBP", "signed", "change"),
        ("mean", "percent change", "Change in LDL-C", "signed", "percent change"),
        ("least squares mean", "percent", "Percent change from baseline in weight", "signed", "percent change"),
        ("mean", "units on a scale", "HAM-D total score", "signed", "final"),
        ("geometric mean", "fold rise", "Geometric mean fold rise", "positive", "ratio to baseline"),
        ("mean", "ng/mL", "Cmax", "positive", "final"),
        ("number", "events per patient-year", "Exacerbations", "positive", "final"),
        ("", "", "Not posted", "unknown", "unknown"), ("number", "survival probability", "OS", "share", "final"),
    ],
)  # fmt: skip
def test_value_kinds_and_change(parameter: str, unit: str, title: str, kind: str, change: str) -> None:
    basis = change_basis(parameter, unit, title)
    assert basis == change
    assert value_kind(parameter, unit, title, basis) == kind


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        ("", "unknown"), ("Intent-to-treat population", "intention to treat"),
        ("mITT: randomized and dosed", "modified intention to treat"), ("Per-protocol set", "per protocol"),
        ("All participants who received at least one dose", "safety"),
        ("Participants who completed the study", "completers"), ("Those with a blood sample", "other"),
    ],
)  # fmt: skip
def test_analysis_sets(population: str, expected: str) -> None:
    assert analysis_set(population) == expected


@pytest.mark.parametrize(
    ("title", "kind", "expected"),
    [
        ("Overall survival", "time to event", "higher"), ("Progression-free survival at 1 year", "share", "higher"),
        ("Deaths from any cause", "share", "lower"),
        ("Percentage of Participants With Complete Response", "share", "higher"),
        ("Number of participants with no response", "share", "lower"), ("Non-responders", "share", "lower"),
        ("Time to disease progression", "time to event", "higher"), ("Time to recovery", "time to event", "lower"),
        ("Time to sustained symptom resolution", "time to event", "lower"),
        ("Participants with adverse events", "share", "lower"), ("Change from baseline in HbA1c", "signed", "lower"),
        ("Participants with HbA1c < 7%", "share", "higher"),
        ("HbA1c responders at Week 12", "share", "higher"), ("Symptom improvement", "share", "higher"),
        ("PCR test negativity", "share", "higher"), ("Seizure-free participants", "share", "higher"),
        ("Participants with at least 50% reduction in seizures", "share", "higher"),
        ("Geometric mean titer", "positive", "higher"), ("Quality of life score", "signed", "higher"),
        ("Cmax", "positive", "unknown"), ("Body weight loss", "share", "unknown"),
        ("Mean reduction in pain", "signed", "unknown"), ("Serum sodium", "signed", "unknown"),
        ("Change in systolic blood pressure", "signed", "lower"), ("FEV1", "signed", "higher"),
        ("Relapse rate", "share", "lower"), ("Overall survival", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_directions_of_benefit(title: str, kind: ValueKind, expected: Benefit) -> None:
    assert benefit(title, "", kind, "final") == expected


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Scores range from 0 to 100; higher scores indicate better function.", "higher"),
        ("Higher scores represent more severe disease.", "lower"),
        ("A lower score means a better outcome.", "lower"), ("A decrease indicates improvement.", "lower"),
        ("Score of twelve items.", "unknown"),
    ],
)  # fmt: skip
def test_a_description_says_which_way_a_score_runs(description: str, expected: Benefit) -> None:
    assert benefit("Total score", description, "signed", "final") == expected


@pytest.mark.parametrize(
    ("text", "comment", "kind", "state"),
    [
        ("NA", "Median not reached", "time to event", "not reached"),
        ("NA", "Insufficient number of participants with events", "time to event", "not reached"),
        ("NA", "", "time to event", "not reached"),
        ("NA", "NA indicates data not estimable.", "time to event", "not estimable"),
        ("NA", "Only one subject", "signed", "not estimable"),
        ("NA", "MTD was not reached in this arm", "unknown", "not estimable"), ("NR", "", "signed", "not reported"),
        ("NR", "", "time to event", "not reached"), ("-", "", "share", "not reported"),
    ],
)  # fmt: skip
def test_cells_without_a_value(text: str, comment: str, kind: ValueKind, state: str) -> None:
    assert missing_state(text, comment, kind, "mg" if kind == "unknown" else "score") == state


@pytest.mark.parametrize(
    ("parameter", "kind", "null"),
    [
        ("Mean Difference (Net)", "difference", 0), ("Hazard Ratio (HR)", "ratio", 1), ("Odds Ratio (OR)", "ratio", 1),
        ("Slope", "slope", 0), ("Difference of LS Means", "difference", 0),
        ("LSM ratio (%; ln-transformed)", "ratio", 100), ("LS mean (log scale)", "difference", 0), ("GMT Ratio", "ratio", 1),
        ("Log odds ratio", "difference", 0), ("Hodges-Lehmann estimator", "difference", 0),
        ("Chi-squared test statistic", "test only", None), ("Overall Response Rate", "other", None),
        ("Vaccine efficacy", "other", None),
    ],
)  # fmt: skip
def test_kinds_of_contrast(parameter: str, kind: str, null: float | None) -> None:
    found = contrast_kind(parameter, True)
    assert found == kind
    assert null_value(found, parameter, "units", 104.7) == null
    assert contrast_kind(parameter, False) == "test only"


@pytest.mark.parametrize(
    ("kind", "estimate", "null", "pairs", "inverse", "expected"),
    [
        ("difference", -7.0, 0, [(-9, -2)], False, "a-b"), ("difference", 7.1, 0, [(-9, -2)], False, "b-a"),
        ("difference", 0.0, 0, [(1, 1)], False, "unknown"),
        ("difference", 30.0, 0, [(-9, -2)], False, "unknown"), ("difference", 5.0, 0, [(10, 5), (5, 10)], False, "unknown"),
        ("ratio", 0.33, 1, [(4.0, 12.1)], False, "a/b"),
        ("ratio", 3.0, 1, [(4.0, 12.1)], False, "b/a"), ("ratio", 0.62, 1, [(28.0, 19.0)], True, "a/b"),
        ("ratio", 1.6, 1, [(28.0, 19.0)], True, "b/a"),
        ("ratio", 111.8, 100, [(13.4, 12.0)], False, "a/b"), ("ratio", 1.01, 1, [(4.0, 12.0)], False, "unknown"),
        ("ratio", 0.5, 1, [(0, 4.0)], False, "unknown"),
        ("difference", 1.0, 0, [], False, "unknown"), ("slope", 1.0, 0, [(2, 1)], False, "unknown"),
    ],
)  # fmt: skip
def test_orientation_from_arm_values(
    kind: str, estimate: float, null: float, pairs: list[tuple[float, float]], inverse: bool, expected: str
) -> None:
    assert from_values(kind, estimate, null, pairs, inverse) == expected  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_swapping_the_arms_swaps_the_orientation(estimate: float, a: float, b: float) -> None:
    swapped = {"a-b": "b-a", "b-a": "a-b", "unknown": "unknown"}
    first = from_values("difference", estimate, 0, [(a, b)], False)
    assert from_values("difference", estimate, 0, [(b, a)], False) == swapped[first]


def test_orientation_from_comments() -> None:
    assert from_comments("difference", "Mindazol", "Placebo", "Difference: Mindazol minus Placebo") == "a-b"
    assert from_comments("difference", "Mindazol", "Placebo", "placebo - mindazol") == "b-a"
    assert from_comments("ratio", "Placebo", "Mindazol", "Hazard ratio for mindazol versus placebo") == "b/a"
    assert from_comments("ratio", "Mindazol 10 mg", "Mindazol 20 mg", "10 mg / 20 mg") == "a/b"
    assert from_comments("ratio", "Mindazol", "Placebo", "A / B") == "unknown"
    assert from_comments("slope", "Mindazol", "Placebo", "Mindazol minus placebo") == "unknown"


def test_a_hazard_of_a_time_is_inverse() -> None:
    assert is_inverse("hazard ratio (hr)", "time to event", "Time to recovery")
    assert is_inverse("hazard ratio (hr)", "share", "Event-free survival at 2 years")
    assert not is_inverse("hazard ratio (hr)", "share", "Deaths")
    assert not is_inverse("odds ratio (or)", "time to event", "Overall survival")


@pytest.mark.parametrize(
    ("kind", "tested", "groups", "has_p", "comments", "expected"),
    [
        ("SUPERIORITY", None, 2, True, "", "superiority"),
        ("Superiority or Other", None, 2, True, "", "superiority (assumed)"),
        ("SUPERIORITY_OR_OTHER_LEGACY", None, 2, True, "", "superiority (assumed)"),
        ("Superiority or Other", None, 3, True, "", "unknown"), ("Superiority or Other", None, 2, False, "", "unknown"),
        ("Superiority or Other", None, 2, True, "test for linear trend", "other"),
        ("Superiority or Other", None, 2, True, "Non-inferiority margin of 10%", "non-inferiority"),
        ("Non-Inferiority or Equivalence", None, 2, True, "equivalence margin", "equivalence"),
        ("Non-Inferiority or Equivalence (legacy)", None, 2, True, "", "non-inferiority"),
        ("EQUIVALENCE", None, 2, True, "", "equivalence"), ("Other", None, 2, True, "", "other"),
        ("", "No", 2, True, "", "superiority (assumed)"), ("", "Yes", 2, True, "", "non-inferiority"),
        ("", None, 2, True, "", "unknown"),
    ],
)  # fmt: skip
def test_hypotheses(kind: str, tested: str | None, groups: int, has_p: bool, comments: str, expected: str) -> None:
    assert hypothesis(kind, tested, groups, has_p, comments) == expected


CONTRAST = Contrast(0, ("OG000", "OG001"), "superiority", "difference", significant=True, favours="OG000")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "met"), ({"favours": "OG001"}, "not met"), ({"significant": False}, "not met"),
        ({"significant": False, "favours": None}, "not met"), ({"favours": None}, "undetermined"),
        ({"significant": None}, "undetermined"), ({"hypothesis": "superiority (assumed)"}, "met"),
        ({"hypothesis": "non-inferiority"}, "undetermined"), ({"hypothesis": "equivalence"}, "undetermined"),
        ({"group_ids": ("OG000", "OG001", "OG002")}, "undetermined"), ({"group_ids": ("OG000",)}, "undetermined"),
        ({"group_ids": ("OG001", "OG002")}, "undetermined"),
        ({"flags": ("p-contradicts-interval",)}, "undetermined"),
    ],
)  # fmt: skip
def test_verdicts(change: dict[str, object], expected: str) -> None:
    assert verdict(msgspec.structs.replace(CONTRAST, **change), "OG000") == expected


def test_titles_are_composed_of_facts() -> None:
    assert compose_title(ARMS, (), ()) == "Mindazol 10 | 20 mg vs placebo"
    glargine = Arm("Glargine", "active comparator", ("Insulin glargine",))
    assert compose_title((ARMS[0], glargine), (), ()) == "Mindazol 10 mg vs Insulin glargine"
    assert compose_title((), (Intervention("Exercise", "behavioral"),), ("Pain",)) == "Exercise"
    assert compose_title((), (), ("Pain", "Stress")) == "Pain · Stress"


def test_dose_ranging() -> None:
    assert is_dose_ranging(Trial("NCT00000001", "", arms=ARMS))
    assert not is_dose_ranging(Trial("NCT00000001", "", arms=(ARMS[0], ARMS[0], ARMS[2])))
    groups = tuple(ResultGroup(f"OG00{index}", arm.label, "arm", doses=arm.doses) for index, arm in enumerate(ARMS))
    assert is_dose_ranging(Trial("NCT00000001", "", outcomes=(Outcome("x", "primary", "", groups=groups),)))


def test_programmes_share_a_key() -> None:
    parent = Trial("NCT00000001", "", sponsor="Example Pharma", org_study_id="VEL-301", acronym="VELA-3")
    extension = Trial(
        "NCT00000002", "", sponsor="Example Pharma", org_study_id="VEL-301 EXT", secondary_ids=("2019-000001-11",)
    )
    pooled = Trial("NCT00000003", "", org_study_id="X-1", acronym="VELA 4")
    other = Trial("NCT00000004", "", sponsor="Example Pharma", org_study_id="VEL-302", acronym="MOON")
    assert programme_keys(parent) & programme_keys(extension)
    assert programme_keys(parent) & programme_keys(pooled)
    assert not programme_keys(parent) & programme_keys(other)


def test_a_contrast_is_found_in_either_order_or_not_at_all() -> None:
    of_class = msgspec.structs.replace(CONTRAST, index=1, class_title="Week 48")
    outcome = Outcome("x", "primary", "", contrasts=(CONTRAST, of_class))
    assert find_contrast(outcome, "OG001", "OG000") == CONTRAST
    assert find_contrast(outcome, "OG000", "OG001", "Week 48") == of_class
    assert find_contrast(outcome, "OG000", "OG001", "Week 24") == CONTRAST
    assert find_contrast(outcome, "OG000", "OG002") is None


def test_ages_and_thresholds() -> None:
    assert (age_years("18 Years"), age_years("6 Months"), age_years("N/A")) == (18, 0.5, None)
    found = thresholds("Inclusion Criteria:\nHbA1c between 7.0% and 10%\nBMI ≤ 40 kg/m2\nExclusion Criteria:\neGFR < 30")
    assert [(bound.measure, bound.lower, bound.upper) for bound in found] == [("HbA1c", 7.0, 10.0), ("BMI", None, 40.0)]
    assert thresholds("BMI of 3 or more") == ()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("HbA1c (glycosylated haemoglobin) 7.0 - 10.0 percent", [("HbA1c", 7.0, 10.0)]),
        (
            "<p>Inclusion Criteria:</p><li>HbA1c 7-9 %</li><p>Exclusion Criteria:</p><li>SBP &gt;170 mmHg</li>",
            [("HbA1c", 7.0, 9.0)],
        ),
        ("Inclusion Criteria: - HbA1c 7.0 - 10.5 % Exclusion Criteria: - eGFR below 60", [("HbA1c", 7.0, 10.5)]),
        ("<li>eGFR &ge;25</li>", [("eGFR", 25.0, None)]),
        ("At least one of the following:\n- Age 65 or older\n- BMI >= 35", []),
        ("Inclusion and exclusion criteria: hemoglobin >= 9 g/dL", [("hemoglobin", 9.0, None)]),
    ],
)
def test_thresholds_are_those_a_participant_has_to_meet(criteria: str, expected: list[tuple[str, float, float]]) -> None:
    assert [(each.measure, each.lower, each.upper) for each in thresholds(criteria)] == expected


def test_terms_of_both_formats_agree() -> None:
    for modern, classic in (
        ("ACTIVE_NOT_RECRUITING", "Active, not recruiting"),
        ("COUNT_OF_PARTICIPANTS", "Count of Participants"),
    ):
        assert words(modern) == words(classic)
    for text in ("NONE", "None (Open Label)", "Open Label"):
        assert masking(text) == "none"
    for text in ("DOUBLE", "Double Blind (Participant, Investigator)", "Participant, Investigator"):
        assert masking(text) == "double"
    assert masking("") == ""
    assert [phase(text) for text in ("PHASE2", "Phase 2", "EARLY_PHASE1", "NA", "PHASE9")] == ["2", "2", "early 1", "", None]
    assert dispersion("95% Confidence Interval") == dispersion("CONFIDENCE_95") == ("CI", 95)
    assert dispersion("CONFIDENCE_975") == ("CI", 97.5)
    assert dispersion("Inter-Quartile Range") == dispersion("INTER_QUARTILE_RANGE") == ("IQR", None)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.text(max_size=60))
def test_concepts_answer_any_text(text: str, other: str) -> None:
    assert weeks(text) is None or math.isfinite(weeks(text) or 0)
    assert class_axis((text, other), (other,), (text,)) in {
        "none",
        "time",
        "component",
        "subgroup",
        "analysis set",
        "arm",
        "other",
    }
    assert benefit(text, other, "signed", "change") in {"higher", "lower", "unknown"}
    assert benefit(text, other, "share", "final") in {"higher", "lower", "unknown"}
    assert group_kind(text, True, False, False)
    assert control(text, None)
    parse_p(text)
    thresholds(text)
    stated_alpha(text, other)
    from_comments("ratio", text, other, f"{text} versus {other}")
    missing_state(text, other, "time to event", "")


HOSTILE = (
    "higher ",
    "1",
    "1,",
    "10 mg, ",
    "1/",
    "week 1, ",
    "median ",
    "percent of ",
    "few small ",
    "(n=",
    "- ",
    "duration of a b c ",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_long_repetitions_take_no_long_time(piece: str) -> None:
    text = piece * (12000 // len(piece))
    started = time.process_time()
    weeks(text)
    without_time(text)
    benefit("x", text, "signed", "final")
    benefit(text, "", "share", "final")
    group_kind(text, True, False, False)
    change_basis("mean", text, text)
    value_kind("number", text, text, "final")
    missing_state("NA", text, "time to event", "days")
    hypothesis("Superiority or Other", None, 2, True, text)
    from_comments("ratio", "Drug A", "Placebo", text)
    find_doses(text, ["Mindazol"])
    thresholds(text)
    stated_alpha(text)
    assert time.process_time() - started < 6
