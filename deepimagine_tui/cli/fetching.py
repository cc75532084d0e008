"""Following a fetch from the registry: what is waited for and why, and the sum of what came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from deepimagine_tui.cli.console import narrate
from deepimagine_tui.cli.ingesting import Total
from deepimagine_tui.cli.progress import Progress
from deepimagine_tui.corpus.registry import (
    FetchCancelled,
    FetchEvent,
    FetchFinished,
    FetchProgress,
    FetchStarted,
    FetchWaiting,
)


def follow_fetch(events: Iterable[FetchEvent]) -> Total:
    """Show the progress of a fetch until it ends, and return what it did."""
    total, expected = Total(), None
    with Progress("Fetching") as progress:
        for event in events:
            match event:
                case FetchStarted():
                    expected = event.total
                    _tell_start(event)
                case FetchWaiting():
                    progress.clear()
                    narrate(f"Waiting {event.seconds:.0f} s: {event.reason}.")
                case FetchProgress():
                    share = f"{event.counts.done:,} of {expected:,}" if expected else f"{event.counts.done:,} studies"
                    progress.say(f"{share}  {event.current}")
                case FetchFinished() | FetchCancelled():
                    counts = event.counts
                    sums = (counts.done, counts.added, counts.updated, counts.unchanged, counts.quarantined)
                    total = Total(*sums, event.seconds, isinstance(event, FetchCancelled))
                    if isinstance(event, FetchFinished) and event.missing:
                        narrate(f"The registry does not know {', '.join(event.missing)}.")
                case _:
                    assert_never(event)
    return total


def _tell_start(started: FetchStarted) -> None:
    if started.resumed:
        narrate("Going on where the last fetch stopped.")
    elif started.since:
        narrate(f"Fetching what was updated since {started.since}.")
    if started.total is not None:
        narrate(f"{started.total:,} {'study' if started.total == 1 else 'studies'} to fetch.")
