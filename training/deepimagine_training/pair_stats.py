"""What a set of pairs holds: pairs and trials by factor, kind and side; how often copying answers; what was left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from deepimagine_training.pairs import PairSet
from deepimagine_training.rows import DataSet, Kind, PairRow
from deepimagine_tui.evaluation.sides import SIDES, Side

ALL = "all"


class Count(msgspec.Struct, frozen=True):
    """How many pairs, and of how many trials."""

    pairs: int
    trials: int


class Copying(msgspec.Struct, frozen=True):
    """How well answering with the source's own result does.

    `verdicts` counts the pairs whose verdicts are both known, and `flips` those whose verdicts differ. `agreement` is over
    pairs, `agreement_by_trial` the mean over trials of their own agreement. `directions` counts the pairs with a direction, and
    `no_clear_change` is the share of them that is `no clear change`, which is what copying says where the measure stays.
    `None` where there is nothing to take a share of.
    """

    verdicts: Count
    flips: Count
    agreement: float | None
    agreement_by_trial: float | None
    directions: Count
    no_clear_change: float | None


class Line(msgspec.Struct, frozen=True):
    """One factor of one kind: an approximate pair counts under every factor that it differs in, and under `all`."""

    kind: Kind
    data: DataSet
    factor: str
    sides: dict[Side, Count]
    copying: Copying


class PairStats(msgspec.Struct, frozen=True):
    """Everything that `train pairs --stats` prints. `sides` counts all trials of all data sets, `used` those that pairs are
    drawn from; `dose_ranging` is how many dose-ranging trials are held out, of how many."""

    lines: tuple[Line, ...]
    sides: dict[Side, int]
    used: dict[Side, int]
    programmes: int
    dose_ranging: tuple[int, int]
    dose_ranging_used: tuple[int, int]
    excluded: dict[str, dict[str, int]]


def stats_of(pairs: PairSet) -> PairStats:
    """Count a set of pairs."""
    groups: dict[tuple[Kind, DataSet, str], list[PairRow]] = defaultdict(list)
    for row in pairs.rows:
        if row.kind == "natural":
            groups[row.kind, row.data, row.factor].append(row)
        else:
            for factor in (ALL, *row.factors):
                groups[row.kind, row.data, factor].append(row)
    places = pairs.sides.places
    used = Counter(pairs.sides.of(nct_id) for nct_id in pairs.used)
    everywhere = Counter(place.side for place in places.values())
    ranging = [places[nct_id] for nct_id in pairs.used if places[nct_id].dose_ranging]
    return PairStats(
        lines=tuple(_line(key, groups[key]) for key in sorted(groups, key=_order)),
        sides={side: everywhere[side] for side in SIDES},
        used={side: used[side] for side in SIDES},
        programmes=len({place.programme for place in places.values()}),
        dose_ranging=pairs.sides.held_out_dose_ranging(),
        dose_ranging_used=(sum(place.side != "train" for place in ranging), len(ranging)),
        excluded=pairs.excluded,
    )


def text_of(stats: PairStats) -> str:
    """The counts as a person reads them: three tables, as Markdown."""
    parts = [
        "Pairs (of trials), by side. An approximate pair counts under every factor that it differs in.",
        _table(
            ("kind", "data", "factor", *SIDES),
            [(line.kind, line.data, line.factor, *(_counted(line.sides[side]) for side in SIDES)) for line in stats.lines],
        ),
        "How often copying the source's result answers.",
        _table(
            ("kind", "data", "factor", "verdicts", "flips", "agree", "agree by trial", "directions", "no clear change"),
            [
                (
                    line.kind,
                    line.data,
                    line.factor,
                    _counted(line.copying.verdicts),
                    _counted(line.copying.flips),
                    _share(line.copying.agreement),
                    _share(line.copying.agreement_by_trial),
                    _counted(line.copying.directions),
                    _share(line.copying.no_clear_change),
                )
                for line in stats.lines
            ],
        ),
        "Trials on each side, and those of them that pairs are drawn from.",
        _table(("side", "trials", "used"), [(side, str(stats.sides[side]), str(stats.used[side])) for side in SIDES]),
        f"{stats.programmes:,} programmes. Dose-ranging trials held out: {_of(stats.dose_ranging)} of all,"
        f" {_of(stats.dose_ranging_used)} of those used.",
        "Left out, and why.",
        _table(
            ("part", "count", "why"),
            [(part, f"{count:,}", why) for part, reasons in stats.excluded.items() for why, count in reasons.items()],
        ),
    ]
    return "\n\n".join(parts)


def _order(key: tuple[Kind, DataSet, str]) -> tuple[bool, bool, bool, str]:
    kind, data, factor = key
    return kind == "approximate", data == "clinifact", factor != ALL, factor


def _line(key: tuple[Kind, DataSet, str], rows: Sequence[PairRow]) -> Line:
    return Line(*key, {side: _count(row for row in rows if row.side == side) for side in SIDES}, copying_of(rows))


def copying_of(rows: Sequence[PairRow]) -> Copying:
    """How well copying does on `rows`."""
    known = [row for row in rows if row.has_verdicts]
    flips = [row for row in known if row.source_verdict != row.target_verdict]
    of_trial: dict[str, list[bool]] = defaultdict(list)
    for row in known:
        for nct_id in row.trials:
            of_trial[nct_id].append(row.source_verdict == row.target_verdict)
    directed = [row for row in rows if row.direction is not None]
    return Copying(
        verdicts=_count(known),
        flips=_count(flips),
        agreement=_mean([1 - len(flips) / len(known)]) if known else None,
        agreement_by_trial=_mean([sum(same) / len(same) for same in of_trial.values()]),
        directions=_count(directed),
        no_clear_change=_mean([float(row.direction == "no clear change") for row in directed]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _count(rows: Iterable[PairRow]) -> Count:
    listed = list(rows)
    return Count(len(listed), len({nct_id for row in listed for nct_id in row.trials}))


def _counted(count: Count) -> str:
    return f"{count.pairs:,} ({count.trials:,})"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _of(counts: tuple[int, int]) -> str:
    held, every = counts
    return f"{held} of {every}" + (f" ({held / every:.0%})" if every else "")


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    lines = [headers, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
