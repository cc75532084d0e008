"""`Japan`, `Japan 20, USA 5`, `EU`: where a trial recruits, as typed."""

from __future__ import annotations

import re

from deepimagine_tui.errors import UsageError
from deepimagine_tui.reasoning.typed.countries import country_of, region_of
from deepimagine_tui.trials.model import CountrySites

_ITEM = re.compile(r"^(?P<name>.*?[^\d\s:=x])\s*[:=x(]?\s*(?P<sites>\d{1,5})?\s*(?:sites?)?\)?$", re.I)


def parse_geography(text: str) -> tuple[tuple[CountrySites, ...], str]:
    """The countries that `text` lists with their site counts (0 where none is given), and how it was read.

    An unknown name is kept, and the reading says that it is unknown.

    Raises:
        UsageError: the text names no place.
    """
    sites: dict[str, int] = {}
    notes: list[str] = []
    for item in _items(text):
        match = _ITEM.match(item)
        if not match:
            continue
        name, count = match["name"].strip(), int(match["sites"] or 0)
        region = region_of(name)
        if region:
            notes.append(f"{region[0]} = {len(region[1])} countries")
            for country in region[1]:
                sites.setdefault(country, 0)
            continue
        known = country_of(name)
        if known is None:
            notes.append(f"{name} is no country known here, kept as typed")
        sites[known or name] = sites.get(known or name, 0) + count
    if not sites:
        raise UsageError(f"No place is named in {text!r}.", "Write countries, e.g. Japan 20, United States 5.")
    ordered = sorted(sites.items(), key=lambda place: (-place[1], place[0]))
    return tuple(CountrySites(name, count) for name, count in ordered), "; ".join(notes)


def _items(text: str) -> list[str]:
    """The places listed. `and` separates them too, unless it is part of a country's name."""
    items: list[str] = []
    for part in re.split(r"[,;+&]", text):
        match = _ITEM.match(part.strip())
        if match and country_of(match["name"].strip()):
            items.append(part.strip())
        else:
            items.extend(each.strip() for each in re.split(r"\band\b", part))
    return items
