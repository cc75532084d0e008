"""DOT, written with every text quoted and every number bare, so that reading it back keeps the types.

Graphviz draws the file as it is: statuses have shapes of their own. Our attributes keep their names; those that graphviz knows
(`shape`, `style`) are for drawing only and are left out when reading.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from deepimagine_exporters.network import Scalar

if TYPE_CHECKING:
    import networkx as nx

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[\[\]{}=,;]|[A-Za-z_][A-Za-z0-9_]*|-?\d+(?:\.\d+)?)', re.DOTALL)
_DRAWN: dict[Scalar, dict[str, str]] = {
    "observed": {"shape": "box", "style": "bold"},
    "derived": {"shape": "box", "style": "solid"},
    "imagined": {"shape": "box", "style": "dashed"},
    "entered": {"shape": "box", "style": "solid", "peripheries": "2"},
}
_FOR_DRAWING = frozenset({"shape", "style", "peripheries", "rankdir"})
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_UNESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def dot_text(network: nx.DiGraph) -> str:
    """`network` in DOT."""
    lines = ["strict digraph {", f"graph [{_attributes({'rankdir': 'LR'} | network.graph)}];"]
    for node, attributes in network.nodes(data=True):
        drawn = _DRAWN.get(attributes.get("status", ""), {"shape": "box", "style": "dotted"})
        lines.append(f"{_quoted(node)} [{_attributes(drawn | attributes)}];")
    for source, target, attributes in network.edges(data=True):
        lines.append(f"{_quoted(source)} -> {_quoted(target)} [{_attributes(attributes)}];")
    return "\n".join([*lines, "}", ""])


def parse_dot(text: str) -> nx.DiGraph:
    """The graph in DOT that `dot_text` wrote.

    Raises:
        ValueError: the text is something else.
    """
    import networkx as nx

    tokens = _tokens(text)
    if tokens[:3] != ["strict", "digraph", "{"] or tokens[-1] != "}":
        raise ValueError("no strict digraph")
    network = nx.DiGraph()
    position = 3
    while position < len(tokens) - 1:
        head = tokens[position]
        target = tokens[position + 2] if tokens[position + 1] == "->" else None
        position += 3 if target else 1
        attributes, position = _attribute_list(tokens, position)
        if head == "graph":
            network.graph.update(attributes)
        elif target:
            network.add_edge(_unquoted(head), _unquoted(target), **attributes)
        else:
            network.add_node(_unquoted(head), **attributes)
    return network


def _attributes(attributes: dict[str, Scalar]) -> str:
    return ", ".join(f"{_quoted(key)}={_value(value)}" for key, value in attributes.items())


def _value(value: Scalar) -> str:
    """Numbers without exponent, which DOT does not know; shortest digits that give the same number back."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{Decimal(repr(value)):f}"
    return f"{text}.0" if isinstance(value, float) and "." not in text else text


def _parsed(token: str) -> Scalar:
    if token.startswith('"'):
        return _unquoted(token)
    if token in ("true", "false"):
        return token == "true"
    return float(token) if "." in token else int(token)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'[\\"\n]', lambda match: _ESCAPES[match.group()], text) + '"'


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError(f"an unquoted name: {token[:40]!r}")
    return re.sub(r'\\[\\"n]', lambda match: _UNESCAPES[match.group()], token[1:-1])


def _tokens(text: str) -> list[str]:
    found = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"unexpected text at character {position}")
        found.append(match[1])
        position = match.end()
    return found


def _attribute_list(tokens: list[str], position: int) -> tuple[dict[str, Scalar], int]:
    attributes: dict[str, Scalar] = {}
    if tokens[position] != "[":
        raise ValueError(f"a list of attributes is missing before {tokens[position][:40]!r}")
    position += 1
    while tokens[position] != "]":
        if position + 3 >= len(tokens) or tokens[position + 1] != "=":
            raise ValueError("an attribute without a value")
        key = _unquoted(tokens[position])
        if key not in _FOR_DRAWING:
            attributes[key] = _parsed(tokens[position + 2])
        position += 3
        if tokens[position] == ",":
            position += 1
    position += 1
    if tokens[position] != ";":
        raise ValueError("a statement without an end")
    return attributes, position + 1
