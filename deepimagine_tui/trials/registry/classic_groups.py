"""Result groups of the classic XML: their ids in the v2 form, and the elements that hold them."""

from __future__ import annotations

import re
from functools import lru_cache

from lxml import etree

from deepimagine_tui.trials.registry.fields import Log, Node

_GROUP = re.compile(r"^([OPBE])(\d+)$")
_PREFIX = {"O": "OG", "P": "FG", "B": "BG", "E": "EG"}


@lru_cache(maxsize=4096)
def group_id(text: str) -> str:
    """The v2 form of a classic group id: `O1` is `OG000`; an id of another form stays as it is."""
    found = _GROUP.match(text)
    return f"{_PREFIX[found[1]]}{max(int(found[2]) - 1, 0):03d}" if found else text


def groups_of(group_list: etree._Element | None) -> list[Node]:
    """The groups of a `group_list`."""
    found: list[Node] = []
    for element in group_list if group_list is not None else ():
        group: Node = {"id": group_id(element.get("group_id", ""))}
        for item in element:
            group[item.tag] = item.text or ""
        found.append(group)
    return found


def unknown_element(path: str, element: etree._Element, log: Log) -> None:
    """Record an element that the reader does not know."""
    log.add(f"{path}.{element.tag}", "unknown-field", "This element is not known to the reader and was left out.")
