"""Reasoning traces on disk: one line a pair, appended as they are written, and a manifest at the end.

A folder without a manifest is unfinished: the same command goes on with it. A line that a killed process left torn is dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import msgspec

from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.files import make_dir, sha256, storage_error, write_bytes, write_text
from deepimagine_tui.reasoning.prompts import PROMPT_VERSION

FORMAT = "deepimagine traces"
SCHEMA_VERSION = 1
MANIFEST, LINES, REJECTED = "manifest.json", "traces.jsonl", "rejected.jsonl"
_AGAIN = "Write traces for these: deepimagine train traces"
_OURS = (MANIFEST, LINES, REJECTED)

Writer = Literal["facts", "model"]


class Trace(msgspec.Struct, frozen=True):
    """The reasoning of one pair, with who wrote it: `facts` is the deterministic writer, `model` one that is named by its
    hash. `attempts` counts the answers asked for until one was right."""

    pair_id: str
    factor: str
    reasoning: str
    writer: Writer
    prompt_version: str
    model: str = ""
    model_sha256: str = ""
    seed: int = 0
    attempts: int = 1


class Rejected(msgspec.Struct, frozen=True):
    """A pair that a model gave no acceptable answer to in `tries`; `reason` is what was against the last one."""

    pair_id: str
    factor: str
    reason: str
    tries: int
    prompt_version: str
    model: str
    model_sha256: str


Line = TypeVar("Line", Trace, Rejected)


class Manifest(msgspec.Struct, frozen=True):
    """What a folder of traces is: of which pairs, by whom, and how many were written and rejected."""

    pairs_sha256: str
    writer: Writer
    model: str
    model_sha256: str
    prompt_version: str
    traces: int
    rejected: int
    by_factor: dict[str, int]
    lines_sha256: str
    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__


def check_target(folder: Path) -> None:
    """Refuse a folder that holds anything but traces.

    Raises:
        RefusedError: it does, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"{folder} is a file, not a folder.", "Name a folder of its own with --out.")
    strange = sorted(path.name for path in folder.iterdir() if not _is_ours(path.name)) if folder.is_dir() else []
    if strange:
        raise RefusedError(f"{folder} holds other things ({strange[0]}).", "Name an empty or a new folder with --out.")


@contextmanager
def appending(folder: Path, name: str = LINES) -> Iterator[BinaryIO]:
    """Open the lines of a folder, or those of another file in it, to append to; what is torn at their end is taken away first.
    A finished folder is unfinished again.

    Raises:
        RefusedError: as `check_target`.
        StorageError: it cannot be written.
    """
    check_target(folder)
    make_dir(folder)
    path = folder / name
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            write_bytes(path, path.read_bytes().rpartition(b"\n")[0] + b"\n" if path.stat().st_size else b"")
        with path.open("ab") as stream:
            yield stream
    except OSError as error:
        raise storage_error(path, error) from error


def append(stream: BinaryIO, lines: Iterable[Line]) -> None:
    """Add lines so that they survive whatever ends the process. Raises what writing raises."""
    for line in lines:
        stream.write(msgspec.json.encode(line) + b"\n")
    stream.flush()


def read_lines(folder: Path) -> dict[str, Trace]:
    """The traces of a folder, finished or not, by pair id; a torn last line is left out.

    Raises:
        BadInputError: another line is damaged.
    """
    return _read(folder / LINES, Trace)


def read_rejected(folder: Path) -> dict[str, Rejected]:
    """The pairs of a folder that fell out, by pair id.

    Raises:
        BadInputError: a line is damaged.
    """
    return _read(folder / REJECTED, Rejected)


def _read(path: Path, kind: type[Line]) -> dict[str, Line]:
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    found: dict[str, Line] = {}
    for number, line in enumerate(lines, 1):
        try:
            read = msgspec.json.decode(line, type=kind)
        except msgspec.MsgspecError as error:
            if number < len(lines) or line.endswith(b"\n"):
                raise BadInputError(f"Line {number} of {path} is damaged ({error}).", "Take that line out.") from error
            continue
        found[read.pair_id] = read
    return found


def finish(folder: Path, pairs_sha256: str, rejected: int) -> Manifest:
    """Write the manifest of a folder whose lines are complete.

    Raises:
        BadInputError: it holds no trace.
        StorageError: it cannot be written.
    """
    found = list(read_lines(folder).values())
    if not found:
        raise BadInputError(f"{folder} holds no trace.", "Write some: deepimagine train traces")
    first = found[0]
    manifest = Manifest(
        pairs_sha256=pairs_sha256,
        writer=first.writer,
        model=first.model,
        model_sha256=first.model_sha256,
        prompt_version=first.prompt_version,
        traces=len(found),
        rejected=rejected,
        by_factor=dict(sorted(Counter(trace.factor for trace in found).items())),
        lines_sha256=sha256(folder / LINES),
    )
    write_text(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode() + "\n")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of traces.

    Raises:
        NotFoundError: there is no such folder.
        BadInputError: it holds no finished traces, or they are damaged.
        NewerSchemaError: a newer DeepImagine wrote them.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", "Write traces first: deepimagine train traces PAIRS --out FOLDER")
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInputError(f"{folder} holds no finished traces: it has no {MANIFEST}.", "Finish: deepimagine train traces")
    try:
        head = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if head.get("format") != FORMAT:
            raise BadInputError(f"{path} is not about traces.", "Name the folder that `train traces` wrote.")
        version = head.get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise NewerSchemaError(f"{folder} holds traces of version {version}.", "Update DeepImagine.")
        manifest = msgspec.convert(head, Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Write the traces again.") from error
    if not (folder / LINES).is_file() or sha256(folder / LINES) != manifest.lines_sha256:
        raise BadInputError(f"{folder / LINES} is not the file that its manifest names.", "Write the traces again.")
    return manifest


def load(folder: Path, pairs_sha256: str) -> dict[str, Trace]:
    """The finished traces of a folder by pair id.

    Raises:
        BadInputError: they are of other pairs, or go on from prompts of another version.
        DeepImagineError: as `read_manifest`.
    """
    manifest = read_manifest(folder)
    if manifest.pairs_sha256 != pairs_sha256:
        raise BadInputError(f"{folder} holds traces of other pairs.", _AGAIN)
    if manifest.prompt_version != PROMPT_VERSION:
        raise BadInputError(f"{folder} holds traces of prompts {manifest.prompt_version}, not {PROMPT_VERSION}.", _AGAIN)
    return read_lines(folder)


def data_hash(found: Iterable[Trace]) -> str:
    """The SHA-256 of traces, whatever order they were written in."""
    digest = hashlib.sha256()
    for trace in sorted(found, key=lambda trace: trace.pair_id):
        digest.update(msgspec.json.encode(trace, order="deterministic") + b"\n")
    return digest.hexdigest()


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(tuple(f".{own}." for own in _OURS))
