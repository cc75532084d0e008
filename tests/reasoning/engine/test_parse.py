"""The parser reads back exactly what the answer form says, and never fails on anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.backends.protocol import Slot
from deepimagine_tui.reasoning.parse import ParsedAnswer, ParseProblem, parse

DIRECTION = Slot("direction", "\nDirection:", "choice", (" up", " down", " no clear change"))
VALUE = Slot("arm_value", "\nValue in Glivazin 50 mg:", "number")
VERDICT = Slot("verdict", "\nVerdict:", "choice", (" met", " not met"), want_probabilities=True)
FORM = (DIRECTION, VALUE, VERDICT)
GOOD = " It falls further.\nDirection: down\nValue in Glivazin 50 mg: -0.84\nVerdict: met"

labels = st.text(st.characters(exclude_characters="\n:", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
numbers = st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str)


def test_reads_the_reasoning_the_choices_and_the_numbers() -> None:
    assert parse(GOOD, FORM) == ParsedAnswer("It falls further.", {"direction": "down", "verdict": "met"}, {"arm_value": -0.84})


@given(
    reasoning=st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=80),
    direction=st.sampled_from(DIRECTION.options),
    value=numbers,
    verdict=st.sampled_from(VERDICT.options),
    label=labels,
)
def test_reads_back_whatever_a_guided_backend_writes(
    reasoning: str, direction: str, value: str, verdict: str, label: str
) -> None:
    slots = (DIRECTION, Slot("arm_value", f"\nValue in {label}:", "number"), VERDICT)
    written = f" {reasoning}{slots[0].lead}{direction}{slots[1].lead} {value}{slots[2].lead}{verdict}"
    answer = parse(written, slots)
    assert isinstance(answer, ParsedAnswer)
    assert answer.numbers == {"arm_value": float(value)}
    assert answer.choices == {"direction": direction.strip(), "verdict": verdict.strip()}
    assert answer.reasoning == reasoning.strip()


@given(st.text(max_size=300))
def test_is_total(text: str) -> None:
    assert isinstance(parse(text, FORM), ParsedAnswer | ParseProblem)
    assert isinstance(parse(GOOD + text, FORM), ParsedAnswer | ParseProblem)


@given(st.integers(0, len(GOOD) - 1))
def test_an_answer_cut_anywhere_before_its_end_is_no_answer_or_a_shorter_label(cut: int) -> None:
    answer = parse(GOOD[:cut], FORM)
    assert isinstance(answer, ParseProblem)


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("", "direction"),
        ("Direction: down", "direction"),
        (GOOD.replace("down", "downwards"), "direction"),
        (GOOD.replace("-0.84", "-0.84 %"), "arm_value"),
        (GOOD.replace("-0.84", "1,234"), "arm_value"),
        (GOOD.replace("-0.84", "٣"), "arm_value"),
        (GOOD.replace("-0.84", "nan"), "arm_value"),
        (GOOD.replace("-0.84", "1e5"), "arm_value"),
        (GOOD.replace("-0.84", "9" * 60), "arm_value"),
        (GOOD.replace("-0.84", ""), "arm_value"),
        (GOOD.replace("Glivazin 50 mg", "Glivazin 25 mg"), "arm_value"),
        (GOOD.replace("Verdict: met", "Verdict: probably met"), "verdict"),
        (GOOD.replace("\nVerdict: met", ""), "verdict"),
        (GOOD + "\nDirection: up", "direction"),
    ],
)
def test_names_the_line_that_is_not_an_answer(text: str, slot: str) -> None:
    answer = parse(text, FORM)
    assert isinstance(answer, ParseProblem)
    assert answer.slot == slot
    assert answer.reason


def test_what_follows_the_last_line_is_not_part_of_the_answer() -> None:
    assert parse(GOOD + "\nI hope this helps!", FORM) == parse(GOOD, FORM)
