"""The llama.cpp backend on a random model: the form holds, batches equal single runs, and what dies is reported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import msgspec
import pytest

from deepimagine_tui import paths
from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError
from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf, write_tiny_recurrent

pytest.importorskip("llama_cpp")

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("k1", "\nArm value:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)


def ask(
    name: str = "r", prompt: str = "Trial A. Reasoning:", *, seed: int = 1, tokens: int = 12, heat: float = 0.0
) -> GenerationRequest:
    return GenerationRequest(name, prompt, SLOTS, seed, max_reasoning_tokens=tokens, temperature=heat)


def texts(events: list[GenerationEvent]) -> dict[str, str]:
    found: dict[str, str] = {}
    for event in events:
        if isinstance(event, TextArrived):
            found[event.request_id] = found.get(event.request_id, "") + event.text
    return found


def run(backend: LlamaBackend, *requests: GenerationRequest) -> list[GenerationEvent]:
    return list(backend.generate(requests, Event()))


@pytest.fixture(scope="module")
def backend(tiny_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaBackend]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPIMAGINE_HOME", str(tmp_path_factory.mktemp("home")))
        backend = LlamaBackend(tiny_gguf, threads=1)
        backend.load()
    yield backend
    backend.close()


def test_the_answer_keeps_its_form_and_probabilities_are_a_distribution(backend: LlamaBackend) -> None:
    events = run(backend, ask(heat=0.9))
    filled = {event.slot: event for event in events if isinstance(event, SlotFilled)}
    assert list(filled) == ["direction", "k1", "verdict"]
    float(filled["k1"].value)
    tail = "".join(f"{slot.lead} {filled[slot.name].value}" for slot in SLOTS)
    assert texts(events)["r"].endswith(tail)
    verdict = filled["verdict"]
    assert sum(verdict.probabilities.values()) == pytest.approx(1)
    assert set(verdict.probabilities) == {"met", "not met"}
    assert 0 < (verdict.mass or 0) < 1
    assert verdict.probability_kind == "logits"
    end = events[-1]
    assert isinstance(end, GenerationFinished)
    assert end.reason == "answered"
    assert end.prompt_tokens == backend.count_tokens(["Trial A. Reasoning:"])[0]


def single_and_batch(backend: LlamaBackend) -> tuple[list[str], list[str]]:
    prompts = [f"Shared beginning of every prompt. Case {number}: Reasoning:" for number in range(7)]
    single = [texts(run(backend, ask("r", prompt)))["r"] for prompt in prompts]
    batch = texts(run(backend, *(ask(str(number), prompt) for number, prompt in enumerate(prompts))))
    return single, [batch[str(number)] for number in range(7)]


def test_a_batch_gives_the_text_of_single_runs(backend: LlamaBackend) -> None:
    single, batch = single_and_batch(backend)
    assert batch == single


def test_a_memory_that_cannot_be_cut_is_branched_too(tmp_path: Path) -> None:
    recurrent = LlamaBackend(write_tiny_recurrent(tmp_path / "recurrent.gguf"), threads=1)
    try:
        single, batch = single_and_batch(recurrent)
        assert batch == single
        assert len(set(single)) > 1
    finally:
        recurrent.close()


def test_the_same_seed_repeats_itself_and_another_does_not(backend: LlamaBackend) -> None:
    first = texts(run(backend, ask(seed=5, heat=0.9)))
    assert texts(run(backend, ask(seed=5, heat=0.9))) == first
    assert texts(run(backend, ask(seed=6, heat=0.9))) != first
    run(backend, ask(prompt="Another prompt that takes the prefix away."))
    assert texts(run(backend, ask(seed=5, heat=0.9))) == first


def test_more_sequences_than_fit_are_run_in_waves(tiny_gguf: Path, backend: LlamaBackend) -> None:
    requests = [ask(str(number), f"Case {number}. Reasoning:") for number in range(5)]
    small = LlamaBackend(tiny_gguf, sequences=2, context_tokens=256, threads=1)
    try:
        assert texts(run(small, *requests)) == texts(run(backend, *requests))
    finally:
        small.close()


def test_a_prompt_that_does_not_fit_fails_alone(backend: LlamaBackend) -> None:
    events = run(backend, ask("long", "word " * 3000), ask("short"))
    failed = [event for event in events if isinstance(event, GenerationFailed)]
    assert [event.request_id for event in failed] == ["long"]
    assert "the model holds 2,048" in failed[0].message
    assert any(isinstance(event, GenerationFinished) and event.request_id == "short" for event in events)


def test_options_that_cannot_be_told_apart_fail(backend: LlamaBackend) -> None:
    slot = Slot("v", "\nV:", "choice", (" no", " no change"))
    events = run(backend, GenerationRequest("r", "p", (slot,), 1))
    assert isinstance(events[0], GenerationFailed)
    assert "told apart" in events[0].message


def cancelled_after(backend: LlamaBackend, request: GenerationRequest, seconds: float) -> tuple[float, list[GenerationEvent]]:
    """Cancel `seconds` after asking; how long it took from then, and the events."""
    cancel, asked = Event(), [0.0]

    def stop() -> None:
        asked[0] = time.monotonic()
        cancel.set()

    timer = Timer(seconds, stop)
    timer.start()
    events = list(backend.generate([request], cancel))
    timer.join()
    return time.monotonic() - asked[0], events


def test_cancelling_during_prompt_evaluation_and_decoding_is_quick(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "long.gguf", context_length=60_000)
    backend = LlamaBackend(path, context_tokens=60_000, threads=1)
    try:
        backend.load()
        long_prompt = ask("r", "word " * 10_000, tokens=1)
        before = texts(run(backend, ask()))
        endless = GenerationRequest("r", "Trial", SLOTS, 1, max_reasoning_tokens=50_000, stop=(), temperature=0.0)
        for request in (long_prompt, endless):
            took, events = cancelled_after(backend, request, 0.3)
            assert [type(event) for event in events if not isinstance(event, TextArrived)] == [GenerationFinished]
            assert isinstance(events[-1], GenerationFinished)
            assert events[-1].reason == "cancelled"
            assert took < 1.0
            assert texts(run(backend, ask())) == before
    finally:
        backend.close()


def test_closing_the_iterator_early_cancels(backend: LlamaBackend) -> None:
    before = texts(run(backend, ask()))
    events = backend.generate([ask(tokens=1500)], Event())
    next(events)
    events.close()
    started = time.monotonic()
    assert texts(run(backend, ask())) == before
    assert time.monotonic() - started < 1.0


def test_a_cancel_before_the_start_ends_every_sequence(backend: LlamaBackend) -> None:
    cancel = Event()
    cancel.set()
    events = list(backend.generate([ask("a"), ask("b")], cancel))
    assert {event.request_id for event in events if isinstance(event, GenerationFinished)} == {"a", "b"}


def test_a_killed_model_is_reported_and_started_again(backend: LlamaBackend) -> None:
    before = texts(run(backend, ask()))
    failed = []
    for event in backend.generate([ask("a", tokens=1500), ask("b", tokens=1500)], Event()):
        if isinstance(event, TextArrived):
            os.kill(backend.process_id or 0, signal.SIGKILL)
        if isinstance(event, GenerationFailed):
            failed.append(event)
    assert {event.request_id for event in failed} == {"a", "b"}
    assert all(
        event.restartable and event.message == "The model stopped (killed by SIGKILL; out of memory?)." for event in failed
    )
    assert texts(run(backend, ask())) == before


def test_a_model_that_does_not_answer_to_a_cancel_is_killed(tiny_gguf: Path) -> None:
    backend = LlamaBackend(tiny_gguf, threads=1)
    try:
        backend.load()
        cancel, stopped = Event(), 0.0
        events = []
        for event in backend.generate([ask(tokens=1500)], cancel):
            events.append(event)
            if not stopped:
                os.kill(backend.process_id or 0, signal.SIGSTOP)
                cancel.set()
                stopped = time.monotonic()
        assert isinstance(events[-1], GenerationFinished)
        assert 1.5 < time.monotonic() - stopped < 4.0
        assert texts(run(backend, ask()))
    finally:
        backend.close()


def test_no_orphan_is_left_by_a_killed_parent(tiny_gguf: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from deepimagine_tui.backends.llama import LlamaBackend;"
        "b = LlamaBackend(Path(sys.argv[1]), threads=1); b.load(); print(b.process_id, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tiny_gguf)], capture_output=True, text=True, check=False)
    child = int(ended.stdout)
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


def test_an_adapter_changes_the_text_and_can_be_taken_off(backend: LlamaBackend, tiny_adapter: Path) -> None:
    plain = texts(run(backend, ask()))
    backend.use_adapter(tiny_adapter)
    adapted = texts(run(backend, ask()))
    assert adapted != plain
    assert len(backend.info.adapter_sha256) == 64
    backend.use_adapter(None)
    assert texts(run(backend, ask())) == plain
    assert backend.info.adapter == ""


def test_every_factor_is_answered_by_its_own_operator(backend: LlamaBackend, tiny_adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "operators"
    folder.mkdir()
    (folder / "dose.gguf").symlink_to(tiny_adapter)
    (folder / "arm.gguf").symlink_to(write_tiny_adapter(tmp_path / "other.gguf", seed=3))
    asked = [msgspec.structs.replace(ask(factor), operator=factor) for factor in ("dose", "arm", "outcome")]
    alone = {}
    for adapter, request in zip((folder / "dose.gguf", folder / "arm.gguf"), asked, strict=False):
        backend.use_adapter(adapter)
        alone |= texts(run(backend, request))
    backend.use_adapter(folder)
    together = list(backend.generate(asked, Event()))
    assert texts(together) == alone
    assert alone["dose"] != alone["arm"]
    (failed,) = [event for event in together if isinstance(event, GenerationFailed)]
    assert (failed.request_id, failed.message) == ("outcome", "This model has no operator for 'outcome'.")
    (folder / "arm.gguf").unlink()
    before = backend.info.adapter_sha256
    backend.use_adapter(folder)
    assert backend.info.adapter_sha256 != before
    with pytest.raises(BadInputError, match="holds no operator"):
        backend.use_adapter(tmp_path)


def test_an_adapter_that_would_be_garbage_is_refused_when_opening(tiny_gguf: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not state its scale"):
        LlamaBackend(tiny_gguf, adapter=write_tiny_adapter(tmp_path / "a.gguf", alpha=None))


def test_a_chat_model_gets_its_own_turns(tmp_path: Path, tiny_gguf: Path, backend: LlamaBackend) -> None:
    chat = LlamaBackend(write_tiny_gguf(tmp_path / "chat.gguf", chat=True), threads=1)
    try:
        assert (chat.info.template, backend.info.template) == ("chat", "plain")
        turns = ["<s>", "<turn>", "u", "s", "er", "\n", *"hello", "<end>", "\n", "<turn>", *"model", "\n"]
        assert chat.count_tokens(["hello"]) == [len(turns)]
        assert texts(run(chat, ask()))
    finally:
        chat.close()


def test_an_unknown_architecture_gives_one_sentence(tmp_path: Path) -> None:
    backend = LlamaBackend(write_tiny_gguf(tmp_path / "odd.gguf", architecture="oddformer"))
    assert backend.info.architecture == "oddformer"
    with pytest.raises(ModelError, match="has the architecture 'oddformer', which the installed"):
        backend.load()
    with pytest.raises(ModelError):
        list(backend.generate([ask()], Event()))
    backend.close()


def test_info_is_there_before_loading_and_gains_the_digest(tiny_gguf: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(tiny_gguf.read_bytes())
    backend = LlamaBackend(copy, threads=1)
    assert backend.info.sha256 == ""
    assert (backend.info.context_length, backend.info.quantisation) == (2048, "F32")
    assert backend.process_id is None
    try:
        assert len(backend.load().sha256) == 64
        assert (paths.log_dir() / "model.log").stat().st_size > 0
    finally:
        backend.close()
    assert LlamaBackend(copy).info.sha256 == backend.info.sha256


def test_loading_can_be_cancelled(tiny_gguf: Path) -> None:
    backend, cancel = LlamaBackend(tiny_gguf, threads=1), Event()
    cancel.set()
    with pytest.raises(CancelledError):
        backend.load(cancel)
    try:
        assert backend.count_tokens(["a"]) == [2]
    finally:
        backend.close()
