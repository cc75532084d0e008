"""Which side a trial is on: train, validation or test. Assigned once, before any pair, for every data set at the same time.

Trials of one programme stay together: shared programme keys join trials, and joined trials share a side. The side is a hash
of the smallest NCT id of the programme, so that it does not depend on the order of reading, and another trial moves nobody but
those it joins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import msgspec

Side = Literal["train", "validation", "test"]

SIDES: tuple[Side, ...] = get_args(Side)

SIDES_VERSION = "sides-1"
"""Names the rule with its salt and shares: trials keep their side for as long as this stays."""

_SALT = "64"
"""Of two hundred salts the one whose counts come closest to the shares on the records this was developed with, by numbers of
trials alone, before any pair was drawn: with some fifty dose-ranging trials the luck of a hash is ten points."""

SHARES: Mapping[Side, float] = {"train": 0.70, "validation": 0.15, "test": 0.15}
"""The share of programmes on each side."""

DOSE_RANGING_SHARES: Mapping[Side, float] = {"train": 0.60, "validation": 0.20, "test": 0.20}
"""The same for programmes with a dose-ranging trial: few they are, so that 40% are held out to measure anything on."""


class Member(msgspec.Struct, frozen=True):
    """A trial to be put on a side. Trials that have one of `keys` in common belong to one programme."""

    nct_id: str
    keys: frozenset[str] = frozenset()
    dose_ranging: bool = False


class Place(msgspec.Struct, frozen=True):
    """Where a trial is: its side, and its programme by the smallest NCT id in it."""

    side: Side
    programme: str
    dose_ranging: bool = False


class Sides(msgspec.Struct, frozen=True):
    """The side of every trial that was given, by NCT id in order."""

    places: dict[str, Place]
    version: str = SIDES_VERSION

    def of(self, nct_id: str) -> Side:
        """The side of a trial.

        Raises:
            KeyError: the trial was not among those assigned.
        """
        return self.places[nct_id].side

    def programme(self, nct_id: str) -> str:
        """The programme of a trial: the smallest NCT id in it.

        Raises:
            KeyError: the trial was not among those assigned.
        """
        return self.places[nct_id].programme

    def held_out_dose_ranging(self) -> tuple[int, int]:
        """How many dose-ranging trials are held out, and how many there are."""
        ranging = [place for place in self.places.values() if place.dose_ranging]
        return sum(place.side != "train" for place in ranging), len(ranging)


def assign(members: Iterable[Member]) -> Sides:
    """Put every trial on a side; a trial that is given twice, by two data sets, is one trial with the keys of both."""
    roots: dict[str, str] = {}
    first_with: dict[str, str] = {}
    ranging: set[str] = set()
    for member in members:
        roots.setdefault(member.nct_id, member.nct_id)
        if member.dose_ranging:
            ranging.add(member.nct_id)
        for key in member.keys:
            _join(roots, member.nct_id, first_with.setdefault(key, member.nct_id))
    programme = {nct_id: _root(roots, nct_id) for nct_id in sorted(roots)}
    with_ranging = {programme[nct_id] for nct_id in ranging}
    side: dict[str, Side] = {
        root: _side(root, DOSE_RANGING_SHARES if root in with_ranging else SHARES) for root in set(programme.values())
    }
    return Sides({nct_id: Place(side[root], root, nct_id in ranging) for nct_id, root in programme.items()})


def hash_share(*parts: str) -> float:
    """A number in [0, 1) that these texts alone decide, the same on every machine."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _side(programme: str, shares: Mapping[Side, float]) -> Side:
    at = hash_share(f"salt {_SALT}", programme)
    for side in SIDES:
        if at < shares[side]:
            return side
        at -= shares[side]
    return SIDES[-1]


def _root(roots: dict[str, str], nct_id: str) -> str:
    while roots[nct_id] != nct_id:
        roots[nct_id] = roots[roots[nct_id]]
        nct_id = roots[nct_id]
    return nct_id


def _join(roots: dict[str, str], one: str, other: str) -> None:
    first, second = sorted((_root(roots, one), _root(roots, other)))
    roots[second] = first
