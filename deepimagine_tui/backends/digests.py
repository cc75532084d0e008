"""The SHA-256 of big files, computed once and remembered by path, size and time of change.

The memory is a cache beside the models: losing it costs time only; two processes that write it at once cost an entry at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from deepimagine_tui import files, paths
from deepimagine_tui.errors import CancelledError, StorageError

_BLOCK = 4 << 20


class _Digest(msgspec.Struct, frozen=True):
    size: int
    mtime_ns: int
    sha256: str


_seen: dict[str, _Digest] = {}
"""What this process computed, for a place that cannot be written."""


def _store() -> Path:
    return paths.models_dir() / "digests.json"


def _load() -> dict[str, _Digest]:
    try:
        return msgspec.json.decode(_store().read_bytes(), type=dict[str, _Digest])
    except (OSError, msgspec.DecodeError):
        return {}


def remember(path: Path, digest: str) -> None:
    """Store the digest of the file as it is now. A place that cannot be written only costs computing it again."""
    state = path.stat()
    _seen[str(path.resolve())] = _Digest(state.st_size, state.st_mtime_ns, digest)
    try:
        files.write_bytes(_store(), msgspec.json.encode(_load() | _seen))
    except StorageError:
        return


def recall(path: Path) -> str:
    """The remembered SHA-256 of the file, or an empty string when it is not known or the file changed since."""
    key, state = str(path.resolve()), path.stat()
    for known in (_seen.get(key), _load().get(key)):
        if known is not None and (known.size, known.mtime_ns) == (state.st_size, state.st_mtime_ns):
            return known.sha256
    return ""


def sha256(
    path: Path, cancelled: Callable[[], bool] = lambda: False, progress: Callable[[float], None] = lambda _share: None
) -> str:
    """The SHA-256 of the file in hexadecimal, from memory where possible. Reads the whole file otherwise, and tells `progress`
    which share of it was read.

    Raises:
        CancelledError: `cancelled` answered yes while reading.
    """
    digest = recall(path)
    if digest:
        return digest
    running, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            if cancelled():
                raise CancelledError("Stopped while reading the model.")
            running.update(block)
            done += len(block)
            progress(done / size)
    remember(path, running.hexdigest())
    return running.hexdigest()
