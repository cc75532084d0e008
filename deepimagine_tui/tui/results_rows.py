"""The results of a trial as rows: outcomes that open, values with whiskers on one scale, contrasts naming their comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textual.content import Content

from deepimagine_tui.reasoning.posted import places
from deepimagine_tui.trials.concepts.time_points import point_text
from deepimagine_tui.trials.concepts.verdicts import verdict
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Cell, Contrast, Outcome
from deepimagine_tui.tui.show import clip, clip_apart, digits, estimate_text, inert, posted
from deepimagine_tui.tui.whiskers import Scale, Spread, scale_of, spread_of, whisker

_MOST_LABEL = 30
_LEAST_WHISKER = 7
_MOST_TIME = 28


@dataclass(frozen=True)
class Place:
    """What a row stands for: an outcome, a value of one group, or a comparison of two."""

    outcome_id: str
    class_title: str | None = None
    category: str | None = None
    group_id: str = ""
    other_id: str = ""


@dataclass(frozen=True)
class Row:
    """One row: how it looks, what it stands for (`None`: nothing starts here), what is copied."""

    content: Content
    place: Place | None
    copied: str


def outcome_rows(trial: Trial, number: int, width: int, *, opened: bool) -> list[Row]:
    """The rows of one outcome, counted from 1, in `width` columns: its heading, and when `opened` its values and contrasts."""
    outcome = trial.outcomes[number - 1]
    rows = [_heading(trial, outcome, number, width, opened=opened)]
    if not opened:
        return rows
    if not outcome.cells:
        return [*rows, Row(Content.styled("   no values posted", "dim"), None, "no values posted")]
    spreads = {id(cell): spread_of(trial.nct_id, outcome, cell) for cell in outcome.cells}
    ends = [end for spread in spreads.values() for end in (spread.lower, spread.upper)]
    scale = scale_of([*(cell.value for cell in outcome.cells), *ends])
    columns = _Columns.of(outcome, width)
    for class_title, category in places(outcome):
        title = " · ".join(inert(part) for part in (class_title, category) if part)
        if title:
            rows.append(Row(Content.styled(f"   {clip(title, max(width - 4, 8))}", "dim"), None, title))
        for cell in outcome.cells:
            if (cell.class_title, cell.category) == (class_title, category):
                rows.append(_value(outcome, cell, spreads[id(cell)], scale, columns))
    if scale is not None and columns.whisker >= _LEAST_WHISKER:
        rows.append(_axis(scale, spreads.values(), columns))
    rows += [_contrast(outcome, contrast, width) for contrast in outcome.contrasts]
    return rows


def _heading(trial: Trial, outcome: Outcome, number: int, width: int, *, opened: bool) -> Row:
    title, rest = inert(outcome.title), ", ".join(inert(part) for part in (_when(outcome), outcome.unit) if part)
    text = f"{title}, {rest}" if rest else title
    place = f"({outcome.role}) {number}/{len(trial.outcomes)}"
    if opened:
        content = Content.assemble(("▾ ", "$primary"), (clip(text, 3 * width), "bold"), (f"  {place}", "dim"))
    else:
        room = max(width - len(place) - 4, 12)
        shown = f"{clip(title, max(room - len(rest) - 2, room // 2))}, {rest}" if rest else title
        content = Content.assemble(("▸ ", "$primary"), f"{clip(shown, room):<{room}}", (f"  {place}", "dim"))
    return Row(content, Place(outcome.id), f"{text} ({outcome.role})")


def _when(outcome: Outcome) -> str:
    if outcome.time is None:
        return ""
    return point_text(outcome.time.weeks) if outcome.time.weeks else clip(outcome.time.text, _MOST_TIME)


@dataclass(frozen=True)
class _Columns:
    """Widths of the columns of an outcome's values."""

    label: int
    n: int
    value: int
    whisker: int
    decimals: int
    titles: Mapping[str, str]
    """How each group is named in `label` columns."""

    @classmethod
    def of(cls, outcome: Outcome, width: int) -> _Columns:
        label = max((len(inert(_group_title(outcome, cell))) for cell in outcome.cells), default=0)
        n = max((len(_n_text(cell)) for cell in outcome.cells), default=0)
        places_after = max((_decimals(cell.value) for cell in outcome.cells if cell.value is not None), default=0)
        value = max((len(_cell_text(cell, places_after)) for cell in outcome.cells), default=1)
        taken = 3 + 1 + (n + 1 if n else 0) + 2 + value + 2
        label = max(min(label, _MOST_LABEL, width - taken - _LEAST_WHISKER - 3), 8)
        titles = clip_apart((_group_title(outcome, cell) for cell in outcome.cells), label)
        return cls(label, n, value, max(min(width - taken - label, 30), 0), places_after, titles)


