"""Writing a report as Markdown (CommonMark with tables). Nothing that a registry, model or user wrote can become markup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never
from urllib.parse import quote

from deepimagine_tui.document import Bullets, Code, Heading, Paragraph, Part, Picture, Quote, Table
from deepimagine_tui.text import inert, one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$^=])")
_LIST_MARK = re.compile(r"^(\d*)([-+.)])(?=\s|$)")


def markdown_document(parts: Iterable[Part], folder: str) -> str:
    """The parts as Markdown; figures are linked from `folder`, beside the file."""
    return "\n\n".join(_part(part, folder) for part in parts) + "\n"


def escaped(text: str) -> str:
    """`text` on one line, every character that Markdown or HTML could obey escaped."""
    line = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LIST_MARK.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line).replace("://", "&#58;//"))


def _part(part: Part, folder: str) -> str:
    match part:
        case Heading(level, text):
            return f"{'#' * level} {escaped(text)}"
        case Paragraph(text, strong):
            return f"**{escaped(text)}**" if strong else escaped(text)
        case Quote(text):
            return "\n".join(f"> {escaped(line)}  " if line.strip() else ">" for line in inert(text).split("\n"))
        case Code(text):
            return f"    {one_line(text)}"
        case Bullets(items):
            return "\n".join(f"- {escaped(item)}" for item in items)
        case Table():
            return _table(part)
        case Picture(which, caption, _):
            return f"![{which}]({quote(folder)}/{which}.svg)\n\n*{escaped(caption)}*"
        case _:
            assert_never(part)


def _table(table: Table) -> str:
    lines = [_row(table.head), _row(("---",) * len(table.head), raw=True)]
    for index, row in enumerate(table.rows):
        lines.append(_row(row, italic=index in table.imagined))
    return "\n".join(lines)


def _row(cells: Iterable[str], *, italic: bool = False, raw: bool = False) -> str:
    shown = [cell if raw else escaped(cell) for cell in cells]
    return "| " + " | ".join(f"*{cell}*" if italic and cell else cell for cell in shown) + " |"
