"""Lean forecasts: few steps, the most consequential ones, and what was left out is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.reasoning.events import AnchorChosen
from deepimagine_tui.reasoning.lean import lean_path
from deepimagine_tui.reasoning.state import ArmSpec, Configuration
from deepimagine_tui.trials.factors import WALKING_ORDER
from deepimagine_tui.trials.model import CountrySites
from deepimagine_tui.trials.results import TimePoint
from tests.reasoning.engine.support import Source, Spy, anchor_state, anchors_at, ask, dose, forecast, planned


def source() -> Configuration:
    return anchor_state().configuration


def target() -> Configuration:
    """Differs in everything but the agent."""
    at = source()
    return replace(
        at,
        arm=replace(at.arm, label="Glivazin 50 mg", doses=(dose(50.0),)),
        comparator=ArmSpec("Metformin", ("Metformin",), control="active"),
        outcome=replace(at.outcome, title="Change in weight", outcome_id=""),
        time=TimePoint("Week 52", 52.0),
        geography=(CountrySites("Brazil", 9),),
        context=replace(at.context, phases=("2",)),
        population=replace(at.population, eligibility=replace(at.population.eligibility, minimum_age=65.0)),
        enrolment=100,
    )


@pytest.mark.parametrize(
    ("steps", "walked"),
    [
        (1, {"outcome"}),
        (2, {"outcome", "dose"}),
        (3, {"outcome", "dose", "comparator"}),
        (9, {"outcome", "dose", "comparator", "time_frame"}),
    ],
)
def test_the_most_consequential_factors_are_walked_in_walking_order_and_circumstances_never(steps: int, walked: set[str]):
    lean = lean_path(source(), target(), steps)
    factors = [change.factor for change in lean.path.perturbations]
    assert set(factors) == {*walked, "enrolment"}
    assert factors == sorted(factors, key=WALKING_ORDER.index)
    assert {*factors, *lean.unwalked} == {*WALKING_ORDER} - {"arm"}
    assert not {*factors} & {*lean.unwalked}


def test_without_a_limit_everything_is_walked():
    lean = lean_path(source(), target(), 0)
    assert {change.factor for change in lean.path.perturbations} == {*WALKING_ORDER} - {"arm"}
    assert lean.unwalked == ()


def test_where_only_circumstances_differ_the_first_of_them_is_walked():
    at = source()
    other = replace(at, geography=(CountrySites("Brazil", 9),), context=replace(at.context, phases=("2",)))
    lean = lean_path(at, other, 2)
    assert [change.factor for change in lean.path.perturbations] == ["context"]
    assert lean.unwalked == ("geography",)
    assert lean_path(at, at, 2).path.perturbations == ()


def test_a_lean_forecast_says_in_its_record_what_it_left_out():
    asked = forecast(target())
    events = ask(
        replace(asked, settings=replace(asked.settings, max_steps=2)), source=Source(search=anchors_at((anchor_state(), 0.9)))
    )
    chosen = next(event for event in events if isinstance(event, AnchorChosen))
    assert set(chosen.differs_in) == {"outcome", "dose", "enrolment"}
    assert set(chosen.unwalked) == {"comparator", "time_frame", "geography", "context", "population"}
    assert [event.perturbation.factor for event in planned(events)] == ["dose", "outcome", "enrolment"]


def test_prompts_are_shortened_to_the_tokens_they_may_take_as_far_as_they_can_be():
    whole, short, least = (Spy(), Spy(), Spy())
    asked = forecast(target())
    anchors = Source(search=anchors_at((anchor_state(), 0.9)))
    for spy, tokens in ((whole, 0), (short, 195), (least, 1)):
        ask(replace(asked, settings=replace(asked.settings, max_prompt_tokens=tokens)), spy, anchors)
    lengths = [max(spy.count_tokens(spy.prompts)) for spy in (whole, short, least)]
    assert lengths[0] > lengths[1] >= lengths[2]
    assert len(whole.prompts) == len(least.prompts)
