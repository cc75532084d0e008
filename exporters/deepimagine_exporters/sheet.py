"""A page measured in inches from its top left corner, laid out before its size is known.

Text is measured with the fonts that ship with matplotlib, so that nothing is placed by guess. matplotlib is imported
on first use and only from here, `figure` and `svg`; `pyplot` never is.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from deepimagine_tui.text import one_line

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

POINTS = 72.0
BASELINE = 1.02
"""How far below its top a line's text stands, in sizes of the font."""
INK, GREY, FAINT, PAPER = "#1a1a1a", "#5a5a5a", "#b8b8b8", "#ffffff"
Align = Literal["left", "centre", "right"]
Dash = Literal["solid", "dashed", "dotted"]
_DASHES: dict[Dash, object] = {"solid": "solid", "dashed": (0, (4, 2.2)), "dotted": (0, (1, 1.8))}
_FACES = {(False, False): "DejaVuSans", (True, False): "DejaVuSans-Bold"}
_FACES |= {(False, True): "DejaVuSans-Oblique", (True, True): "DejaVuSans-BoldOblique"}
_HYPHEN_MINUS = re.compile(r"(?<![\w.)\]])-(?=[\d.∞])|(?<= )-(?= )")
_MISSING = "\N{REPLACEMENT CHARACTER}"

LOCK = threading.RLock()
"""matplotlib's fonts and settings are shared by the process: whoever draws or measures holds this."""


class Style(msgspec.Struct, frozen=True):
    """How a text looks: size in points."""

    size: float = 8.0
    bold: bool = False
    italic: bool = False
    colour: str = INK

    @property
    def line(self) -> float:
        """The height of one line in inches."""
        return self.size * 1.32 / POINTS


class Rect(msgspec.Struct, frozen=True):
    """A rectangle in inches; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y of its centre."""
        return self.y + self.height / 2


