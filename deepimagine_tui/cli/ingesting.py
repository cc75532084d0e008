"""Following an ingest: progress on standard error, and one sum of what several sources gave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from deepimagine_tui.cli.console import narrate
from deepimagine_tui.cli.progress import Progress
from deepimagine_tui.corpus.events import IngestCancelled, IngestEvent, IngestFinished, IngestProgress, IngestStarted


class Total(msgspec.Struct, frozen=True):
    """What one or more ingests did; `stopped` when the last one was cancelled."""

    done: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    seconds: float = 0.0
    stopped: bool = False

    def counts(self) -> dict[str, object]:
        """The counts by name, for JSON."""
        return msgspec.structs.asdict(self)

    def sentence(self) -> str:
        """The counts as a sentence."""
        parts = [f"{self.added:,} added", f"{self.updated:,} updated", f"{self.unchanged:,} unchanged"]
        if self.quarantined:
            parts.append(f"{self.quarantined:,} in quarantine")
        stopped = ", stopped before the end" if self.stopped else ""
        return f"{self.done:,} records: {', '.join(parts)} ({self.seconds:.1f} s){stopped}"

    def plus(self, ended: IngestFinished | IngestCancelled) -> Total:
        """This and one more ingest."""
        return Total(
            self.done + ended.done,
            self.added + ended.added,
            self.updated + ended.updated,
            self.unchanged + ended.unchanged,
            self.quarantined + ended.quarantined,
            self.seconds + ended.seconds,
            isinstance(ended, IngestCancelled),
        )


def follow(what: str, events: Iterable[IngestEvent], before: Total | None = None) -> Total:
    """Show the progress of an ingest until it ends, and return `before` plus what it did."""
    total, expected = before or Total(), None
    with Progress(what) as progress:
        for event in events:
            match event:
                case IngestStarted():
                    expected = event.total
                case IngestProgress():
                    share = f"{event.done:,} of {expected:,}" if expected else f"{event.done:,} records"
                    quarantined = f", {event.quarantined} in quarantine" if event.quarantined else ""
                    progress.say(f"{share}{quarantined}  {event.current}")
                case IngestFinished() | IngestCancelled():
                    total = total.plus(event)
                case _:
                    assert_never(event)
    if total.quarantined:
        narrate("Some records could not be read; `deepimagine corpus stats --quarantine` says which and why.")
    return total
