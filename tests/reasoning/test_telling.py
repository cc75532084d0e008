"""What reasoning says of the facts: false statements are told from true ones, and what says nothing counts in nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput
from deepimagine_tui.reasoning import change as changes
from deepimagine_tui.reasoning import prompts
from deepimagine_tui.reasoning.events import ReasoningEvent
from deepimagine_tui.reasoning.graph import build_graph
from deepimagine_tui.reasoning.interpret import Share, interpret
from deepimagine_tui.reasoning.interpret_text import agreements
from deepimagine_tui.reasoning.state import Change, MetEstimate, TimeFrameChange
from deepimagine_tui.reasoning.telling import misstatements, statements, tells_the_facts
from deepimagine_tui.trials.results import TimePoint, Verdict
from tests.reasoning.engine.support import anchor_state, ask, estimated, stack, to_dose, to_japan, what_if

LATER, EARLIER = (TimeFrameChange(TimePoint(f"Week {weeks:g}", weeks)) for weeks in (42.0, 12.0))
"""1.75 and .5 times the anchor's 24 weeks."""


def told(reasoning: str, change: Change, verdict: Verdict = "met") -> list[tuple[str, bool]]:
    """What is read of a step from 10 mg at week 24, and whether it is so."""
    source = replace(anchor_state(), met=MetEstimate(verdict, "observed"))
    (made,) = stack(source.configuration, change)
    target = changes.apply(source.configuration, change)
    found = statements(reasoning, source, made, target)
    warned = misstatements(reasoning, source, made, target)
    assert [f"the reasoning says {each.said}, but {each.truth}" for each in found if not each.is_so] == list(warned)
    assert tells_the_facts(reasoning, source, made, target) == (None if not found else not warned)
    return [(each.said, each.is_so) for each in found]


@pytest.mark.parametrize(
    ("reasoning", "change", "said"),
    [
        ("Later, 1.75 times as long: effects build.", LATER, [("later", True), ("1.75 times as long", True)]),
        ("Earlier, 0.5 times as long: less has built.", LATER, [("earlier", False), ("0.5 times as long", False)]),
        ("Earlier, 0.5 times as long: less has built.", EARLIER, [("earlier", True), ("0.5 times as long", True)]),
        ("A longer follow-up, 1.8 times as long.", LATER, [("later", True), ("1.8 times as long", True)]),
        ("Earlier it rose, and later it falls.", LATER, []),
        ("The effect is no longer there.", EARLIER, []),
        ("More of the drug, 5 times the dose.", to_dose(50.0), [("a higher dose", True), ("5 times the dose", True)]),
        ("Less of the drug, 0.5 times the dose.", to_dose(50.0), [("a lower dose", False), ("0.5 times the dose", False)]),
        ("A much higher daily dose of it.", to_dose(5.0), [("a higher dose", False)]),
        ("At a 5-fold the dose the plateau is near.", to_dose(50.0), [("5 times the dose", True)]),
        ("More patients respond.", to_dose(5.0), []),
        ("Later, 2 times the dose.", to_japan(), []),
    ],
)
def test_dose_and_time_are_held_against_the_change(reasoning: str, change: Change, said: list[tuple[str, bool]]) -> None:
    assert told(reasoning, change) == said


@pytest.mark.parametrize(
    ("reasoning", "verdict", "is_so"),
    [
        ("So far it clearly beat placebo.", "met", True),
        ("So far it beat placebo.", "not met", False),
        ("So far it did not beat placebo.", "not met", True),
        ("It was not shown to be better than placebo.", "met", False),
        ("It was better than placebo, but not by far.", "not met", False),
        ("So far it and placebo were alike.", "met", False),
        ("It hardly differed from placebo.", "not met", True),
        ("It did not beat placebo, but was better than usual care.", "met", None),
        ("It should beat nothing that is known.", "undetermined", None),
        ("The new dose may be better than placebo.", "not met", None),
    ],
)
def test_the_source_s_result_is_held_against_its_verdict(reasoning: str, verdict: Verdict, is_so: bool | None) -> None:
    assert [found for _, found in told(reasoning, to_japan(), verdict)] == ([] if is_so is None else [is_so])


def events_of(*reasonings: str) -> list[ReasoningEvent]:
    """A run of as many samples of one step to 50 mg, with these reasonings."""
    left = list(reasonings)
    answers = {prompts.ARM_VALUE: "-0.9", prompts.DIRECTION: "down", prompts.VERDICT: "met"}
    backend = ScriptedBackend(lambda _: ScriptedOutput(left.pop(0), answers))
    return ask(what_if(to_dose(50.0), samples=len(reasonings)), backend)


def test_a_false_statement_is_flagged_beside_the_answer_and_counted_in_the_run() -> None:
    events = events_of(" Less of the drug, 0.5 times the dose.", " More of the drug, 5 times the dose.", " Who knows.")
    warned = {step.reasoning.partition(": ")[2]: step.warnings for step in estimated(events)}
    assert warned.pop("Less of the drug, 0.5 times the dose.") == (
        "the reasoning says a lower dose, but the new dose is higher, 5 times the old one",
        "the reasoning says 0.5 times the dose, but the new dose is higher, 5 times the old one",
    )
    assert list(warned.values()) == [(), ()]
    found = interpret(build_graph(events))
    assert found.tells_the_facts == Share(1, 2)
    assert "The reasoning tells the change and its source as they are in 1 of 2 steps." in list(agreements(found))
