"""Finding words in what is on screen."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Searchable(Protocol):
    """A widget that `/` finds words in."""

    def find_words(self, words: str) -> bool:
        """Go to the next place that has all of `words`; False when there is none."""
        ...


def has_all(words: str, text: str) -> bool:
    """Whether `text` has every one of `words`, in any order and case; never when no word is given."""
    wanted, lowered = words.lower().split(), text.lower()
    return bool(wanted) and all(word in lowered for word in wanted)
