"""Where the default adapter lies: a LoRA in GGUF for the embedded model, with the manifest of its training and its card."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def adapter_path() -> Path | None:
    """The adapter's GGUF file; `None` where none is shipped."""
    return next(iter(sorted(FOLDER.glob("*.gguf"))), None)
