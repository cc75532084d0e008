"""Packages of the optional extras, imported where they are needed and nowhere else."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from deepimagine_tui.errors import MissingExtraError


def extra(name: str, of: str = "training") -> ModuleType:
    """Import a package of the extra `of`. It comes untyped: a checker may run where the extra is not installed.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        raise MissingExtraError(
            f"This needs {package}, which is not installed.", f"Install it: pip install 'deepimagine[{of}]'"
        ) from error
