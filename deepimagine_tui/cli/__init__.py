"""The command line: the same engine as the app's, for scripts and for reading in a terminal without it."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the process's arguments."""
    from deepimagine_tui.cli.boundary import run

    return run(argv)
