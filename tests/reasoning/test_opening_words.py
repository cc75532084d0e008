"""What is arithmetic in a change is computed: the reasoning about another dose or time opens with it, and the model goes on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.reasoning import change as changes
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.interpret import Share, interpret
from deepimagine_tui.reasoning.opening_words import opening_of
from deepimagine_tui.reasoning.request import ImagineSettings
from deepimagine_tui.reasoning.state import Change, Configuration, TimeFrameChange
from deepimagine_tui.trials.results import TimePoint
from deepimagine_tui.tui.draft import Draft
from tests.reasoning.engine.support import (
    anchor_state,
    ask,
    estimated,
    made_trial,
    planned,
    ref,
    stack,
    to_dose,
    to_japan,
    what_if,
)

BEFORE = anchor_state().configuration
"""10 mg, read at week 24."""


def at(weeks: float | None) -> TimeFrameChange:
    return TimeFrameChange(TimePoint(f"Week {weeks:g}" if weeks is not None else "At discharge", weeks))


def opens(change: Change, before: Configuration = BEFORE) -> str:
    (made,) = stack(before, change)
    return opening_of(before, made, changes.apply(before, change))


@pytest.mark.parametrize(
    ("change", "opening"),
    [
        (to_dose(50.0), "Much more, 5 times the dose:"),
        (to_dose(20.0), "More, 2 times the dose:"),
        (to_dose(12.5), "Slightly more, 1.25 times the dose:"),
        (to_dose(7.5), "Slightly less, 0.75 times the dose:"),
        (to_dose(5.0), "Less, 0.5 times the dose:"),
        (to_dose(12500.0), "Much more, 1250 times the dose:"),
        (to_dose(1.0), "Much less, 0.1 times the dose:"),
        (at(28.0), "A little later, 1.17 times as long:"),
        (at(52.0), "Later, 2.17 times as long:"),
        (at(104.0), "Much later, 4.33 times as long:"),
        (at(18.0), "A little earlier, 0.75 times as long:"),
        (at(12.0), "Earlier, 0.5 times as long:"),
        (at(2.0), "Much earlier, 0.0833 times as long:"),
        (at(-2.0), ""),
        (at(0.0), ""),
        (at(None), ""),
        (to_japan(), ""),
    ],
)
def test_another_dose_or_time_opens_with_its_ratio(change: Change, opening: str) -> None:
    assert opens(change) == opening


def test_no_opening_where_the_ratio_is_not_known() -> None:
    assert opens(to_dose(20.0), replace(BEFORE, arm=replace(BEFORE.arm, doses=()))) == ""
    assert opens(at(52.0), replace(BEFORE, time=None)) == ""


def test_the_prompt_ends_with_the_opening_and_the_reasoning_begins_with_it() -> None:
    answers = {prompts.ARM_VALUE: "-0.9", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
    written = ScriptedOutput(" less of the drug, and no more is gained.", answers)
    events = ask(what_if(to_dose(50.0)), ScriptedBackend(lambda _: written))
    (asked,), (step,) = planned(events), estimated(events)
    assert asked.prompt.endswith("\nReasoning: Much more, 5 times the dose:")
    assert asked.opening == "Much more, 5 times the dose:"
    assert step.reasoning == "Much more, 5 times the dose: less of the drug, and no more is gained."
    assert step.completion.startswith(" less of the drug")
    assert step.warnings == ("the reasoning says a lower dose, but the new dose is higher, 5 times the old one",)


@pytest.mark.parametrize("repeated", ["", "Much more, 5 times the dose: ", " Reasoning: Much more, 5 times the dose:\n"])
def test_an_opening_that_a_chat_model_repeats_is_there_once(repeated: str) -> None:
    answers = {prompts.ARM_VALUE: "-0.9", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
    events = ask(what_if(to_dose(50.0)), ScriptedBackend(lambda _: ScriptedOutput(f"{repeated}The effect grows.", answers)))
    assert estimated(events)[0].reasoning == "Much more, 5 times the dose: The effect grows."
    assert interpret(build_graph(events)).tells_the_facts == Share(0, 0)


def test_what_was_computed_does_not_count_as_told_by_the_model() -> None:
    answers = {prompts.ARM_VALUE: "-0.9", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
    events = ask(what_if(to_dose(50.0)), ScriptedBackend(lambda _: ScriptedOutput(" the effect grows.", answers)))
    assert estimated(events)[0].reasoning == "Much more, 5 times the dose: the effect grows."
    assert interpret(build_graph(events)).tells_the_facts == Share(0, 0)


def test_another_change_has_no_opening() -> None:
    events = ask(what_if(to_japan()))
    assert planned(events)[0].prompt.endswith("\nReasoning:")
    assert planned(events)[0].opening == ""


def test_a_step_that_stands_keeps_its_opening() -> None:
    answers = {prompts.ARM_VALUE: "-0.9", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
    before = build_graph(ask(what_if(to_dose(50.0)), ScriptedBackend(lambda _: ScriptedOutput(" it grows.", answers))))
    (pathway,) = before.pathways
    changes_made = stack(BEFORE, to_dose(50.0), to_japan())
    draft = Draft(made_trial(), ref(), anchor_state(), ImagineSettings(), changes_made).going_on("run-1", pathway, 1)
    (kept, asked) = build_graph(ask(draft.request())).pathways[0].steps
    assert kept.estimated is not None
    assert kept.estimated.kind == "kept"
    assert (kept.planned.opening, asked.planned.opening) == ("Much more, 5 times the dose:", "")
    assert kept.estimated.reasoning == "Much more, 5 times the dose: it grows."
