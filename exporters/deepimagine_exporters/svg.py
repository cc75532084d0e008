"""Finishing an SVG: text stays text, and the fonts it needs travel inside the file, cut down to the characters used."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable

from deepimagine_exporters.sheet import Style, font_file

_GROUP_ID = re.compile(r'<g id="[^"]*"')
_STYLE = '<style type="text/css">'


def finish_svg(svg: str, texts: Iterable[tuple[str, Style]]) -> str:
    """`svg` with the used part of each face of DejaVu Sans embedded, and without ids that nothing refers to."""
    used: dict[tuple[bool, bool], set[str]] = {}
    for text, style in texts:
        used.setdefault((style.bold, style.italic), set()).update(text)
    faces = "".join(_font_face(Style(bold=bold, italic=italic), used[bold, italic]) for bold, italic in sorted(used))
    svg = svg.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    return _GROUP_ID.sub("<g", svg.replace(_STYLE, _STYLE + faces, 1))


def inline_svg(svg: str) -> str:
    """The `<svg>` element alone, to stand inside HTML."""
    return svg[svg.index("<svg") :].strip()


def _font_face(style: Style, characters: set[str]) -> str:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(font_file(style), recalcTimestamp=False)
    options = Options(layout_features=[], hinting=False, name_IDs=[], notdef_outline=True, drop_tables=["FFTM", "GPOS", "GSUB"])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[ord(character) for character in characters | {" "}])
    subsetter.subset(font)
    font.flavor = "woff"
    stream = io.BytesIO()
    font.save(stream)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    weight, slant = ("bold" if style.bold else "normal"), ("oblique" if style.italic else "normal")
    return (
        f"@font-face{{font-family:'DejaVu Sans';font-weight:{weight};font-style:{slant};"
        f"src:url(data:font/woff;base64,{data}) format('woff')}}"
    )
