"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deepimagine_tui.errors import StorageError


def storage_error(path: Path, error: OSError) -> StorageError:
    """The error to raise when `path` could not be written."""
    if error.errno == errno.ENOSPC:
        return StorageError(f"No room is left to write {path}.", "Free some space and try again.")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{path} may not be written ({error.strerror}).",
            "Choose another place, or set DEEPIMAGINE_HOME to a folder you can write to.",
        )
    return StorageError(f"{path} cannot be written ({error.strerror or error}).")


def make_dir(path: Path) -> Path:
    """Create `path` and its parents, private to the user, and return it.

    Raises:
        StorageError: it cannot be created.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    return path


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary neighbour of `path` for bytes; on success fsync it and rename it to `path`.

    Raises:
        StorageError: the file cannot be written; `path` is then as it was.
    """
    make_dir(path.parent)
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically.

    Raises:
        StorageError: the file cannot be written.
    """
    with atomic_write(path) as stream:
        stream.write(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8.

    Raises:
        StorageError: the file cannot be written.
    """
    write_bytes(path, content.encode("utf-8"))


def sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
