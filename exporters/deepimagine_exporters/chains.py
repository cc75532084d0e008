"""The measured parts of a reasoning graph's figure: anchors, and for each pathway its labels, cards and posted results."""

from __future__ import annotations

import msgspec

from deepimagine_exporters.blocks import BODY, SMALL, Laid, lay
from deepimagine_exporters.cards import anchor_card, posted_card, step_card
from deepimagine_exporters.network import anchor_node
from deepimagine_exporters.provenance import factor_name
from deepimagine_exporters.sheet import GREY, INK, Dash, Sheet, Style, width_of, wrap
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.text import one_line

NOTE = Style(SMALL, colour=GREY)
BESIDE = 0.75
"""The room between a card and the posted result at its side, in inches."""

_FACTOR = Style(BODY, bold=True)
_CHANGE = Style(BODY)
_REASON = Style(SMALL, italic=True, colour=GREY)
_REASON_LINES = 5
_CHANGE_LINES = 5


class Label(msgspec.Struct, frozen=True):
    """The text on an arrow: the factor, before → after, and the model's reasons where there is room for them."""

    lines: tuple[tuple[str, Style], ...]

    @property
    def width(self) -> float:
        """In inches."""
        return max(width_of(text, style) for text, style in self.lines)

    @property
    def height(self) -> float:
        """In inches."""
        return sum(style.line for _, style in self.lines)

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        """Write it with its top left corner at (x, y)."""
        for text, style in self.lines:
            sheet.text(x, y, text, style)
            y += style.line


class Chain(msgspec.Struct, frozen=True):
    """A pathway without its anchor: for each step a label, a card, the posted result if any, and how its arrow is drawn."""

    labels: tuple[Label, ...]
    cards: tuple[Laid, ...]
    posted: tuple[Laid | None, ...]
    dashes: tuple[Dash, ...]


def chain_of(graph: ReasoningGraph, view: PathwayView, label_width: float, *, single: bool, across: bool) -> Chain:
    """The measured chain of one pathway; a `single` one has full cards and the model's reasons."""
    width = 3.4 if single else 1.6
    return Chain(
        tuple(_label(step, label_width, reasons=single) for step in view.steps),
        tuple(lay(step_card(graph, step, compact=not single), width) for step in view.steps),
        tuple(lay(posted_card(step.revealed, compact=across)) if step.revealed else None for step in view.steps),
        tuple("solid" if step.estimated else "dotted" for step in view.steps),
    )


def anchors_of(graph: ReasoningGraph, *, single: bool) -> dict[str, tuple[Laid, list[int]]]:
    """Each anchor's card, and the pathways that start at it."""
    members: dict[str, list[int]] = {}
    for index in range(len(graph.pathways)):
        members.setdefault(anchor_node(graph, index), []).append(index)
    found = {}
    for node, indices in members.items():
        number = str(indices[0] + 1) if len(indices) == 1 and not single else ""
        card = anchor_card(graph, graph.pathways[indices[0]].anchor, number, compact=not single)
        found[node] = (lay(card, 3.4 if single else 2.2), indices)
    return found


def join_posted(sheet: Sheet, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Join a card and the posted result at its side."""
    sheet.line([start, end], colour=INK, dash="dotted")
    sheet.text((start[0] + end[0]) / 2, start[1] - NOTE.line - 0.02, "compare", NOTE, "centre")


def width_or_zero(card: Laid | None) -> float:
    """The width of a card, if there is one."""
    return card.width if card else 0.0


def height_or_zero(card: Laid | None) -> float:
    """The height of a card, if there is one."""
    return card.height if card else 0.0


def _label(step: StepView, width: float, *, reasons: bool) -> Label:
    perturbation = step.planned.perturbation
    lines = [(f"{step.planned.step + 1} {factor_name(perturbation.factor)}", _FACTOR)]
    change = f"{one_line(perturbation.before)} → {one_line(perturbation.after)}"
    lines += [(line, _CHANGE) for line in wrap(change, _CHANGE, width, _CHANGE_LINES)]
    reasoning = step.estimated.reasoning if step.estimated else ""
    if reasoning and reasons:
        lines += [(line, _REASON) for line in wrap(reasoning, _REASON, width, _REASON_LINES)]
    return Label(tuple(lines))
