"""Two backends asked the same: what is equal is measured as equal, and what is not by how much."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

pytest.importorskip("peft", reason="the `training` extra is not installed")

from deepimagine_exporters.gguf.gates import excess
from deepimagine_training import bases, parity
from deepimagine_training.hf_backend import HfBackend
from deepimagine_training.pairs import PairSet
from deepimagine_training.parity import Parity, Probe

from deepimagine_tui.backends.protocol import SlotFilled
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError
from tests.support.converter import for_tiny_models
from tests.support.lora import random_lora
from tests.support.tiny_model import tiny_gemma3, tiny_qwen35


@pytest.fixture(scope="module")
def asked(small_pairs: PairSet) -> list[Probe]:
    return parity.probes(small_pairs.rows, 3, "train")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> bases.Loaded:
    return bases.load(bases.resolve(str(tiny_gemma3(tmp_path_factory.mktemp("base")))))


def test_the_prompt_set_is_fixed_and_of_one_side(small_pairs: PairSet):
    first = parity.probes(small_pairs.rows, 5, "train")
    assert parity.probes(tuple(reversed(small_pairs.rows)), 5, "train") == first
    sides = {row.id: row.side for row in small_pairs.rows}
    assert {sides[probe.pair_id] for probe in first} == {"train"}
    assert len({request.request_id for probe in first for request in probe.requests}) == sum(
        len(probe.requests) for probe in first
    )


def test_each_slot_is_asked_after_the_posted_answers(asked: list[Probe]):
    for probe in asked:
        leads = [request.slots[0].lead for request in probe.requests]
        assert leads[0].endswith("\nDirection:")
        assert leads[-1].endswith("\nVerdict:")
        assert all(later.startswith(earlier) for earlier, later in pairwise(leads))


def test_a_side_without_pairs_is_refused():
    with pytest.raises(BadInputError, match="validation side"):
        parity.probes([])


def test_a_model_is_at_no_distance_from_itself(loaded: bases.Loaded, asked: list[Probe]):
    found = parity.measure(HfBackend(loaded), HfBackend(loaded), asked, Event())
    assert found == Parity(3, sum(len(probe.requests) for probe in asked), 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, "tokens", 0.0)


def test_an_adapter_is_at_a_distance_and_past_every_gate(loaded: bases.Loaded, asked: list[Probe], tmp_path: Path):
    random_lora(loaded.model, tmp_path / "adapter", size=0.3).unload()
    plain = parity.ask(HfBackend(loaded), asked, Event())
    backend = HfBackend(loaded, tmp_path / "adapter")
    found = parity.compare(plain, parity.ask(backend, asked, Event()))
    backend.close()
    assert found.kl_max >= found.kl_mean > 0.1
    assert found.p_met_max_difference >= found.p_met_mean_difference > 0
    assert excess("F16", found)
    assert excess("Q4_K_M", found)


@pytest.mark.parametrize("make", [tiny_gemma3, tiny_qwen35])
def test_llama_cpp_answers_from_a_converted_model_as_transformers_does(
    make: Callable[[Path], Path], asked: list[Probe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("llama_cpp")
    from deepimagine_exporters.gguf.convert import convert

    from deepimagine_tui.backends.llama import LlamaBackend

    monkeypatch.setenv("DEEPIMAGINE_HOME", str(tmp_path))
    for_tiny_models(tmp_path / "converter", monkeypatch)
    convert(make(tmp_path / "model"), tmp_path / "model.gguf", Event())
    reference = HfBackend(bases.load(bases.resolve(str(tmp_path / "model"))))
    candidate = LlamaBackend(tmp_path / "model.gguf", threads=1)
    try:
        answers = parity.ask(reference, asked[:1], Event()), parity.ask(candidate, asked[:1], Event())
    finally:
        candidate.close()
    found = parity.compare(*answers)
    assert excess("F16", found) == ""
    assert found.kl_over == "tokens"
    over_options = parity.compare(answers[0], {key: without_tokens(answer) for key, answer in answers[1].items()})
    assert over_options.kl_over == "options"
    assert over_options.kl_max < 1e-3


def without_tokens(answer: SlotFilled) -> SlotFilled:
    return SlotFilled(answer.request_id, answer.slot, answer.value, answer.probabilities, answer.mass, answer.probability_kind)


def test_the_numbers_are_those_of_their_definitions():
    def answers(met: float, direction: str, tokens: dict[int, float]) -> parity.Answers:
        shares = {"met": met, "not met": 1 - met}
        return {
            "a/direction": SlotFilled("a/direction", "direction", direction, {"up": 1.0}, 1.0, "logits", tokens),
            "a/verdict": SlotFilled("a/verdict", "verdict", "met" if met > 0.5 else "not met", shares, 1.0, "logits", tokens),
        }

    one, other = answers(0.6, "up", {1: 0.5, 2: 0.3}), answers(0.4, "up", {1: 0.25, 3: 0.1})
    found = parity.compare(one, other)
    assert (found.verdict_agreement, found.direction_agreement, found.changed_share) == (0.0, 1.0, 0.5)
    assert found.p_met_max_difference == pytest.approx(0.2)
    assert found.kl_mean == pytest.approx(0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75))


def test_what_cannot_be_compared_is_one_sentence(asked: list[Probe], loaded: bases.Loaded):
    plain = parity.ask(HfBackend(loaded), asked, Event())
    with pytest.raises(ModelError, match="gives no probabilities"):
        parity.compare(plain, parity.ask(ScriptedBackend(), asked, Event()))
    with pytest.raises(ModelError, match="not asked the same"):
        parity.compare(plain, {})
    stopped = Event()
    stopped.set()
    with pytest.raises(CancelledError):
        parity.ask(HfBackend(loaded), asked, stopped)
