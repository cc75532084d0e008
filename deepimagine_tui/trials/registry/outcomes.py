"""Posted outcomes: groups, classes and cells. v2-shaped objects in, result structs out."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from deepimagine_tui.trials.concepts import measures, terms
from deepimagine_tui.trials.concepts.axes import class_axis
from deepimagine_tui.trials.concepts.benefits import benefit
from deepimagine_tui.trials.concepts.cell_states import missing_state
from deepimagine_tui.trials.concepts.numbers import is_not_available, parse_number
from deepimagine_tui.trials.concepts.time_points import time_point, weeks
from deepimagine_tui.trials.registry.contrasts import contrasts
from deepimagine_tui.trials.registry.fields import Log, Node, clean, count, each, number, text, unknown_keys
from deepimagine_tui.trials.registry.groups import GroupReader
from deepimagine_tui.trials.results import Cell, Outcome, ResultGroup, TimePoint, ValueKind

# fmt: off
_OUTCOME_KEYS = frozenset({
    "type", "title", "description", "populationDescription", "reportingStatus", "anticipatedPostingDate", "paramType",
    "dispersionType", "unitOfMeasure", "calculatePct", "timeFrame", "typeUnitsAnalyzed", "denomUnitsSelected", "groups",
    "denoms", "classes", "analyses",
})
# fmt: on
_CLASS_KEYS = frozenset({"title", "denoms", "categories"})
_CELL_KEYS = frozenset({"groupId", "value", "spread", "lowerLimit", "upperLimit", "comment"})


class Plan(msgspec.Struct, frozen=True):
    """What the protocol section says that the results are read against."""

    nct_id: str
    arm_labels: tuple[str, ...]
    intervention_names: tuple[str, ...]
    groups: GroupReader


class _Denominators(msgspec.Struct, frozen=True):
    unit: str
    counts: dict[str, int | None]
    also_unit: str = ""
    also_counts: dict[str, int | None] = {}


class _Reading(msgspec.Struct, frozen=True):
    """How the cells of one outcome are read."""

    kind: ValueKind
    unit: str
    selected: str
    is_time: bool


def outcomes(module: Node, path: str, plan: Plan, log: Log) -> tuple[Outcome, ...]:
    """Every outcome of the module, each with an id that does not change when others are added."""
    seen: Counter[str] = Counter()
    found: list[Outcome] = []
    for at, node in each(module, "outcomeMeasures", path, log):
        found.append(_outcome(node, at, plan, seen, log))
    return tuple(found)


def _outcome(node: Node, at: str, plan: Plan, seen: Counter[str], log: Log) -> Outcome:
    unknown_keys(node, _OUTCOME_KEYS, at, log)
    written_role = text(node, "type", at, log)
    role = terms.outcome_role(written_role)
    if role is None:
        log.add(f"{at}.type", "unknown-outcome-type", f"{written_role!r} is no type of outcome; taken as other.")
        role = "other"
    title, time_frame = text(node, "title", at, log), text(node, "timeFrame", at, log)
    description, population = text(node, "description", at, log), text(node, "populationDescription", at, log)
    digest = hashlib.blake2b("\x1f".join((role, title, time_frame, population)).encode(), digest_size=5).hexdigest()
    seen[digest] += 1
    unit = text(node, "unitOfMeasure", at, log)
    parameter = terms.parameter(text(node, "paramType", at, log))
    dispersion_kind, level = terms.dispersion(text(node, "dispersionType", at, log))
    change = measures.change_basis(parameter, unit, title)
    kind = measures.value_kind(parameter, unit, title, change)
    if kind == "unknown" and parameter and node.get("classes"):
        log.add(f"{at}.unitOfMeasure", "unknown-value-kind", f"A {parameter} in {unit!r} is on no scale that is known.")
    groups = plan.groups.read(node, at, log)
    classes = each(node, "classes", at, log)
    titles = tuple(text(item, "title", where, log) for where, item in classes)
    axis = class_axis(titles, plan.arm_labels, plan.intervention_names if len(groups) == 1 else ())
    reading = _Reading(kind, unit, text(node, "denomUnitsSelected", at, log), axis == "time")
    cells = _cells(node, at, classes, titles, reading, log)
    _check_groups(cells, groups, at, log)
    outcome = Outcome(
        id=f"{plan.nct_id}:{digest}:{seen[digest]}",
        role=role,
        title=title,
        time_frame=time_frame,
        time=_time(title, time_frame),
        unit=unit,
        parameter=parameter,
        dispersion_kind=dispersion_kind,
        dispersion_level=level,
        kind=kind,
        change_basis=change,
        benefit=benefit(title, description, kind, change),
        analysis_set=measures.analysis_set(population),
        class_axis=axis,
        groups=groups,
        cells=cells,
    )
    return msgspec.structs.replace(outcome, contrasts=contrasts(node, at, outcome, log)) if node.get("analyses") else outcome


def _time(title: str, time_frame: str) -> TimePoint | None:
    """The title's own time first, since a time frame often lists every visit."""
    named = weeks(title)
    if named:
        return TimePoint(time_frame or title, named)
    return time_point(time_frame)


