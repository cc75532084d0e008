"""How many pairs a trial may be in, so that no trial with many arms or outcomes outweighs the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

PAIRS_PER_TRIAL_AND_FACTOR = 8


class Quota:
    """Counts the pairs taken by trial and factor; a pair of two trials counts for both."""

    def __init__(self, cap: int = PAIRS_PER_TRIAL_AND_FACTOR) -> None:
        self._cap = cap
        self._taken: Counter[tuple[str, str]] = Counter()

    def is_full(self, trials: Iterable[str], factor: str) -> bool:
        """Whether one of the trials has all the pairs of this factor that it may have."""
        return any(self._taken[trial, factor] >= self._cap for trial in trials)

    def take(self, trials: Iterable[str], factor: str) -> None:
        """Count a pair of these trials."""
        self._taken.update((trial, factor) for trial in trials)
