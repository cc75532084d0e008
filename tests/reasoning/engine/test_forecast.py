"""Forecasts: one pathway an anchor, aggregated as the design says, or an abstention with its reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.reasoning.aggregate import comparator_rule, weighted_quantile
from deepimagine_tui.reasoning.anchors import AnchorSearch, Refused
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.events import Aggregated, AnchorChosen, ReasoningEvent, RunFinished
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.request import KeptStep
from deepimagine_tui.reasoning.state import Configuration, OutcomeSpec, State
from tests.reasoning.engine.support import (
    Source,
    Spy,
    anchor_state,
    anchors_at,
    ask,
    dose,
    estimated,
    forecast,
    made_trial,
    ref,
    share_outcome,
    signed_outcome,
    to_japan,
)

ANCHORS = {"NCT99000002": (-0.1, -0.6, -0.7, -0.75), "NCT99000003": (0.0, -0.5, -0.6, -0.7), "NCT99000004": (0, -1, -1, -1)}


def target() -> Configuration:
    """Four times the lowest dose, which no anchor posted."""
    configuration = anchor_state().configuration
    arm = replace(configuration.arm, label="Glivazin 40 mg", doses=(dose(40.0),), group_id="")
    return replace(configuration, arm=arm)


def anchor(nct_id: str) -> State:
    return observed_state(made_trial(nct_id, signed_outcome(nct_id, ANCHORS[nct_id])), ref("OG001", nct_id=nct_id))


def search(*similarities: float) -> AnchorSearch:
    return anchors_at(*((anchor(nct_id), value) for nct_id, value in zip(ANCHORS, similarities, strict=False)))


def saying(values: list[str], chances: list[float]) -> ScriptedBackend:
    """The n-th sequence of a batch answers with the n-th value and chance."""

    def answer(request) -> ScriptedOutput:
        number = int(request.request_id.split("/")[1])
        chance = chances[number]
        return ScriptedOutput(
            " So.",
            {"direction": "down", "arm_value": values[number], "comparator_value": "20", "verdict": "met"},
            {"verdict": {"met": chance, "not met": 1 - chance}},
        )

    return ScriptedBackend(answer)


def aggregated(events: list[ReasoningEvent]) -> Aggregated:
    return next(event for event in events if isinstance(event, Aggregated))


def test_every_anchor_walks_to_the_target_and_the_first_steps_are_one_batch() -> None:
    backend = Spy()
    events = ask(forecast(target()), backend, Source(search=search(0.9, 0.8, 0.7)))
    chosen = [event for event in events if isinstance(event, AnchorChosen)]
    assert [(e.pathway, e.similarity, e.differs_in) for e in chosen] == [
        (0, 0.9, ("dose",)),
        (1, 0.8, ("dose",)),
        (2, 0.7, ("dose",)),
    ]
    assert chosen[0].parts == {"drug": 0.9}
    assert [len(batch) for batch in backend.batches] == [3]
    assert all(step.state.configuration.arm.doses == target().arm.doses for step in estimated(events))


def test_the_aggregate_is_a_weighted_median_a_mean_logit_and_an_interquartile_range() -> None:
    backend = saying(["-0.7", "-0.9", "-1.3"], [0.9, 0.6, 0.4])
    found = aggregated(ask(forecast(target()), backend, Source(search=search(0.9, 0.3, 0.3))))
    assert found.arm_value is not None
    assert (found.arm_value.value, found.arm_value.status) == (-0.7, "imagined")
    assert found.met is not None
    mean = sum(math.log(p / (1 - p)) for p in (0.9, 0.6, 0.4)) / 3
    assert found.met.probability == pytest.approx(1 / (1 + math.exp(-mean)))
    assert (found.spread_lower, found.spread_upper) == (pytest.approx(-0.9), pytest.approx(-0.7))
    assert (found.answered, found.agreement) == (3, 2)
    assert (found.anchors_met, found.anchors_with_verdict) == (3, 3)
    assert found.comparator_rule == "met: the comparator is placebo"
    assert [share.nct_id for share in found.shares] == list(ANCHORS)
    assert sum(share.weight for share in found.shares) == pytest.approx(1)
    assert found.contrast is not None
    assert found.contrast.number.status == "imagined"
    assert found.revealed is None


def test_a_comparator_that_all_pathways_took_over_stays_an_observed_number_only_where_it_is_one_and_the_same() -> None:
    found = aggregated(ask(forecast(target()), saying(["-1"] * 3, [0.5] * 3), Source(search=search(0.9, 0.8, 0.7))))
    assert found.comparator_value is not None
    assert found.comparator_value.status == "derived"
    one = aggregated(ask(forecast(target()), saying(["-1"], [0.5]), Source(search=search(0.9))))
    assert one.comparator_value == anchor("NCT99000002").comparator_value


def test_a_pathway_without_an_answer_is_left_out_and_counted() -> None:
    outputs = iter(["no form here"])
    good = ScriptedOutput(" So.", {"direction": "down", "arm_value": "-0.8", "verdict": "met"})
    events = ask(forecast(target()), ScriptedBackend(lambda _: next(outputs, good)), Source(search=search(0.9, 0.8, 0.7)))
    found = aggregated(events)
    assert found.answered == 2
    assert [share.value for share in found.shares] == [None, -0.8, -0.8]
    assert isinstance(events[-1], RunFinished)
    assert "2 of 3" in events[-1].message


def test_an_anchor_that_is_already_at_the_target_is_its_own_answer() -> None:
    there = anchor("NCT99000002")
    events = ask(forecast(there.configuration), Spy(), Source(search=anchors_at((there, 1.0))))
    assert estimated(events) == []
    found = aggregated(events)
    assert found.arm_value == there.arm_value


def test_nothing_close_is_an_abstention_that_says_why_and_names_the_nearest() -> None:
    near = AnchorSearch((), (Refused("NCT99000002", 0.31, "different drug class, different measure"),))
    backend = Spy()
    events = ask(forecast(target()), backend, Source(search=near))
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.outcome == "no_answer"
    assert end.message == (
        "No anchor close enough: the nearest is .31 (different drug class, different measure). Nothing was imagined."
    )
    assert end.nearest == ("NCT99000002 0.31 (different drug class, different measure)",)
    assert backend.batches == []


def test_a_planned_outcome_without_a_unit_is_answered_with_a_verdict_and_no_value() -> None:
    unknown = replace(target(), outcome=OutcomeSpec("Trough forced expiratory volume"), time=None)
    backend = Spy(saying(["1.2"], [0.8]))
    events = ask(forecast(unknown), backend, Source(search=search(0.9)))
    chosen = next(event for event in events if isinstance(event, AnchorChosen))
    assert "no unit" in chosen.warnings[0]
    last = backend.batches[-1][0]
    assert [slot.name for slot in last.slots] == ["direction", "verdict"]
    found = aggregated(events)
    assert (found.arm_value, found.contrast) == (None, None)
    assert found.met is not None
    assert found.met.probability == pytest.approx(0.8)


def test_a_planned_share_without_a_unit_is_a_percentage() -> None:
    planned = replace(target(), outcome=OutcomeSpec("Participants with a response", kind="share", benefit="higher"))
    events = ask(forecast(planned), saying(["30", "40"], [0.5, 0.5]), Source(search=search(0.9, 0.8)))
    found = aggregated(events)
    assert found.arm_value is not None
    assert found.arm_value.unit == "percentage of participants"
    assert found.arm_value.value == pytest.approx(30, abs=0.1)


def test_values_in_another_unit_are_left_out_and_counted() -> None:
    first, second = anchor("NCT99000002"), anchor("NCT99000003")
    outcome = replace(second.configuration.outcome, unit="mmol/mol")
    other = replace(second, configuration=replace(second.configuration, outcome=outcome))
    wanted = replace(target(), outcome=replace(target().outcome, unit="", outcome_id=""))
    found = aggregated(
        ask(forecast(wanted), saying(["-0.7", "-7"], [0.5, 0.5]), Source(search=anchors_at((first, 0.9), (other, 0.8))))
    )
    assert found.arm_value is not None
    assert found.arm_value.value == -0.7
    assert found.warnings == ("1 of 2 values are in another unit or off the scale, and are left out",)


def test_kept_steps_of_a_forecast_stand_at_their_pathway() -> None:
    request = forecast(target())
    source = Source(search=search(0.9, 0.8))
    before = estimated(ask(request, source=source))
    kept = KeptStep(1, 0, before[1].state)
    backend = Spy()
    again = estimated(ask(replace(request, kept=(kept,)), backend, source))
    assert {step.pathway: step.kind for step in again} == {0: "model", 1: "kept"}
    assert [len(batch) for batch in backend.batches] == [1]


@pytest.mark.parametrize(
    ("control", "start"),
    [
        ("placebo", "met"),
        ("sham", "met"),
        ("no intervention", "met"),
        ("active", "not met"),
        ("none", "not met"),
        ("unknown", "not met"),
    ],
)
def test_the_comparator_rule_is_one_line(control, start: str) -> None:
    configuration = target()
    assert configuration.comparator is not None
    said = comparator_rule(replace(configuration, comparator=replace(configuration.comparator, control=control)))
    assert said.startswith(f"{start}:")


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 1)), min_size=1, max_size=9))
def test_half_the_weight_lies_on_either_side_of_the_weighted_median(values: list[tuple[float, float]]) -> None:
    found = weighted_quantile(values, 0.5)
    total = sum(weight for _, weight in values)
    assert sum(weight for value, weight in values if value < found) <= total / 2 * (1 + 1e-9)
    assert sum(weight for value, weight in values if value > found) <= total / 2 * (1 + 1e-9)
    assert weighted_quantile(values, 0.25) <= found <= weighted_quantile(values, 0.75)


def test_the_median_of_shares_is_a_pathways_own_value_whatever_its_participants() -> None:
    states = []
    for nct_id, n in (("NCT99000011", 1000), ("NCT99000012", 40), ("NCT99000013", 400)):
        outcome = share_outcome(nct_id)
        small = replace(outcome, cells=tuple(replace(cell, n=n) for cell in outcome.cells))
        states.append(anchor_state("OG001", "bbbb", made_trial(nct_id, signed_outcome(nct_id), small)))
    trials = [made_trial(state.nct_id) for state in states]
    target = apply(states[0].configuration, to_japan())
    said = iter(("0", "0.5", "3"))
    backend = ScriptedBackend(
        answer=lambda _: {"direction": "down", "arm_value": next(said), "comparator_value": "20", "verdict": "met"}
    )
    events = ask(forecast(target), backend, Source(*trials, search=anchors_at(*((state, 0.9) for state in states))))
    found = next(event for event in events if isinstance(event, Aggregated))
    assert found.arm_value is not None
    assert found.arm_value.value == 0.5
    assert found.spread_lower is not None
    assert found.spread_upper is not None
    assert 0 <= found.spread_lower <= 0.5 <= found.spread_upper <= 3