def _cells(
    node: Node, at: str, classes: list[tuple[str, Node]], titles: tuple[str, ...], reading: _Reading, log: Log
) -> tuple[Cell, ...]:
    of_outcome = _denominators(node, at, reading.selected, log)
    found: list[Cell] = []
    for (where, item), title in zip(classes, titles, strict=True):
        unknown_keys(item, _CLASS_KEYS, where, log)
        own = _denominators(item, where, reading.selected, log)
        time = time_point(title) if reading.is_time else None
        for spot, category in each(item, "categories", where, log):
            name = text(category, "title", spot, log)
            found += [
                _cell(cell, place, title, name, time, (own, of_outcome), reading, log)
                for place, cell in each(category, "measurements", spot, log)
            ]
    return tuple(found)


def _cell(
    node: Node,
    at: str,
    class_title: str,
    category: str,
    time: TimePoint | None,
    denominators: tuple[_Denominators | None, _Denominators | None],
    reading: _Reading,
    log: Log,
) -> Cell:
    unknown_keys(node, _CELL_KEYS, at, log)
    group_id = text(node, "groupId", at, log)
    raw, comment = node.get("value"), node.get("comment")
    written = clean(raw) if type(raw) is str else text(node, "value", at, log)
    value = parse_number(written)
    note = clean(comment) if type(comment) is str else ""
    state = "value" if value is not None else missing_state(written, note, reading.kind, reading.unit)
    if value is None and written and not is_not_available(written):
        log.add(f"{at}.value", "not-a-number", f"Expected a number, found {written!r}.")
    spread = number(node, "spread", at, log)
    lower = number(node, "lowerLimit", at, log)
    upper = number(node, "upperLimit", at, log)
    n, unit, also_n, also_unit = None, "participants", None, ""
    for denominator in denominators:
        if denominator is not None and group_id in denominator.counts:
            n, unit = denominator.counts[group_id], denominator.unit
            also_n, also_unit = denominator.also_counts.get(group_id), denominator.also_unit
            break
    return Cell(
        group_id=group_id,
        value=value,
        state=state,
        text="" if value is not None else (f"{written}: {note}" if note else written),
        class_title=class_title,
        category=category,
        dispersion=spread,
        lower=lower,
        upper=upper,
        n=n,
        unit_analysed=unit,
        time=time,
        flags=_flags(value, spread, lower, upper),
        also_n=also_n,
        also_unit=also_unit,
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


def _denominators(node: Node, at: str, selected: str, log: Log) -> _Denominators | None:
    """The denominators in the unit that was selected for analysis, else in participants; `None` when there are none."""
    given = node.get("denoms")
    if not given:
        return None
    by_unit: dict[str, dict[str, int | None]] = {}
    for where, denom in each(node, "denoms", at, log):
        unit = text(denom, "units", where, log)
        by_unit[unit.lower()] = {
            text(cell, "groupId", spot, log): count(cell, "value", spot, log)
            for spot, cell in each(denom, "counts", where, log)
        }
    wanted = selected.lower()
    chosen = wanted if wanted in by_unit else "participants" if "participants" in by_unit else next(iter(by_unit), "")
    others = [unit for unit in by_unit if unit != chosen]
    if not others:
        return _Denominators(chosen or "participants", by_unit.get(chosen, {}))
    return _Denominators(chosen, by_unit[chosen], others[0], by_unit[others[0]])


def _check_groups(cells: tuple[Cell, ...], groups: tuple[ResultGroup, ...], at: str, log: Log) -> None:
    known = {group.id for group in groups}
    if len(known) != len(groups):
        log.add(f"{at}.groups", "duplicate-group-id", "Two groups have one id.")
    for strange in sorted({cell.group_id for cell in cells} - known):
        log.add(f"{at}.classes", "unknown-group", f"Cells of group {strange!r}, which the outcome does not define.")
