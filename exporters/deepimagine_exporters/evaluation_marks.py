"""What the figures of an evaluation share: their heading, their footer, and the colours of a comparison's word."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from deepimagine_exporters.blocks import BLUE, ORANGE
from deepimagine_exporters.marks import FINE, SUBTITLE, TITLE, USE
from deepimagine_exporters.sheet import GREY, PAPER, Sheet, wrap
from deepimagine_tui.reasoning.events import CONTEXT_OF_USE

COLOURS: dict[str, str] = {"better": BLUE, "worse": ORANGE}
"""By the word of a comparison; any other is grey and hollow."""


class Heading(msgspec.Struct, frozen=True):
    """What a figure is of: a title, a line below it, and lines on where its numbers come from."""

    title: str
    subtitle: str = ""
    about: tuple[str, ...] = ()


def draw_heading(sheet: Sheet, heading: Heading, width: float) -> float:
    """Title and line below it over `width` inches; returns the y below them."""
    y = sheet.lines(0, 0.0, wrap(heading.title, TITLE, width, 3), TITLE)
    return sheet.lines(0, y + 0.02, wrap(heading.subtitle, SUBTITLE, width, 4), SUBTITLE) + 0.14


def draw_about(sheet: Sheet, heading: Heading, notes: Sequence[str], y: float, width: float) -> None:
    """Explanations, where the numbers come from, and the context of use."""
    for line in notes:
        y = sheet.lines(0, y, wrap(line, FINE, width), FINE)
    y += 0.06
    sheet.line([(0, y), (width, y)], colour="#c8c8c8", width=0.5)
    y += 0.05
    for line in heading.about:
        y = sheet.lines(0, y, wrap(line, FINE, width, 6), FINE)
    sheet.lines(0, y + 0.03, wrap(CONTEXT_OF_USE, USE, width), USE)


def draw_point(sheet: Sheet, x: float, y: float, word: str) -> None:
    """A point in the colour of its word, hollow where nothing can be told."""
    colour = COLOURS.get(word, GREY)
    sheet.disc(x, y, 0.042, fill=colour if word in COLOURS else PAPER, edge=colour, width=1.2)
