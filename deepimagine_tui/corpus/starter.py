"""The corpus that ships: facts about a few hundred trials, opened where it lies and never written."""

from __future__ import annotations

from deepimagine_assets.starter import starter_path

from deepimagine_tui.corpus.connection import explained, open_for_reading
from deepimagine_tui.corpus.store import Corpus

STARTER_NAME = "starter"


def open_starter() -> Corpus:
    """The starter corpus. Nothing is unpacked, so a home that may not be written does not matter.

    Raises:
        NotFoundError: the installation lacks it.
        CorpusError: the file is damaged.
    """
    path = starter_path()
    with explained(path):
        return Corpus(open_for_reading(path, immutable=True), path, STARTER_NAME)
