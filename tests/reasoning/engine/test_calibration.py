"""Intervals and probabilities with a calibration file, and without one."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.reasoning.calibration import (
    Calibration,
    Check,
    Quantile,
    SlopeIntercept,
    calibrated_probability,
    decode,
    load,
)
from deepimagine_tui.reasoning.calibration_text import FAILED, calibration_word
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import RunStarted
from deepimagine_tui.reasoning.records import Record, Records
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.subject import Subject
from deepimagine_tui.reasoning.summary import format_number
from tests.reasoning.engine.support import Source, anchor_state, estimated, to_dose, to_japan, what_if

CALIBRATION = Calibration(
    90.0,
    (
        Quantile("signed", 1, 0.5, 30, "dose"),
        Quantile("signed", 1, 9.0, 19, "geography"),
        Quantile("signed", 1, 0.7, 60),
        Quantile("signed", 2, 1.0, 10),
    ),
    what_if=SlopeIntercept(0.5, -1.0, 100),
)
ANSWERS = {"direction": "down", "arm_value": "-0.8", "comparator_value": "-0.1", "verdict": "met"}


def answered(*changes, calibration: Calibration | None = CALIBRATION) -> list[State]:
    backend = ScriptedBackend(lambda _: ScriptedOutput(" So.", ANSWERS, {"verdict": {"met": 0.9, "not met": 0.1}}))
    events = list(imagine([what_if(*changes)], backend, Source(), Event(), calibration=calibration))
    return [step.state for step in estimated(events)]


def limits(state: State) -> tuple[float | None, float | None]:
    assert state.arm_value is not None
    interval = state.arm_value.interval
    return (None, None) if interval is None else (interval.lower, interval.upper)


def test_an_interval_is_the_quantile_times_the_scale_and_names_level_and_kind() -> None:
    state = answered(to_dose(50.0))[0]
    assert limits(state) == (pytest.approx(-0.8 - 0.5 * 0.8), pytest.approx(-0.8 + 0.5 * 0.8))
    assert state.arm_value is not None
    assert format_number(state.arm_value) == "○ -0.8 percent [-1.2, -0.4] 90% PI"


def test_under_twenty_trials_the_factor_falls_back_to_kind_and_length_and_then_to_nothing() -> None:
    assert limits(answered(to_japan())[0]) == (pytest.approx(-0.8 - 0.7 * 0.8), pytest.approx(-0.8 + 0.7 * 0.8))
    assert limits(answered(to_dose(50.0), to_japan())[1]) == (None, None)


def test_without_a_calibration_a_number_says_so() -> None:
    state = answered(to_dose(50.0), calibration=None)[0]
    assert limits(state) == (None, None)
    assert state.arm_value is not None
    assert "not calibrated" in format_number(state.arm_value)
    assert state.met is not None
    assert (state.met.probability, state.met.calibrated) == (0.9, False)


def test_p_met_is_calibrated_by_slope_and_intercept() -> None:
    met = answered(to_dose(50.0))[0].met
    assert met is not None
    assert met.probability == pytest.approx(calibrated_probability(0.9, SlopeIntercept(0.5, -1.0)))
    assert met.calibrated
    assert met.verdict == ("met" if (met.probability or 0) >= 0.5 else "not met")


@given(st.floats(0.001, 0.999), st.floats(0.1, 3), st.floats(-3, 3))
def test_calibration_keeps_the_order_and_the_range(probability: float, slope: float, intercept: float) -> None:
    correction = SlopeIntercept(slope, intercept)
    lower, upper = calibrated_probability(probability * 0.9, correction), calibrated_probability(probability, correction)
    assert 0 <= lower <= upper <= 1
    assert calibrated_probability(probability, SlopeIntercept(1, 0)) == pytest.approx(probability)
    assert calibrated_probability(probability, None) == probability


def test_a_file_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(msgspec.json.encode(CALIBRATION))
    assert load(path) == CALIBRATION


def test_other_files_and_newer_ones_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"{}", b"[1]", b"\xff"):
        with pytest.raises(BadInputError, match="calibration"):
            decode(content, "calibration.json")
    with pytest.raises(NewerSchemaError):
        decode(b'{"level": 90, "schema_version": 9}', "calibration.json")
    with pytest.raises(BadInputError):
        load(tmp_path / "missing.json")


def test_a_source_without_dispersion_has_no_interval() -> None:
    from msgspec.structs import replace

    from deepimagine_tui.reasoning.calibration import prediction_interval

    state = anchor_state()
    assert state.arm_value is not None
    assert state.comparator_value is not None
    bare = replace(state, comparator_value=replace(state.comparator_value, dispersion_kind="none", dispersion=None))
    assert prediction_interval(state.arm_value, state.configuration.outcome, bare, 0.5, 90.0) is None


RECORDS = Records(
    Subject("a model"), "test", "data", ("NCT00000001",), (Record("direction", 212, 12, 0.61, 0.45, "better", "dose"),)
)


def test_every_answer_says_the_record_of_its_factor_or_that_there_is_none() -> None:
    def records_said(records: Records | None) -> list[str]:
        backend = ScriptedBackend(lambda _: ScriptedOutput(" So.", ANSWERS, {"verdict": {"met": 0.9, "not met": 0.1}}))
        request = [what_if(to_dose(50.0), to_japan())]
        return [step.record for step in estimated(list(imagine(request, backend, Source(), Event(), records=records)))]

    known = "dose: right direction on 61% of 212 pairs in 12 trials, base rate 45%; better than the base rate"
    assert records_said(RECORDS) == [known, "geography: no record of this model"]
    assert records_said(None) == ["dose: no record of this model", "geography: no record of this model"]


def test_a_run_says_what_its_intervals_are_and_whether_their_check_failed() -> None:
    check = Check("coverage", 0.97, 0.94, 1.0, 504, 33, is_passed=False)
    assert calibration_word(None) == "not calibrated: no calibration of this model is on file"
    assert calibration_word(CALIBRATION) == "90% intervals, coverage not checked"
    failed = calibration_word(replace(CALIBRATION, checks=(check,)))
    assert failed.startswith(FAILED)
    assert failed.endswith("33 trials, 90% wanted: failed, the intervals are too wide")
    passed = calibration_word(replace(CALIBRATION, checks=(replace(check, lower=0.88, is_passed=True),)))
    assert passed.startswith("90% intervals; intervals of what-ifs held 97% [88%, 100%]")
    events = list(imagine([what_if(to_dose(50.0))], ScriptedBackend(), Source(), Event(), calibration=CALIBRATION))
    assert isinstance(events[0], RunStarted)
    assert events[0].calibration == calibration_word(CALIBRATION)
