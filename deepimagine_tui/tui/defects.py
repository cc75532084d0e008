"""Where a defect of ours is written down, so that a user can send it."""

from __future__ import annotations

import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from deepimagine_tui.paths import log_dir


def defect_log() -> Path:
    """The file that defects are appended to."""
    return log_dir() / "defects.log"


def log_defect(doing: str, error: BaseException) -> None:
    """Append a defect with its traceback; a log that cannot be written is no second error."""
    path = defect_log()
    lines = "".join(traceback.format_exception(error))
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC).isoformat()} while: {doing}\n{lines}\n")
