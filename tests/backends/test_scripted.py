"""The demo says that it is one, repeats itself, and can be scripted."""

from __future__ import annotations

from threading import Event

from deepimagine_tui.backends.protocol import (
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.backends.scripted import ScriptedBackend, ScriptedOutput, source_values

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("k1", "\nArm:", "number"),
    Slot("k2", "\nComparator:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)
PROMPT = "Trial\nEarlier value: 1\nArm value: 12.5 mmHg (n=100)\nComparator value: -3 mmHg\nReasoning:"


def ask(backend: ScriptedBackend, prompt: str = PROMPT, seed: int = 3) -> list:
    return list(backend.generate([GenerationRequest("r", prompt, SLOTS, seed)], Event()))


def text(events: list) -> str:
    return "".join(event.text for event in events if isinstance(event, TextArrived))


def filled(events: list) -> dict[str, str]:
    return {event.slot: event.value for event in events if isinstance(event, SlotFilled)}


def test_the_demo_is_marked_and_repeats_itself() -> None:
    events = ask(ScriptedBackend())
    assert text(events).lstrip().startswith("Demo, no model:")
    assert ScriptedBackend().info.demo
    assert text(events) == text(ask(ScriptedBackend()))
    assert {text(ask(ScriptedBackend(), seed=seed)) for seed in range(8)} > {text(events)}


def test_the_demo_moves_the_source_values_and_claims_no_probabilities() -> None:
    events = ask(ScriptedBackend())
    values = filled(events)
    assert 12.5 * 0.85 <= float(values["k1"]) <= 12.5 * 1.15
    assert -3 * 1.16 <= float(values["k2"]) <= -3 * 0.84
    assert values["verdict"] in ("met", "not met")
    assert all(event.probability_kind is None and not event.probabilities for event in events if isinstance(event, SlotFilled))


def test_the_line_with_the_slots_lead_is_the_source_else_the_last_values() -> None:
    numbers = [slot for slot in SLOTS if slot.kind == "number"]
    assert source_values(PROMPT, numbers) == ["12.5", "-3"]
    assert source_values("nothing here", numbers) == ["", ""]
    swapped = "Value in B 10 mg: 4 (SD 2)\nValue in A: -7.25\nHazard ratio: 0.7 (95% CI 0.5 to 0.9)"
    named = [Slot("a", "\nValue in A:", "number"), Slot("h", "\nHazard ratio:", "number"), Slot("x", "\nOther:", "number")]
    assert source_values(swapped, named) == ["-7.25", "0.7", ""]


def test_the_direction_says_how_the_value_moved() -> None:
    for seed in range(20):
        values = filled(ask(ScriptedBackend(), seed=seed))
        assert values["direction"] == ("up" if float(values["k1"]) > 12.5 else "down") or float(values["k1"]) == 12.5


def test_a_script_is_followed_in_order_then_exhausted() -> None:
    output = ScriptedOutput(" Because.", {"k1": "4", "verdict": "met"}, {"verdict": {"met": 0.6, "not met": 0.2}})
    backend = ScriptedBackend(["raw text", output, GenerationFailed("", "It broke.", restartable=True)])
    assert text(ask(backend)) == "raw text"
    events = ask(backend)
    assert text(events) == " Because.\nDirection: up\nArm: 4\nComparator: 0\nVerdict: met"
    verdict = next(event for event in events if isinstance(event, SlotFilled) and event.slot == "verdict")
    assert round(verdict.probabilities["met"], 6) == 0.75
    assert round(verdict.mass or 0, 6) == 0.8
    assert ask(backend) == [GenerationFailed("r", "It broke.", restartable=True)]
    assert isinstance(ask(backend)[0], GenerationFailed)
    assert len(backend.history) == 4


def test_a_delayed_script_can_be_cancelled() -> None:
    cancel = Event()
    events = []
    for event in ScriptedBackend(delay=0.01).generate([GenerationRequest("r", PROMPT, SLOTS, 1)], cancel):
        events.append(event)
        if len(events) == 3:
            cancel.set()
    assert isinstance(events[-1], GenerationFinished)
    assert events[-1].reason == "cancelled"
    assert events[-1].completion_tokens == 3
