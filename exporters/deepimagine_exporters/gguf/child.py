"""Running a long program of another kind: stopped when the user says so, its last words kept for when it fails."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

from deepimagine_tui.errors import CancelledError
from deepimagine_tui.files import storage_error

_POLL_SECONDS = 0.1
_FULL = os.strerror(errno.ENOSPC)
_LAST_LINES = 10


def failure(command: Sequence[str], target: Path, cancel: Event, environment: Mapping[str, str] | None = None) -> str:
    """Run `command`, which writes `target`; the last line it printed when it failed, empty when it did its work.

    Raises:
        CancelledError: `cancel` was set. Then, as after a failure, `target` is not left behind.
        StorageError: no room was left for it.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            while child.poll() is None:
                if cancel.wait(_POLL_SECONDS):
                    raise CancelledError(f"Stopped while {target.name} was made.")
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
            if child.returncode:
                target.unlink(missing_ok=True)
        if not child.returncode:
            return ""
        log.seek(0)
        said = log.read().decode("utf-8", "replace").strip().splitlines()
        if any(_FULL in line for line in said[-_LAST_LINES:]):
            raise storage_error(target, OSError(errno.ENOSPC, _FULL))
        return said[-1].rstrip(".") if said else f"it ended with {child.returncode}"
