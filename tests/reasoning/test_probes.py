"""Probes: made from a posted anchor, asked of the engine, measured on models whose answers are known."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import astuple, replace

from deepimagine_tui.backends.protocol import GenerationRequest
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.interpret import Share, Together
from deepimagine_tui.reasoning.probe_findings import Finding, Ladder, Order, ladder_of, measure
from deepimagine_tui.reasoning.probes import (
    SEEDS_TEMPERATURE,
    Probe,
    both_orders,
    dose_ladder,
    requests_of,
    several_seeds,
    there_and_back,
    undo,
)
from deepimagine_tui.reasoning.request import ImagineSettings
from deepimagine_tui.reasoning.scales import logit
from deepimagine_tui.reasoning.state import (
    ArmChange,
    ArmSpec,
    Change,
    ComparatorChange,
    OutcomeChange,
    PopulationChange,
    State,
    TimeFrameChange,
)
from deepimagine_tui.trials.results import TimePoint
from tests.reasoning.engine.support import anchor_state, ask, ref, stack, to_dose, to_enrolment, to_japan, to_phase_4
from tests.reasoning.test_interpret import saying

START = anchor_state()
TO_50 = stack(START.configuration, to_dose(50.0))[0]
_AMOUNT = re.compile(r"-> (\d+(?:\.\d+)?) mg")


def found(probe: Probe, backend: ScriptedBackend) -> Finding | None:
    requests = requests_of(probe, [f"run-{index}" for index in range(len(probe.paths))], ImagineSettings(temperature=0.0))
    events = ask(requests, backend)
    graphs = [build_graph(event for event in events if event.run_id == request.run_id) for request in requests]
    return measure(probe, graphs)


def numbers(finding: Finding | None) -> tuple[object, ...]:
    """The fields of a finding."""
    assert finding is not None
    return astuple(finding)


def by_dose(value: Callable[[float], float]) -> ScriptedBackend:
    """A model whose value follows the dose that it is asked about, the one that its prompt changes to."""

    def output(request: GenerationRequest) -> ScriptedOutput:
        amount = float(_AMOUNT.findall(request.prompt)[0])
        answers = {prompts.ARM_VALUE: f"{value(amount)}", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
        return ScriptedOutput(" Because.", answers, {prompts.VERDICT: {"met": 0.8, "not met": 0.2}})

    return ScriptedBackend(output)


def copying() -> ScriptedBackend:
    return saying((-0.66, -0.08, "no clear change", 0.7))


def test_a_ladder_asks_multiples_of_the_posted_dose_one_run_each() -> None:
    probe = dose_ladder("one", ref(), START)
    amounts = [apply(START.configuration, path[0].change).arm.doses[0].amount for path in probe.paths]
    assert amounts == [2.5, 5.0, 20.0, 40.0]
    # The arm's -.66 lies below the placebo's -.08, and so more of the dose should lower it more.
    assert probe.direction == -1


def test_a_model_that_follows_the_dose_is_in_order_and_one_that_goes_against_it_is_not() -> None:
    # The anchor of 10 mg has -.66.
    assert found(dose_ladder("one", ref(), START), by_dose(lambda mg: -0.6 - mg / 100)) == Ladder(1.0, 0.0, 1.0, 5)
    against = found(dose_ladder("one", ref(), START), by_dose(lambda mg: -0.76 + mg / 100))
    assert against == Ladder(0.0, 0.0, -1.0, 5)


def test_a_model_that_says_the_same_of_every_dose_moves_nothing() -> None:
    assert found(dose_ladder("one", ref(), START), copying()) == Ladder(0.0, 1.0, 0.0, 5)


def test_tau_counts_all_pairs_and_the_order_those_beside_one_another() -> None:
    assert numbers(ladder_of([1.0, 2.0, 4.0, 3.0], 1)) == (pytest.approx(2 / 3), 0.0, pytest.approx(4 / 6), 4)
    assert numbers(ladder_of([1.0, 1.0, 2.0], 1)) == (0.5, 0.5, pytest.approx(2 / 3), 3)


@pytest.mark.parametrize(
    "state",
    [
        replace(START, configuration=replace(START.configuration, arm=replace(START.configuration.arm, doses=()))),
        replace(START, arm_value=START.comparator_value),
        replace(START, configuration=replace(START.configuration, comparator=ArmSpec("Other", control="active"))),
    ],
)
def test_no_ladder_without_a_dose_an_inert_comparator_and_a_posted_direction(state: State) -> None:
    with pytest.raises(RefusedError):
        dose_ladder("one", ref(), state)


def test_a_model_that_undoes_its_step_returns() -> None:
    probe = there_and_back("one", ref(), START, (TO_50,))
    back = found(probe, saying((-0.9, 0, "down", 0.9), (-0.66, 0, "up", 0.8)))
    assert numbers(back) == (pytest.approx(0.0), pytest.approx(0.24 / 0.8), True)


def test_a_model_that_goes_on_does_not_return() -> None:
    probe = there_and_back("one", ref(), START, (TO_50,))
    back = found(probe, saying((-0.9, 0, "down", 0.9), (-1.14, 0, "down", 0.2)))
    assert numbers(back) == (pytest.approx(0.48 / 0.8), pytest.approx(0.24 / 0.8), False)


@pytest.mark.parametrize(
    "change",
    [
        to_dose(50.0),
        to_japan(),
        to_enrolment(100),
        to_phase_4(START.configuration),
        ArmChange(ArmSpec("Other", ("Tolumab",))),
        ComparatorChange(ArmSpec("Other", ("Tolumab",))),
        OutcomeChange(anchor_state(outcome="bbbb").configuration.outcome),
        TimeFrameChange(TimePoint("Week 52", 52.0)),
        PopulationChange(replace(START.configuration.population, conditions=("Obesity",))),
    ],
)
def test_undoing_restores_the_factor_that_was_changed(change: Change) -> None:
    step = stack(START.configuration, change)[0]
    after = apply(START.configuration, change)
    undone = undo(step, START.configuration)
    assert undone.factor == step.factor
    restored = apply(after, undone.change)
    attribute = {"time_frame": "time", "dose": "arm"}.get(step.factor, step.factor)
    first, second = getattr(restored, attribute), getattr(START.configuration, attribute)
    assert (first.doses, first.interventions) == (second.doses, second.interventions) if attribute == "arm" else first == second


def test_a_model_that_says_the_same_does_not_mind_the_order() -> None:
    assert found(both_orders("one", ref(), START, (TO_50,)), copying()) == Order(0.0, 0.0, True)


def test_a_model_that_answers_by_its_turn_does() -> None:
    # First steps of both orders, then second ones: the orders end in the third and the fourth answer. The second order asks
    # for the comparator in its first step alone, and so ends with 0 there.
    turns = saying((-0.9, 0, "down", 0.9), (-0.9, 0, "down", 0.9), (-0.5, -0.1, "up", 0.8), (-0.1, -0.1, "up", 0.3))
    order = found(both_orders("one", ref(), START, (TO_50,)), turns)
    assert numbers(order) == (pytest.approx((0.4 + 0.1) / 2 / 0.8), pytest.approx(logit(0.8) - logit(0.3)), False)


def test_another_country_goes_with_every_change_but_one_of_country() -> None:
    with pytest.raises(RefusedError):
        both_orders("one", ref(), START, stack(START.configuration, to_japan()))


def test_several_changes_are_undone_from_the_last_to_the_first() -> None:
    probe = there_and_back("one", ref(), START, stack(START.configuration, to_dose(50.0), to_japan()))
    assert [change.factor for change in probe.paths[0]] == ["dose", "geography", "geography", "dose"]
    back = found(probe, saying((-0.9, 0, "down", 0.9), (-1.06, 0, "down", 0.9), (-0.9, 0, "up", 0.9), (-0.66, 0, "up", 0.8)))
    # Another country asks for both arms, and so the placebo's 0 for its -.08 counts as well.
    assert numbers(back)[1] == pytest.approx((0.4 + 0.08) / 2 / 0.8)


def test_several_changes_are_walked_in_the_reverse_order() -> None:
    probe = both_orders("one", ref(), START, stack(START.configuration, to_dose(50.0), to_japan()))
    assert [[change.factor for change in path] for path in probe.paths] == [["dose", "geography"], ["geography", "dose"]]


def test_two_doses_in_the_other_order_are_another_trial() -> None:
    with pytest.raises(RefusedError, match="another trial"):
        both_orders("one", ref(), START, stack(START.configuration, to_dose(50.0), to_dose(25.0)))


def test_only_seeds_are_left_to_luck() -> None:
    def temperatures(probe: Probe, own: float) -> set[float]:
        asked = requests_of(probe, ["run"] * len(probe.paths), ImagineSettings(temperature=own))
        return {request.settings.temperature for request in asked}

    assert temperatures(several_seeds("one", ref(), (TO_50,)), 0.4) == {0.4}
    assert temperatures(several_seeds("one", ref(), (TO_50,)), 0.0) == {SEEDS_TEMPERATURE}
    assert temperatures(both_orders("one", ref(), START, (TO_50,)), 0.4) == {0.0}


def test_seeds_are_walked_by_one_run() -> None:
    probe = several_seeds("one", ref(), (TO_50,), 3)
    together = found(probe, saying((-0.9, 0, "down", 0.9), (-0.9, 0, "down", 0.8), (-0.9, 0, "down", 0.2)))
    assert isinstance(together, Together)
    assert together.agree == Share(2, 3)


def test_a_probe_whose_run_was_not_answered_has_no_finding() -> None:
    probe = there_and_back("one", ref(), START, (TO_50,))
    assert found(probe, ScriptedBackend(lambda request: "no answer form")) is None
