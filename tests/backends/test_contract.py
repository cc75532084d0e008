"""What every backend must keep, whatever it is made of."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import get_args

import msgspec
import pytest

from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.backends.openai import OpenAIBackend
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    ModelBackend,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.backends.scripted import ScriptedBackend
from tests.support.openai_server import openai_server

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("k1", "\nArm value:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)


@pytest.fixture(scope="module", params=["scripted", "llama", "openai"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelBackend]:
    if request.param == "scripted":
        yield ScriptedBackend(delay=0.005)
    elif request.param == "openai":
        with openai_server() as server:
            server.always = "slow"
            yield OpenAIBackend(server.url, "m", confirm=lambda _host: True)
    else:
        pytest.importorskip("llama_cpp")
        path: Path = request.getfixturevalue("tiny_gguf")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DEEPIMAGINE_HOME", str(tmp_path_factory.mktemp("home")))
            local = LlamaBackend(path, threads=1)
            local.load()
        yield local
        local.close()


def requests(count: int, tokens: int = 16) -> list[GenerationRequest]:
    return [
        GenerationRequest(f"run/{number}", f"Trial {number}\nReasoning:", SLOTS, number, max_reasoning_tokens=tokens)
        for number in range(count)
    ]


def ends(events: list[GenerationEvent]) -> list[str]:
    return [event.request_id for event in events if isinstance(event, GenerationFinished | GenerationFailed)]


def test_every_request_ends_once_and_is_silent_afterwards(backend: ModelBackend) -> None:
    events = list(backend.generate(requests(6), Event()))
    assert sorted(ends(events)) == [f"run/{number}" for number in range(6)]
    over: set[str] = set()
    for event in events:
        assert event.request_id not in over
        if isinstance(event, GenerationFinished | GenerationFailed):
            over.add(event.request_id)


def test_the_text_ends_in_the_form_with_the_values_reported(backend: ModelBackend) -> None:
    events = list(backend.generate(requests(2), Event()))
    for number in range(2):
        own = [event for event in events if event.request_id == f"run/{number}"]
        values = {event.slot: event.value for event in own if isinstance(event, SlotFilled)}
        assert list(values) == ["direction", "k1", "verdict"]
        text = "".join(event.text for event in own if isinstance(event, TextArrived))
        assert text.endswith("".join(f"{slot.lead} {values[slot.name]}" for slot in SLOTS))
        end = own[-1]
        assert isinstance(end, GenerationFinished)
        assert end.reason == "answered"
        assert end.prompt_tokens > 0
        assert end.completion_tokens > 0
        assert end.seconds > 0


def test_probabilities_are_a_distribution_or_absent(backend: ModelBackend) -> None:
    for event in backend.generate(requests(2), Event()):
        if isinstance(event, SlotFilled) and event.probabilities:
            assert sum(event.probabilities.values()) == pytest.approx(1)
            assert event.probability_kind is not None
            assert 0 < (event.mass or 0) <= 1
            assert set(event.probabilities) == {"met", "not met"}
        elif isinstance(event, SlotFilled):
            assert event.mass is None
            assert event.probability_kind is None


def test_cancelling_ends_everything_soon_and_leaves_it_usable(backend: ModelBackend) -> None:
    cancel, events, stopped = Event(), [], 0.0
    for event in backend.generate(requests(3, tokens=1500), cancel):
        events.append(event)
        if not stopped:
            cancel.set()
            stopped = time.monotonic()
    assert time.monotonic() - stopped < 1.0
    assert sorted(ends(events)) == ["run/0", "run/1", "run/2"]
    assert all(event.reason == "cancelled" for event in events if isinstance(event, GenerationFinished))
    assert ends(list(backend.generate(requests(1), Event()))) == ["run/0"]


def test_a_batch_of_none_is_silent(backend: ModelBackend) -> None:
    assert list(backend.generate([], Event())) == []


def test_counts_grow_with_the_text_and_info_is_complete(backend: ModelBackend) -> None:
    short, long = backend.count_tokens(["one", "one two three four five six"])
    assert 0 < short < long
    assert backend.info.name
    assert backend.info.context_length > 0
    assert (backend.info.backend == "openai") == bool(backend.info.host)
    assert (backend.info.backend == "scripted") == backend.info.demo


def test_events_survive_json(backend: ModelBackend) -> None:
    assert {TextArrived, SlotFilled, GenerationFinished, GenerationFailed} == set(get_args(GenerationEvent))
    for event in backend.generate(requests(1), Event()):
        assert msgspec.json.decode(msgspec.json.encode(event), type=GenerationEvent) == event
