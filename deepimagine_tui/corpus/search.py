"""Search: what was typed and picked becomes one full-text expression; results come ranked and in pages that continue by key.

Every word typed is a prefix, and all must be found. Filters are tokens of the same index, so that one costs no more than a
word. Nothing a user types is ever part of the SQL or of the expression's grammar.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice
from typing import Any, Literal

import msgspec

from deepimagine_tui.corpus import schema
from deepimagine_tui.corpus.derive import tag
from deepimagine_tui.corpus.query import SearchPage, SearchQuery, TrialRow
from deepimagine_tui.corpus.words import words
from deepimagine_tui.errors import UsageError

COUNT_CAP = 10_000
"""Up to here matches are counted; beyond, a page says "at least"."""

RANK_CAP = 1_000
"""Up to here matches are ranked by bm25, whose cost grows with them. Beyond, trials that have every word in their id, title,
conditions or interventions come first, then the others; in both the newest registered first."""

NAMING_COLUMNS = "{nct title conditions interventions}"

_FIRST_YEAR, _LAST_YEAR = 1990, 2099
_WEIGHTS = ", ".join(str(weight) for weight in schema.TEXT_WEIGHTS)
_COLUMNS = ", ".join(f"t.{name}" for name in TrialRow.__struct_fields__)

_RANKED = f"""
WITH hit AS MATERIALIZED (SELECT rowid AS docid, bm25(fts, {_WEIGHTS}) AS score FROM fts WHERE fts MATCH :match)
SELECT docid, score FROM hit WHERE score > :score OR (score = :score AND docid < :docid)
ORDER BY score, docid DESC LIMIT :limit
"""
_NEWEST = "SELECT rowid FROM fts WHERE fts MATCH :match AND rowid < :docid ORDER BY rowid DESC LIMIT :limit"
_ALL_NEWEST = "SELECT docid FROM trials WHERE docid < :docid ORDER BY docid DESC LIMIT :limit"
_ALL_POSTED = """
SELECT docid, posted FROM trials WHERE (posted, docid) < (:posted, :docid) ORDER BY posted DESC, docid DESC LIMIT :limit
"""
_MATCHED_POSTED = """
SELECT t.docid, t.posted FROM fts CROSS JOIN trials t ON t.docid = fts.rowid
WHERE fts MATCH :match AND (t.posted, t.docid) < (:posted, :docid)
ORDER BY t.posted DESC, t.docid DESC LIMIT :limit
"""
_MONTH_POSTED = """
SELECT t.docid, t.posted FROM fts CROSS JOIN trials t ON t.docid = fts.rowid
WHERE fts MATCH :match AND substr(t.posted, 1, 7) = :month AND (t.posted, t.docid) < (:posted, :docid)
ORDER BY t.posted DESC, t.docid DESC LIMIT :limit
"""

_NAMES = msgspec.json.Decoder(tuple[str, ...])
_END = 2**62
_LATEST = "~"


class PageKey(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the order it was in, and the last row's place in that order."""

    order: Literal["ranked", "tiers", "newest", "posted"]
    docid: int = _END
    score: float = -1e300
    posted: str = _LATEST
    tier: int = 0


def match_expression(query: SearchQuery) -> str:
    """The full-text expression of a query; empty when it asks for everything."""
    return " AND ".join((*_word_terms(query.words), *filter_terms(query)))


def _word_terms(text: str) -> list[str]:
    return [f'"{word}"*' for word in words(text)]


def filter_terms(query: SearchQuery) -> list[str]:
    """One term of the expression for each filter that is set."""
    terms = [*_in_column("conditions", query.condition), *_in_column("interventions", query.intervention)]
    for field, value in (("phase", query.phase), ("status", query.status), ("country", query.country)):
        if value:
            terms.append(_tag_term(field, value))
    for field, wanted in (("has results", query.has_results), ("dose ranging", query.dose_ranging)):
        if wanted is not None:
            terms.append(_tag_term(field, "yes" if wanted else "no"))
    if query.posted_from or query.posted_to:
        dates = " OR ".join(_tag_term("posted", date) for date in _spans(query.posted_from or "", query.posted_to or ""))
        terms.append(f"({dates})" if dates else _tag_term("posted", "never"))
    return terms


