"""Beside a dose what-if: serious events and discontinuations of the nearest studied arms. All of it observed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from deepimagine_tui.errors import DeepImagineError
from deepimagine_tui.reasoning.describe import dose_text
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import NamedGroup
from deepimagine_tui.trials.units import dose_ratio, find_doses
from deepimagine_tui.tui.show import clip, inert

NEAREST = 3


def nearest_safety(trial: Trial, target: Dose, width: int) -> Content:
    """The arms with the doses nearest to `target`, and the controls: who had serious events, who left."""
    groups: dict[str, tuple[float, str, str, str]] = {}
    events, flow = trial.adverse_events, trial.flow
    for group in events.groups if events else ():
        counts = next((each for each in events.serious if each.group_id == group.id), None) if events else None
        serious = f"{counts.affected}/{counts.at_risk}" if counts and counts.affected is not None else "–"
        groups[_key(group)] = (_distance(trial, group, target), _name(trial, group), serious, "–")
    if flow is not None and flow.periods:
        for group in flow.groups:
            left = _left(trial, group.id)
            old = groups.get(_key(group), (_distance(trial, group, target), _name(trial, group), "–", "–"))
            groups[_key(group)] = (*old[:3], left)
    chosen = sorted(groups.values())[: NEAREST + 1]
    if not chosen:
        return Content.styled("No adverse events or flow were posted.", "dim")
    label = max(min(max(len(title) for _, title, _, _ in chosen), width - 18), 10)
    lines = [
        Content.styled(clip("Nearest studied arms, observed", width), "bold"),
        Content.styled(f"{'':<{label}}  {'serious':>7}  {'left':>7}", "dim"),
    ]
    lines += [Content(f"{clip(title, label):<{label}}  {serious:>7}  {left:>7}") for _, title, serious, left in chosen]
    return Content("\n").join(lines)


def _key(group: NamedGroup) -> str:
    return " ".join(inert(group.title).lower().split())


def _distance(trial: Trial, group: NamedGroup, target: Dose) -> float:
    """How many times the group's dose is away from the target's; controls come after the doses."""
    near = [abs(ratio - 1) for ratio in _ratios(_doses(trial, group), target)]
    return min(near, default=1e6)


def _name(trial: Trial, group: NamedGroup) -> str:
    """The dose where the group has one only, else its title."""
    doses = _doses(trial, group)
    return dose_text(doses[0]) if len(doses) == 1 else inert(group.title)


def _doses(trial: Trial, group: NamedGroup) -> Sequence[Dose]:
    for arm in trial.arms:
        if arm.label.lower().strip() == group.title.lower().strip() and arm.doses:
            return arm.doses
    return find_doses(group.title, trial.interventions)


def _ratios(doses: Sequence[Dose], target: Dose) -> list[float]:
    found = []
    for dose in doses:
        try:
            found.append(dose_ratio(dose, target))
        except DeepImagineError:
            # Another agent, route or basis: not near in any sense.
            continue
    return found


def _left(trial: Trial, group_id: str) -> str:
    started = completed = None
    for period in trial.flow.periods if trial.flow else ():
        for row in period.milestones:
            count = next((each.count for each in row.counts if each.group_id == group_id), None)
            if row.name.lower() == "started" and started is None:
                started = count
            if row.name.lower() == "completed":
                completed = count if count is not None else completed
    return "–" if started is None or completed is None else f"{started - completed}/{started}"
