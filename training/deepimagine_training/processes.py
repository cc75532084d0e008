"""What the processes of one run tell each other, so that they all take the same turn. With one process, nothing is sent.

A process that goes another way than the others leaves them waiting for it. Imported only when training begins: it loads torch.
"""

from __future__ import annotations

from typing import Any, TypeVar

from torch import distributed

Told = TypeVar("Told")


def count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def by_process(mine: Told) -> list[Told]:
    """What each process has, in their order; every process asks."""
    if count() == 1:
        return [mine]
    found: list[Any] = [None] * count()
    distributed.all_gather_object(found, mine)
    return found


def of_first(mine: Told) -> Told:
    """What the first process has; every process asks."""
    return by_process(mine)[0]
