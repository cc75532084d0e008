"""The guided state machine without a model: stop strings, characters split over tokens, choices, numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.backends import number_form
from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest, Slot, SlotFilled, TextArrived
from deepimagine_tui.backends.sampling import sample, sample_among, shares
from deepimagine_tui.backends.sequence import GuidedSequence

END = 256


class Bytes:
    """A vocabulary of the 256 bytes and an end token."""

    def continuation(self, text: str) -> list[int]:
        return list(text.encode("utf-8"))

    def piece(self, token: int) -> bytes:
        return b"" if token == END else bytes([token])

    def is_end(self, token: int) -> bool:
        return token == END

    def number_tokens(self) -> np.ndarray:
        return np.asarray(list(b" +-.0123456789"))


def drive(
    request: GenerationRequest, wanted: bytes | list[int]
) -> tuple[str, dict[str, SlotFilled], GuidedSequence, list[int]]:
    """Run a sequence whose model likes the next of `wanted` best; returns the text, the slots, and what was evaluated."""
    events: list[GenerationEvent] = []
    guided = GuidedSequence(request, Bytes(), events.append)
    guided.start([1])
    seen, likes = [], iter(wanted)
    while not guided.finished:
        seen += guided.pending
        row = np.zeros(END + 1, dtype=np.float32)
        row[next(likes, ord("?"))] = 5.0
        guided.advance(row)
    text = "".join(event.text for event in events if isinstance(event, TextArrived))
    assert sum(event.tokens for event in events if isinstance(event, TextArrived)) <= guided.completion_tokens
    return text, {event.slot: event for event in events if isinstance(event, SlotFilled)}, guided, seen


def ask(*slots: Slot, stop: tuple[str, ...] = ("\n",), tokens: int = 64) -> GenerationRequest:
    return GenerationRequest("r", "p", slots, 1, max_reasoning_tokens=tokens, stop=stop, temperature=0.0)


def test_reasoning_ends_at_a_stop_string_that_is_not_shown() -> None:
    text, _, guided, _ = drive(ask(Slot("v", "|V:", "choice", (" a", " b"))), b" so it is\nb")
    assert text == " so it is|V: b"
    assert not guided.reasoning_cut


def test_a_long_stop_string_is_held_back_until_it_is_whole() -> None:
    text, _, _, _ = drive(ask(stop=("STOP!", "\n\n")), b"ST\nand STOP! more")
    assert text == "ST\nand "


def test_the_models_own_end_and_the_limit_end_the_reasoning() -> None:
    assert drive(ask(), [*b"done", END])[0] == "done"
    text, _, guided, seen = drive(ask(Slot("v", "|", "choice", (" a", " b")), tokens=3), b"abcdefgh")
    assert text.startswith("abc|")
    assert guided.reasoning_cut
    assert seen[:5] == [1, *b"abc|"]


def test_no_reasoning_goes_straight_to_the_form() -> None:
    assert drive(ask(Slot("v", "|", "choice", (" a", " b")), tokens=0), b"b")[0] == "| b"


@given(st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20))
def test_characters_split_over_tokens_arrive_whole(text: str) -> None:
    assert drive(ask(tokens=200), [*text.encode("utf-8"), END])[0] == text


def test_a_choice_takes_the_likeliest_option_and_reports_shares_before_temperature() -> None:
    slot = Slot("v", "|", "choice", (" met", " not met"), want_probabilities=True)
    events: list[GenerationEvent] = []
    guided = GuidedSequence(ask(slot, tokens=0), Bytes(), events.append)
    guided.start([1])
    assert guided.pending == [1, ord("|"), ord(" ")], "what all options share is written for the model"
    row = np.zeros(END + 1, dtype=np.float32)
    row[ord("m")], row[ord("n")], row[ord("z")] = 1.0, 2.0, 3.0
    guided.advance(row)
    filled = next(event for event in events if isinstance(event, SlotFilled))
    assert filled.value == "not met"
    assert filled.probabilities["not met"] == pytest.approx(1 / (1 + np.exp(-1)))
    assert sum(filled.probabilities.values()) == pytest.approx(1)
    assert filled.mass == pytest.approx((np.exp(1) + np.exp(2)) / (np.exp(1) + np.exp(2) + np.exp(3) + END - 2), rel=1e-5)
    assert guided.finished


def test_options_that_share_a_beginning_are_chosen_in_turns() -> None:
    slot = Slot("v", "|", "choice", (" up", " down", " unchanged"), want_probabilities=True)
    text, filled, _, seen = drive(ask(slot, Slot("w", "!", "choice", (" a", " b")), tokens=0), b"una")
    assert text == "| unchanged! a"
    assert filled["v"].probabilities == {}
    assert bytes(seen[1:]) == b"| unchanged! "


@pytest.mark.parametrize(
    ("likes", "value"),
    [
        (b" -12.5\n", "-12.5"),
        (b" 7%", "7"),
        (b" 12,5", "12"),
        (b" 1234567890123456", "123456789012"),
        (b" +4e", "+4"),
    ],
)
def test_a_number_ends_where_the_model_goes_on_with_something_else(likes: bytes, value: str) -> None:
    text, filled, _, _ = drive(ask(Slot("k", "|K:", "number"), Slot("v", "|", "choice", (" a", " b")), tokens=0), likes)
    assert filled["k"].value == value
    assert text.startswith(f"|K: {value}|")


@pytest.mark.parametrize("likes", [b"x-z3 ", b" 12345678901.5", b" 3..", b"----", b""])
def test_a_number_is_forced_where_the_model_writes_none(likes: bytes) -> None:
    _, filled, _, _ = drive(ask(Slot("k", "|K:", "number"), tokens=0), likes)
    assert number_form.complete(" " + filled["k"].value)
    assert len(filled["k"].value) <= number_form.MAX_CHARS


@given(st.lists(st.integers(0, END), max_size=40), st.integers(0, 2**32 - 1))
def test_whatever_the_model_likes_the_number_is_one(likes: list[int], seed: int) -> None:
    request = GenerationRequest("r", "p", (Slot("k", "|", "number"),), seed, max_reasoning_tokens=0, temperature=1.0)
    _, filled, _, _ = drive(request, likes)
    float(filled["k"].value)
    assert len(filled["k"].value) <= number_form.MAX_CHARS


def test_sampling_is_repeatable_greedy_at_zero_and_cut_by_top_p() -> None:
    row = np.log(np.asarray([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    assert sample(row, 0.0, 1.0, 0.99) == 0
    assert [sample(row, 1.0, 1.0, uniform) for uniform in (0.0, 0.49, 0.51, 0.79, 0.81, 0.96, 0.9999)] == [0, 0, 1, 1, 2, 3, 3]
    assert {sample(row, 1.0, 0.75, uniform / 50) for uniform in range(50)} == {0, 1}
    assert sample_among(row, np.asarray([2, 3]), 1.0, 0.8) == 3
    assert sample_among(row, np.asarray([2, 3]), 0.0, 0.8) == 2


def test_shares_follow_the_softmax() -> None:
    row = np.log(np.asarray([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    each, mass = shares(row, [0, 2])
    assert each == pytest.approx([0.5 / 0.65, 0.15 / 0.65])
    assert mass == pytest.approx(0.65)
    each, mass = shares(np.asarray([800.0, -800.0, -801.0], dtype=np.float32), [1, 2])
    assert sum(each) == pytest.approx(1)
    assert mass == 0.0


def test_the_likeliest_tokens_are_told_where_a_slot_begins() -> None:
    slots = (
        Slot("n", "|N:", "number", want_tokens=2),
        Slot("v", "|V:", "choice", (" met", " not"), want_tokens=3),
        Slot("w", "|W:", "choice", (" a", " b")),
    )
    _, filled, _, _ = drive(ask(*slots, tokens=0), b" 7|m?????")
    likely = np.exp(5.0) / (np.exp(5.0) + END)
    assert filled["n"].tokens[ord(" ")] == pytest.approx(likely)
    assert filled["v"].tokens[ord("m")] == pytest.approx(likely)
    assert [len(filled[name].tokens) for name in "nvw"] == [2, 3, 0]