def _in_column(column: str, text: str | None) -> list[str]:
    terms = _word_terms(text or "")
    return [f"{column} : ({' AND '.join(terms)})"] if terms else []


def _tag_term(field: str, value: str) -> str:
    return f'tags : "{tag(field, value)}"'


def _spans(first: str, last: str) -> list[str]:
    """The years, months and days that exactly fill the dates from `first` to `last`, both ISO prefixes and inclusive."""
    found: list[str] = []
    low = [_number(part) for part in first.split("-") if part][:3]
    high = [_number(part) for part in last.split("-") if part][:3]
    for year in range(max(_FIRST_YEAR, low[0] if low else 0), min(_LAST_YEAR, high[0] if high else _LAST_YEAR) + 1):
        _span([year], low, high, found)
    return found


def _span(prefix: list[int], low: list[int], high: list[int], found: list[str]) -> None:
    depth = len(prefix)
    if prefix < low[:depth] or (high and prefix > high[:depth]):
        return
    on_edge = (prefix == low[:depth] and len(low) > depth) or (prefix == high[:depth] and len(high) > depth)
    if not on_edge:
        found.append("-".join([f"{prefix[0]:04d}", *(f"{part:02d}" for part in prefix[1:])]))
        return
    for part in range(1, 13 if depth == 1 else 32):
        _span([*prefix, part], low, high, found)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"{text!r} is no part of a date.", "Write dates as 2014, 2014-03 or 2014-03-19.")
    return int(text)


def count(connection: sqlite3.Connection, match: str) -> int:
    """How many trials match, counting no further than one above `COUNT_CAP`; exact when `match` is empty."""
    if not match:
        found = connection.execute("SELECT count(*) FROM trials").fetchone()
    else:
        found = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM fts WHERE fts MATCH ? LIMIT ?)", (match, COUNT_CAP + 1)
        ).fetchone()
    return int(found[0])


def search(connection: sqlite3.Connection, query: SearchQuery, limit: int, after: str | None) -> SearchPage:
    """One page of the trials that match, after the row that `after` names.

    Raises:
        UsageError: `after` is no key of a page, or a date cannot be read.
    """
    match = match_expression(query)
    total = count(connection, match)
    capped = bool(match) and total > COUNT_CAP
    if after is not None:
        key = _decode(after)
    elif query.order == "posted":
        key = PageKey("posted")
    elif not _word_terms(query.words):
        key = PageKey("newest")
    else:
        key = PageKey("ranked" if total <= RANK_CAP else "tiers")
    match key.order:
        case "posted" if capped:
            keys = _posted_by_month(connection, match, key, limit + 1)
        case "tiers":
            keys = _tiers(connection, query, key, limit + 1)
        case _:
            keys = _keys(connection, match, key, limit + 1)
    rows = rows_of(connection, [found.docid for found in keys[:limit]])
    more = _encode(keys[limit - 1]) if len(keys) > limit else None
    return SearchPage(rows, COUNT_CAP if capped else total, more, capped)


def _keys(connection: sqlite3.Connection, match: str, key: PageKey, limit: int) -> list[PageKey]:
    values = {"match": match, "docid": key.docid, "score": key.score, "posted": key.posted, "limit": limit}
    if key.order == "posted":
        found = connection.execute(_MATCHED_POSTED if match else _ALL_POSTED, values)
        return [PageKey("posted", docid, posted=posted) for docid, posted in found]
    if not match or key.order == "newest":
        return [PageKey("newest", docid) for (docid,) in connection.execute(_NEWEST if match else _ALL_NEWEST, values)]
    return [PageKey("ranked", docid, score=score) for docid, score in connection.execute(_RANKED, values)]


