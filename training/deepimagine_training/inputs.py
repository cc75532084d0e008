"""What pairs are drawn from: an imported corpus, the starter corpus, or registry records that are imported for the occasion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from threading import Event

from deepimagine_tui.corpus.events import IngestEvent
from deepimagine_tui.corpus.ingest import ingest
from deepimagine_tui.corpus.starter import STARTER_NAME, open_starter
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError, NotFoundError

SCRATCH_PREFIX = ".records-"

_RECORDS = (".xml", ".json", ".ndjson", ".jsonl", ".zip")


def _exhaust(events: Iterable[IngestEvent]) -> object:
    return list(events)


@contextmanager
def opened(
    source: str, scratch: Path, cancel: Event, follow: Callable[[Iterable[IngestEvent]], object] = _exhaust
) -> Iterator[Corpus]:
    """The corpus that `source` means: `starter`, a corpus file, or a file or folder of registry records.

    Records are imported into a corpus below `scratch`, an existing folder, and `follow` is given the events; it is removed at
    the end, and what a killed run left there at the beginning.

    Raises:
        NotFoundError: there is nothing at `source`.
        BadInputError: it holds no trial, or none with posted results.
        CorpusError: the corpus is damaged.
        CancelledError: `cancel` was set.
    """
    path = Path(source).expanduser()
    if source == STARTER_NAME:
        corpus = open_starter()
        with corpus:
            yield _with_results(corpus, source)
    elif path.is_dir() or path.suffix.lower() in _RECORDS:
        if not path.exists():
            raise NotFoundError(f"There is nothing at {path}.", "Name a corpus, `starter`, or a folder of registry records.")
        for left_over in scratch.glob(f"{SCRATCH_PREFIX}*"):
            rmtree(left_over, ignore_errors=True)
        with TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=scratch) as folder:
            file = Path(folder) / f"{path.stem or 'records'}.db"
            follow(ingest(file, path, cancel))
            if cancel.is_set():
                raise CancelledError("Reading the records was stopped.")
            with Corpus.open(file) as corpus:
                yield _with_results(corpus, source)
    else:
        with Corpus.open(path) as corpus:
            yield _with_results(corpus, source)


def _with_results(corpus: Corpus, source: str) -> Corpus:
    stats = corpus.stats()
    if not stats.trials:
        raise BadInputError(f"{source} holds no trials.", "Import registry records first: deepimagine corpus import FOLDER")
    if not stats.with_results:
        raise BadInputError(
            f"None of the {stats.trials:,} trials of {source} has posted results.", "Pairs are drawn from posted results."
        )
    return corpus
