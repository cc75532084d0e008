"""Participant flow, baseline and adverse events. v2-shaped objects in, result structs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from deepimagine_tui.trials.concepts import terms
from deepimagine_tui.trials.registry.fields import (
    Log,
    Node,
    child,
    clean,
    count,
    each,
    group_id,
    number,
    shown,
    text,
)
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

_FINISHED = {AffectedAtRisk}


def named_groups(node: Node, key: str, path: str, log: Log) -> tuple[NamedGroup, ...]:
    """The groups of a module."""
    return tuple(NamedGroup(text(item, "id", at, log), text(item, "title", at, log)) for at, item in each(node, key, path, log))


def flow(module: Node, path: str, log: Log) -> Flow:
    """The participant flow, period by period."""
    periods: list[FlowPeriod] = []
    for at, period in each(module, "periods", path, log):
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
                FlowCount(group_id(cell, where, log), count(cell, "numSubjects", where, log))
                for where, cell in each(row, counts, at, log)
            ),
        )
        for at, row in each(period, key, path, log)
    )


def baseline(module: Node, path: str, log: Log) -> Baseline:
    """The baseline characteristics."""
    counts: list[FlowCount] = []
    for at, denom in each(module, "denoms", path, log):
        if text(denom, "units", at, log).lower() in ("participants", ""):
            counts = [
                FlowCount(group_id(cell, where, log), count(cell, "value", where, log))
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
                        group_id=group_id(cell, spot, log),
                        class_title=class_title,
                        category=category_title,
                        value=number(cell, "value", spot, log),
                        dispersion=number(cell, "spread", spot, log),
                        lower=number(cell, "lowerLimit", spot, log),
                        upper=number(cell, "upperLimit", spot, log),
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
    groups: list[NamedGroup] = []
    totals: dict[str, list[AffectedAtRisk]] = {"deaths": [], "serious": [], "other": []}
    for at, group in each(module, "eventGroups", path, log):
        identifier = text(group, "id", at, log)
        groups.append(NamedGroup(identifier, text(group, "title", at, log)))
        for name, found in totals.items():
            affected = count(group, f"{name}NumAffected", at, log)
            at_risk = count(group, f"{name}NumAtRisk", at, log)
            if affected is not None or at_risk is not None:
                found.append(AffectedAtRisk(identifier, affected, at_risk))
    events = _terms(module, "seriousEvents", True, path, log) + _terms(module, "otherEvents", False, path, log)
    threshold = text(module, "frequencyThreshold", path, log)
    percent = 0.0 if threshold.lower() == "any" else None if not threshold else number(module, "frequencyThreshold", path, log)
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
    """The terms of one list. There are thousands in a record, so paths are built only where something is amiss."""
    given = module.get(key)
    if type(given) is not list or not all(type(event) is dict for event in given):
        given = [event for _, event in each(module, key, path, log)]
    events: list[AdverseEvent] = []
    for index, event in enumerate(given):
        term, system, stats = event.get("term"), event.get("organSystem"), event.get("stats")
        if type(term) is not str or type(system) is not str or type(stats) is not list:
            at = f"{path}.{key}[{index}]"
            term, system = text(event, "term", at, log), text(event, "organSystem", at, log)
            stats = [stat for _, stat in each(event, "stats", at, log)]
        counts = cast("list[AffectedAtRisk]", stats)
        if set(map(type, stats)) != _FINISHED:
            counts = _stats(stats, f"{path}.{key}[{index}]", log)
        events.append(AdverseEvent(clean(term), clean(system), serious, tuple(counts)))
    return events


def _stats(stats: Sequence[object], path: str, log: Log) -> list[AffectedAtRisk]:
    """The counts of groups, of which the format need not have given each as such."""
    found: list[AffectedAtRisk] = []
    for index, stat in enumerate(stats):
        at = f"{path}.stats[{index}]"
        if type(stat) is AffectedAtRisk:
            found.append(stat)
        elif type(stat) is dict:
            affected, at_risk = count(stat, "numAffected", at, log), count(stat, "numAtRisk", at, log)
            found.append(AffectedAtRisk(group_id(stat, at, log), affected, at_risk, count(stat, "numEvents", at, log)))
        else:
            log.add(at, "not-an-object", f"Expected an object, found {shown(stat)}.")
    return found


def results_modules(section: Node, path: str, log: Log) -> tuple[Flow | None, Baseline | None, AdverseEvents | None]:
    """The three modules beside the outcomes; `None` where the record has none."""
    flow_node = child(section, "participantFlowModule", path, log)
    baseline_node = child(section, "baselineCharacteristicsModule", path, log)
    events_node = child(section, "adverseEventsModule", path, log)
    return (
        flow(flow_node, f"{path}.participantFlowModule", log) if flow_node else None,
        baseline(baseline_node, f"{path}.baselineCharacteristicsModule", log) if baseline_node else None,
        adverse_events(events_node, f"{path}.adverseEventsModule", log) if events_node else None,
    )
