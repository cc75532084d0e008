"""Waiting for the app, without fixed delays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.timer import Timer

TURN = 0.02
"""Seconds between looks. Each is a turn of the event loop, so that a starved machine gets as many turns as a quick one."""

_SOON = 1.0
"""Seconds. Longer timers, of notifications, are nothing to wait for."""

_QUIET_TURNS = 8
"""So many turns in a row without work are rest: longer than the app waits before it answers a key."""


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the app work until `condition` holds."""
    for _ in range(int(seconds / TURN)):
        await pilot.pause(TURN)
        if condition():
            return
    raise AssertionError(f"not within {seconds} s")


async def settled(pilot: Pilot[None], seconds: float = 30.0) -> None:
    """Let timers, workers and messages come to rest."""
    quiet = 0
    for _ in range(int(seconds / TURN)):
        await asyncio.sleep(TURN)
        quiet = 0 if _is_busy(pilot) else quiet + 1
        if quiet == _QUIET_TURNS:
            await pilot.pause()
            return
    raise AssertionError(f"not at rest within {seconds} s")


def _is_busy(pilot: Pilot[None]) -> bool:
    app = pilot.app
    if any(not worker.is_finished for worker in app.workers):
        return True
    pumps: list[MessagePump] = [
        app,
        *app.screen_stack,
        *(node for screen in app.screen_stack for node in screen.walk_children()),
    ]
    return any(pump.message_queue_size for pump in pumps) or any(_waits(timer) for pump in pumps for timer in _timers(pump))


def _timers(pump: MessagePump) -> Iterator[Timer]:
    # Textual has no public list of a widget's timers.
    yield from tuple(pump._timers)


def _waits(timer: Timer) -> bool:
    """Whether a timer that fires once, and soon, has not fired yet."""
    task = timer._task
    return timer._repeat == 0 and timer._interval < _SOON and task is not None and not task.done()
