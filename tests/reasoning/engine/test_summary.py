"""One-line texts, and that every surface can show every way to a verdict."""

from __future__ import annotations

import pytest

from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.cli.run_text import run_lines
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.state import Interval, MetEstimate, Number
from deepimagine_tui.reasoning.summary import (
    describe_answer,
    describe_request,
    describe_state,
    format_met,
    format_number,
    format_probability,
)
from tests.reasoning.engine.support import anchor_state, ask, estimated, to_dose, to_enrolment, to_japan, what_if


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number(-0.84, "imagined", "%"), "○ -0.84 % not calibrated"),
        (Number(-0.84, "imagined", "%", Interval(-1.1, -0.55, 90.0, "PI")), "○ -0.84 % [-1.1, -0.55] 90% PI"),
        (Number(-0.66, "observed", "%", Interval(-0.8, None, 97.5, "CI posted")), "● -0.66 % [at least -0.8] 97.5% CI posted"),
        (Number(-0.58, "derived", "%"), "◆ -0.58 %"),
        (Number(-1.5, "entered", "%"), "✎ -1.5 %"),
        (Number(-0.9, "imagined", "%", after_entered=True), "○ -0.9 % not calibrated after an entered value"),
        (Number(None, "observed", "months", note="not reached"), "● not reached months"),
        (Number(1.0, "observed", "\u202e%\u200b"), "● 1 \ufffd%"),
    ],
)
def test_a_number_never_loses_its_status(number: Number, text: str) -> None:
    assert format_number(number) == text


@pytest.mark.parametrize(("value", "text"), [(0.88, ".88"), (0.0, ".00"), (0.001, "<.01"), (0.999, ">.99"), (1.0, "1.00")])
def test_a_probability_is_never_rounded_to_a_certainty(value: float, text: str) -> None:
    assert format_probability(value) == text


def test_a_verdict_has_its_probability_beside_it() -> None:
    assert format_met(MetEstimate("met", "imagined", 0.88)) == "met, P(met) .88"
    assert format_met(MetEstimate("not met", "imagined")) == "not met"


def test_a_run_is_one_line_of_question_and_one_of_answer() -> None:
    request = what_if(to_dose(50.0), to_japan())
    assert describe_request(request) == (
        "NCT99000001: dose 10 mg once daily -> 50 mg once daily; geography Germany 20, Japan 5 -> Japan 10"
    )
    events = ask(request)
    assert describe_answer(build_graph(events)) == describe_state(estimated(events)[-1].state)
    assert describe_state(anchor_state()).startswith("● -0.66 percent")


def test_every_way_to_a_verdict_can_be_shown() -> None:
    from deepimagine_tui.tui.show import met_text

    stated = ScriptedOutput(
        " So.", {"direction": "down", "arm_value": "-0.8", "verdict": "met"}, {"verdict": {"met": 0.7, "not met": 0.3}}
    )
    for request in (what_if(to_enrolment(90)), what_if(to_dose(50.0), to_enrolment(90)), what_if(to_dose(50.0), samples=3)):
        for backend in (ScriptedBackend(), ScriptedBackend(lambda _: stated)):
            graph = build_graph(ask(request, backend))
            assert run_lines(graph)
            for pathway in graph.pathways:
                for state in pathway.states:
                    assert state.met is None or met_text(state.met)
