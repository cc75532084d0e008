"""The cells of one outcome with their denominators. v2-shaped objects in, result structs out."""

from __future__ import annotations

import msgspec

from deepimagine_tui.trials.concepts.cell_states import missing_state
from deepimagine_tui.trials.concepts.numbers import is_not_available, parse_number
from deepimagine_tui.trials.concepts.time_points import time_point
from deepimagine_tui.trials.registry.fields import Log, Node, clean, count, each, group_id, number, text
from deepimagine_tui.trials.results import Cell, TimePoint, ValueKind

_BARE_CELL = 2
"""A measurement of so many fields has a group and a value and no more."""


class _Denominators(msgspec.Struct, frozen=True):
    """How many were analysed in each group, in the chosen unit and in another that was posted too."""

    unit: str
    counts: dict[str, int | None]
    also_unit: str = ""
    also_counts: dict[str, int | None] = {}


_NONE = _Denominators("participants", {})


class CellReader:
    """Reads the cells of one outcome. A denominator of the class overrides that of the outcome."""

    def __init__(self, kind: ValueKind, unit: str, outcome: Node, path: str, log: Log) -> None:
        self._kind = kind
        self._unit = unit
        self._log = log
        self._selected = text(outcome, "denomUnitsSelected", path, log).lower()
        self._of_outcome = self._denominators(outcome, path) or _NONE

    def read(self, classes: list[tuple[str, Node]], titles: tuple[str, ...], *, is_time: bool) -> tuple[Cell, ...]:
        """The cells of every class and category, in posted order; with their time where the class axis is time."""
        log = self._log
        found: list[Cell] = []
        for (where, item), title in zip(classes, titles, strict=True):
            own = self._denominators(item, where)
            time = time_point(title) if is_time else None
            for spot, category in each(item, "categories", where, log):
                name = text(category, "title", spot, log)
                for place, node in each(category, "measurements", spot, log):
                    group = group_id(node, place, log)
                    counted = own if own is not None and group in own.counts else self._of_outcome
                    found.append(self._cell(node, place, group, title, name, time, counted))
        return tuple(found)

    def _cell(
        self,
        node: Node,
        at: str,
        group: str,
        title: str,
        category: str,
        time: TimePoint | None,
        counted: _Denominators,
    ) -> Cell:
        written = node.get("value")
        value = parse_number(written) if type(written) is str else None
        if value is not None and len(node) == _BARE_CELL and "groupId" in node:
            spread = lower = upper = None
            flags: tuple[str, ...] = ()
        else:
            spread = number(node, "spread", at, self._log)
            lower = number(node, "lowerLimit", at, self._log)
            upper = number(node, "upperLimit", at, self._log)
            flags = _flags(value, spread, lower, upper)
        n, unit = counted.counts.get(group), counted.unit
        also_n, also_unit = None, ""
        if counted.also_unit:
            also_n, also_unit = counted.also_counts.get(group), counted.also_unit
        if value is not None:
            return Cell(
                group,
                value,
                "value",
                "",
                title,
                category,
                spread,
                lower,
                upper,
                n,
                unit,
                time,
                flags,
                also_n,
                also_unit,
            )
        said = text(node, "value", at, self._log)
        if said and not is_not_available(said):
            self._log.add(f"{at}.value", "not-a-number", f"Expected a number, found {said!r}.")
        comment = node.get("comment")
        note = clean(comment) if type(comment) is str else ""
        state = missing_state(said, note, self._kind, self._unit)
        shown = f"{said}: {note}" if note else said
        return Cell(
            group,
            None,
            state,
            shown,
            title,
            category,
            spread,
            lower,
            upper,
            n,
            unit,
            time,
            flags,
            also_n,
            also_unit,
        )

    def _denominators(self, node: Node, at: str) -> _Denominators | None:
        """The denominators in the unit that was selected for analysis, else in participants; `None` when there are none."""
        if not node.get("denoms"):
            return None
        log = self._log
        by_unit: dict[str, dict[str, int | None]] = {}
        for where, denom in each(node, "denoms", at, log):
            by_unit[text(denom, "units", where, log).lower()] = {
                group_id(cell, spot, log): count(cell, "value", spot, log) for spot, cell in each(denom, "counts", where, log)
            }
        if self._selected in by_unit:
            chosen = self._selected
        else:
            chosen = "participants" if "participants" in by_unit else next(iter(by_unit), "")
        counts = by_unit.get(chosen, {})
        other = next((unit for unit in by_unit if unit != chosen), "")
        return (
            _Denominators(chosen or "participants", counts, other, by_unit[other]) if other else _Denominators(chosen, counts)
        )


def _flags(value: float | None, spread: float | None, lower: float | None, upper: float | None) -> tuple[str, ...]:
    if lower is None and upper is None:
        return ()
    flags: list[str] = []
    if value is not None and ((lower is not None and value < lower) or (upper is not None and value > upper)):
        flags.append("value-outside-limits")
    if spread is not None and spread == lower:
        flags.append("spread-equals-lower-limit")
    return tuple(flags)
