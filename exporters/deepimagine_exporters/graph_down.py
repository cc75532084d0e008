"""The reasoning graph from top to bottom: a column a pathway, their aggregate below."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deepimagine_exporters.blocks import Laid, draw, lay
from deepimagine_exporters.cards import aggregate_card, posted_card
from deepimagine_exporters.chains import BESIDE, NOTE, Chain, anchors_of, chain_of, height_or_zero, join_posted, width_or_zero
from deepimagine_exporters.marks import MIN_WIDTH, draw_header
from deepimagine_exporters.network import arrived_shares
from deepimagine_exporters.sheet import GREY, Sheet
from deepimagine_tui.reasoning.events import Aggregated
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.summary import format_probability

_SPINE = 0.4
_GAP = 0.35


class _Column(msgspec.Struct, frozen=True):
    """A pathway's place: `left` edge, and the width its cards share."""

    chain: Chain
    left: float
    card_width: float

    @property
    def spine(self) -> float:
        """The x of its arrows."""
        return self.left + _SPINE


def draw_down(sheet: Sheet, graph: ReasoningGraph) -> float:
    """Draw header and graph; returns the width that the footer has."""
    single = len(graph.pathways) == 1
    label_width = MIN_WIDTH - _SPINE - 0.2 if single else 2.1
    chains = [chain_of(graph, view, label_width, single=single, across=False) for view in graph.pathways]
    anchors = anchors_of(graph, single=single)
    columns: list[_Column] = []
    left = 0.0
    for index, chain in enumerate(chains):
        own = [card.width for card, members in anchors.values() if members == [index]]
        card_width = max([*own, *(card.width for card in chain.cards)], default=1.0)
        labels = max((label.width + _SPINE + 0.18 for label in chain.labels), default=0.0)
        posted = max((card_width + BESIDE + card.width for card in chain.posted if card), default=0.0)
        columns.append(_Column(chain, left, card_width))
        left += max(card_width, labels, posted) + _GAP
    span = left - _GAP
    aggregate = lay(aggregate_card(graph.aggregated), 2.6) if graph.aggregated else None
    last = lay(posted_card(graph.aggregated.revealed)) if graph.aggregated and graph.aggregated.revealed else None
    foot = width_or_zero(aggregate) + (BESIDE + last.width if last else 0.0)
    width = max(MIN_WIDTH, span, foot, *(card.width for card, _ in anchors.values()))
    y = draw_header(sheet, graph, width)
    starts, bottom = _draw_anchors(sheet, anchors, columns, span, y)
    ends, bottom = _draw_steps(sheet, columns, starts, bottom)
    if graph.aggregated and aggregate:
        _draw_aggregate(sheet, graph.aggregated, (aggregate, last), columns, ends, (bottom, max((span - foot) / 2, 0.0)))
    return width


def _draw_anchors(
    sheet: Sheet, anchors: dict[str, tuple[Laid, list[int]]], columns: Sequence[_Column], span: float, y: float
) -> tuple[list[list[tuple[float, float]]], float]:
    """Draw the anchors; returns the points from which each column's first arrow starts, and the y below all of them."""
    bottom = y + max(card.height for card, _ in anchors.values())
    starts: list[list[tuple[float, float]]] = [[] for _ in columns]
    for card, members in anchors.values():
        first, last = columns[members[0]], columns[members[-1]]
        if len(members) == 1:
            rect = draw(sheet, card, first.left, y, first.card_width)
            starts[members[0]] = [(first.spine, rect.bottom)]
            continue
        middle = (first.left + last.left + last.card_width) / 2
        left = min(max(middle - card.width / 2, 0.0), max(span - card.width, 0.0))
        rect = draw(sheet, card, left, y)
        for index in members:
            spine = columns[index].spine
            starts[index] = [(left + card.width / 2, rect.bottom), (left + card.width / 2, bottom + 0.1), (spine, bottom + 0.1)]
    return starts, bottom


def _draw_steps(
    sheet: Sheet, columns: Sequence[_Column], starts: list[list[tuple[float, float]]], bottom: float
) -> tuple[list[float], float]:
    """Draw the steps, those of one number side by side; returns where each column ends, and the y below all of them."""
    ends = [points[0][1] for points in starts]
    for number in range(max(len(column.chain.cards) for column in columns)):
        here = [index for index, column in enumerate(columns) if number < len(column.chain.cards)]
        top = bottom + max(columns[index].chain.labels[number].height for index in here) + 0.36
        for index in here:
            column, chain = columns[index], columns[index].chain
            label = chain.labels[number]
            label.draw(sheet, column.spine + 0.18, top - label.height - 0.18)
            points = starts[index] if number == 0 else [(column.spine, ends[index])]
            sheet.arrow([*points, (column.spine, top)], dash=chain.dashes[number])
            rect = draw(sheet, chain.cards[number], column.left, top, column.card_width)
            ends[index] = rect.bottom
            bottom = max(bottom, rect.bottom)
            posted = chain.posted[number]
            if posted:
                side = draw(sheet, posted, rect.right + BESIDE, rect.y)
                level = min(rect.middle, side.middle)
                join_posted(sheet, (rect.right, level), (side.x, level))
                bottom = max(bottom, side.bottom)
    return ends, bottom


def _draw_aggregate(
    sheet: Sheet,
    total: Aggregated,
    cards: tuple[Laid, Laid | None],
    columns: Sequence[_Column],
    ends: list[float],
    corner: tuple[float, float],
) -> None:
    bottom, left = corner
    aggregate, posted = cards
    shares = arrived_shares(total)
    fan = bottom + 0.3
    top = fan + 0.3 + 0.1 * len(shares)
    rect = draw(sheet, aggregate, left, top)
    for order, share in enumerate(shares):
        spine = columns[share.pathway].spine
        land = rect.x + rect.width * (order + 1) / (len(shares) + 1)
        sheet.text(spine + 0.08, fan - NOTE.line - 0.06, f"weight {format_probability(share.weight)}", NOTE)
        sheet.arrow([(spine, ends[share.pathway]), (spine, fan), (land, top)], colour=GREY)
    if posted:
        side = draw(sheet, posted, rect.right + BESIDE, top + max(rect.height - height_or_zero(posted), 0.0) / 2)
        level = min(rect.middle, side.middle)
        join_posted(sheet, (rect.right, level), (side.x, level))
