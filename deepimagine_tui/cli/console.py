"""What is written where: data to standard output, narration to standard error, both inert in a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from deepimagine_tui.text import inert, one_line

if TYPE_CHECKING:
    from deepimagine_tui.reasoning.state import Status

_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")

_ASCII_MARKS: dict[Status, str] = {"observed": "*", "derived": "+", "imagined": "o", "entered": ">"}


def emit(text: str = "") -> None:
    """Write lines of a result to standard output; control characters in them are shown, never obeyed."""
    click.echo(_printable(inert(text)))


def emit_json(value: object) -> None:
    """Write one JSON value on one line of standard output.

    Characters that a terminal would obey or hide are escaped, which changes nothing for a reader of the JSON.
    """
    import msgspec

    text = msgspec.json.encode(value).decode("utf-8")
    click.echo(_printable(_UNSAFE_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text), json=True))


def emit_bytes(content: bytes) -> None:
    """Write bytes as they are to standard output: for files that another program reads. A terminal gets them inert."""
    if is_terminal(sys.stdout):
        emit(content.decode("utf-8", "replace"))
    else:
        click.echo(content, nl=False)


def narrate(text: str = "") -> None:
    """Write lines about what is going on to standard error."""
    click.echo(inert(text), err=True)


def mark(status: Status) -> str:
    """The mark of a status: solid when observed, hollow when imagined; plain letters where stdout has neither."""
    from deepimagine_tui.reasoning.summary import MARKS

    return MARKS[status] if _encodes("".join(MARKS.values())) else _ASCII_MARKS[status]


def is_terminal(stream: object) -> bool:
    """Whether a stream is a terminal, where narration may rewrite its line."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty())


def width_of(text: str) -> int:
    """How many terminal columns `text` takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def shorten(text: str, width: int) -> str:
    """`text` cut to `width` columns, with an ellipsis where something was cut."""
    if width_of(text) <= width:
        return text
    kept, used = "", 1
    for character in text:
        used += width_of(character)
        if used > width:
            break
        kept += character
    return kept.rstrip() + "…"


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, stretch: int | None = None, numeric: Sequence[int] = ()
) -> str:
    """Rows under headers, as aligned text.

    Args:
        stretch: The column that is cut where a terminal is too narrow for it; none is cut when stdout is not a terminal.
        numeric: The columns that are aligned to the right.
    """
    cells = [[one_line(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(width_of(row[index]) for row in cells) for index in range(len(headers))]
    if stretch is not None and is_terminal(sys.stdout):
        others = sum(widths) - widths[stretch] + 2 * (len(widths) - 1)
        widths[stretch] = max(12, min(widths[stretch], shutil.get_terminal_size().columns - others))
    lines = []
    for row in cells:
        padded = []
        for index, cell in enumerate(row):
            text = shorten(cell, widths[index])
            gap = " " * (widths[index] - width_of(text))
            padded.append(gap + text if index in numeric else text + gap)
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _encodes(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str, *, json: bool = False) -> str:
    if _encodes(text):
        return text
    if json:
        return "".join(character if character.isascii() else _json_escape(character) for character in text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
