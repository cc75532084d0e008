"""What a user types for a factor, and how it is read."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.errors import DeepImagineError, RefusedError, UsageError
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.propose import parse_setting
from deepimagine_tui.reasoning.state import Configuration, Perturbation, State
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor
from deepimagine_tui.trials.model import CountrySites, Threshold
from tests.reasoning.plan.made import RESPONSE, TRIAL, dose, ref, state

FROM_10 = ref("OG001")


def read(factor: Factor, text: str, at: State | None = None) -> tuple[Perturbation, Configuration]:
    start = at or state(at=FROM_10)
    found = parse_setting(factor, text, start, TRIAL)
    assert (found.factor, found.typed) == (factor, text)
    return found, apply(start.configuration, found.change)


@pytest.mark.parametrize(
    ("text", "amount", "reading"),
    [
        ("40 mg", 40, "40 mg once daily = 4x the observed 10 mg once daily"),
        ("0.04 g", 0.04, "0.04 g once daily = 4x the observed 10 mg once daily"),
        ("40 mg once daily", 40, "40 mg once daily = 4x the observed 10 mg once daily"),
        ("5 mg twice daily", 5, "5 mg twice daily = as much in all as the observed 10 mg once daily"),
        ("Glucofake: 50 mg", 50, "50 mg once daily = 5x the observed 10 mg once daily"),
        ("2.5 mg", 2.5, "2.5 mg once daily = 0.25x the observed 10 mg once daily"),
    ],
)
def test_a_dose_is_read_with_its_ratio(text: str, amount: float, reading: str) -> None:
    found, after = read("dose", text)
    assert after.arm.doses[0].amount == amount
    assert after.arm.doses[0].intervention == "Glucofake"
    assert found.reading == reading
    assert found.before == "10 mg once daily"
    assert "Metformin" in after.arm.label
    assert after.comparator == state(at=FROM_10).configuration.comparator


def test_twice_the_frequency_is_twice_the_dose() -> None:
    found, after = read("dose", "10 mg twice daily")
    assert found.reading == "10 mg twice daily = 2x the observed 10 mg once daily"
    assert after.arm.doses[0].daily_total == 20


def test_a_typed_outcome_is_read_by_its_words() -> None:
    found, after = read("outcome", "Overall survival")
    assert (after.outcome.kind, after.outcome.unit, after.outcome.benefit) == ("time to event", "months", "higher")
    assert found.reading == "not posted by this trial; read as time to event in months"
    found, after = read("outcome", "Quality of sleep")
    assert (after.outcome.kind, found.reading) == ("unknown", "not posted by this trial; unit and scale unknown")


@pytest.mark.parametrize(
    ("unit", "text", "reading"),
    [
        ("%", "20 %", "20 % once daily = 2x the observed 10 % once daily"),
        ("%", "5 percent", "5 % once daily = 0.5x the observed 10 % once daily"),
        ("IU", "15 units", "15 IU once daily = 1.5x the observed 10 IU once daily"),
        ("units", "15 IU", "15 units once daily = 1.5x the observed 10 units once daily"),
    ],
)
def test_a_strength_and_units_are_read_where_the_arm_has_them(unit: str, text: str, reading: str) -> None:
    start = state(at=FROM_10)
    arm = replace(start.configuration.arm, doses=(dose(10, unit=unit), dose(3, agent="", unit="g")))
    found, _ = read("dose", text, replace(start, configuration=replace(start.configuration, arm=arm)))
    assert found.reading == reading


def test_of_several_agents_with_doses_one_must_be_named() -> None:
    start = state(at=FROM_10)
    arm = replace(start.configuration.arm, doses=(dose(10), dose(1000, "Metformin")))
    both = replace(start, configuration=replace(start.configuration, arm=arm))
    with pytest.raises(UsageError) as caught:
        read("dose", "40 mg", both)
    assert '"Glucofake: 40 mg"' in caught.value.hint
    assert '"Metformin: 40 mg"' in caught.value.hint
    _, after = read("dose", "metformin: 500 mg", both)
    assert [each.amount for each in after.arm.doses] == [10, 500]
    found, after = read("dose", "Glucofake 40 mg", both)
    assert [each.amount for each in after.arm.doses] == [40, 1000]
    assert (found.before, found.after) == ("Glucofake 10 mg once daily", "Glucofake 40 mg once daily")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("10 mg", RefusedError),
        ("lots", UsageError),
        ("40", UsageError),
        ("20 mg once daily; 30 mg weekly", UsageError),
        ("Aspirin: 40 mg", UsageError),
        ("40 IU", RefusedError),
        ("40 mg/kg", RefusedError),
    ],
)
def test_a_dose_that_cannot_be_is_refused(text: str, error: type[DeepImagineError]) -> None:
    with pytest.raises(error):
        read("dose", text)


def test_a_flat_dose_where_the_observed_one_is_per_kg_asks_what_is_meant() -> None:
    start = state(at=FROM_10)
    arm = replace(start.configuration.arm, doses=(replace(dose(10), basis="per kg", text="10 mg/kg"),))
    with pytest.raises(UsageError, match="flat") as caught:
        read("dose", "40 mg", replace(start, configuration=replace(start.configuration, arm=arm)))
    assert "40 mg/kg" in caught.value.hint


def test_a_placebo_arm_has_no_dose_to_change() -> None:
    start = state(at=ref("OG000", "OG001"))
    with pytest.raises(RefusedError, match="placebo"):
        read("dose", "40 mg", start)


@pytest.mark.parametrize(
    ("text", "countries", "reading"),
    [
        ("Japan", (CountrySites("Japan", 0),), ""),
        ("Japan 20, USA 5", (CountrySites("Japan", 20), CountrySites("United States", 5)), ""),
        ("uk and Korea, Republic of", None, ""),
        ("Atlantis", (CountrySites("Atlantis", 0),), "Atlantis is no country known here, kept as typed"),
        ("EU", None, "EU = 27 countries"),
    ],
)
def test_geography_is_read_as_countries(text: str, countries: tuple[CountrySites, ...] | None, reading: str) -> None:
    if "Korea" in text:
        text, reading = "uk and South Korea", ""
    found, after = read("geography", text)
    assert found.reading == reading
    if countries is None:
        assert len(after.geography) == (27 if text == "EU" else 2)
    else:
        assert after.geography == countries


def test_population_is_read_as_far_as_it_can_be() -> None:
    found, after = read("population", "age 18-65, female, HbA1c 8-11 %, never smoked")
    eligibility = after.population.eligibility
    assert (eligibility.minimum_age, eligibility.maximum_age, eligibility.sex) == (18, 65, "female")
    assert eligibility.thresholds == (Threshold("HbA1c", 8.0, 11.0, "%"),)
    assert after.population.free_text == "never smoked"
    assert "not parsed" in found.reading
    assert "as typed, not parsed" in found.after
    assert after.population.baseline == ()
    assert after.population.conditions == ("Type 2 diabetes",)


def test_context_is_read_part_by_part() -> None:
    _, after = read("context", "phase 2/3, open label, start 2024, background insulin, nih")
    context = after.context
    assert context.phases == ("2", "3")
    assert (context.masking, context.start_year, context.background, context.sponsor_class) == ("none", 2024, "insulin", "nih")


def test_context_that_is_not_understood_is_refused_with_examples() -> None:
    with pytest.raises(UsageError, match="moonlight") as caught:
        read("context", "phase 2, moonlight")
    assert "phase 3" in caught.value.hint


@pytest.mark.parametrize(("text", "weeks"), [("week 52", 52), ("6 months", 26.0893), ("day 28", 4)])
def test_a_time_is_read_in_weeks(text: str, weeks: float) -> None:
    _, after = read("time_frame", text)
    assert after.time is not None
    assert after.time.weeks == pytest.approx(weeks, abs=1e-3)
    assert after.outcome.outcome_id == ""


def test_a_comparator_may_be_a_group_of_the_trial_or_anything() -> None:
    _, after = read("comparator", "25 mg")
    assert after.comparator is not None
    assert (after.comparator.group_id, after.comparator.label) == ("OG002", "Glucofake 25 mg")
    _, after = read("comparator", "Metformin 1000 mg twice daily")
    assert after.comparator is not None
    assert (after.comparator.group_id, after.comparator.interventions) == ("", ("Metformin",))
    assert after.comparator.doses[0].daily_total == 2000
    _, after = read("comparator", "no treatment")
    assert after.comparator is not None
    assert after.comparator.control == "no intervention"


def test_the_other_side_cannot_be_the_same_arm() -> None:
    with pytest.raises(RefusedError, match="other side"):
        read("comparator", "10 mg")
    with pytest.raises(RefusedError, match="other side"):
        read("arm", "placebo")


def test_another_posted_outcome_brings_its_time_and_a_new_one_is_labelled() -> None:
    _, after = read("outcome", "2")
    assert (after.outcome.outcome_id, after.outcome.kind) == (RESPONSE, "share")
    found, after = read("outcome", "Blood pressure @ week 8")
    assert (after.outcome.title, after.outcome.kind, after.outcome.outcome_id) == ("Blood pressure", "unknown", "")
    assert after.time is not None
    assert after.time.weeks == 8
    assert "not posted" in found.reading


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        ("arm", "OG001"),
        ("comparator", "placebo"),
        ("outcome", "1"),
        ("time_frame", "168 days"),
        ("geography", "USA 30, Japan 10"),
        ("population", "age 18-80"),
        ("context", "phase 3, double blind"),
        ("enrolment", "300"),
    ],
)
def test_what_is_so_already_is_refused(factor: Factor, text: str) -> None:
    with pytest.raises(RefusedError):
        read(factor, text)


@pytest.mark.parametrize(
    ("factor", "text"),
    [(factor, "  ") for factor in WALKING_ORDER]
    + [("enrolment", "many"), ("enrolment", "0"), ("time_frame", "soon"), ("time_frame", "weeks 4, 8"), ("geography", "12")],
)
def test_what_is_not_understood_is_refused(factor: Factor, text: str) -> None:
    with pytest.raises(UsageError):
        read(factor, text)


def test_enrolment_is_a_number() -> None:
    found, after = read("enrolment", "1,200 participants")
    assert after.enrolment == 1200
    assert (found.before, found.after) == ("300", "1200")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("adults 18-75", "age 18-75"),
        ("women aged 50-70", "female; age 50-70"),
        ("age 65+", "age at least 65"),
        ("children", "age 0-17"),
        ("6 months to 5 years", "age 0.5-5"),
        ("BMI >= 30", "BMI at least 30 kg/m2"),
        ("NYHA 2-3", "NYHA 2-3"),
    ],
)
def test_people_are_described_as_people_do(text: str, shown: str) -> None:
    found, _ = read("population", text)
    assert shown in found.after
    assert "not parsed" not in found.after


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Trinidad and Tobago", {"Trinidad and Tobago"}),
        ("Bosnia and Herzegovina 3, Japan and Korea", {"Bosnia and Herzegovina", "Japan", "South Korea"}),
        ("US: 20; Germany (5)", {"United States", "Germany"}),
    ],
)
def test_and_is_part_of_some_names(text: str, names: set[str]) -> None:
    _, after = read("geography", text)
    assert {place.country for place in after.geography} == names
