"""Getting things out of the screen: what can be copied or exported, and where a copy goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from deepimagine_tui import files
from deepimagine_tui.paths import cache_dir

OSC52_LIMIT = 74_000
"""Bytes of text that terminals take in one clipboard sequence (100,000 after base 64)."""

_WITHOUT_CLIPBOARD = {"linux", "dumb", "vt100", "vt220", "ansi"}


@runtime_checkable
class Copyable(Protocol):
    """A widget that `y` copies."""

    def copy_text(self) -> str:
        """The logical text of what has focus: no borders, no wrapping, tabs between columns."""
        ...


@dataclass(frozen=True)
class ExportChoice:
    """One way to write what has focus. `write` runs in a worker thread and raises StorageError when it cannot."""

    label: str
    file_name: str
    write: Callable[[Path], None]


@runtime_checkable
class Exportable(Protocol):
    """A widget or screen that `e` exports."""

    def export_choices(self) -> list[ExportChoice]:
        """What can be written now; empty when there is nothing."""
        ...


def copied_file() -> Path:
    """Where a copy goes when the terminal has no clipboard."""
    return cache_dir() / "copied.txt"


def terminal_takes_clipboard(text: str) -> bool:
    """Whether this terminal is expected to take `text` by OSC 52."""
    if os.environ.get("TERM", "") in _WITHOUT_CLIPBOARD or os.environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return False
    return len(text.encode("utf-8")) <= OSC52_LIMIT


def copy_to_file(text: str) -> Path:
    """Write `text` where it can be picked up.

    Raises:
        StorageError: it cannot be written.
    """
    path = copied_file()
    files.write_text(path, text)
    return path


def text_choice(label: str, file_name: str, text: Callable[[], str]) -> ExportChoice:
    """An export that writes a text."""
    return ExportChoice(label, file_name, lambda path: files.write_text(path, text()))
