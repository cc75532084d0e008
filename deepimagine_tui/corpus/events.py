"""What an ingest tells while it works: a closed union of frozen records."""

from __future__ import annotations

import msgspec


class IngestStarted(msgspec.Struct, frozen=True, tag="ingest_started", tag_field="type"):
    """The corpus is open. `total` counts the records of the source, `None` where that cannot be known in advance."""

    total: int | None


class IngestProgress(msgspec.Struct, frozen=True, tag="ingest_progress", tag_field="type"):
    """A page was committed. Counts are of this ingest so far; `current` names the last record of the page."""

    done: int
    added: int
    updated: int
    unchanged: int
    quarantined: int
    current: str


class IngestFinished(msgspec.Struct, frozen=True, tag="ingest_finished", tag_field="type"):
    """Everything was handled. `seconds` of wall time."""

    done: int
    added: int
    updated: int
    unchanged: int
    quarantined: int
    seconds: float


class IngestCancelled(msgspec.Struct, frozen=True, tag="ingest_cancelled", tag_field="type"):
    """Stopped on request; what was committed stays, and the same command goes on from there."""

    done: int
    added: int
    updated: int
    unchanged: int
    quarantined: int
    seconds: float


IngestEvent = IngestStarted | IngestProgress | IngestFinished | IngestCancelled
