"""Words, as the index and the search box both see them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[^\W_]+(?:-[^\W_]+)+")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_STRENGTH = re.compile(r"\b\d+(?:[.,]\d+)?\s*(?:mg|g|mcg|ug|µg|μg|ng|ml|iu|u|units?|%|mmol|mol|kg|m2|mg/kg|mg/m2)\b(?:/\w+)*")
_FORM = frozenset(
    re.findall(
        r"\w+",
        """
        tablet tablets capsule capsules injection injections oral solution suspension infusion iv intravenous
        subcutaneous sc im po daily once twice weekly monthly matching dose doses low high medium mid qd bid tid qw
        q2w q4w and plus with the of for per day
        """,
    )
)
_STOP = frozenset(
    re.findall(
        r"\w+",
        """
        a an and as at by for from in is of on or per than that the to was were with without who which percent
        percentage number rate participants patients subjects participant patient subject mean median score total
        based using measured assessed study
        """,
    )
)


def fold(text: str) -> str:
    """`text` without diacritics and case."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold()


def words(text: str) -> list[str]:
    """The words of `text` in order, folded: what lies between punctuation, blanks and underscores."""
    return _WORD.findall(fold(text))


def squash(text: str) -> str:
    """`text` as one word of letters and digits: `Not yet recruiting` is `notyetrecruiting`."""
    return "".join(words(text))


def joined_forms(text: str) -> list[str]:
    """The hyphenated names in `text` that hold a digit, also as one word: `COVID-19` gives `covid19`."""
    hyphenated = [chunk for chunk in text.split() if "-" in chunk]
    names = (match for chunk in hyphenated for match in _JOINED.findall(chunk))
    return sorted({squash(name) for name in names if any(character.isdigit() for character in name)})


@lru_cache(maxsize=16384)
def content_words(text: str) -> frozenset[str]:
    """The words that tell one measure or disease from another: no articles, no words that every measure has, no plurals."""
    return frozenset(_singular(word) for word in words(text) if word not in _STOP)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


@lru_cache(maxsize=16384)
def agent(name: str) -> str:
    """The substance in an intervention's name: `Empagliflozin 10 mg tablet (BI 10773)` is `empagliflozin`.

    The whole folded name where nothing else would be left.
    """
    bare = _STRENGTH.sub(" ", _BRACKETS.sub(" ", fold(name)))
    kept = [word for word in words(bare) if word not in _FORM and not word.isdigit()]
    return " ".join(kept) or " ".join(words(name))
