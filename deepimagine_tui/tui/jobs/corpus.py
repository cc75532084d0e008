"""Opening the corpus, after the first paint."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

from textual import on, work
from textual.message import Message

from deepimagine_tui.corpus.query import CorpusStats
from deepimagine_tui.tui.jobs.shell import Shell
from deepimagine_tui.tui.status import CorpusStatus


@dataclass
class CorpusOpened(Message):
    """The corpus can be read; every group of workers opens a reader of its own."""

    stats: CorpusStats


class CorpusJobs(Shell):
    """The part of the app that opens the corpus."""

    corpus_open: bool = False

    @work(thread=True, exclusive=True, exit_on_error=False, group="corpus", description="open the corpus")
    def open_corpus(self) -> None:
        """Open the corpus and count what it holds."""
        with closing(self.services.open_corpus()) as reader:
            self.post_message(CorpusOpened(reader.stats()))

    @on(CorpusOpened)
    def corpus_opened(self, event: CorpusOpened) -> None:
        """Say so in the header, and to the screens that wait."""
        self.corpus_open = True
        stats = event.stats
        self.set_status(replace(self.status, corpus=CorpusStatus(stats.name, stats.trials, stats.data_date)))
        self.corpus_signal.publish(event)
