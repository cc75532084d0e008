"""Typed access to untyped registry fields. Whatever is not of the expected type becomes a Problem, never an exception."""

from __future__ import annotations

import html
import re
from typing import cast

from deepimagine_tui.trials.model import Problem

Node = dict[str, object]

_EMPTY: Node = {}
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~|^&])")
_DETAIL_LIMIT = 160


class Log:
    """The problems met while one record is read, in reading order."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, path: str, code: str, detail: str) -> None:
        """Record that what stands at `path` was not understood; `detail` is cut to one readable line."""
        self.problems.append(Problem(path, code, clean(detail[: 4 * _DETAIL_LIMIT])[:_DETAIL_LIMIT]))


def clean(text: str) -> str:
    """`text` on one line: entities and markdown escapes decoded, runs of white space made one blank, ends stripped."""
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    return " ".join(text.split())


def text(node: Node, key: str, path: str, log: Log) -> str:
    """The text under `key`, cleaned; empty when absent. A number is taken as its digits."""
    value = node.get(key)
    if type(value) is str:
        return clean(value)
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    log.add(f"{path}.{key}", "not-text", f"Expected text, found {value!r:.80}.")
    return ""


def paragraphs(node: Node, key: str, path: str, log: Log) -> str:
    """Like `text`, but line breaks stay: each line is cleaned, empty lines are dropped."""
    value = node.get(key)
    if type(value) is not str:
        return text(node, key, path, log)
    return "\n".join(line for line in map(clean, value.splitlines()) if line)


def child(node: Node, key: str, path: str, log: Log) -> Node:
    """The object under `key`; empty when absent."""
    value = node.get(key)
    if type(value) is dict:
        return cast(Node, value)
    if value is not None:
        log.add(f"{path}.{key}", "not-an-object", f"Expected an object, found {value!r:.80}.")
    return _EMPTY


def each(node: Node, key: str, path: str, log: Log) -> list[tuple[str, Node]]:
    """The objects of the list under `key`, each with its path; empty when absent."""
    value = node.get(key)
    if value is None:
        return []
    if type(value) is not list:
        log.add(f"{path}.{key}", "not-a-list", f"Expected a list, found {value!r:.80}.")
        return []
    found: list[tuple[str, Node]] = []
    for index, item in enumerate(value):
        if type(item) is dict:
            found.append((f"{path}.{key}[{index}]", cast(Node, item)))
        else:
            log.add(f"{path}.{key}[{index}]", "not-an-object", f"Expected an object, found {item!r:.80}.")
    return found


def texts(node: Node, key: str, path: str, log: Log) -> tuple[str, ...]:
    """The non-empty texts of the list under `key`, cleaned."""
    value = node.get(key)
    if value is None:
        return ()
    if type(value) is not list:
        log.add(f"{path}.{key}", "not-a-list", f"Expected a list, found {value!r:.80}.")
        return ()
    found: list[str] = []
    for index, item in enumerate(value):
        if type(item) is str:
            cleaned = clean(item)
            if cleaned:
                found.append(cleaned)
        else:
            log.add(f"{path}.{key}[{index}]", "not-text", f"Expected text, found {item!r:.80}.")
    return tuple(found)


def flag(node: Node, key: str, path: str, log: Log) -> bool | None:
    """The boolean under `key`; `None` when absent."""
    value = node.get(key)
    if value is None or type(value) is bool:
        return value
    log.add(f"{path}.{key}", "not-a-boolean", f"Expected true or false, found {value!r:.80}.")
    return None


def unknown_keys(node: Node, known: frozenset[str], path: str, log: Log) -> None:
    """Record every field of `node` that this reader does not know, so that nothing is dropped in silence."""
    if not known.issuperset(node):
        for key in node:
            if key not in known:
                log.add(f"{path}.{key}", "unknown-field", "This field is not known to the reader and was left out.")
