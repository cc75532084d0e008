"""Participant flow, baseline and adverse events. v2-shaped objects in, result structs out."""

from __future__ import annotations

from typing import cast

from deepimagine_tui.trials.concepts import terms
from deepimagine_tui.trials.concepts.numbers import is_not_available, parse_count, parse_number
from deepimagine_tui.trials.registry.fields import Log, Node, child, clean, each, text, unknown_keys
from deepimagine_tui.trials.results import (
    AdverseEvent,
    AdverseEvents,
    AffectedAtRisk,
    Baseline,
    BaselineCell,
    BaselineMeasure,
    Flow,
    FlowCount,
    FlowPeriod,
    FlowRow,
    NamedGroup,
)

_FLOW_KEYS = frozenset({"preAssignmentDetails", "recruitmentDetails", "typeUnitsAnalyzed", "groups", "periods"})
_PERIOD_KEYS = frozenset({"title", "milestones", "dropWithdraws"})
_BASELINE_KEYS = frozenset({"populationDescription", "groups", "denoms", "measures", "typeUnitsAnalyzed"})
_EVENT_KEYS = frozenset(
    {"frequencyThreshold", "timeFrame", "description", "allCauseMortalityComment", "eventGroups", "seriousEvents", "otherEvents"}
)


def count_of(value: object, path: str, log: Log) -> int | None:
    """A count given as number or text; `None` when absent, not available, or not a count (then recorded)."""
    if type(value) is int and value >= 0:
        return value
    if value is None:
        return None
    if type(value) is str:
        count = parse_count(value)
        if count is not None or is_not_available(value):
            return count
    log.add(path, "not-a-count", f"Expected a whole number, found {value!r:.80}.")
    return None


def named_groups(node: Node, key: str, path: str, log: Log) -> tuple[NamedGroup, ...]:
    """The groups of a module."""
    return tuple(NamedGroup(text(item, "id", at, log), text(item, "title", at, log)) for at, item in each(node, key, path, log))


def flow(module: Node, path: str, log: Log) -> Flow:
    """The participant flow, period by period."""
    unknown_keys(module, _FLOW_KEYS, path, log)
    periods: list[FlowPeriod] = []
    for at, period in each(module, "periods", path, log):
        unknown_keys(period, _PERIOD_KEYS, at, log)
        periods.append(
            FlowPeriod(
                text(period, "title", at, log),
                _flow_rows(period, "milestones", "achievements", at, log),
                _flow_rows(period, "dropWithdraws", "reasons", at, log),
            )
        )
    return Flow(named_groups(module, "groups", path, log), tuple(periods))


def _flow_rows(period: Node, key: str, counts: str, path: str, log: Log) -> tuple[FlowRow, ...]:
    return tuple(
        FlowRow(
            text(row, "type", at, log).lower(),
            tuple(
                FlowCount(text(cell, "groupId", where, log), count_of(cell.get("numSubjects"), f"{where}.numSubjects", log))
                for where, cell in each(row, counts, at, log)
            ),
        )
        for at, row in each(period, key, path, log)
    )


def number_of(value: object, path: str, log: Log) -> float | None:
    """A number given as text; `None` when absent, not available, or not a number (then recorded)."""
    if value is None:
        return None
    if type(value) is str:
        number = parse_number(value)
        if number is not None or is_not_available(value):
            return number
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    log.add(path, "not-a-number", f"Expected a number, found {value!r:.80}.")
    return None


def baseline(module: Node, path: str, log: Log) -> Baseline:
    """The baseline characteristics."""
    unknown_keys(module, _BASELINE_KEYS, path, log)
    counts: list[FlowCount] = []
    for at, denom in each(module, "denoms", path, log):
        if text(denom, "units", at, log).lower() in ("participants", ""):
            counts = [
                FlowCount(text(cell, "groupId", where, log), count_of(cell.get("value"), f"{where}.value", log))
                for where, cell in each(denom, "counts", at, log)
            ]
    measures = tuple(_baseline_measure(item, at, log) for at, item in each(module, "measures", path, log))
    return Baseline(named_groups(module, "groups", path, log), tuple(counts), measures)


