"""What a GGUF file says of where it comes from: the run, the base model and its licence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

Value = str | int


class Origin(NamedTuple):
    """The run that a file is made of. `base_sha256` and `base_licence` are of the model it was trained on; `trained_until` is
    the newest posting date among the training trials."""

    name: str
    run_id: str
    base_name: str
    base_sha256: str
    base_licence: str = ""
    prompt_version: str = ""
    trained_until: str = ""


def entries(origin: Origin) -> Iterator[tuple[str, Value]]:
    """The entries of a file that is made of `origin`, by key, empty ones left out."""
    found: tuple[tuple[str, Value], ...] = (
        ("general.name", origin.name),
        ("general.license", origin.base_licence),
        ("general.base_model.count", 1),
        ("general.base_model.0.name", origin.base_name),
        ("deepimagine.run_id", origin.run_id),
        ("deepimagine.base_sha256", origin.base_sha256),
        ("deepimagine.prompt_version", origin.prompt_version),
        ("deepimagine.trained_until", origin.trained_until),
    )
    return ((key, value) for key, value in found if value)
