"""The parts that a report is made of, whichever format it is written in. All text is plain: the writers escape it."""

from __future__ import annotations

import msgspec


class Heading(msgspec.Struct, frozen=True):
    """A heading of level 1 to 4."""

    level: int
    text: str


class Paragraph(msgspec.Struct, frozen=True):
    """One paragraph; `strong` for what must not be overlooked."""

    text: str
    strong: bool = False


class Quote(msgspec.Struct, frozen=True):
    """What a model wrote, line ends kept."""

    text: str


class Code(msgspec.Struct, frozen=True):
    """A command, kept as it is."""

    text: str


class Bullets(msgspec.Struct, frozen=True):
    """A list of sentences."""

    items: tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """A table; `imagined` numbers the rows that a model said, which are set in italics."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    imagined: frozenset[int] = frozenset()


class Picture(msgspec.Struct, frozen=True):
    """A figure, as SVG; `which` names it, as its file beside a Markdown report is named."""

    which: str
    caption: str
    svg: bytes


Part = Heading | Paragraph | Quote | Code | Bullets | Table | Picture
