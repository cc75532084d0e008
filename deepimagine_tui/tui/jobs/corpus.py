"""Opening the corpus, after the first paint."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import on, work
from textual.message import Message

from deepimagine_tui.corpus.query import CorpusStats
from deepimagine_tui.tui.jobs.shell import Shell
from deepimagine_tui.tui.services import CorpusReader
from deepimagine_tui.tui.status import CorpusStatus


@dataclass
class CorpusOpened(Message):
    """The corpus is open. `reader` serves the screens' reading workers; a search opens one of its own."""

    reader: CorpusReader
    stats: CorpusStats


class CorpusJobs(Shell):
    """The part of the app that opens the corpus."""

    reader: CorpusReader | None = None
    """Reads trials for workers; `None` until the corpus is open."""

    @work(thread=True, exclusive=True, exit_on_error=False, group="corpus", description="open the corpus")
    def open_corpus(self) -> None:
        """Open the corpus and count what it holds."""
        reader = self.services.open_corpus()
        self.post_message(CorpusOpened(reader, reader.stats()))

    @on(CorpusOpened)
    def corpus_opened(self, event: CorpusOpened) -> None:
        """Say so in the header, and to the screens that wait."""
        self.reader = event.reader
        stats = event.stats
        self.set_status(replace(self.status, corpus=CorpusStatus(stats.name, stats.trials, stats.data_date)))
        self.corpus_signal.publish(event)
