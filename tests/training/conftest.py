"""A small corpus, and the pairs drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from deepimagine_training.inputs import opened
from deepimagine_training.pairs import PairSet, draw

from deepimagine_tui.corpus.store import Corpus
from tests.training.made import many_trials, write

MakeCorpus = Callable[[Sequence[Mapping[str, Any]]], Corpus]


@pytest.fixture
def make_corpus(tmp_path: Path) -> Iterator[MakeCorpus]:
    """Import records into a corpus that is open until the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(records: Sequence[Mapping[str, Any]]) -> Corpus:
            folder = write(tmp_path / f"records-{len(list(tmp_path.iterdir()))}", records)
            return stack.enter_context(opened(str(folder), tmp_path, Event()))

        yield make


@pytest.fixture(scope="session")
def small_pairs(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    """The pairs of twelve alike trials."""
    folder = tmp_path_factory.mktemp("pairs")
    with opened(str(write(folder / "made", many_trials())), folder, Event()) as corpus:
        return draw(corpus)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> PairSet:
    """Pairs of so many trials that there are some on every side."""
    folder = tmp_path_factory.mktemp("drawn")
    with opened(str(write(folder / "made", many_trials(24))), folder, Event()) as corpus:
        return draw(corpus)
