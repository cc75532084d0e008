"""A transformers model as a backend: the same guided answers as another backend gives, from the model's own distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Timer

import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")

import peft
import torch
from deepimagine_training import bases
from deepimagine_training.hf_backend import HfBackend
from deepimagine_training.hf_tokens import HfTokens

from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.errors import BadInputError, ModelError
from deepimagine_tui.reasoning.events import RunFinished
from tests.reasoning.engine.support import anchor_state, ask, estimated, to_dose, to_japan, what_if
from tests.support.tiny_model import tiny_gemma3, tiny_qwen35

SLOTS = (
    Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change")),
    Slot("k1", "\nArm value:", "number"),
    Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True),
)


@pytest.fixture(scope="module", params=[tiny_gemma3, tiny_qwen35], ids=["gemma3", "qwen3.5"])
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bases.Loaded:
    make: Callable[[Path], Path] = request.param
    return bases.load(bases.resolve(str(make(tmp_path_factory.mktemp("base")))))


def requests(count: int, tokens: int = 8, temperature: float = 0.7) -> list[GenerationRequest]:
    return [
        GenerationRequest(f"run/{number}", f"One trial, {number}\nReasoning:", SLOTS, number, tokens, temperature=temperature)
        for number in range(count)
    ]


def text_of(events: Sequence[GenerationEvent], request_id: str) -> str:
    return "".join(event.text for event in events if isinstance(event, TextArrived) and event.request_id == request_id)


def filled(events: Sequence[GenerationEvent], request_id: str) -> dict[str, SlotFilled]:
    return {event.slot: event for event in events if isinstance(event, SlotFilled) and event.request_id == request_id}


def test_every_request_ends_once_in_the_form_with_its_values(loaded: bases.Loaded):
    events = list(HfBackend(loaded).generate(requests(3), Event()))
    for number in range(3):
        key = f"run/{number}"
        values = filled(events, key)
        assert text_of(events, key).endswith("".join(f"{slot.lead} {values[slot.name].value}" for slot in SLOTS))
        float(values["k1"].value)
        ends = [event for event in events if isinstance(event, GenerationFinished) and event.request_id == key]
        assert [end.reason for end in ends] == ["answered"]
        assert ends[0].prompt_tokens == len(f"One trial, {number}\nReasoning:") + 1
        assert sum(event.tokens for event in events if isinstance(event, TextArrived) and event.request_id == key) == (
            ends[0].completion_tokens
        )


def test_a_batch_gives_each_what_it_gets_alone(loaded: bases.Loaded):
    backend = HfBackend(loaded)
    together = list(backend.generate(requests(3), Event()))
    for request in requests(3):
        alone = list(backend.generate([request], Event()))
        assert text_of(alone, request.request_id) == text_of(together, request.request_id)
        assert filled(alone, request.request_id)["verdict"].probabilities["met"] == pytest.approx(
            filled(together, request.request_id)["verdict"].probabilities["met"], abs=1e-5
        )


def test_probabilities_are_those_of_a_forward_over_the_whole_text(loaded: bases.Loaded):
    prompt = "A prompt longer than what is evaluated at once. " * 4 + "Reasoning:"
    request = GenerationRequest("one", prompt, SLOTS, 5, max_reasoning_tokens=0)
    events = list(HfBackend(loaded).generate([request], Event()))
    verdict = filled(events, "one")["verdict"]
    before = prompt + text_of(events, "one").removesuffix(f" {verdict.value}") + " "
    ids = loaded.tokenizer(before, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        shares = loaded.model(ids).logits[0, -1].double().softmax(-1)
    met, not_met = (float(shares[loaded.tokenizer.convert_tokens_to_ids(letter)]) for letter in "mn")
    assert verdict.probabilities["met"] == pytest.approx(met / (met + not_met), abs=1e-4)
    assert verdict.mass == pytest.approx(met + not_met, rel=1e-3)


def test_the_seed_decides_and_greedy_needs_none(loaded: bases.Loaded):
    backend = HfBackend(loaded)
    first, again = requests(1, 24), requests(1, 24)
    other = [GenerationRequest("run/0", first[0].prompt, SLOTS, 99, 24)]
    texts = [text_of(list(backend.generate(batch, Event())), "run/0") for batch in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]
    greedy = [GenerationRequest("run/0", "A trial\nReasoning:", SLOTS, seed, 8, temperature=0) for seed in (1, 2)]
    assert len({text_of(list(backend.generate([request], Event())), "run/0") for request in greedy}) == 1


def test_cancelling_ends_everything_and_leaves_it_usable(loaded: bases.Loaded):
    backend, cancel = HfBackend(loaded), Event()
    events = []
    for event in backend.generate(requests(3, 3000), cancel):
        events.append(event)
        cancel.set()
    ends = [event for event in events if isinstance(event, GenerationFinished)]
    assert [(end.request_id, end.reason) for end in ends] == [(f"run/{number}", "cancelled") for number in range(3)]
    timer = Timer(0.05, cancel.set)
    cancel.clear()
    timer.start()
    *_, end = backend.generate([GenerationRequest("long", "x" * 4000, (), 1, 1)], cancel)
    assert isinstance(end, GenerationFinished)
    assert len(list(backend.generate(requests(1), Event()))) > 1


def test_what_does_not_fit_is_refused_and_the_rest_goes_on(loaded: bases.Loaded):
    long = GenerationRequest("long", "x" * 5000, SLOTS, 1)
    same = GenerationRequest("same", "x", (Slot("a", "\nA:", "choice", (" a", " a b")),), 1)
    events = list(HfBackend(loaded).generate([long, same, *requests(1)], Event()))
    assert {event.request_id for event in events if isinstance(event, GenerationFailed)} == {"long", "same"}
    assert any(isinstance(event, GenerationFinished) and event.request_id == "run/0" for event in events)


def test_info_says_what_the_model_is(loaded: bases.Loaded):
    info = HfBackend(loaded).info
    assert (info.name, info.sha256, info.backend) == (loaded.facts.name, loaded.facts.sha256, "transformers")
    assert info.context_length == 4096
    assert HfBackend(loaded).count_tokens(["one", "one two"]) == [4, 8]


def test_an_adapter_changes_the_answers_until_it_is_taken_off(loaded: bases.Loaded, tmp_path: Path):
    before = probability(HfBackend(loaded))
    adapter = adapter_of(loaded, tmp_path / "adapter")
    with_it = HfBackend(loaded, adapter)
    after = probability(with_it)
    assert after != pytest.approx(before, abs=1e-4)
    assert with_it.info.adapter_sha256
    with_it.close()
    assert probability(HfBackend(loaded)) == pytest.approx(before, abs=1e-6)
    assert probability(with_it) == pytest.approx(after, abs=1e-6)
    with_it.close()


def test_an_adapter_of_another_model_is_refused_and_leaves_the_model_as_it_was(loaded: bases.Loaded, tmp_path: Path):
    before = probability(HfBackend(loaded))
    make = tiny_gemma3 if loaded.facts.architecture.startswith("qwen") else tiny_qwen35
    other = bases.load(bases.resolve(str(make(tmp_path / "other"))))
    adapter = adapter_of(other, tmp_path / "adapter")
    with pytest.raises(ModelError, match="of another model"):
        HfBackend(loaded, adapter)
    with pytest.raises(BadInputError, match="no readable adapter"):
        HfBackend(loaded, tmp_path)
    assert probability(HfBackend(loaded)) == before


def probability(backend: HfBackend) -> float:
    request = requests(1, tokens=0, temperature=0)[0]
    return filled(list(backend.generate([request], Event())), "run/0")["verdict"].probabilities["met"]


def adapter_of(loaded: bases.Loaded, folder: Path) -> Path:
    """A random adapter on every linear layer of the model, which is left as it was."""
    torch.manual_seed(1)
    config = peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    model = peft.get_peft_model(loaded.model, config)
    model.save_pretrained(folder)
    model.unload()
    return folder


def test_the_engine_runs_a_chain_on_it(loaded: bases.Loaded):
    configuration = anchor_state().configuration
    assert configuration.arm.doses
    events = ask(what_if(to_dose(25.0), to_japan(), max_reasoning_tokens=8), HfBackend(loaded))
    steps = estimated(events)
    assert len(steps) == 2
    for step in steps:
        assert step.state.met is not None
        assert step.state.met.how == "logits"
        assert 0 < (step.state.met.probability or 0) < 1
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "answered"


def test_pieces_join_to_the_text_in_bytes_and_in_words(loaded: bases.Loaded):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens = HfTokens(loaded.tokenizer, [])
    text = " 12.5 % – über\n"
    assert b"".join(map(tokens.piece, tokens.continuation(text))) == text.encode()
    numbers = {tokens.piece(token) for token in tokens.number_tokens().tolist()}
    assert numbers >= {bytes([byte]) for byte in b"0123456789-+. "}
    assert not b"".join(numbers).strip(b"0123456789-+. ")
    assert tokens.piece(1) == b""
    assert tokens.is_end(1)
    words = {"<unk>": 0, "<end_of_turn>": 1, "▁": 2, "▁met": 3, "7": 4, **{f"<0x{byte:02X}>": 5 + byte for byte in range(256)}}
    fast = Tokenizer(models.BPE(words, [], unk_token="<unk>", byte_fallback=True))
    fast.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    fast.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    spelt = HfTokens(PreTrainedTokenizerFast(tokenizer_object=fast, unk_token="<unk>"), [])
    assert [spelt.piece(token) for token in (3, 4, 5 + 0xC3, 999)] == [b" met", b"7", b"\xc3", b""]
    assert spelt.is_end(1)
