"""Progress of long work, on standard error: one line rewritten in a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click

from deepimagine_tui.cli.console import is_terminal, narrate, shorten
from deepimagine_tui.text import one_line

_TERMINAL_SECONDS = 0.1
_PLAIN_SECONDS = 10.0


class Progress:
    """A line that says how far something is. Work that ends before the first report is due says nothing.

    Args:
        what: What is done, e.g. `Importing trials`.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = is_terminal(sys.stderr)
        self._due = time.monotonic() + (0.3 if self._terminal else _PLAIN_SECONDS)
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.clear()

    def share(self, share: float) -> None:
        """Report the share done, 0 to 1."""
        self.say(f"{share:.0%}")

    def say(self, detail: str) -> None:
        """Report anything; what comes faster than a person reads is dropped."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + (_TERMINAL_SECONDS if self._terminal else _PLAIN_SECONDS)
        line = f"{self._what}: {detail}"
        if not self._terminal:
            narrate(line)
            return
        click.echo(f"\r\x1b[K{shorten(one_line(line), 78)}", err=True, nl=False)
        self._drawn = True

    def clear(self) -> None:
        """Take the rewritten line away, so that the next line starts clean."""
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._drawn = False
