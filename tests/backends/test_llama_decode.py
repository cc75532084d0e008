"""Batches inside the model's process: what is evaluated, how often, and in which pieces."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from deepimagine_tui.backends.outbox import FLUSH_TOKENS, Outbox
from deepimagine_tui.backends.protocol import (
    GenerationEvent,
    GenerationFailed,
    GenerationFinished,
    GenerationRequest,
    Slot,
    SlotFilled,
    TextArrived,
)
from deepimagine_tui.backends.wire import Done, Happened, Load, Reply
from deepimagine_tui.errors import ModelError

pytest.importorskip("llama_cpp")

from deepimagine_tui.backends.llama_decode import BatchDecoder
from deepimagine_tui.backends.llama_model import AbortFlag, LlamaModel, NativeLog, thread_count
from tests.support.tiny_gguf import write_tiny_gguf

SLOTS = (Slot("k", "\nK:", "number"), Slot("v", "\nV:", "choice", (" met", " not met"), want_probabilities=True))
SHARED = "The beginning that all of the prompts have. "


class Counting(LlamaModel):
    """Notes how many tokens each evaluation took, and into which sequence the first went."""

    def __init__(self, path: Path, batch_tokens: int = 512) -> None:
        self.abort = AbortFlag()
        self.evaluated: list[tuple[int, int]] = []
        super().__init__(Load(str(path), 2048, batch_tokens=batch_tokens, threads=1), self.abort, NativeLog())

    def evaluate(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], wanted: Sequence[bool]
    ) -> None:
        self.evaluated.append((sequences[0], len(tokens)))
        super().evaluate(tokens, positions, sequences, wanted)


class Run:
    """A decoder with its events."""

    def __init__(self, model: Counting) -> None:
        self.model = model
        self.events: list[GenerationEvent] = []
        self.decoder = BatchDecoder(model, self.events.append, lambda: None)

    def ask(self, *prompts: str, tokens: int = 6) -> list[str]:
        """The completions of `prompts`, greedily."""
        self.events.clear()
        self.model.evaluated.clear()
        self.decoder.run([GenerationRequest(str(n), text, SLOTS, n, tokens, temperature=0.0) for n, text in enumerate(prompts)])
        return [
            "".join(event.text for event in self.events if isinstance(event, TextArrived) and event.request_id == str(number))
            for number in range(len(prompts))
        ]

    def into_prefix(self) -> int:
        """Tokens evaluated into the shared prefix."""
        return sum(count for sequence, count in self.model.evaluated if sequence == 0)


@pytest.fixture(scope="module")
def model(tiny_gguf: Path) -> Counting:
    return Counting(tiny_gguf)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_model_whose_output_is_no_number_fails_its_requests_and_the_next_are_answered(
    model: Counting, monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    run = Run(model)
    monkeypatch.setattr(model, "logits", lambda _: np.array([0, broken, 0], dtype=np.float32))
    run.ask("One.", "Two.")
    failed = [event for event in run.events if isinstance(event, GenerationFailed)]
    assert {event.request_id for event in failed} == {"0", "1"}
    assert all("no number" in event.message and event.hint for event in failed)
    monkeypatch.undo()
    run.ask("One.")
    assert [type(event) for event in run.events][-1] is GenerationFinished


def test_what_prompts_share_is_evaluated_once_and_kept(model: Counting) -> None:
    run = Run(model)
    prompts = [f"{SHARED}{letter} ends so:" for letter in "ABCDEFG"]
    first = run.ask(*prompts)
    tokens = [model.prompt_tokens(prompt) for prompt in prompts]
    shared = run.into_prefix()
    assert shared == len(model.prompt_tokens(SHARED.rstrip())) or 0 < shared < min(map(len, tokens))
    assert tokens[0][:shared] == tokens[6][:shared]
    rest = sum(len(own) - shared for own in tokens)
    assert next(count for sequence, count in model.evaluated if sequence) == rest
    assert run.ask(*prompts) == first
    assert run.into_prefix() == 0, "the prefix is still there"
    assert run.ask(*prompts[:2]) == first[:2]
    run.ask("Something else altogether:")
    assert run.ask(*prompts) == first
    assert run.into_prefix() == shared


def test_a_longer_prefix_goes_on_from_a_shorter_one(model: Counting) -> None:
    run = Run(model)
    alone = run.ask(SHARED + "One and one makes:")
    run.ask(SHARED + "A.", SHARED + "B.")
    shorter = len(model.prompt_tokens(SHARED)) - 1
    assert run.ask(SHARED + "One and one makes:") == alone
    assert 0 < run.into_prefix() <= len(model.prompt_tokens(SHARED + "One and one makes:")) - shorter


def test_small_evaluations_give_the_same_text(model: Counting, tiny_gguf: Path) -> None:
    prompts = [f"{SHARED * 2}{'long ' * number} end:" for number in range(5)]
    small = Run(Counting(tiny_gguf, batch_tokens=16))
    assert small.ask(*prompts) == Run(model).ask(*prompts)
    assert max(count for _, count in small.model.evaluated) == 16


def test_an_abort_ends_every_sequence_and_the_model_goes_on(model: Counting) -> None:
    run = Run(model)
    before = run.ask("Once:", "Twice:")
    model.abort.set()
    run.ask("Once:", "Twice:")
    assert [event.reason for event in run.events if isinstance(event, GenerationFinished)] == ["cancelled", "cancelled"]
    model.abort.clear()
    assert run.ask("Once:", "Twice:") == before


def test_a_failure_of_the_model_fails_the_wave_and_the_next_works(model: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(model)
    before = run.ask("Once:", "Twice:")

    def fail(*_: object) -> None:
        raise ModelError("The model could not go on: llama.cpp answered -3.")

    with monkeypatch.context() as patch:
        patch.setattr(model, "evaluate", fail)
        run.ask("Once:", "Twice:")
    assert [type(event) for event in run.events] == [GenerationFailed, GenerationFailed]
    assert run.ask("Once:", "Twice:") == before


def test_an_adapter_clears_what_was_evaluated_without_it(model: Counting, tiny_adapter: Path, tmp_path: Path) -> None:
    run = Run(model)
    plain = run.ask(SHARED)
    run.decoder.use_adapter(str(tiny_adapter))
    assert run.ask(SHARED) != plain
    run.decoder.use_adapter("")
    assert run.ask(SHARED) == plain
    assert run.into_prefix() > 0
    (tmp_path / "none.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="cannot be used"):
        run.decoder.use_adapter(str(tmp_path / "none.gguf"))
    assert run.ask(SHARED) == plain


def test_probabilities_do_not_depend_on_the_batch(model: Counting) -> None:
    run = Run(model)
    run.ask(SHARED)
    alone = [event for event in run.events if isinstance(event, SlotFilled)][-1]
    run.ask(SHARED, SHARED + "More:", SHARED + "Less:")
    batched = [event for event in run.events if isinstance(event, SlotFilled) and event.request_id == "0"][-1]
    assert batched.probabilities == pytest.approx(alone.probabilities, rel=1e-2)
    assert batched.mass == pytest.approx(alone.mass, rel=1e-2)


def test_tokens_round_trip_and_numbers_are_found(model: Counting) -> None:
    for text in ("\nVerdict:", " not met", " no clear change", "é ≥ 5 µg\n\n", "x"):
        assert b"".join(map(model.piece, model.continuation(text))).decode() == text
    pieces = {model.piece(token).decode() for token in model.number_tokens().tolist()}
    assert {"0", "9", ".", "-", " 1", " -", "12"} <= pieces
    assert "e" not in pieces


def test_a_tokenizer_that_puts_a_space_first_does_not_double_it(tmp_path: Path) -> None:
    model = Counting(write_tiny_gguf(tmp_path / "spaced.gguf", spaced=True))
    assert b"".join(map(model.piece, model.tokenize("met", start=False, special=False))) == b" met"
    for text in ("\nVerdict:", " met", " not met", "x"):
        assert b"".join(map(model.piece, model.continuation(text))).decode() == text
    assert model.piece(model.continuation(" not met")[0]) == b" not"
    completion = Run(model).ask("Trial. Reasoning:")[0]
    assert re.search(r"\nK: [-+]?[\d.]+\nV: (not )?met$", completion)


def test_threads_are_as_asked_or_at_least_one() -> None:
    assert thread_count(3) == 3
    assert thread_count(0) >= 1


def replies(stream: io.BytesIO) -> list[Reply]:
    return [msgspec.json.decode(line, type=Reply) for line in stream.getvalue().splitlines()]


def test_tokens_of_a_sequence_are_joined_on_their_way_out() -> None:
    stream = io.BytesIO()
    outbox = Outbox(stream)
    outbox.generation = 4
    for _ in range(3):
        outbox.event(TextArrived("a", "x", "reasoning"))
        outbox.event(TextArrived("b", "y", "reasoning"))
    outbox.event(TextArrived("a", "|", "answer"))
    outbox.event(SlotFilled("a", "v", "met"))
    outbox.event(TextArrived("a", "z", "answer"))
    outbox.flush()
    outbox.flush()
    outbox.send(Done(4))
    joined, done = replies(stream)
    assert isinstance(joined, Happened)
    assert joined.events == [
        TextArrived("a", "xxx", "reasoning", 3),
        TextArrived("b", "yyy", "reasoning", 3),
        TextArrived("a", "|", "answer"),
        SlotFilled("a", "v", "met"),
        TextArrived("a", "z", "answer"),
    ]
    assert done == Done(4)


def test_enough_tokens_are_sent_at_once() -> None:
    stream = io.BytesIO()
    outbox = Outbox(stream)
    outbox.event(TextArrived("a", "x", "reasoning"))
    outbox.step_done()
    assert len(replies(stream)) == 1, "the first token does not wait"
    outbox.event(TextArrived("a", "x", "reasoning", FLUSH_TOKENS))
    outbox.step_done()
    assert len(replies(stream)) == 2