def _group_title(outcome: Outcome, cell: Cell) -> str:
    return next((group.title for group in outcome.groups if group.id == cell.group_id), cell.group_id)


def _n_text(cell: Cell) -> str:
    return "" if cell.n is None else f"n {cell.n}"


def _decimals(value: float) -> int:
    return len(posted(value).partition(".")[2])


def _cell_text(cell: Cell, decimals: int) -> str:
    if cell.value is None:
        return inert(cell.text) or cell.state
    return f"{cell.value:,.{decimals}f}"


def _value(outcome: Outcome, cell: Cell, spread: Spread, scale: Scale | None, columns: _Columns) -> Row:
    title = _group_title(outcome, cell)
    n = f"{_n_text(cell):>{columns.n}} " if columns.n else ""
    drawn = whisker(cell.value, spread, scale, columns.whisker) if scale and columns.whisker >= _LEAST_WHISKER else ""
    mark = "●" if cell.value is not None else " "
    content = Content.assemble(
        f"   {columns.titles[inert(title)]:<{columns.label}} ",
        (n, "dim"),
        f"{mark} {_cell_text(cell, columns.decimals):>{columns.value}}  ",
        (drawn, "$primary"),
    )
    limits = (
        "" if spread.lower is None and spread.upper is None else f"[{_end(spread.lower)}, {_end(spread.upper)}] {spread.label}"
    )
    place = Place(outcome.id, cell.class_title, cell.category, cell.group_id)
    said = (cell.class_title, cell.category, title, _n_text(cell), _cell_text(cell, columns.decimals), outcome.unit, limits)
    copied = "\t".join(inert(part) for part in said)
    return Row(content, place, f"observed\t{copied}")


def _end(value: float | None) -> str:
    return "–" if value is None else digits(value)


def _axis(scale: Scale, spreads: Iterable[Spread], columns: _Columns) -> Row:
    labels = sorted({spread.label for spread in spreads if spread.label})
    low, high = digits(scale.low), digits(scale.high)
    indent = 3 + columns.label + 1 + (columns.n + 1 if columns.n else 0) + 2 + columns.value + 2
    line = f"{low}{high:>{max(columns.whisker - len(low), len(high) + 1)}}"
    said = "; ".join(labels)
    left = clip(said, indent - 4)
    return Row(Content.styled(f"   {left:<{indent - 3}}{line}", "dim"), None, said)


def _contrast(outcome: Outcome, contrast: Contrast, width: int) -> Row:
    titles = {group.id: inert(group.title) for group in outcome.groups}
    names = [titles.get(group, group) for group in contrast.group_ids]
    signs = {"a-b": (0, 1, " - "), "b-a": (1, 0, " - "), "a/b": (0, 1, " / "), "b/a": (1, 0, " / ")}
    if len(names) == 2:
        first, second, sign = signs.get(contrast.orientation, (0, 1, " vs "))
        ids = contrast.group_ids[first], contrast.group_ids[second]
        compared = f"{names[first]}{sign}{names[second]}"
    else:
        ids = ("", "")
        compared = f"{len(names)} groups: {', '.join(names)}" if len(names) > 2 else ", ".join(names)
    what = estimate_text(contrast) or "no estimate posted"
    scale = inert(contrast.scale) or contrast.kind
    extra = [scale, contrast.hypothesis, *([f"for {inert(contrast.class_title)}"] if contrast.class_title else [])]
    if contrast.orientation == "unknown" and contrast.kind in ("difference", "ratio") and len(names) == 2:
        extra.append("which minus which is unknown")
    said = verdict(contrast, ids[0]) if ids[0] else "undetermined"
    extra = [*([said] if said != "undetermined" else []), *extra]
    mark = "● " if contrast.estimate is not None or contrast.p is not None else ""
    result = Content.assemble(mark, (what, "bold"))
    if len(compared) + len(result.plain) + 5 <= width:
        content = Content.assemble(f"   {compared}  ", result)
    else:
        content = Content.assemble(f"   {clip(compared, max(2 * width - 8, 20))}\n     ", result)
    content = Content("\n").join([content, Content.styled(f"     {clip(', '.join(extra), max(width - 7, 10))}", "dim")])
    place = Place(outcome.id, contrast.class_title or None, None, ids[0], ids[1]) if ids[0] else None
    return Row(content, place, f"observed\t{compared}\t{what}\t{', '.join(extra)}")
