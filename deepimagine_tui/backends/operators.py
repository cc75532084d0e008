"""Which adapter answers which factor: one file for all, or a folder with an operator (an adapter of its own) for each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from deepimagine_tui.backends import digests
from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.factors import WALKING_ORDER

ALL = ""
"""Stands for every factor, where there is one adapter for all."""


def find(adapter: Path) -> dict[str, Path]:
    """The LoRA files at `adapter` by the factor that they answer: `ALL` for a file; `dose.gguf` and so on of a folder.

    Raises:
        BadInputError: it is a folder without such a file.
    """
    if not adapter.is_dir():
        return {ALL: adapter}
    found: dict[str, Path] = {factor: path for factor in WALKING_ORDER if (path := adapter / f"{factor}.gguf").is_file()}
    if not found:
        raise BadInputError(
            f"{adapter} holds no operator.", "An operator is an adapter named by its factor, e.g. dose.gguf or arm.gguf."
        )
    return found


def sha256(operators: Mapping[str, Path]) -> str:
    """What identifies the weights: the file's SHA-256, or that of the list of all factors and files."""
    each = {factor: digests.sha256(path) for factor, path in sorted(operators.items())}
    if set(each) == {ALL}:
        return each[ALL]
    return hashlib.sha256("\n".join(f"{factor} {digest}" for factor, digest in each.items()).encode()).hexdigest()
