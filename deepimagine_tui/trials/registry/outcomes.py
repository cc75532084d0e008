"""Posted outcomes: groups, classes and cells. v2-shaped objects in, result structs out."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from deepimagine_tui.trials.concepts import measures, terms
from deepimagine_tui.trials.concepts.axes import class_axis
from deepimagine_tui.trials.concepts.benefits import benefit
from deepimagine_tui.trials.concepts.time_points import time_point, weeks
from deepimagine_tui.trials.registry.cells import CellReader
from deepimagine_tui.trials.registry.contrasts import contrasts
from deepimagine_tui.trials.registry.fields import Log, Node, each, text
from deepimagine_tui.trials.registry.groups import GroupReader
from deepimagine_tui.trials.results import Cell, Outcome, ResultGroup, TimePoint


class Plan(msgspec.Struct, frozen=True):
    """What the protocol section says that the results are read against."""

    nct_id: str
    arm_labels: tuple[str, ...]
    intervention_names: tuple[str, ...]
    groups: GroupReader


def outcomes(module: Node, path: str, plan: Plan, log: Log) -> tuple[Outcome, ...]:
    """Every outcome of the module, each with an id that does not change when others are added."""
    seen: Counter[str] = Counter()
    found: list[Outcome] = []
    for at, node in each(module, "outcomeMeasures", path, log):
        found.append(_outcome(node, at, plan, seen, log))
    return tuple(found)


def _outcome(node: Node, at: str, plan: Plan, seen: Counter[str], log: Log) -> Outcome:
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
    cells = CellReader(kind, unit, node, at, log).read(classes, titles, is_time=axis == "time")
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


def _check_groups(cells: tuple[Cell, ...], groups: tuple[ResultGroup, ...], at: str, log: Log) -> None:
    known = {group.id for group in groups}
    if len(known) != len(groups):
        log.add(f"{at}.groups", "duplicate-group-id", "Two groups have one id.")
    for strange in sorted({cell.group_id for cell in cells} - known):
        log.add(f"{at}.classes", "unknown-group", f"Cells of group {strange!r}, which the outcome does not define.")
