"""What every event of a run carries: the run's id, a number that counts from 0, and the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypedDict

Clock = Callable[[], datetime]
"""Now, with its time zone."""


class Stamp(TypedDict):
    """The fields that all events share."""

    run_id: str
    seq: int
    at: str


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


class Stamps:
    """Hands out the stamps of one run in order."""

    def __init__(self, run_id: str, clock: Clock) -> None:
        self._run_id = run_id
        self._clock = clock
        self._seq = 0
        self._started = clock()

    @property
    def seconds(self) -> float:
        """How long the run has taken so far, at least 0."""
        return max((self._clock() - self._started).total_seconds(), 0.0)

    def next(self) -> Stamp:
        """The stamp of the next event, its time as ISO 8601 in UTC with milliseconds."""
        at = self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stamp = Stamp(run_id=self._run_id, seq=self._seq, at=at)
        self._seq += 1
        return stamp
