"""The embedded model answers in the form, and stops when told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Timer

import pytest

from deepimagine_tui.backends import embedded
from deepimagine_tui.backends.catalogue import EMBEDDED, open_backend
from deepimagine_tui.backends.llama import LlamaBackend
from deepimagine_tui.backends.protocol import GenerationFinished, GenerationRequest, Slot, SlotFilled

pytestmark = pytest.mark.model

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("arm", "\nValue in Drug A 10 mg:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)
PROMPT = (
    "Value in Placebo: -4.2 (SD 12.1, n 205)\nValue in Drug A 20 mg: -13.6 (SD 11.8, n 207)\nVerdict: met\n"
    "Change of dose: 20 mg -> 10 mg\nReasoning:"
)


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaBackend]:
    pytest.importorskip("llama_cpp")
    if not embedded.installed():
        pytest.skip("the embedded model is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPIMAGINE_HOME", str(tmp_path_factory.mktemp("home")))
        backend = open_backend(EMBEDDED)
        assert isinstance(backend, LlamaBackend)
        backend.load()
    yield backend
    backend.close()


def test_the_embedded_model_is_what_it_says(gemma: LlamaBackend) -> None:
    info = gemma.info
    assert (info.architecture, info.quantisation, info.template) == ("gemma3", "Q4_K_M", "plain")
    assert info.sha256 == embedded.SHA256
    assert info.licence == "Gemma Terms of Use"
    assert Path(info.path).name == embedded.FILE_NAME


def test_several_sequences_answer_in_the_form_with_a_probability_each(gemma: LlamaBackend) -> None:
    requests = [GenerationRequest(str(seed), PROMPT, SLOTS, seed, max_reasoning_tokens=12) for seed in range(3)]
    events = list(gemma.generate(requests, Event()))
    for request in requests:
        filled = {
            event.slot: event for event in events if isinstance(event, SlotFilled) and event.request_id == request.request_id
        }
        float(filled["arm"].value)
        assert filled["verdict"].value in filled["verdict"].probabilities
        assert 0 < (filled["verdict"].mass or 0) <= 1


def test_evaluating_a_long_prompt_is_stopped_at_once(gemma: LlamaBackend) -> None:
    cancel, asked = Event(), [0.0]

    def stop() -> None:
        asked[0] = time.monotonic()
        cancel.set()

    timer = Timer(0.5, stop)
    timer.start()
    request = GenerationRequest("long", PROMPT * 80, (), 1, max_reasoning_tokens=1)
    *_, end = gemma.generate([request], cancel)
    took = time.monotonic() - asked[0]
    assert isinstance(end, GenerationFinished)
    assert end.reason == "cancelled"
    assert took < 1.0
