"""Reading a JSON file that says what it is and of which version: scores, measures, the probes of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError


class Versioned(Protocol):
    """Content with its format's name and version."""

    @property
    def format(self) -> str:
        """What kind of file it is."""
        ...

    @property
    def schema_version(self) -> int:
        """The version of its fields."""
        ...


Content = TypeVar("Content", bound=Versioned)


def read_versioned(file: Path, kind: type[Content], expected: tuple[str, int], what: str, how: str) -> Content:
    """The content of `file`; `expected` are the format and the newest version known here, `what` it holds in words ("scores of
    an evaluation"), `how` the command that makes it.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is damaged, or holds something else.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    name, version = expected
    if not file.is_file():
        raise NotFoundError(f"There are no {what} at {file}.", f"Make them: {how}")
    try:
        found = msgspec.json.decode(file.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{file} is damaged and holds no {what} ({error}).", f"Make them again: {how}") from error
    if found.format != name:
        raise BadInputError(f"{file} holds no {what}.", f"Name a file that {how} wrote.")
    if found.schema_version > version:
        raise NewerSchemaError(f"{file} was written by a newer DeepImagine.", "Update DeepImagine.")
    return found
