"""The reasoning graph from left to right: a row a pathway, their aggregate at the end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deepimagine_exporters.blocks import Laid, draw, lay
from deepimagine_exporters.cards import aggregate_card, posted_card
from deepimagine_exporters.chains import NOTE, Chain, anchors_of, chain_of, height_or_zero, width_or_zero
from deepimagine_exporters.marks import MIN_WIDTH, draw_header
from deepimagine_exporters.network import arrived_shares
from deepimagine_exporters.sheet import GREY, Sheet, width_of
from deepimagine_tui.reasoning.events import Aggregated
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.summary import format_probability

_UNDER = 0.22
_FAN = 1.6


class _Row(msgspec.Struct, frozen=True):
    """A pathway's extents above and below its arrows, in inches; the anchor's half where it is its own."""

    chain: Chain
    above: float
    below: float


class _Columns(msgspec.Struct, frozen=True):
    """Where each layer stands."""

    lefts: tuple[float, ...]
    widths: tuple[float, ...]


def draw_across(sheet: Sheet, graph: ReasoningGraph) -> float:
    """Draw header and graph; returns the width that the footer has."""
    chains = [chain_of(graph, view, 1.25, single=False, across=True) for view in graph.pathways]
    anchors = anchors_of(graph, single=False)
    columns = _columns(chains, max(card.width for card, _ in anchors.values()))
    total = columns.lefts[-1] + columns.widths[-1]
    aggregate = lay(aggregate_card(graph.aggregated), 2.0) if graph.aggregated else None
    posted = lay(posted_card(graph.aggregated.revealed)) if graph.aggregated and graph.aggregated.revealed else None
    last = max(width_or_zero(aggregate), width_or_zero(posted))
    width = max(MIN_WIDTH, total + (_FAN + last if last else 0.0))
    y = draw_header(sheet, graph, width)
    centres = _draw_rows(sheet, chains, anchors, columns, y)
    if graph.aggregated and aggregate:
        _draw_aggregate(sheet, graph.aggregated, (aggregate, posted), chains, columns, centres, (total + _FAN, y))
    return width


def _columns(chains: Sequence[Chain], anchor_width: float) -> _Columns:
    lefts, widths = [0.0], [anchor_width]
    for layer in range(max(len(chain.cards) for chain in chains)):
        here = [chain for chain in chains if layer < len(chain.cards)]
        lefts.append(lefts[-1] + widths[-1] + max(chain.labels[layer].width for chain in here) + 0.32)
        widths.append(max(max(chain.cards[layer].width, width_or_zero(chain.posted[layer])) for chain in here))
    return _Columns(tuple(lefts), tuple(widths))


def _row(chain: Chain, anchor: Laid, sharing: int) -> _Row:
    above, below = anchor.height / 2 / sharing, anchor.height / 2 / sharing
    for label, card, posted in zip(chain.labels, chain.cards, chain.posted, strict=True):
        above = max(above, card.height / 2, label.height + 0.05)
        below = max(below, card.height / 2 + (_UNDER + posted.height if posted else 0.0))
    return _Row(chain, above, below)


def _draw_rows(
    sheet: Sheet, chains: Sequence[Chain], anchors: dict[str, tuple[Laid, list[int]]], columns: _Columns, y: float
) -> list[float]:
    """Draw anchors and steps; returns the height of each row's arrows."""
    of_pathway = {index: (card, len(members)) for card, members in anchors.values() for index in members}
    rows = [_row(chain, *of_pathway[index]) for index, chain in enumerate(chains)]
    centres = []
    for row in rows:
        centres.append(y + row.above)
        y = centres[-1] + row.below + 0.14
    for card, members in anchors.values():
        middle = (centres[members[0]] + centres[members[-1]]) / 2
        rect = draw(sheet, card, 0.0, middle - card.height / 2, columns.widths[0])
        for index in members:
            _draw_row(sheet, chains[index], (rect.right, middle), columns, centres[index])
    return centres


def _draw_row(sheet: Sheet, chain: Chain, start: tuple[float, float], columns: _Columns, centre: float) -> None:
    x, y = start
    parts = zip(chain.labels, chain.cards, chain.posted, chain.dashes, strict=True)
    for layer, (label, card, posted, dash) in enumerate(parts, 1):
        left, width = columns.lefts[layer], columns.widths[layer]
        bend = [(x + 0.1, centre)] if y != centre else []
        sheet.arrow([(x, y), *bend, (left, centre)], dash=dash)
        label.draw(sheet, x + 0.13, centre - label.height - 0.04)
        rect = draw(sheet, card, left, centre - card.height / 2, width)
        if posted:
            under = draw(sheet, posted, left, rect.bottom + _UNDER, width)
            sheet.line([(left + 0.3, rect.bottom), (left + 0.3, under.y)], dash="dotted")
        x, y = rect.right, centre


def _draw_aggregate(
    sheet: Sheet,
    total: Aggregated,
    cards: tuple[Laid, Laid | None],
    chains: Sequence[Chain],
    columns: _Columns,
    centres: list[float],
    corner: tuple[float, float],
) -> None:
    aggregate, posted = cards
    x, top = corner
    shares = arrived_shares(total)
    ys = [centres[share.pathway] for share in shares] or [top]
    height = aggregate.height + (_UNDER + height_or_zero(posted) if posted else 0.0)
    at = max((min(ys) + max(ys) - aggregate.height) / 2, top)
    at = max(min(at, max(sheet.height - height, top)), top)
    rect = draw(sheet, aggregate, x, at)
    for order, share in enumerate(shares):
        layer = len(chains[share.pathway].cards)
        centre, stub = centres[share.pathway], x - 0.95
        text = f"weight {format_probability(share.weight)}"
        sheet.text(stub - width_of(text, NOTE) - 0.04, centre - NOTE.line - 0.02, text, NOTE)
        land = rect.y + rect.height * (order + 1) / (len(shares) + 1)
        sheet.arrow([(columns.lefts[layer] + columns.widths[layer], centre), (stub, centre), (x, land)], colour=GREY)
    if posted:
        under = draw(sheet, posted, x, rect.bottom + _UNDER)
        sheet.line([(x + 0.3, rect.bottom), (x + 0.3, under.y)], dash="dotted")