def font_file(style: Style) -> Path:
    """The face of `style` among the fonts that ship with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{_FACES[style.bold, style.italic]}.ttf"


@lru_cache(maxsize=64)
def _properties(style: Style) -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(
        family=["DejaVu Sans"],
        weight="bold" if style.bold else "normal",
        style="oblique" if style.italic else "normal",
        size=style.size,
        fname=str(font_file(style)),
    )


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(str(font_file(Style()))).get_charmap())


def drawable(text: str) -> str:
    """`text` inert, on one line, minus signs set as such, and a replacement mark for each character that the font lacks."""
    line = _HYPHEN_MINUS.sub("−", one_line(text))
    return "".join(character if ord(character) in _glyphs() else _MISSING for character in line)


def width_of(text: str, style: Style) -> float:
    """How wide `text` is, in inches."""
    return _width_of(drawable(text), style)


@lru_cache(maxsize=20000)
def _width_of(text: str, style: Style) -> float:
    from matplotlib.textpath import text_to_path

    if not text:
        return 0.0
    width, _, _ = text_to_path.get_text_width_height_descent(text, _properties(style), ismath=False)
    return float(width) / POINTS


def wrap(text: str, style: Style, width: float, max_lines: int | None = None) -> tuple[str, ...]:
    """`text` in lines of at most `width` inches; words that do not fit are broken; beyond `max_lines` an ellipsis ends it."""
    lines: list[str] = []
    line = ""
    for word in drawable(text).split(" "):
        trial = f"{line} {word}" if line else word
        if _width_of(trial, style) <= width:
            line = trial
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, style, width)
        lines += full
    lines.append(line)
    if max_lines is None or len(lines) <= max_lines:
        return tuple(lines)
    last = lines[max_lines - 1]
    while last and _width_of(f"{last}…", style) > width:
        last = last[:-1]
    return (*lines[: max_lines - 1], f"{last.rstrip()}…")


def _broken(word: str, style: Style, width: float) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and _width_of(pieces[-1] + character, style) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


class Sheet:
    """Collects what is to be drawn, in inches, and becomes a `Figure` of the size that it takes."""

    def __init__(self) -> None:
        self._artists: list[Artist] = []
        self.texts: list[tuple[str, Style]] = []
        """Every text as drawn, with its style."""
        self.width = 0.0
        self.height = 0.0

    def _reach(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x), max(self.height, y)

    def text(self, x: float, y: float, text: str, style: Style = Style(), align: Align = "left") -> Rect:  # noqa: B008
        """Write one line whose top is at `y`, and return where it stands."""
        from matplotlib.text import Text

        shown = drawable(text)
        width = _width_of(shown, style)
        left = x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * width
        artist = Text(
            left,
            y + style.size * BASELINE / POINTS,
            shown,
            fontproperties=_properties(style),
            color=style.colour,
            ha="left",
            va="baseline",
            parse_math=False,
            zorder=5,
        )
        self._artists.append(artist)
        self.texts.append((shown, style))
        self._reach(left + width, y + style.line)
        return Rect(left, y, width, style.line)

    def lines(self, x: float, y: float, lines: Sequence[str], style: Style = Style(), align: Align = "left") -> float:  # noqa: B008
        """Write lines one under the other, and return the y below them."""
        for line in lines:
            self.text(x, y, line, style, align)
            y += style.line
        return y

    def box(
        self,
        rect: Rect,
        *,
        edge: str = INK,
        fill: str = PAPER,
        width: float = 0.8,
        dash: Dash = "solid",
        gid: str | None = None,
    ) -> None:
        """Draw a rectangle; line widths in points."""
        from matplotlib.patches import Rectangle

        patch = Rectangle(
            (rect.x, rect.y),
            rect.width,
            rect.height,
            facecolor=fill,
            edgecolor=edge,
            linewidth=width,
            zorder=3,
            joinstyle="miter",
        )
        patch.set_linestyle(_DASHES[dash])  # type: ignore[arg-type]  # the stubs do not know (offset, pattern)
        if gid:
            patch.set_gid(gid)
        self._artists.append(patch)
        self._reach(rect.right, rect.bottom)

    def line(
        self,
        points: Sequence[tuple[float, float]],
        *,
        colour: str = INK,
        width: float = 0.9,
        dash: Dash = "solid",
        order: int = 2,
    ) -> None:
        """Draw a line through `points`."""
        from matplotlib.lines import Line2D

        line = Line2D([x for x, _ in points], [y for _, y in points], color=colour, linewidth=width, zorder=order)
        line.set_linestyle(_DASHES[dash])  # type: ignore[arg-type]  # the stubs do not know (offset, pattern)
        line.set_solid_capstyle("butt")
        self._artists.append(line)
        for x, y in points:
            self._reach(x, y)

    def shape(
        self, points: Sequence[tuple[float, float]], *, fill: str, edge: str = INK, width: float = 0.9, order: int = 4
    ) -> None:
        """Draw a closed polygon."""
        from matplotlib.patches import Polygon

        self._artists.append(Polygon(list(points), closed=True, facecolor=fill, edgecolor=edge, linewidth=width, zorder=order))

    def disc(self, x: float, y: float, radius: float, *, fill: str, edge: str = INK, width: float = 0.9) -> None:
        """Draw a circle."""
        from matplotlib.patches import Circle

        self._artists.append(Circle((x, y), radius, facecolor=fill, edgecolor=edge, linewidth=width, zorder=4))

    def arrow(self, points: Sequence[tuple[float, float]], *, colour: str = INK, dash: Dash = "solid") -> None:
        """Draw a line through `points` with a head at its end."""
        (x0, y0), (x1, y1) = points[-2:]
        length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        head, half = 0.085, 0.035
        back = (x1 - head * ux, y1 - head * uy)
        self.line([*points[:-1], back], colour=colour, dash=dash)
        corners = [(x1, y1), (back[0] - half * uy, back[1] + half * ux), (back[0] + half * uy, back[1] - half * ux)]
        self.shape(corners, fill=colour, edge=colour, width=0.3)

    def watermark(self, text: str, width: float, height: float) -> None:
        """Write `text` large and pale across the page, over the boxes and behind their text."""
        from matplotlib.text import Text

        angle = 24.0
        size = min(150.0, 0.42 * height * POINTS, 0.62 * width / _width_of(text, Style(size=1, bold=True)))
        artist = Text(
            width / 2,
            height / 2,
            text,
            fontproperties=_properties(Style(size=size, bold=True)),
            color="#000000",
            alpha=0.09,
            ha="center",
            va="center",
            rotation=angle,
            parse_math=False,
            zorder=3.5,
        )
        artist.set_gid("watermark")
        self.texts.append((text, Style(bold=True)))
        self._artists.append(artist)

    def figure(self, margin: float = 0.18) -> Figure:
        """The page as a figure of the size its content takes, with `margin` inches around it."""
        from matplotlib.figure import Figure

        width, height = self.width + 2 * margin, self.height + 2 * margin
        figure = Figure(figsize=(width, height), facecolor=PAPER)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-margin, self.width + margin)
        axes.set_ylim(self.height + margin, -margin)
        axes.set_axis_off()
        for artist in self._artists:
            axes.add_artist(artist)
        return figure
