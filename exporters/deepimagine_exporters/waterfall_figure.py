"""The waterfall figure: how much each step moved the result on the scoring scale, and logit P(met) beside it."""

from __future__ import annotations

from deepimagine_exporters.marks import MIN_WIDTH, draw_footer, draw_header, finish
from deepimagine_exporters.scale import Scale, scale_over
from deepimagine_exporters.sheet import GREY, INK, PAPER, Rect, Sheet, Style, width_of
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.interpret import interpret
from deepimagine_tui.reasoning.interpret_text import agreements, signed
from deepimagine_tui.reasoning.waterfall import Bar, Waterfall, waterfall_of

NO_STEP = "No step of this run moved a value that has a place on a scale."
MEANING = (
    "Bars are moves of imagined values. s: the unit of the scoring scale (pi / sqrt 3 of a logit for shares, the participants' "
    "standard deviation for signed values, 1 of a natural logarithm for positive values and ratios). P(met) has no move "
    "in a step from a posted result."
)
_PITCH = 0.27
_GAP = 0.2
_HEAD = Style(7.2, bold=True)
_BODY = Style(7.6)
_NUMBER = Style(7.6, italic=True)
_TICK = Style(6.8)
_FILL = "#c9d8ea"


def draw_waterfall(graph: ReasoningGraph) -> Sheet:
    """The contributions of a run's steps as bars.

    Raises:
        RefusedError: the run has no anchor, or no step has a contribution.
    """
    if not graph.pathways:
        raise RefusedError("This run has no anchor to draw.", graph.finished.message if graph.finished else "")
    found = interpret(graph)
    waterfall = waterfall_of(found)
    if waterfall is None or all(each.moved is None for each in waterfall.bars):
        raise RefusedError(NO_STEP, "The reasoning graph shows what there is.")
    sheet = Sheet()
    _draw(sheet, graph, waterfall, tuple(agreements(found)))
    finish(sheet, graph)
    return sheet


def _draw(sheet: Sheet, graph: ReasoningGraph, waterfall: Waterfall, said: tuple[str, ...]) -> None:
    every = [*waterfall.bars, *([waterfall.total] if waterfall.total is not None else [])]
    names = max(width_of(each.name, _BODY) for each in every)
    moved = names + _GAP + max(width_of(text, _NUMBER) for text in ["s", *(signed(each.moved) for each in every)])
    logit = moved + _GAP + max(width_of(text, _NUMBER) for text in ["logit P", *(signed(each.moved_logit) for each in every)])
    width = max(MIN_WIDTH, logit + 3.0)
    y = draw_header(sheet, graph, width, waterfall.says)
    for x, text in ((moved, "s"), (logit, "logit P")):
        sheet.text(x, y, text, _HEAD, "right")
    first = y + _HEAD.line + 0.06
    scale = scale_over(waterfall.limits, logit + _GAP, width)
    foot = first + _PITCH * len(every)
    sheet.line([(scale.at(0.0), first), (scale.at(0.0), foot)], colour=GREY, width=0.7)
    for index, each in enumerate(every):
        top = first + index * _PITCH
        middle = top + (_PITCH - _BODY.line) / 2
        sheet.text(0, middle, each.name, _BODY)
        sheet.text(moved, middle, signed(each.moved), _NUMBER, "right")
        sheet.text(logit, middle, signed(each.moved_logit), _NUMBER, "right")
        if each.moved is not None:
            follows = index + 1 < len(waterfall.bars) and waterfall.total is not None
            _draw_bar(sheet, each, scale, top, is_total=each is waterfall.total, follows=follows)
    _draw_axis(sheet, scale, foot)
    draw_footer(sheet, graph, sheet.height, width, (*said, MEANING), drawn=())


def _draw_bar(sheet: Sheet, each: Bar, scale: Scale, top: float, *, is_total: bool, follows: bool) -> None:
    """A bar, hollow as all that was imagined; a thin line leads to where the next one begins."""
    left, right = sorted((scale.at(each.start), scale.at(each.end)))
    sheet.box(Rect(left, top + 0.06, max(right - left, 0.01), _PITCH - 0.12), edge=INK, fill=_FILL if is_total else PAPER)
    if follows:
        sheet.line([(scale.at(each.end), top + _PITCH - 0.06), (scale.at(each.end), top + _PITCH + 0.06)], colour=GREY)


def _draw_axis(sheet: Sheet, scale: Scale, y: float) -> None:
    sheet.line([(scale.start, y), (scale.end, y)], width=0.7)
    for value, text in scale.ticks(5):
        sheet.line([(scale.at(value), y), (scale.at(value), y + 0.04)], width=0.7)
        sheet.text(scale.at(value), y + 0.06, text, _TICK, "centre")
    sheet.text((scale.start + scale.end) / 2, y + 0.19, "moved from the anchor, s", _TICK, "centre")
