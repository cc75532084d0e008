"""What a sampled reasoning must be to earn anything: there, about the question, its own words, and not babble.

Reinforcement learning on forecasts drifts into gibberish or into copying the prompt, unless that costs something
(arXiv 2505.17989).
"""

from __future__ import annotations

import re
from typing import Literal

Rail = Literal["form", "missing", "babble", "off topic", "copied"]
"""What is broken: the answer form, or one of the demands on the reasoning."""

MIN_WORDS = 5
MIN_DISTINCT = 0.5
"""Of the words, at least so many are different ones."""
MIN_ON_TOPIC = 3
"""So many different words are of the prompt or of how results are spoken of."""
COPIED_RUN = 4
MAX_COPIED = 0.5
"""Of the runs of `COPIED_RUN` words, at most this share stands in the prompt as it is."""

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 4
"""Letters of a word that means something."""
_COMPARING = frozenset(
    _WORD.findall(
        "advantage alike baseline beat benefit better build carry change clearly compare comparator control course dose drug "
        "earlier effect fade favour favours greater grow hardly higher improve increase large larger later less lower margin "
        "more move near noise outcome patient placebo plateau procedure reduce related response result risk same shrink "
        "significant similar size small smaller strong stronger subject survival time times treatment trial value weak weaker "
        "worse"
    )
)


def broken_rail(reasoning: str, prompt: str) -> Rail | None:
    """The first demand that `reasoning` on `prompt` fails; `None` where it keeps all."""
    words = _words(reasoning)
    if len(words) < MIN_WORDS:
        return "missing"
    if len(set(words)) < MIN_DISTINCT * len(words):
        return "babble"
    asked = _words(prompt)
    if len(_topical(words) & (_topical(asked) | _COMPARING)) < MIN_ON_TOPIC:
        return "off topic"
    runs, there = _runs(words), set(_runs(asked))
    if sum(run in there for run in runs) > MAX_COPIED * len(runs):
        return "copied"
    return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _topical(words: list[str]) -> set[str]:
    """The words that mean something, singular and plural being one."""
    return {word.removesuffix("s") if word not in _COMPARING else word for word in words if len(word) >= _SHORTEST}


def _runs(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + COPIED_RUN]) for at in range(len(words) - COPIED_RUN + 1)]
