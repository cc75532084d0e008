"""What can be asked of a corpus, and what a page of answers holds."""

from __future__ import annotations

from typing import Literal

import msgspec

SearchOrder = Literal["relevance", "posted"]


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Words and filters, all of which must hold. Dates are ISO 8601 prefixes, inclusive. `phase` as in `Trial.phases`."""

    words: str = ""
    condition: str | None = None
    intervention: str | None = None
    phase: str | None = None
    status: str | None = None
    country: str | None = None
    has_results: bool | None = None
    dose_ranging: bool | None = None
    posted_from: str | None = None
    posted_to: str | None = None
    order: SearchOrder = "relevance"


class TrialRow(msgspec.Struct, frozen=True):
    """One line of a result list. `arms` counts the arms, `enrolment` participants; `posted` is the results' (else
    the record's) date."""

    nct_id: str
    title: str
    phases: tuple[str, ...]
    conditions: tuple[str, ...]
    interventions: tuple[str, ...]
    arms: int
    enrolment: int | None
    posted: str
    status: str
    has_results: bool
    dose_ranging: bool
    countries: int


class SearchPage(msgspec.Struct, frozen=True):
    """A page of at most `limit` rows. `total` counts all matches; `next_key` continues after the last row, `None` at the end.

    Where `capped`, at least `total` trials match: more were not counted.
    """

    rows: tuple[TrialRow, ...]
    total: int
    next_key: str | None
    capped: bool = False


class CorpusStats(msgspec.Struct, frozen=True):
    """What a corpus holds. `data_date` is the newest registry date seen in it."""

    name: str
    trials: int
    with_results: int
    dose_ranging: int
    outcomes: int
    cells: int
    contrasts: int
    quarantined: int
    data_date: str
    version: str
    phases: dict[str, int]
    conditions: dict[str, int]


class Provenance(msgspec.Struct, frozen=True):
    """Where a record came from and when it was read (ISO 8601, UTC). `raw_sha256` is `None` where no raw record is kept."""

    source: str
    imported_at: str
    raw_sha256: str | None


class DoseSeen(msgspec.Struct, frozen=True):
    """A dose that some trial of the corpus gave: `amount` in `unit` on `basis`. `nct_ids` are its trials, newest first."""

    amount: float
    unit: str
    basis: str
    times_per_day: float | None
    daily_total: float | None
    nct_ids: tuple[str, ...]

    @property
    def trials(self) -> int:
        """How many trials gave it."""
        return len(self.nct_ids)


class HistoryEntry(msgspec.Struct, frozen=True):
    """One ingest: `files` or `registry`, its counts and its state: `running`, `finished`, `cancelled`, `failed`, `interrupted`.

    `ended` is empty while it runs, or when it was killed. `query` is what the registry was asked.
    """

    id: int
    kind: str
    source: str
    query: str
    state: str
    started: str
    ended: str
    done: int
    added: int
    updated: int
    unchanged: int
    quarantined: int
    error: str


class QuarantineEntry(msgspec.Struct, frozen=True):
    """A record that could not be read: its name in the source, why, and when."""

    source: str
    name: str
    error: str
    seen_at: str
