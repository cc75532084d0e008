"""Writing a report as one HTML file: no script, nothing loaded from anywhere, light and dark, fit for print.

Everything that a registry, model or user wrote is escaped, and a content security policy forbids what could slip through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import assert_never

from deepimagine_exporters.svg import inline_svg
from deepimagine_tui.document import Bullets, Code, Heading, Paragraph, Part, Picture, Quote, Table
from deepimagine_tui.text import inert, one_line

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:"
_INTERVAL = re.compile(r"\[[\d.,+\- ]+\]")
_CSS = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #5a5a5a; --line: #d4d4d4; --tint: #f5f5f3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e3; --paper: #17181a; --soft: #a5a29c; --line: #3a3c40; --tint: #212327; } }
body { margin: 2rem auto; max-width: 74rem; padding: 0 1.25rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin-top: 1.6rem; } h4 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; font-size: .9rem; overflow-wrap: normal; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } tr.imagined td { font-style: italic; } td { font-variant-numeric: tabular-nums; }
td:last-child { overflow-wrap: anywhere; } td span, li span { white-space: nowrap; }
p, ul { max-width: 62rem; }
blockquote { margin: .6rem 0; padding: .4rem 1rem; border-left: 3px solid var(--line); color: var(--soft); font-style: italic;
  white-space: pre-line; }
pre { padding: .7rem 1rem; background: var(--tint); border-radius: 4px; white-space: pre-wrap; font-size: .85rem; }
figure { margin: 1.4rem 0; } figure svg { max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line); }
figcaption { color: var(--soft); font-size: .9rem; } .strong { font-weight: 650; }
@media print {
  :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --tint: #fff; }
  body { margin: 0; max-width: none; font-size: 10.5pt; }
  h2, h3, h4 { break-after: avoid; } table, figure, blockquote { break-inside: avoid; }
}
"""


def html_document(title: str, parts: Iterable[Part]) -> str:
    """The parts as one HTML file."""
    body = "\n".join(map(_part, parts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(one_line(text))


def _part(part: Part) -> str:
    match part:
        case Heading(level, text):
            return f'<h{level} dir="auto">{_text(text)}</h{level}>'
        case Paragraph(text, strong):
            return f'<p dir="auto"{" class=strong" if strong else ""}>{_text(text)}</p>'
        case Quote(text):
            return f'<blockquote dir="auto">{escape(inert(text))}</blockquote>'
        case Code(text):
            return f"<pre>{_text(text)}</pre>"
        case Bullets(items):
            return "<ul>" + "".join(f'<li dir="auto">{_unbroken(item)}</li>' for item in items) + "</ul>"
        case Table():
            return _table(part)
        case Picture(_, caption, svg):
            drawing = inline_svg(svg.decode("utf-8"))
            return f"<figure>{drawing}<figcaption>{_text(caption)}</figcaption></figure>"
        case _:
            assert_never(part)


def _unbroken(text: str) -> str:
    """A text in which no interval is broken over two lines."""
    return _INTERVAL.sub(r"<span>\g<0></span>", _text(text))


def _table(table: Table) -> str:
    head = "".join(f"<th>{_text(cell)}</th>" for cell in table.head)
    rows = []
    for index, row in enumerate(table.rows):
        kind = ' class="imagined"' if index in table.imagined else ""
        rows.append(f"<tr{kind}>" + "".join(f'<td dir="auto">{_unbroken(cell)}</td>' for cell in row) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
