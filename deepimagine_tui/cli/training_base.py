"""What training commands share: the values that replace a recipe's, and the base model that is named, as a path."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from deepimagine_tui.errors import UsageError


def overrides_of(settings: Sequence[str], base: str | None = None) -> dict[str, str]:
    """The values of `--set KEY=VALUE`, and the base where `--base` names one.

    Raises:
        UsageError: one of them is no assignment.
    """
    found = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {setting!r} sets nothing.", "Write it as KEY=VALUE, e.g. --set sft.epochs=2")
        found[key.strip()] = value.strip()
    return {**found, **({"base": base} if base else {})}


def base_path(base: str, cancel: Event) -> str:
    """The file, folder or hub id of `base`; for an id of the catalogue, the GGUF file of that model.

    Raises:
        MissingExtraError: the embedded model is not installed.
        RefusedError: the model of the catalogue has no file to train.
        DeepImagineError: as `catalogue.ensure_ready`.
    """
    from deepimagine_tui.backends.catalogue import EMBEDDED, Catalogue, ensure_ready
    from deepimagine_tui.cli.progress import Progress

    catalogue = Catalogue.load()
    listed = {entry.id for entry in catalogue.entries()} | {EMBEDDED.id}
    if base not in listed:
        return base
    entry = EMBEDDED if base == EMBEDDED.id else catalogue.get(base)
    with Progress(f"Unpacking {entry.name}") as progress:
        return str(ensure_ready(entry, progress.share, cancel))
