"""Typed access to untyped registry fields. Whatever is not of the expected type becomes a Problem, never an exception."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from math import isfinite
from typing import cast

from deepimagine_tui.trials.concepts.numbers import is_not_available, parse_count, parse_number
from deepimagine_tui.trials.model import Problem

Node = dict[str, object]

_EMPTY: Node = {}
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!<>~|^&])")
_DETAIL_LIMIT = 160
_SHORT = 80


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
    return _clean_short(text) if len(text) < _SHORT else _clean(text)


def _clean(text: str) -> str:
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    # Printable text has no white space but blanks; most texts are clean, and seeing that is faster than cleaning them.
    return text.strip() if text.isprintable() and "  " not in text else " ".join(text.split())


_clean_short = lru_cache(maxsize=65536)(_clean)


def shown(value: object) -> str:
    """A value for a message: texts and numbers as they are, structures by their type, since they may be deep."""
    return f"{value!r:.80}" if value is None or isinstance(value, str | int | float) else f"a {type(value).__name__}"


def text(node: Node, key: str, path: str, log: Log) -> str:
    """The text under `key`, cleaned; empty when absent. A number is taken as its digits."""
    value = node.get(key)
    if type(value) is str:
        return _clean_short(value) if len(value) < _SHORT else _clean(value)
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    log.add(f"{path}.{key}", "not-text", f"Expected text, found {shown(value)}.")
    return ""


def group_id(node: Node, path: str, log: Log) -> str:
    """The id under `groupId`, as it is: ids are short tokens, and there are more of them than of anything else."""
    value = node.get("groupId")
    return value if type(value) is str else text(node, "groupId", path, log)


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
        return cast("Node", value)
    if value is not None:
        log.add(f"{path}.{key}".lstrip("."), "not-an-object", f"Expected an object, found {shown(value)}.")
    return _EMPTY


def each(node: Node, key: str, path: str, log: Log) -> list[tuple[str, Node]]:
    """The objects of the list under `key`, each with its path; empty when absent."""
    value = node.get(key)
    if value is None:
        return []
    if type(value) is not list:
        log.add(f"{path}.{key}", "not-a-list", f"Expected a list, found {shown(value)}.")
        return []
    found: list[tuple[str, Node]] = []
    for index, item in enumerate(value):
        if type(item) is dict:
            found.append((f"{path}.{key}[{index}]", cast("Node", item)))
        else:
            log.add(f"{path}.{key}[{index}]", "not-an-object", f"Expected an object, found {shown(item)}.")
    return found


def texts(node: Node, key: str, path: str, log: Log) -> tuple[str, ...]:
    """The non-empty texts of the list under `key`, cleaned."""
    value = node.get(key)
    if value is None:
        return ()
    if type(value) is not list:
        log.add(f"{path}.{key}", "not-a-list", f"Expected a list, found {shown(value)}.")
        return ()
    found: list[str] = []
    for index, item in enumerate(value):
        if type(item) is str:
            cleaned = clean(item)
            if cleaned:
                found.append(cleaned)
        else:
            log.add(f"{path}.{key}[{index}]", "not-text", f"Expected text, found {shown(item)}.")
    return tuple(found)


def flag(node: Node, key: str, path: str, log: Log) -> bool | None:
    """The boolean under `key`; `None` when absent."""
    value = node.get(key)
    if value is None or type(value) is bool:
        return value
    log.add(f"{path}.{key}", "not-a-boolean", f"Expected true or false, found {shown(value)}.")
    return None


def number(node: Node, key: str, path: str, log: Log) -> float | None:
    """The number under `key`, given as text; `None` when absent, not available, or not a number (then recorded)."""
    value = node.get(key)
    if value is None:
        return None
    if type(value) is str:
        found = parse_number(value)
        if found is not None or is_not_available(value):
            return found
    elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        return float(value)
    log.add(f"{path}.{key}", "not-a-number", f"Expected a number, found {shown(value)}.")
    return None


def count(node: Node, key: str, path: str, log: Log) -> int | None:
    """The count under `key`, given as number or text; `None` when absent, not available, or not a count (then recorded)."""
    value = node.get(key)
    if type(value) is int and value >= 0:
        return value
    if value is None:
        return None
    if type(value) is str:
        found = parse_count(value)
        if found is not None or is_not_available(value):
            return found
    log.add(f"{path}.{key}", "not-a-count", f"Expected a whole number, found {shown(value)}.")
    return None
