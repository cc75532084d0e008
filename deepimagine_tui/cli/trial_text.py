"""A trial as lines of text: what was registered, and what was posted with its place in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deepimagine_tui.cli.console import mark, table
from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.reasoning.describe import dose_text, geography_text, number_text
from deepimagine_tui.text import one_line
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import Cell, Contrast, Outcome

if TYPE_CHECKING:
    from deepimagine_tui.corpus.query import Provenance


def trial_lines(
    trial: Trial, provenance: Provenance, *, outcome: str | None = None, everything: bool = False, problems: bool = False
) -> list[str]:
    """The whole trial; with `outcome`, only the outcomes whose title contains it; with `problems`, what was not understood.

    Raises:
        NotFoundError: no outcome's title contains `outcome`.
    """
    if outcome is not None:
        found = [one for one in trial.outcomes if outcome.casefold() in one.title.casefold()]
        if not found:
            titles = "; ".join(one_line(one.title) for one in trial.outcomes[:6]) or "it posted none"
            raise NotFoundError(f"{trial.nct_id} has no outcome with {outcome!r} in its title.", f"Its outcomes: {titles}.")
        return [line for one in found for line in ("", *_outcome(one))][1:]
    lines = [*_head(trial, provenance), "", *_arms(trial)]
    if trial.countries:
        lines += ["", f"Where    {geography_text(trial.countries)}"]
    for one in trial.outcomes:
        if everything or one.role == "primary":
            lines += ["", *_outcome(one)]
    lines += _others(trial, everything=everything)
    lines += _safety(trial)
    if problems:
        lines += ["", f"Not understood: {len(trial.problems)}"]
        lines += [f"  {problem.code}  {problem.path}: {one_line(problem.detail)}" for problem in trial.problems]
    elif trial.problems:
        lines += ["", f"{len(trial.problems)} things in this record were not understood; --problems lists them."]
    return lines


def _head(trial: Trial, provenance: Provenance) -> Iterator[str]:
    yield f"{trial.nct_id}  {one_line(trial.title)}"
    phase = f"phase {'/'.join(trial.phases)}" if trial.phases else "no phase"
    size = f"n {trial.enrolment} ({trial.enrolment_kind})" if trial.enrolment is not None else "n unknown"
    facts = ["; ".join(trial.conditions), phase, trial.status, trial.masking, size, trial.sponsor]
    yield one_line(" · ".join(fact for fact in facts if fact))
    posted = trial.results_posted.text if trial.results_posted else "no results posted"
    yield f"Results posted {posted}; source {one_line(provenance.source)}, read {provenance.imported_at}"


def _arms(trial: Trial) -> Iterator[str]:
    rows = [
        (arm.label, arm.type, "; ".join(arm.interventions), "; ".join(dose_text(dose) for dose in arm.doses) or "-")
        for arm in trial.arms
    ]
    if rows:
        yield from table(("ARM", "TYPE", "GIVEN", "DOSES"), rows, stretch=2).splitlines()
    else:
        yield "No arms are registered."


def _outcome(outcome: Outcome) -> Iterator[str]:
    unit = f", {outcome.unit}" if outcome.unit else ""
    benefit = "direction of benefit unknown" if outcome.benefit == "unknown" else f"{outcome.benefit} is better"
    yield one_line(f"{outcome.title}{unit} ({outcome.role}; {benefit})")
    yield "  " + one_line(f"{outcome.parameter or 'value'}, {outcome.time_frame or 'time frame not stated'} <{outcome.id}>")
    rows = [
        (
            mark("observed"),
            group.title,
            " / ".join(part for part in (cell.class_title, cell.category) if part),
            _value(cell),
            _spread(cell, outcome),
            "" if cell.n is None else f"n {cell.n}",
            f"{group.id}",
        )
        for cell in outcome.cells
        for group in (outcome.group(cell.group_id),)
    ]
    if rows:
        yield from (f"  {line}" for line in table(("", "GROUP", "", "VALUE", "", "", ""), rows, numeric=(3,)).splitlines())
    else:
        yield "  no value was posted"
    for contrast in outcome.contrasts:
        yield f"  {mark('observed')}  {one_line(_contrast(contrast, outcome))}"


def _value(cell: Cell) -> str:
    return cell.state if cell.value is None else number_text(cell.value)


def _spread(cell: Cell, outcome: Outcome) -> str:
    parts = []
    if cell.dispersion is not None:
        parts.append(f"{outcome.dispersion_kind} {number_text(cell.dispersion)}")
    if cell.lower is not None or cell.upper is not None:
        limits = ", ".join("" if limit is None else number_text(limit) for limit in (cell.lower, cell.upper))
        level = f"{number_text(outcome.dispersion_level)}% " if outcome.dispersion_level else ""
        parts.append(f"[{limits}] {level}{outcome.dispersion_kind}")
    return " ".join(parts)


def _contrast(contrast: Contrast, outcome: Outcome) -> str:
    titles = [group.title for group in outcome.groups if group.id in contrast.group_ids]
    parts = [f"{' against '.join(titles)}:"]
    if contrast.estimate is not None:
        orientation = {
            "a-b": "first minus second",
            "b-a": "second minus first",
            "a/b": "first / second",
            "b/a": "second / first",
        }
        which = orientation.get(contrast.orientation, "which minus which is not known")
        parts.append(f"{contrast.scale or contrast.kind} {number_text(contrast.estimate)} ({which})")
    if contrast.interval:
        limits = ", ".join(
            "" if limit is None else number_text(limit) for limit in (contrast.interval.lower, contrast.interval.upper)
        )
        level = number_text(contrast.interval.level) if contrast.interval.level else "?"
        parts.append(f"[{limits}] {level}% CI posted")
    if contrast.p:
        parts.append(f"p {contrast.p.operator} {number_text(contrast.p.value)}")
    parts.append(contrast.hypothesis)
    return " ".join(parts)


def _others(trial: Trial, *, everything: bool) -> Iterator[str]:
    others = [one for one in trial.outcomes if one.role != "primary"]
    if others and not everything:
        yield ""
        yield f"{len(others)} more outcomes (--outcome TEXT or --all shows them):"
        yield from (f"  {one_line(one.title)} ({len(one.cells)} values)" for one in others)
    if not trial.outcomes and trial.planned_outcomes:
        yield ""
        yield "Planned outcomes (no results posted):"
        yield from (f"  {one.role}: {one_line(one.title)}, {one_line(one.time_frame)}" for one in trial.planned_outcomes)


def _safety(trial: Trial) -> Iterator[str]:
    events = trial.adverse_events
    if events is None:
        return
    titles = {group.id: group.title for group in events.groups}
    deaths = {count.group_id: count for count in events.deaths}
    rows = []
    for serious in events.serious:
        died = deaths.get(serious.group_id)
        rows.append(
            (
                mark("observed"),
                titles.get(serious.group_id, serious.group_id),
                f"{_count(serious.affected)} of {_count(serious.at_risk)}",
                f"{_count(died.affected)} of {_count(died.at_risk)}" if died else "-",
                serious.group_id,
            )
        )
    if rows:
        yield ""
        yield from table(("", "SAFETY", "SERIOUS EVENTS", "DEATHS", ""), rows).splitlines()


def _count(value: int | None) -> str:
    return "?" if value is None else str(value)
