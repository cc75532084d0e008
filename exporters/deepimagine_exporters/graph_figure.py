"""The reasoning graph as a figure: states are cards, steps are labelled arrows, in layers.

One pathway runs from top to bottom with the model's reasons beside the arrows; several run from left to right, a row each,
into their aggregate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from deepimagine_exporters.blocks import BODY, SMALL, Laid, draw, lay
from deepimagine_exporters.cards import aggregate_card, anchor_card, posted_card, step_card
from deepimagine_exporters.marks import MIN_WIDTH, draw_footer, draw_header, finish
from deepimagine_exporters.network import anchor_node, arrived_shares, run_network
from deepimagine_exporters.provenance import factor_name
from deepimagine_exporters.sheet import GREY, INK, Dash, Sheet, Style, width_of, wrap
from deepimagine_exporters.words import met_how
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.graph import ReasoningGraph, StepView
from deepimagine_tui.reasoning.summary import format_probability
from deepimagine_tui.text import one_line

if TYPE_CHECKING:
    import networkx as nx

NO_ANCHOR = "This run has no anchor to draw."
_FACTOR = Style(BODY, bold=True)
_CHANGE = Style(BODY)
_REASON = Style(SMALL, italic=True, colour=GREY)
_EXPLAIN = ("k1: arm, k2: comparator. P(met): the probability that the trial as configured would post a met superiority test.",)


class _Label(msgspec.Struct, frozen=True):
    """The text on an arrow."""

    lines: tuple[tuple[str, Style], ...]

    @property
    def width(self) -> float:
        return max(width_of(text, style) for text, style in self.lines)

    @property
    def height(self) -> float:
        return sum(style.line for _, style in self.lines)

    def draw(self, sheet: Sheet, x: float, y: float) -> None:
        for text, style in self.lines:
            sheet.text(x, y, text, style)
            y += style.line


def _label(step: StepView, width: float, reason_lines: int) -> _Label:
    perturbation = step.planned.perturbation
    lines = [(f"{step.planned.step + 1} {factor_name(perturbation.factor)}", _FACTOR)]
    change = f"{one_line(perturbation.before)} → {one_line(perturbation.after)}"
    lines += [(line, _CHANGE) for line in wrap(change, _CHANGE, width, 5)]
    reasoning = step.estimated.reasoning if step.estimated else ""
    if reasoning and reason_lines:
        lines += [(line, _REASON) for line in wrap(reasoning, _REASON, width, reason_lines)]
    return _Label(tuple(lines))


def draw_graph(graph: ReasoningGraph) -> Sheet:
    """The reasoning graph of a run.

    Raises:
        RefusedError: the run has no anchor.
    """
    if not graph.pathways:
        raise RefusedError(NO_ANCHOR, graph.finished.message if graph.finished else "")
    network = run_network(graph)
    sheet = Sheet()
    if len(graph.pathways) == 1 and graph.aggregated is None:
        _draw_down(sheet, graph)
    else:
        _draw_across(sheet, graph, network)
    finish(sheet, graph)
    return sheet


def _draw_down(sheet: Sheet, graph: ReasoningGraph) -> None:
    view = graph.pathways[0]
    cards = [lay(anchor_card(graph, view.anchor, ""), 3.4), *(lay(step_card(graph, step), 3.4) for step in view.steps)]
    posted = [lay(posted_card(step.revealed)) if step.revealed else None for step in view.steps]
    card_width = max(card.width for card in cards)
    beside = 0.75
    width = max(MIN_WIDTH, card_width + max((beside + card.width for card in posted if card), default=0.0))
    y = draw_header(sheet, graph, width)
    spine = card_width * 0.12
    bottom = draw(sheet, cards[0], 0, y, card_width).bottom
    for step, card, revealed in zip(view.steps, cards[1:], posted, strict=True):
        label = _label(step, width - spine - 0.2, 5)
        top = bottom + label.height + 0.3
        label.draw(sheet, spine + 0.18, bottom + 0.13)
        sheet.arrow([(spine, bottom), (spine, top)], dash="solid" if step.estimated else "dotted")
        rect = draw(sheet, card, 0, top, card_width)
        bottom = rect.bottom
        if revealed:
            side = draw(sheet, revealed, rect.right + beside, rect.y)
            _join_posted(sheet, (rect.right, min(rect.middle, side.middle)), (side.x, min(rect.middle, side.middle)))
            bottom = max(bottom, side.bottom)
    draw_footer(sheet, graph, bottom, width, _EXPLAIN)


def _join_posted(sheet: Sheet, start: tuple[float, float], end: tuple[float, float]) -> None:
    sheet.line([start, end], colour=INK, dash="dotted")
    style = Style(SMALL, colour=GREY)
    middle = (start[0] + end[0]) / 2
    sheet.text(middle, start[1] - style.line - 0.02, "compare", style, "centre")


class _Row(msgspec.Struct, frozen=True):
    """The cards of one pathway from its first own column on, and the posted results under them."""

    labels: tuple[_Label, ...]
    cards: tuple[Laid, ...]
    posted: tuple[Laid | None, ...]

    @property
    def height(self) -> float:
        under = zip(self.cards, self.posted, strict=True)
        cards = max((card.height + (0.22 + extra.height if extra else 0) for card, extra in under), default=0.0)
        return max(cards, *(2 * label.height + 0.1 for label in self.labels), 0.0)

    @property
    def centre(self) -> float:
        """The distance from the top of the row to its arrows."""
        cards = max((card.height for card in self.cards), default=0.0)
        return max(cards / 2, *(label.height + 0.05 for label in self.labels), 0.0)


def _draw_across(sheet: Sheet, graph: ReasoningGraph, network: nx.DiGraph) -> None:
    import networkx as nx

    beside = [node for node, kind in network.nodes(data="kind") if kind in ("posted", "aggregate")]
    chain = network.copy()
    chain.remove_nodes_from(beside)
    columns = len(list(nx.topological_generations(chain)))
    rows = [
        _Row(
            tuple(_label(step, 1.25, 0) for step in view.steps),
            tuple(lay(step_card(graph, step, compact=True), 1.6) for step in view.steps),
            tuple(lay(posted_card(step.revealed)) if step.revealed else None for step in view.steps),
        )
        for view in graph.pathways
    ]
    anchors = {
        anchor_node(graph, index): lay(anchor_card(graph, view.anchor, str(index + 1), compact=True), 2.2)
        for index, view in enumerate(graph.pathways)
    }
    widths = [max(card.width for card in anchors.values())]
    gaps: list[float] = []
    for column in range(columns - 1):
        here = [row for row in rows if len(row.cards) > column]
        widths.append(max(max(row.cards[column].width, _width(row.posted[column])) for row in here))
        gaps.append(max(row.labels[column].width for row in here) + 0.32)
    lefts = [0.0]
    for gap, before in zip(gaps, widths, strict=False):
        lefts.append(lefts[-1] + before + gap)
    total = lefts[-1] + widths[len(lefts) - 1]
    aggregate = lay(aggregate_card(graph.aggregated), 2.0) if graph.aggregated else None
    fan = 1.6
    posted = lay(posted_card(graph.aggregated.revealed)) if graph.aggregated and graph.aggregated.revealed else None
    last = max(_width(aggregate), _width(posted))
    width = max(MIN_WIDTH, total + (fan + last if last else 0.0))
    y = draw_header(sheet, graph, width)
    centres = _draw_rows(sheet, graph, rows, anchors, (lefts, widths), y)
    bottom = sheet.height
    if graph.aggregated and aggregate:
        bottom = max(bottom, _draw_aggregate(sheet, graph, aggregate, (lefts, widths, rows, centres), (total + fan, y)))
    draw_footer(sheet, graph, bottom, width, (*_EXPLAIN, *_pathway_probabilities(graph)))


def _pathway_probabilities(graph: ReasoningGraph) -> tuple[str, ...]:
    """How the P(met) of the small cards were made, which they have no room to say."""
    states = [state for view in graph.pathways for state in view.states]
    how = {met_how(replace(state.met, mass=None)) for state in states if state.met and state.met.probability is not None}
    return (f"P(met) of the pathways: {'; '.join(sorted(how))}.",) if how else ()


def _width(card: Laid | None) -> float:
    return card.width if card else 0.0


def _draw_rows(
    sheet: Sheet,
    graph: ReasoningGraph,
    rows: list[_Row],
    anchors: dict[str, Laid],
    place: tuple[list[float], list[float]],
    y: float,
) -> list[float]:
    lefts, widths = place
    shares = {node: [i for i in range(len(rows)) if anchor_node(graph, i) == node] for node in anchors}
    tops, centres = [], []
    for index, row in enumerate(rows):
        members = shares[anchor_node(graph, index)]
        own = anchors[anchor_node(graph, index)].height / len(members)
        height = max(row.height, own)
        tops.append(y)
        centres.append(y + max(row.centre, own / 2))
        y = max(y + height, centres[-1] + max(row.height - row.centre, own / 2)) + 0.14
    for node, members in shares.items():
        middle = (centres[members[0]] + centres[members[-1]]) / 2
        rect = draw(sheet, anchors[node], lefts[0], middle - anchors[node].height / 2, widths[0])
        for index in members:
            _draw_row(sheet, graph, index, rows[index], (rect.right, middle), (lefts, widths, centres[index]))
    return centres


def _draw_row(
    sheet: Sheet,
    graph: ReasoningGraph,
    index: int,
    row: _Row,
    start: tuple[float, float],
    place: tuple[list[float], list[float], float],
) -> None:
    lefts, widths, centre = place
    x, y = start
    for number, (label, card, posted) in enumerate(zip(row.labels, row.cards, row.posted, strict=True)):
        left, width = lefts[number + 1], widths[number + 1]
        dash: Dash = "solid" if graph.pathways[index].steps[number].estimated else "dotted"
        sheet.arrow([(x, y), (x + 0.1, centre), (left, centre)] if y != centre else [(x, y), (left, centre)], dash=dash)
        label.draw(sheet, x + 0.13, centre - label.height - 0.04)
        rect = draw(sheet, card, left, centre - card.height / 2, width)
        if posted:
            under = draw(sheet, posted, left, rect.bottom + 0.22, width)
            sheet.line([(left + 0.3, rect.bottom), (left + 0.3, under.y)], dash="dotted")
        x, y = rect.right, centre


def _draw_aggregate(
    sheet: Sheet,
    graph: ReasoningGraph,
    card: Laid,
    place: tuple[list[float], list[float], list[_Row], list[float]],
    corner: tuple[float, float],
) -> float:
    assert graph.aggregated is not None
    lefts, widths, rows, centres = place
    x, top = corner
    used = arrived_shares(graph.aggregated)
    ys = [centres[share.pathway] for share in used] or [top + card.height / 2]
    middle = max((min(ys) + max(ys)) / 2, top + card.height / 2)
    rect = draw(sheet, card, x, middle - card.height / 2)
    style = Style(SMALL, colour=GREY)
    for order, share in enumerate(used):
        column = len(rows[share.pathway].cards)
        start = lefts[column] + widths[column]
        centre = centres[share.pathway]
        text = f"weight {format_probability(share.weight)}"
        stub = x - 0.95
        sheet.text(stub - width_of(text, style) - 0.04, centre - style.line - 0.02, text, style)
        land = rect.y + rect.height * (order + 1) / (len(used) + 1)
        sheet.arrow([(start, centre), (stub, centre), (x, land)], colour=GREY)
    if graph.aggregated.revealed is None:
        return rect.bottom
    posted = draw(sheet, lay(posted_card(graph.aggregated.revealed)), x, rect.bottom + 0.25)
    sheet.line([(x + 0.3, rect.bottom), (x + 0.3, posted.y)], dash="dotted")
    return posted.bottom
