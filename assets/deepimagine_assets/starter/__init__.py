"""Where the starter corpus lies; README.md beside it says what is in it and how it was made."""

from __future__ import annotations

from pathlib import Path

STARTER_FILE = "starter.db"


def starter_path() -> Path:
    """The SQLite file of the starter corpus."""
    return Path(__file__).parent / STARTER_FILE
