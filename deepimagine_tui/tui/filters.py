"""The filters of a search as chips with words, and what each can be set to."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec.structs import replace
from textual.content import Content

from deepimagine_tui.corpus.query import SearchQuery
from deepimagine_tui.errors import UsageError

FilterName = Literal[
    "phase", "condition", "intervention", "country", "status", "has_results", "dose_ranging", "posted_from", "posted_to"
]
Facet = Literal["phase", "condition", "intervention", "country", "status"]
FACETS: tuple[Facet, ...] = ("phase", "condition", "intervention", "country", "status")


class Filter(NamedTuple):
    """One kind of filter: its name in the query and its words."""

    name: FilterName
    words: str


FILTERS = (
    Filter("phase", "phase"),
    Filter("condition", "condition"),
    Filter("intervention", "intervention"),
    Filter("country", "country"),
    Filter("has_results", "has results"),
    Filter("dose_ranging", "dose-ranging"),
    Filter("status", "status"),
    Filter("posted_from", "posted from"),
    Filter("posted_to", "posted until"),
)
_WORDS: dict[str, str] = {each.name: each.words for each in FILTERS}


class Chip(NamedTuple):
    """A filter that is set."""

    name: FilterName
    text: str


def chips(query: SearchQuery) -> list[Chip]:
    """The filters that are set, each in words: `phase 3`, `has results`, `no results`, `posted from 2014`."""
    found = []
    for each in FILTERS:
        value = getattr(query, each.name)
        if value is None:
            continue
        if value is True or value is False:
            text = each.words if value else f"not {each.words}" if each.name == "dose_ranging" else "no results"
        elif each.name in ("condition", "intervention", "country", "status"):
            text = str(value)
        else:
            text = f"{each.words} {value}"
        found.append(Chip(each.name, text))
    return found


def with_filter(query: SearchQuery, name: FilterName, value: str | bool | None) -> SearchQuery:
    """The query with one filter set, or taken out with `None`.

    Raises:
        UsageError: a date is not ISO 8601 (`2014`, `2014-03`, `2014-03-19`).
    """
    if name in ("posted_from", "posted_to") and value is not None:
        _check_date(str(value))
    return replace(query, **{name: value})


def _check_date(text: str) -> None:
    parts = text.split("-")
    sizes = [4, 2, 2][: len(parts)]
    good = len(parts) <= 3 and all(part.isdigit() and len(part) == size for part, size in zip(parts, sizes, strict=False))
    if not good:
        raise UsageError(f"{text!r} is no date.", "Write a year, a month or a day: 2014, 2014-03 or 2014-03-19.")


def described(query: SearchQuery) -> str:
    """The whole query in words."""
    parts = [f"“{query.words}”"] if query.words else []
    return ", ".join([*parts, *(chip.text for chip in chips(query))]) or "everything"


def in_order(query: SearchQuery) -> SearchQuery:
    """The query with what is asked for first: the best match of its words, or without words the newest results."""
    return query if query.words.strip() else replace(query, order="posted")


def nothing_found(query: SearchQuery, removal: str) -> Content:
    """What was asked for, what to take out of it (`removal`), and how."""
    lines = [Content.assemble("Nothing found for ", (described(query), "bold"), ".")]
    if removal:
        lines += [Content(""), Content.assemble("Take out ", removal, ".")]
    if chips(query):
        said = "Press backspace in the list to take out the last filter, or click its ✕."
        lines += [Content(""), Content.styled(said, "dim")]
    return Content("\n").join(lines)
