"""Doses: how they are read, and when they can be compared."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Intervention
from deepimagine_tui.trials.units import dose_ratio, find_doses, parse_dose, same_dose

WEEK = round(1 / 7, 6)


@pytest.mark.parametrize(
    ("text", "amount", "unit", "basis", "times", "daily"),
    [
        ("10 mg QD", 10, "mg", "flat", 1, 10),
        ("250 mg twice daily", 250, "mg", "flat", 2, 500),
        ("0.5 mg/kg every 3 weeks", 0.5, "mg", "per kg", round(1 / 21, 6), 0.02381),
        ("1,000 IU", 1000, "IU", "flat", None, None),
        ("75 mg/m2", 75, "mg", "per m2", None, None),
        ("75 mg/m^2 every 21 days", 75, "mg", "per m2", round(1 / 21, 6), 3.571429),
        ("5 µg", 5, "mcg", "flat", None, None),
        ("50mg once daily", 50, "mg", "flat", 1, 50),
        ("2x10^9 PFU", 2e9, "PFU", "flat", None, None),
        ("400 mg BID", 400, "mg", "flat", 2, 800),
        ("400 mg b.i.d. with food", 400, "mg", "flat", 2, 800),
        ("500 mg three times a day", 500, "mg", "flat", 3, 1500),
        ("650 mg q6h", 650, "mg", "flat", 4, 2600),
        ("300 mg/day", 300, "mg", "flat", None, 300),
        ("300 mg/day in three divided doses", 300, "mg", "flat", None, 300),
        ("100 mg per day BID", 50, "mg", "flat", 2, 100),
        ("40 mg every other day", 40, "mg", "flat", 0.5, 20),
        ("40 mg weekly", 40, "mg", "flat", WEEK, 5.714286),
        ("8 mg/kg IV q4w", 8, "mg", "per kg", round(1 / 28, 6), 0.285714),
        ("0.05% cream twice daily", 0.05, "%", "flat", 2, 0.1),
        ("120,000 units subcutaneously every 3 weeks", 120000, "units", "flat", round(1 / 21, 6), 5714.28),
        ("1000 milligrams (mg) daily", 1000, "mg", "flat", 1, 1000),
    ],
)
def test_a_dose_is_read(text: str, amount: float, unit: str, basis: str, times: float | None, daily: float | None) -> None:
    dose = parse_dose(text, "Mindazol")
    assert (dose.amount, dose.unit, dose.basis, dose.times_per_day) == (amount, unit, basis, times)
    assert dose.daily_total == (daily if daily is None else pytest.approx(daily, rel=1e-3))
    assert dose.intervention == "Mindazol"
    assert dose.text in text


@pytest.mark.parametrize(
    "text", ["", "daily", "40 mg/mL", "10 mg/dL", "aged 18 to 75", "10 mg or else 300 mg twice daily and 5 mg", "week 12"]
)
def test_what_is_no_single_dose_is_refused(text: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_dose(text)
    assert "10 mg once daily" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "titration", "amount"),
    [
        ("10/20/40 mg titration", (10, 20, 40), 40),
        ("5 mg, then 10 mg once daily", (5, 10), 10),
        ("5-10 mg daily", (5, 10), 10),
        ("100 mg to 400 mg", (100, 400), 400),
        ("On day 1 and 375 mg/m2", (), 375),
    ],
)
def test_titration(text: str, titration: tuple[float, ...], amount: float) -> None:
    (dose,) = find_doses(text, ["Mindazol"])
    assert (dose.titration, dose.amount) == (titration, amount)


def test_a_dose_belongs_to_the_agent_named_closest() -> None:
    doses = find_doses("Alphanol 10 mg once daily plus 500 mg of betazine twice daily", ["Alphanol", "Betazine"])
    assert [(dose.intervention, dose.amount) for dose in doses] == [("Alphanol", 10), ("Betazine", 500)]


def test_other_names_and_first_words_count() -> None:
    sch = Intervention("SCH 56592", "drug", ("Posaconazole", "Noxafil"))
    (dose,) = find_doses("Posaconazole 100 mg QD for 24 weeks.", [sch])
    assert (dose.intervention, dose.text) == ("SCH 56592", "100 mg QD")


def test_an_unregistered_agent_keeps_its_own_name() -> None:
    (dose,) = find_doses("Pioglitazone 30 mg QD", ["GSK189075"])
    assert dose.intervention == "Pioglitazone"


def test_ratios_across_units() -> None:
    assert dose_ratio(parse_dose("1 g", "A"), parse_dose("250 mg", "A")) == pytest.approx(4)
    assert dose_ratio(parse_dose("500 mcg", "A"), parse_dose("1 mg", "A")) == pytest.approx(0.5)
    assert dose_ratio(parse_dose("2 million IU", "A"), parse_dose("500000 IU", "A")) == pytest.approx(4)


def test_daily_totals_are_compared_where_frequencies_differ() -> None:
    assert dose_ratio(parse_dose("500 mg once daily", "A"), parse_dose("250 mg twice daily", "A")) == pytest.approx(1)
    assert not same_dose(parse_dose("500 mg once daily", "A"), parse_dose("250 mg twice daily", "A"))
    assert same_dose(parse_dose("0.5 g once daily", "A"), parse_dose("500 mg QD", "A"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (parse_dose("10 mg", "A"), parse_dose("10 mg", "B")),
        (parse_dose("10 mg", "A"), parse_dose("10 mg/kg", "A")),
        (parse_dose("10 mg/m2", "A"), parse_dose("10 mg/kg", "A")),
        (parse_dose("10 mg", "A"), parse_dose("10 IU", "A")),
        (parse_dose("10 mg", "A"), parse_dose("10 PFU", "A")),
        (parse_dose("10 mg orally", "A"), parse_dose("10 mg IV", "A")),
        (parse_dose("10 mg", "A"), Dose("A", 0.0, "mg", "0 mg")),
    ],
)
def test_doses_that_cannot_be_compared_are_refused(first: Dose, second: Dose) -> None:
    with pytest.raises(RefusedError):
        dose_ratio(first, second)
    assert not same_dose(first, second)


@settings(deadline=None)
@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.sampled_from(["mcg", "mg", "g"]), st.sampled_from(["mcg", "mg", "g"]))
def test_ratios_are_inverse_to_one_another(a: float, b: float, unit: str, other: str) -> None:
    first, second = Dose("A", a, unit, ""), Dose("A", b, other, "")
    assert dose_ratio(first, second) * dose_ratio(second, first) == pytest.approx(1)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_has_doses_or_none(text: str) -> None:
    assert all(dose.amount > 0 for dose in find_doses(text, ["Mindazol"]))
