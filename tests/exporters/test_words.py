"""How numbers read: posted ones in full, others rounded, intervals with level and kind, never a false digit."""

from __future__ import annotations

import pytest
from deepimagine_exporters.words import contrast_name, interval_text, met_how, same_decimals, spread_text

from deepimagine_tui.reasoning.describe import rounded, value_text
from deepimagine_tui.reasoning.state import ContrastEstimate, Interval, MetEstimate, Number


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.6666666, "-0.667"), (12345.678, "12346"), (0.00012345, "0.000123"), (2.0, "2")]
)
def test_what_was_computed_is_rounded(value: float, text: str) -> None:
    assert rounded(value) == text


def test_what_was_posted_is_shown_in_full() -> None:
    assert value_text(Number(123.456, "observed")) == "123.456"
    assert value_text(Number(0.123456, "imagined")) == "0.1235"
    assert value_text(Number(None, "observed", note="not reached")) == "not reached"


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(-1.1, -0.55, 95, "CI posted"), "[-1.10, -0.55] 95% CI posted"),
        (Interval(-1.0351, -0.4349, 90, "PI"), "[-1.04, -0.43] 90% PI"),
        (Interval(39.4567, 59.0401, 95, "CI"), "[39.5, 59.0] 95% CI"),
        (Interval(None, 1.25, 97.5, "CI posted"), "[at most 1.25] 97.5% CI posted"),
    ],
)
def test_an_interval_has_its_level_kind_and_no_false_digit(interval: Interval, text: str) -> None:
    assert interval_text(interval) == text


def test_beside_a_value_stands_what_is_known_of_it() -> None:
    assert spread_text(Number(1.0, "imagined")) == "not calibrated"
    assert spread_text(Number(1.0, "observed", dispersion_kind="IQR", lower=3.0, upper=8.5, n=40)) == "IQR 3 to 8.5, n 40"
    carried = Number(1.0, "imagined", dispersion_kind="SD", dispersion=0.8, n=9, note="carried over", after_entered=True)
    assert spread_text(carried) == "not calibrated, SD 0.8, n 9, carried over, after an entered value"
    assert spread_text(carried, brief=True) == "not calibrated, after an entered value"


def test_a_contrast_names_its_orientation_and_a_verdict_its_making() -> None:
    ratio = ContrastEstimate(Number(0.71, "observed"), "ratio", "hazard ratio", 1.0, "b/a")
    assert contrast_name(ratio) == "hazard ratio, k2 / k1"
    assert met_how(MetEstimate("met", "imagined", 0.8, 0.97, "logits")) == "logits, mass .97, not calibrated"
    assert met_how(MetEstimate("met", "imagined", 0.75, None, "samples", 4)) == "frequency over 4 samples, not calibrated"
    assert met_how(MetEstimate("met", "observed")) == "posted"


def test_texts_with_an_exponent_are_left_alone() -> None:
    assert same_decimals("1e+10", "2.5") == ("1e+10", "2.5")
