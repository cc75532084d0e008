"""What a corpus can say about its values as a whole: filter values with counts, doses seen, statistics, near misses."""

from __future__ import annotations

import sqlite3
from typing import Literal

import msgspec

from deepimagine_tui.corpus.query import CorpusStats, DoseSeen, SearchQuery
from deepimagine_tui.corpus.search import COUNT_CAP, count, match_expression
from deepimagine_tui.corpus.words import agent, words

FacetField = Literal["condition", "intervention", "phase", "status", "country"]

_TOP_CONDITIONS = 30
_NEAREST = 3
_FILTERS = (
    "condition",
    "intervention",
    "phase",
    "status",
    "country",
    "has_results",
    "dose_ranging",
    "posted_from",
    "posted_to",
)


def facets(
    connection: sqlite3.Connection, field: FacetField, typed: str, query: SearchQuery | None, limit: int
) -> list[tuple[str, int]]:
    """The values of `field` in which every typed word begins a word, with the number of trials, most frequent first."""
    match = match_expression(query) if query else ""
    wanted = words(typed)
    sql = "SELECT key, max(value), count(*) FROM facets WHERE field = :field"
    if match:
        sql += " AND docid IN (SELECT rowid FROM fts WHERE fts MATCH :match)"
    for position, _ in enumerate(wanted):
        sql += f" AND key LIKE :word{position}"
    values = {"field": field, "match": match}
    values |= {f"word{position}": f"%{word}%" for position, word in enumerate(wanted)}
    found: list[tuple[str, int]] = []
    for key, value, trials in connection.execute(f"{sql} GROUP BY key ORDER BY count(*) DESC, key", values):
        if all(any(part.startswith(word) for part in words(key)) for word in wanted):
            found.append((value, trials))
        if len(found) == limit:
            break
    return found


def doses_of(connection: sqlite3.Connection, intervention: str) -> list[DoseSeen]:
    """The doses of one agent, by basis, unit and amount."""
    rows = connection.execute(
        "SELECT d.basis, d.unit, d.amount, d.times_per_day, d.daily_total, group_concat(DISTINCT r.nct_id) "
        "FROM doses d JOIN records r ON r.docid = d.docid WHERE d.agent = ? "
        "GROUP BY d.basis, d.unit, d.amount, d.times_per_day, d.daily_total "
        "ORDER BY d.basis, d.unit, d.amount, d.times_per_day, d.daily_total",
        (agent(intervention),),
    )
    return [
        DoseSeen(amount, unit, basis, times, daily, tuple(sorted(ids.split(","), reverse=True)))
        for basis, unit, amount, times, daily, ids in rows
    ]


def stats(connection: sqlite3.Connection, name: str) -> CorpusStats:
    """The figures of a corpus."""
    trials, with_results, dose_ranging, outcomes, cells, contrasts = connection.execute(
        "SELECT count(*), coalesce(sum(has_results), 0), coalesce(sum(dose_ranging), 0), coalesce(sum(outcomes), 0), "
        "coalesce(sum(cells), 0), coalesce(sum(contrasts), 0) FROM trials"
    ).fetchone()
    (quarantined,) = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    (latest,) = connection.execute(
        "SELECT max(coalesce((SELECT max(updated) FROM records), ''), coalesce((SELECT max(posted) FROM trials), ''))"
    ).fetchone()
    (version,) = connection.execute("SELECT value FROM meta WHERE key = 'digest'").fetchone()
    return CorpusStats(
        name=name,
        trials=trials,
        with_results=with_results,
        dose_ranging=dose_ranging,
        outcomes=outcomes,
        cells=cells,
        contrasts=contrasts,
        quarantined=quarantined,
        data_date=latest,
        version=version[:16],
        phases=dict(facets(connection, "phase", "", None, 10)),
        conditions=dict(facets(connection, "condition", "", None, _TOP_CONDITIONS)),
    )


def nearest_ids(connection: sqlite3.Connection, digits: str) -> list[str]:
    """Up to three ids here that are nearest to these eight digits: one digit wrong or two swapped first, then the closest."""
    variants = {digits[:at] + other + digits[at + 1 :] for at in range(8) for other in "0123456789"}
    variants |= {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(7)}
    wanted = sorted(int(variant) for variant in variants)
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT nct_id FROM records WHERE docid IN ({marks}) ORDER BY abs(docid - ?) LIMIT ?"
    found = [nct_id for (nct_id,) in connection.execute(sql, (*wanted, int(digits), _NEAREST))]
    for comparison, order in (("<", "DESC"), (">", "ASC")):
        close = f"SELECT nct_id FROM records WHERE docid {comparison} ? ORDER BY docid {order} LIMIT ?"
        found += [nct_id for (nct_id,) in connection.execute(close, (int(digits), _NEAREST))]
    return list(dict.fromkeys(found))[:_NEAREST]


def suggest_removal(connection: sqlite3.Connection, query: SearchQuery) -> str | None:
    """The filter whose removal brings most trials, else the word; `None` when no single removal helps."""
    removals = [
        (_label(name, value), msgspec.structs.replace(query, **{name: None}))
        for name in _FILTERS
        if (value := getattr(query, name)) not in (None, "")
    ]
    best = _best(connection, removals)
    if best is None:
        typed = words(query.words)
        removals = [
            (f"“{word}”", msgspec.structs.replace(query, words=" ".join(typed[:at] + typed[at + 1 :])))
            for at, word in enumerate(typed)
        ]
        best = _best(connection, removals)
    return best


def _best(connection: sqlite3.Connection, removals: list[tuple[str, SearchQuery]]) -> str | None:
    counted = [(count(connection, match_expression(rest)), label) for label, rest in removals]
    most, label = max(counted, key=lambda pair: pair[0], default=(0, ""))
    if most == 0:
        return None
    number = f"more than {COUNT_CAP:,} trials" if most > COUNT_CAP else "1 trial" if most == 1 else f"{most:,} trials"
    return f"{label}: {number} without it"


def _label(name: str, value: object) -> str:
    match name:
        case "has_results":
            return "has results" if value else "no results"
        case "dose_ranging":
            return "dose-ranging" if value else "not dose-ranging"
        case "posted_from":
            return f"posted from {value}"
        case "posted_to":
            return f"posted to {value}"
        case _:
            return f"{name} {value}"