def _baseline_measure(measure: Node, path: str, log: Log) -> BaselineMeasure:
    kind, _ = terms.dispersion(text(measure, "dispersionType", path, log))
    cells: list[BaselineCell] = []
    for at, item in each(measure, "classes", path, log):
        class_title = text(item, "title", at, log)
        for where, category in each(item, "categories", at, log):
            category_title = text(category, "title", where, log)
            for spot, cell in each(category, "measurements", where, log):
                cells.append(
                    BaselineCell(
                        group_id=text(cell, "groupId", spot, log),
                        class_title=class_title,
                        category=category_title,
                        value=number_of(cell.get("value"), f"{spot}.value", log),
                        dispersion=number_of(cell.get("spread"), f"{spot}.spread", log),
                        lower=number_of(cell.get("lowerLimit"), f"{spot}.lowerLimit", log),
                        upper=number_of(cell.get("upperLimit"), f"{spot}.upperLimit", log),
                    )
                )
    return BaselineMeasure(
        text(measure, "title", path, log),
        text(measure, "unitOfMeasure", path, log),
        terms.parameter(text(measure, "paramType", path, log)),
        kind,
        tuple(cells),
    )


def adverse_events(module: Node, path: str, log: Log) -> AdverseEvents:
    """Adverse events: totals per group, then every term."""
    unknown_keys(module, _EVENT_KEYS, path, log)
    groups: list[NamedGroup] = []
    totals: dict[str, list[AffectedAtRisk]] = {"deaths": [], "serious": [], "other": []}
    for at, group in each(module, "eventGroups", path, log):
        identifier = text(group, "id", at, log)
        groups.append(NamedGroup(identifier, text(group, "title", at, log)))
        for name, found in totals.items():
            affected = count_of(group.get(f"{name}NumAffected"), f"{at}.{name}NumAffected", log)
            at_risk = count_of(group.get(f"{name}NumAtRisk"), f"{at}.{name}NumAtRisk", log)
            if affected is not None or at_risk is not None:
                found.append(AffectedAtRisk(identifier, affected, at_risk))
    events = _terms(module, "seriousEvents", True, path, log) + _terms(module, "otherEvents", False, path, log)
    threshold = text(module, "frequencyThreshold", path, log)
    percent = 0.0 if threshold.lower() == "any" else number_of(threshold or None, f"{path}.frequencyThreshold", log)
    return AdverseEvents(
        tuple(groups),
        tuple(totals["deaths"]),
        tuple(totals["serious"]),
        tuple(totals["other"]),
        tuple(events),
        percent,
        text(module, "timeFrame", path, log),
    )


def _terms(module: Node, key: str, serious: bool, path: str, log: Log) -> list[AdverseEvent]:
    events: list[AdverseEvent] = []
    for at, event in each(module, key, path, log):
        stats = event.get("stats")
        counts: list[AffectedAtRisk] = []
        if type(stats) is not list:
            stats = [] if stats is None else each(event, "stats", at, log)
        for index, stat in enumerate(stats):
            if type(stat) is dict:
                counts.append(_stat(stat, f"{at}.stats[{index}]", log))
            else:
                log.add(f"{at}.stats[{index}]", "not-an-object", f"Expected an object, found {stat!r:.80}.")
        term, system = event.get("term"), event.get("organSystem")
        events.append(
            AdverseEvent(
                clean(term) if type(term) is str else text(event, "term", at, log),
                clean(system) if type(system) is str else text(event, "organSystem", at, log),
                serious,
                tuple(counts),
            )
        )
    return events


def _stat(stat: Node, path: str, log: Log) -> AffectedAtRisk:
    """One group's counts; the common case of plain digits is read without building any path."""
    group, affected, at_risk, events = stat.get("groupId"), stat.get("numAffected"), stat.get("numAtRisk"), stat.get("numEvents")
    return AffectedAtRisk(
        group if type(group) is str else text(stat, "groupId", path, log),
        affected if type(affected) is int and affected >= 0 else count_of(affected, path, log),
        at_risk if type(at_risk) is int and at_risk >= 0 else count_of(at_risk, path, log),
        events if type(events) is int and events >= 0 else None if events is None else count_of(events, path, log),
    )


def results_modules(section: Node, path: str, log: Log) -> tuple[Flow | None, Baseline | None, AdverseEvents | None]:
    """The three modules beside the outcomes; `None` where the record has none."""
    at_flow, at_baseline, at_events = (f"{path}.{key}" for key in _MODULES)
    flow_node, baseline_node, events_node = (child(section, key, path, log) for key in _MODULES)
    return (
        flow(flow_node, at_flow, log) if flow_node else None,
        baseline(baseline_node, at_baseline, log) if baseline_node else None,
        adverse_events(events_node, at_events, log) if events_node else None,
    )


_MODULES = cast(tuple[str, str, str], ("participantFlowModule", "baselineCharacteristicsModule", "adverseEventsModule"))
