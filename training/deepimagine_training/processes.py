"""What the processes of one run tell each other, so that they all take the same turn. With one process, nothing is sent.

A process that goes another way than the others leaves them waiting for it. Imported only when training begins.
"""

from __future__ import annotations

from typing import TypeVar, cast

from accelerate.utils import broadcast_object_list, gather_object
from torch import distributed

Told = TypeVar("Told")


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def by_process(mine: Told) -> list[Told]:
    """What each process has, in their order; every process asks."""
    return cast("list[Told]", gather_object([mine])) if count() > 1 else [mine]


def of_first(mine: Told) -> Told:
    """What the first process has; every process asks."""
    if count() > 1:
        held = [mine]
        broadcast_object_list(held)
        return held[0]
    return mine
