"""Foreign text is shown, never obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.text import inert, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain α ≥ 5 µg/mL 試験", "plain α ≥ 5 µg/mL 試験"),
        ("[bold]markup[/] stays", "[bold]markup[/] stays"),
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("\x9b31m\x7f", "\ufffd31m␡"),
        ("a\u202eb\u2066c", "a\ufffdb\ufffdc"),
        ("ze\u200bro\ufeff\u00ad\u2060", "zero"),
        ("e\ufe0f\u034f\u3164", "e"),
        ("tab\there\u00a0nbsp", "tab here nbsp"),
        ("a\r\nb\u2028c\rd", "a\nb\nc␍d"),
        ("\ud800\ue000\uffff", "\ufffd\ufffd\ufffd"),
    ],
)
def test_what_could_be_obeyed_is_replaced_or_removed(text: str, shown: str) -> None:
    assert inert(text) == shown


@given(st.text())
def test_nothing_is_left_to_obey_and_twice_is_once(text: str) -> None:
    shown = inert(text)
    assert all(character == "\n" or unicodedata.category(character)[0] != "C" for character in shown)
    assert inert(shown) == shown


def test_one_line_has_no_line_ends_and_single_blanks() -> None:
    assert one_line(" a\n\n b\u2029c \t d ") == "a b c d"
