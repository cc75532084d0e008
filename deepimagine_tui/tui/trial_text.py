"""What a trial says beside its results, as texts: safety, baseline, flow, design. Every posted number is observed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from deepimagine_tui.reasoning.describe import amount_text, population_text
from deepimagine_tui.reasoning.specs import population_of
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import AdverseEvent, AffectedAtRisk, NamedGroup
from deepimagine_tui.tui.show import clip, inert, posted

MOST_EVENTS = 60
_MOST_HEAD = 14


def head(trial: Trial) -> Content:
    """Title, condition, phase, countries, size: three lines."""
    countries = len(trial.countries)
    where = trial.countries[0].country if countries == 1 else f"{countries} countries" if countries else ""
    phase = f"phase {' / '.join(trial.phases)}" if trial.phases else ""
    size = f"n {trial.enrolment}" if trial.enrolment is not None else ""
    facts = [*(inert(each) for each in trial.conditions[:2]), phase, where, size, trial.status]
    return Content.assemble((inert(trial.title), "bold"), "\n", (" · ".join(fact for fact in facts if fact), "$foreground 80%"))


def safety(trial: Trial, width: int) -> Content:
    """Adverse events: affected / at risk per arm."""
    events = trial.adverse_events
    if events is None:
        return Content("No adverse events were posted.")
    lines = _legend(events.groups)
    names = [short for short, _ in _short_names(events.groups)]
    table = [["", *names]]
    for title, counts in (("All-cause deaths", events.deaths), ("Serious", events.serious), ("Other", events.other)):
        if counts:
            table.append([title, *_counts(events.groups, counts)])
    lines += _table(table, width, bold_rows=1)
    for serious, title in ((True, "Serious events"), (False, "Other events")):
        some = sorted((each for each in events.events if each.serious is serious), key=_affected, reverse=True)
        if some:
            more = f", the {MOST_EVENTS} most frequent of {len(some)}" if len(some) > MOST_EVENTS else ""
            lines += [Content(""), Content.styled(f"{title}, affected / at risk{more}", "bold")]
            rows = [[inert(each.term), *_counts(events.groups, each.counts)] for each in some[:MOST_EVENTS]]
            lines += _table([["", *names], *rows], width, bold_rows=1)
    notes = []
    if events.time_frame:
        notes.append(f"Time frame: {inert(events.time_frame)}")
    if events.frequency_threshold:
        notes.append(f"Other events are listed from {events.frequency_threshold:g}% on.")
    return Content("\n").join([*lines, Content(""), *(Content.styled(note, "dim") for note in notes)])


def _affected(event: AdverseEvent) -> int:
    return sum(count.affected or 0 for count in event.counts)


def _counts(groups: Sequence[NamedGroup], counts: Sequence[AffectedAtRisk]) -> list[str]:
    by_group = {count.group_id: count for count in counts}
    return [_fraction(by_group.get(group.id)) for group in groups]


def _fraction(count: AffectedAtRisk | None) -> str:
    if count is None or count.affected is None:
        return "–"
    return f"{count.affected}/{count.at_risk}" if count.at_risk is not None else str(count.affected)


def baseline(trial: Trial, width: int) -> Content:
    """Baseline characteristics per group."""
    if trial.baseline is None:
        return Content("No baseline characteristics were posted.")
    groups = trial.baseline.groups
    names = [short for short, _ in _short_names(groups)]
    counts = {count.group_id: count.count for count in trial.baseline.counts}
    table = [["", *names], ["Participants", *(_count(counts.get(group.id)) for group in groups)]]
    for measure in trial.baseline.measures:
        unit = f", {inert(measure.unit)}" if measure.unit else ""
        table.append([f"{inert(measure.title)}{unit}", *("" for _ in groups)])
        cells = {(cell.class_title, cell.category, cell.group_id): cell for cell in measure.cells}
        for class_title, category in dict.fromkeys((cell.class_title, cell.category) for cell in measure.cells):
            label = " · ".join(inert(part) for part in (class_title, category) if part) or inert(measure.parameter)
            row = [f"  {label}"]
            for group in groups:
                cell = cells.get((class_title, category, group.id))
                if cell is None or cell.value is None:
                    row.append("–")
                else:
                    spread = f" ({posted(cell.dispersion)})" if cell.dispersion is not None else ""
                    row.append(f"{posted(cell.value)}{spread}")
            table.append(row)
    return Content("\n").join([*_legend(groups), *_table(table, width, bold_rows=1)])


def _count(count: int | None) -> str:
    return "–" if count is None else str(count)


def flow(trial: Trial, width: int) -> Content:
    """Who started, completed and left, and why."""
    if trial.flow is None:
        return Content("No participant flow was posted.")
    groups = trial.flow.groups
    names = [short for short, _ in _short_names(groups)]
    lines = _legend(groups)
    for period in trial.flow.periods:
        lines += [Content(""), Content.styled(inert(period.title), "bold")] if len(trial.flow.periods) > 1 else []
        table = [["", *names]]
        for rows, indent in ((period.milestones, ""), (period.dropouts, "  left: ")):
            for row in rows:
                counts = {count.group_id: count.count for count in row.counts}
                table.append([f"{indent}{inert(row.name)}", *(_count(counts.get(group.id)) for group in groups)])
        lines += _table(table, width, bold_rows=1)
    return Content("\n").join(lines)


def design(trial: Trial) -> Content:
    """How the trial was planned: arms, doses, design, who could enrol, where."""
    lines: list[Content] = []

    def fact(name: str, *values: str) -> None:
        said = ", ".join(inert(value) for value in values if value)
        if said:
            lines.append(Content.assemble((f"{name}  ", "bold"), said))

    fact("Sponsor", trial.sponsor, trial.sponsor_class)
    fact("Design", trial.allocation, trial.intervention_model, trial.masking, trial.purpose)
    started = trial.start.text if trial.start else ""
    completed = trial.completion.text if trial.completion else ""
    fact("Dates", started and f"start {started}", completed and f"completion {completed}")
    fact("Enrolment", str(trial.enrolment) if trial.enrolment is not None else "", trial.enrolment_kind)
    fact("Population", population_text(population_of(trial)))
    fact("Countries", *(_sites(each.country, each.sites) for each in trial.countries))
    if trial.arms:
        lines += [Content(""), Content.styled("Arms", "bold")]
    for arm in trial.arms:
        doses = ", ".join(f"{inert(dose.intervention)} {amount_text(dose)}" for dose in arm.doses)
        lines.append(Content.assemble(f"· {inert(arm.label)} ", (f"({arm.type}) ", "dim"), (doses, "$foreground 80%")))
    if trial.planned_outcomes:
        lines += [Content(""), Content.styled("Planned outcomes", "bold")]
    lines += [
        Content.assemble(
            f"· {inert(each.title)} ", (f"({'; '.join(inert(part) for part in (each.role, each.time_frame) if part)})", "dim")
        )
        for each in trial.planned_outcomes
    ]
    if trial.problems:
        lines += [Content(""), Content.styled("Not understood in this record", "bold")]
        lines += [
            Content.styled("· " + ": ".join(inert(part) for part in (each.path, each.detail) if part), "dim")
            for each in trial.problems[:20]
        ]
    return Content("\n").join(lines)


def _sites(country: str, sites: int) -> str:
    return f"{country} ({sites})" if sites else country


def _short_names(groups: Sequence[NamedGroup]) -> list[tuple[str, str]]:
    return [(chr(ord("A") + index % 26), inert(group.title)) for index, group in enumerate(groups)]


def _legend(groups: Sequence[NamedGroup]) -> list[Content]:
    return [*(Content.assemble((f"{short} ", "bold $primary"), title) for short, title in _short_names(groups)), Content("")]


def _table(rows: Iterable[list[str]], width: int, bold_rows: int) -> list[Content]:
    table = list(rows)
    widths = [max((len(row[column]) for row in table), default=0) for column in range(1, len(table[0]))]
    first = max(min(max(len(row[0]) for row in table), width - sum(widths) - 2 * len(widths)), _MOST_HEAD)
    lines = []
    for index, row in enumerate(table):
        text = f"{clip(row[0], first) if row[0].strip() else '':<{first}}"
        if row[0].startswith("  "):
            text = f"{'  ' + clip(row[0], first - 2):<{first}}"
        for value, column in zip(row[1:], widths, strict=True):
            text += f"  {value:>{column}}"
        lines.append(Content.styled(text, "bold" if index < bold_rows else ""))
    return lines
