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
    """A page of at most `limit` rows. `total` counts all matches; `next_key` continues after the last row, `None` at
    the end."""

    rows: tuple[TrialRow, ...]
    total: int
    next_key: str | None


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
