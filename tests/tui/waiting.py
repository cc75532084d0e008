"""Waiting for the app, without fixed delays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the app work until `condition` holds."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause(0.02)
        if condition():
            return
    raise AssertionError(f"not within {seconds} s")


async def settled(pilot: Pilot[None]) -> None:
    """Let timers and workers come to rest."""
    await asyncio.sleep(0.2)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
