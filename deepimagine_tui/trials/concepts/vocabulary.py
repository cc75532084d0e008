"""Word lists as patterns, so that a concept's vocabulary can be read as words."""

from __future__ import annotations

import re


def any_of(words: str) -> re.Pattern[str]:
    """A pattern for lower-case text that finds any of `words` as whole words.

    Words are separated by white space. Within one, `_` stands for a blank or hyphen and `~` for any ending; the rest is
    pattern syntax.
    """
    alternatives = "|".join(word.replace("_", "[ -]").replace("~", r"\w*") for word in words.split())
    return re.compile(rf"\b(?:{alternatives})(?!\w)")
