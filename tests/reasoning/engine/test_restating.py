"""An anchor in the unit of its target: arithmetic, not a step."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_tui.reasoning.events import AnchorChosen
from deepimagine_tui.reasoning.restating import restated
from deepimagine_tui.reasoning.state import Number, State
from tests.reasoning.engine.support import Source, anchor_state, anchors_at, ask, forecast, made_trial

COUNTED = "Participants"


def counted() -> State:
    state = anchor_state("OG001", "bbbb")
    outcome = replace(state.configuration.outcome, unit=COUNTED, parameter="count of participants")
    assert state.arm_value is not None
    assert state.comparator_value is not None
    return replace(
        state,
        configuration=replace(state.configuration, outcome=outcome),
        arm_value=replace(state.arm_value, unit=COUNTED),
        comparator_value=replace(state.comparator_value, unit=COUNTED),
    )


def test_a_count_is_told_as_its_percentage_and_says_what_was_posted() -> None:
    wanted = replace(counted().configuration.outcome, outcome_id="", unit="percentage of participants", parameter="")
    found = restated(counted(), wanted)
    assert found.arm_value is not None
    assert (found.arm_value.value, found.arm_value.status, found.arm_value.unit) == (17.5, "derived", wanted.unit)
    assert found.arm_value.note == "posted as 35 Participants of n 200"
    assert found.arm_value.source is not None
    assert found.id != counted().id


def test_days_are_told_as_months_with_their_interval() -> None:
    state = anchor_state("OG002", "cccc")
    days = replace(state.configuration.outcome, unit="days")
    numbers = Number(198.0, "observed", "days"), Number(None, "observed", "days", note="not reached")
    posted = replace(
        state,
        configuration=replace(state.configuration, outcome=days),
        arm_value=numbers[0],
        comparator_value=numbers[1],
    )
    found = restated(posted, replace(days, outcome_id="", unit="months"))
    assert found.arm_value is not None
    assert found.comparator_value is not None
    assert (found.arm_value.value, found.arm_value.unit) == (6.505, "months")
    assert (found.comparator_value.value, found.comparator_value.note) == (None, "not reached")


def test_another_measure_or_an_unknown_unit_stays_as_posted() -> None:
    outcome = counted().configuration.outcome
    assert restated(counted(), replace(outcome, outcome_id="", title="Weight loss", unit="percent")) == counted()
    assert (
        restated(anchor_state(), replace(anchor_state().configuration.outcome, outcome_id="", unit="mmol/mol"))
        == anchor_state()
    )


def test_a_forecast_walks_no_outcome_step_for_a_unit() -> None:
    anchor = counted()
    target = replace(
        anchor.configuration,
        outcome=replace(anchor.configuration.outcome, outcome_id="", unit="", parameter=""),
        enrolment=500,
    )
    events = ask(forecast(target), source=Source(made_trial(), search=anchors_at((anchor, 0.9))))
    chosen = next(event for event in events if isinstance(event, AnchorChosen))
    assert chosen.differs_in == ("enrolment",)
    assert chosen.state.arm_value is not None
    assert chosen.state.arm_value.value == 17.5
