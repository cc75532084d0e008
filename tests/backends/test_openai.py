"""A remote model: permission first, then a stream that may break anywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Timer

import pytest

from deepimagine_tui.backends.openai import OpenAIBackend, shown_host
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.backends.sse import SseDecoder
from deepimagine_tui.errors import RefusedError
from tests.support.openai_server import FakeServer, openai_server

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("k1", "\nArm value:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with openai_server() as fake:
        yield fake


def open_remote(server: FakeServer, **options: object) -> OpenAIBackend:
    return OpenAIBackend(
        server.url, "m", **{"confirm": lambda _host: True, "first_wait": 0.01, "api_key": "sk-secret", **options}
    )


def run(backend: OpenAIBackend, *names: str) -> list[GenerationEvent]:
    requests = [GenerationRequest(name, "Trial. Reasoning:", SLOTS, 4) for name in names or ("r",)]
    return list(backend.generate(requests, Event()))


def text(events: list[GenerationEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextArrived))


def failure(events: list[GenerationEvent]) -> GenerationFailed:
    assert isinstance(events[-1], GenerationFailed)
    return events[-1]


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_an_answer_is_streamed_and_its_slots_and_probabilities_are_read(server: FakeServer, api: str) -> None:
    events = run(open_remote(server, api=api))
    assert text(events) == " The dose é halves.\nDirection: down\nArm value: -7.5\nVerdict: not met"
    filled = {event.slot: event for event in events if isinstance(event, SlotFilled)}
    assert {name: event.value for name, event in filled.items()} == {"direction": "down", "k1": "-7.5", "verdict": "not met"}
    assert filled["verdict"].probabilities == pytest.approx({"met": 0.2 / 0.9, "not met": 0.7 / 0.9})
    assert filled["verdict"].mass == pytest.approx(0.9)
    assert filled["verdict"].probability_kind == "logits"
    assert filled["direction"].probability_kind is None
    assert [event.part for event in events if isinstance(event, TextArrived)].index("answer") == 5
    assert isinstance(events[-1], GenerationFinished)
    body = server.requests[0]
    assert (body["seed"], body["temperature"], body["stream"]) == (4, 0.7, True)
    asked = body["messages"][0]["content"] if api == "chat" else body["prompt"]
    assert "Trial. Reasoning:" in asked
    assert "Direction: up | down | no clear change\nArm value: <number>\nVerdict: met | not met" in asked
    assert server.headers[0]["Authorization"] == "Bearer sk-secret"


def test_nothing_is_sent_offline_or_without_permission(server: FakeServer) -> None:
    asked: list[str] = []
    with pytest.raises(RefusedError, match="network is forbidden"):
        run(open_remote(server, offline=True))
    with pytest.raises(RefusedError, match="Nothing was sent"):
        run(open_remote(server, confirm=lambda host: bool(asked.append(host))))
    assert asked == [server.url.split("/")[2]]
    assert server.requests == []


def test_permission_is_asked_once(server: FakeServer) -> None:
    asked: list[str] = []
    backend = open_remote(server, confirm=lambda host: not asked.append(host))
    run(backend)
    run(backend)
    assert len(asked) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("fault", ["429", "500", "reset"])
def test_a_passing_failure_is_tried_again(server: FakeServer, fault: str) -> None:
    server.faults.extend([fault, fault])
    assert isinstance(run(open_remote(server))[-1], GenerationFinished)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("fault", "said", "restartable"),
    [
        ("500", "answered 500: Key [key]: slow down", True),
        ("reset", "was cut off", True),
        ("401", "answered 401", False),
        ("html", "answered 404.", False),
        ("cut", "was cut off", False),
        ("garbage", "not an event of a completion", False),
        ("stream-error", "stopped: overloaded", False),
        ("hang", "was silent for 0.3 seconds", False),
    ],
)
def test_a_lasting_failure_gives_one_sentence(server: FakeServer, fault: str, said: str, restartable: bool) -> None:
    server.always = fault
    failed = failure(run(open_remote(server, read_timeout=0.3)))
    assert said in failed.message
    assert failed.restartable == restartable
    assert "sk-secret" not in failed.message + failed.hint


def test_an_answer_that_began_is_not_asked_for_twice(server: FakeServer) -> None:
    server.faults.append("cut")
    events = run(open_remote(server))
    assert text(events) == " The dose é"
    assert "cut off" in failure(events).message
    assert len(server.requests) == 1


def test_one_failure_leaves_the_others_alone(server: FakeServer) -> None:
    server.faults.append("garbage")
    events = run(open_remote(server), *"abcdef")
    ends = [event for event in events if isinstance(event, GenerationFinished | GenerationFailed)]
    assert sorted(event.request_id for event in ends) == list("abcdef")
    assert sum(isinstance(event, GenerationFailed) for event in ends) == 1


def test_a_server_that_cannot_be_reached_is_named() -> None:
    backend = OpenAIBackend("http://127.0.0.1:9/v1", "m", confirm=lambda _host: True, first_wait=0.01)
    assert failure(run(backend)).message == "127.0.0.1:9 cannot be reached."


def test_parameters_that_a_server_does_not_know_are_left_out_from_then_on(server: FakeServer) -> None:
    server.faults.extend(["unknown:logprobs", "unknown:max_tokens"])
    backend = open_remote(server)
    events = run(backend)
    verdict = [event for event in events if isinstance(event, SlotFilled)][-1]
    assert (verdict.value, verdict.probabilities, verdict.probability_kind) == ("not met", {}, None)
    assert not {"logprobs", "top_logprobs", "max_tokens"} & set(server.requests[-1])
    assert server.requests[-1]["max_completion_tokens"] > 96
    run(backend)
    assert len(server.requests) == 4


def test_a_stream_without_its_end_mark_is_whole_when_the_form_is(server: FakeServer) -> None:
    server.always = "no-done"
    assert isinstance(run(open_remote(server))[-1], GenerationFinished)
    server.tokens = server.tokens[:4]
    assert "cut off" in failure(run(open_remote(server))).message


def test_a_form_that_was_not_kept_is_left_to_the_parser(server: FakeServer) -> None:
    server.tokens = [" It", " is", "\nDirection:", " sideways", "\nVerdict:", " met"]
    events = run(open_remote(server))
    assert not [event for event in events if isinstance(event, SlotFilled)]
    assert text(events).endswith("\nVerdict: met")
    assert isinstance(events[-1], GenerationFinished)


def test_an_option_that_is_not_listed_gets_the_bound_of_the_list(server: FakeServer) -> None:
    server.top = {" not": 0.9, " maybe": 0.04}
    verdict = [event for event in run(open_remote(server)) if isinstance(event, SlotFilled)][-1]
    assert verdict.probabilities == pytest.approx({"met": 0.04 / 0.94, "not met": 0.9 / 0.94})


@pytest.mark.parametrize("fault", ["hang", "slow"])
def test_cancelling_is_quick_before_and_in_the_stream(server: FakeServer, fault: str) -> None:
    server.always = fault
    backend, cancel = open_remote(server), Event()
    timer = Timer(0.25, cancel.set)
    timer.start()
    started = time.monotonic()
    events = list(backend.generate([GenerationRequest("r", "p", SLOTS, 1)], cancel))
    assert time.monotonic() - started < 0.25 + 0.5
    assert isinstance(events[-1], GenerationFinished)
    assert events[-1].reason == "cancelled"
    server.always = ""
    assert isinstance(run(backend)[-1], GenerationFinished)


def test_the_host_is_shown_and_plain_http_to_another_machine_says_so() -> None:
    assert shown_host("https://user:secret@api.example.org/v1") == "api.example.org"
    assert shown_host("http://localhost:8080/v1") == "localhost:8080"
    assert shown_host("http://10.0.0.5:8000/v1") == "10.0.0.5:8000 (not encrypted)"


def test_events_split_anywhere_arrive_whole() -> None:
    stream = 'data: {"a": "é\u2028"}\r\n\r\n: note\n\ndata: one\ndata: two\n\ndata: last'.encode()
    for size in range(1, len(stream)):
        decoder = SseDecoder()
        found = [data for start in range(0, len(stream), size) for data in decoder.feed(stream[start : start + size])]
        assert [*found, *decoder.end()] == ['{"a": "é\u2028"}'.encode(), b"one\ntwo", b"last"]
