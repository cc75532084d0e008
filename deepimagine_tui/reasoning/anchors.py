"""Where forecasts get their anchors: the interface that the engine asks, and what it is told when nothing is close."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from deepimagine_tui.reasoning.state import Configuration, State
from deepimagine_tui.trials.model import Trial


class Anchor(msgspec.Struct, frozen=True):
    """An observed state close to a target. `similarity` and its `parts` are in [0, 1]."""

    state: State
    similarity: float
    parts: dict[str, float] = {}


class Refused(NamedTuple):
    """A trial that was near but not taken, and why, as a phrase: `different drug class, different measure`."""

    nct_id: str
    similarity: float
    reason: str


class AnchorSearch(msgspec.Struct, frozen=True):
    """Up to k anchors, the closest first; and the closest that were refused, the closest first."""

    anchors: tuple[Anchor, ...] = ()
    nearest_refused: tuple[Refused, ...] = ()

    @property
    def why_none(self) -> str:
        """One sentence on why there is no anchor: `No anchor close enough: the nearest is .31 (different measure).`"""
        if not self.nearest_refused:
            return "No anchor close enough: no trial here posted a comparison like it."
        nearest = self.nearest_refused[0]
        return f"No anchor close enough: the nearest is {f'{nearest.similarity:.2f}'.lstrip('0')} ({nearest.reason})."


class AnchorSource(Protocol):
    """The trials that a run may start from. `name`, `version` and `data_date` go into the run's record."""

    @property
    def name(self) -> str:
        """What the source is called, e.g. `starter`."""
        ...

    @property
    def version(self) -> str:
        """Changes exactly when the content does."""
        ...

    @property
    def data_date(self) -> str:
        """The newest registry date in it, ISO 8601."""
        ...

    def trial(self, nct_id: str) -> Trial:
        """The trial with this id.

        Raises:
            NotFoundError: it is not here.
        """
        ...

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        """The `k` observed states closest to `target`, at most one a trial.

        Never from the target's own trial `nct_id` or its programme, from trials in `drop`, or posted after `cutoff` (ISO date).
        """
        ...