def _tiers(connection: sqlite3.Connection, query: SearchQuery, key: PageKey, limit: int) -> list[PageKey]:
    """First the trials that name every word, then the others, the newest registered first in each."""
    typed = " AND ".join(_word_terms(query.words))
    filters = "".join(f" AND {term}" for term in filter_terms(query))
    naming = {"match": f"{NAMING_COLUMNS} : ({typed}){filters}", "docid": _END, "limit": -1}
    if key.tier == 0:
        found = connection.execute(_NEWEST, {**naming, "docid": key.docid, "limit": limit}).fetchall()
        if len(found) == limit:
            return [PageKey("tiers", docid) for (docid,) in found]
        keys = [PageKey("tiers", docid) for (docid,) in found]
        first = {docid for (docid,) in found} if key.docid == _END else None
        key = PageKey("tiers", tier=1)
    else:
        keys, first = [], None
    # Leaving out the first tier here is several times cheaper than a NOT, which reads every word's postings twice.
    if first is None:
        first = {docid for (docid,) in connection.execute(_NEWEST, naming)}
    rest = connection.execute(_NEWEST, {"match": f"{typed}{filters}", "docid": key.docid, "limit": -1})
    others = (PageKey("tiers", docid, tier=1) for (docid,) in rest if docid not in first)
    return keys + list(islice(others, limit - len(keys)))


def _posted_by_month(connection: sqlite3.Connection, match: str, key: PageKey, limit: int) -> list[PageKey]:
    """Latest posting first, month by month, so that a broad expression is not sorted as a whole."""
    keys: list[PageKey] = []
    newest = connection.execute("SELECT max(posted) FROM trials WHERE posted <= ?", (key.posted,)).fetchone()
    while newest[0] is not None and len(keys) < limit:
        month = newest[0][:7]
        narrowed = f"{match} AND {_tag_term('posted', month)}" if month else match
        values = {"match": narrowed, "month": month, "posted": key.posted, "docid": key.docid, "limit": limit - len(keys)}
        keys += [PageKey("posted", docid, posted=posted) for docid, posted in connection.execute(_MONTH_POSTED, values)]
        newest = connection.execute("SELECT max(posted) FROM trials WHERE posted < ?", (month,)).fetchone()
    return keys


def rows_of(connection: sqlite3.Connection, docids: Iterable[int]) -> tuple[TrialRow, ...]:
    """The result lines of these trials, in this order; a trial that is not there is left out."""
    wanted = list(docids)
    found: dict[int, TrialRow] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ", ".join("?" * len(part))
        for docid, *values in connection.execute(f"SELECT t.docid, {_COLUMNS} FROM trials t WHERE t.docid IN ({marks})", part):
            found[docid] = _trial_row(values)
    return tuple(found[docid] for docid in wanted if docid in found)


def _trial_row(values: list[Any]) -> TrialRow:
    nct_id, title, phases, conditions, interventions, arms, enrolment, posted, status, has_results, dose_ranging, countries = (
        values
    )
    return TrialRow(
        nct_id=nct_id,
        title=title,
        phases=_NAMES.decode(phases),
        conditions=_NAMES.decode(conditions),
        interventions=_NAMES.decode(interventions),
        arms=arms,
        enrolment=enrolment,
        posted=posted,
        status=status,
        has_results=bool(has_results),
        dose_ranging=bool(dose_ranging),
        countries=countries,
    )


def _encode(key: PageKey) -> str:
    return msgspec.json.encode(key).decode()


def _decode(text: str) -> PageKey:
    try:
        return msgspec.json.decode(text, type=PageKey)
    except msgspec.DecodeError as error:
        raise UsageError(f"{text!r} is no key of a page.", "Use the next_key of the page before.") from error
