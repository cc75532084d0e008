"""Marked runs side by side: what differs between them, what they imagined, and how much each factor moved the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual.content import Content

from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.request import Forecast
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.reasoning.summary import (
    describe_configuration,
    describe_perturbation,
    format_contrast,
    format_met,
    format_number,
)
from deepimagine_tui.tui.show import clip, digits, inert
from deepimagine_tui.tui.trajectory import effect_of


class Moved(NamedTuple):
    """How far one step moved the effect; `letter` names the run."""

    letter: str
    change: str
    by: float
    unit: str


class Row(NamedTuple):
    """One line of the comparison: its name, one text a run, and whether the texts differ."""

    name: str
    texts: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ here."""
        return len(set(self.texts)) > 1


def letters(count: int) -> str:
    """`A`, `B`, … for that many runs."""
    return "".join(chr(ord("A") + index) for index in range(count))


def comparison(graphs: Sequence[ReasoningGraph]) -> list[Row]:
    """What was asked and what came of it, a row each; rows that all runs leave empty are left out."""
    columns = [dict(_facts(graph)) for graph in graphs]
    names = dict.fromkeys(name for column in columns for name in column)
    rows = [Row(name, tuple(column.get(name, "") for column in columns)) for name in names]
    return [row for row in rows if any(row.texts)]


def _facts(graph: ReasoningGraph) -> Iterator[tuple[str, str]]:
    started = graph.started
    if started is None:
        return
    request, model = started.request, started.model
    yield "Question", "forecast" if isinstance(request.question, Forecast) else "what-if"
    first = graph.pathways[0] if graph.pathways else None
    if isinstance(request.question, Forecast):
        yield "Target", describe_configuration(request.question.target)
        yield "Anchors", str(len(graph.pathways))
    elif first is not None:
        yield "From", f"{first.anchor.state.nct_id}, {describe_configuration(first.anchor.state.configuration)}"
        for index, step in enumerate(first.steps, 1):
            yield f"Change {index}", describe_perturbation(step.planned.perturbation)
    yield "Model", "demo, no model" if model.demo else " + ".join(part for part in (model.name, model.adapter) if part)
    yield "Seed", str(request.settings.seed)
    yield "Prompts", started.prompt_version
    yield "Corpus", f"{started.corpus_name}, data to {started.data_date}"
    if first is not None and not isinstance(request.question, Forecast):
        yield from _results("", first.anchor.state)
        if len(first.states) > 1:
            yield from _results("After: ", first.states[-1])
    total = graph.aggregated
    if total is not None:
        yield "After: arm", format_number(total.arm_value) if total.arm_value else ""
        yield "After: verdict", format_met(total.met) if total.met else ""


def _results(prefix: str, state: State) -> Iterator[tuple[str, str]]:
    yield f"{prefix}arm".capitalize(), format_number(state.arm_value) if state.arm_value else ""
    yield f"{prefix}comparator".capitalize(), format_number(state.comparator_value) if state.comparator_value else ""
    yield f"{prefix}contrast".capitalize(), format_contrast(state.contrast) if state.contrast else ""
    yield f"{prefix}verdict".capitalize(), format_met(state.met) if state.met else ""


def movements(graphs: Sequence[ReasoningGraph]) -> list[Moved]:
    """How far each answered step of each what-if moved the effect, the largest first within each unit."""
    found = []
    for letter, graph in zip(letters(len(graphs)), graphs, strict=True):
        if graph.started is None or isinstance(graph.started.request.question, Forecast) or not graph.pathways:
            continue
        pathway = graph.pathways[0]
        for index, step in enumerate(pathway.steps[: len(pathway.states) - 1]):
            before, after = effect_of(pathway.states[index]), effect_of(pathway.states[index + 1])
            if before is None or after is None or before.value is None or after.value is None:
                continue
            change = step.planned.perturbation
            name = f"{change.factor.replace('_', ' ')}: {change.before} -> {change.after}"
            found.append(Moved(letter, name, after.value - before.value, after.unit))
    return sorted(found, key=lambda moved: (moved.unit, -abs(moved.by), moved.change))


def tornado(moves: Sequence[Moved], width: int) -> Content:
    """The movements as bars around zero, one scale a unit, the largest on top."""
    if not moves:
        return Content.styled("No step of these runs has an effect to compare.", "dim")
    label = max(min(max(len(inert(move.change)) for move in moves) + 2, width // 2), 12)
    half = max((width - label - 10) // 2, 4)
    lines = [Content.styled("How far each change moved the imagined effect", "bold")]
    for unit in dict.fromkeys(move.unit for move in moves):
        same = [move for move in moves if move.unit == unit]
        most = max(abs(move.by) for move in same) or 1.0
        lines.append(Content.styled(f"{'':<{label}}{inert(unit) or 'no unit'}", "dim"))
        for move in same:
            cells = round(abs(move.by) / most * half)
            left = ("░" * cells).rjust(half) if move.by < 0 else " " * half
            right = "░" * cells if move.by > 0 else ""
            name = clip(f"{move.letter} {move.change}", label - 1)
            sign = "+" if move.by > 0 else ""
            lines.append(
                Content.assemble(
                    (f"{name:<{label}}", "italic"),
                    (left, "$primary"),
                    "│",
                    (f"{right:<{half}}", "$primary"),
                    f" {sign}{digits(move.by)}",
                )
            )
    lines.append(Content.styled("○ all imagined: differences between one state of a chain and the next", "dim"))
    return Content("\n").join(lines)
