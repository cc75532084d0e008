"""Where records come from: a file, a folder, an archive, lines of JSON. Streams; nothing is unpacked to disk."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.trials.registry.decoding import SIZE_LIMIT

RATIO_LIMIT = 200
"""A member that unpacks to more than this many times its size is refused."""

_RATIO_FLOOR = 1024 * 1024
_SUFFIXES = frozenset({".json", ".xml", ".ndjson", ".jsonl"})
_LINES = frozenset({".ndjson", ".jsonl"})
_BOM = b"\xef\xbb\xbf"


class RawRecord(msgspec.Struct, frozen=True):
    """One record as it was found. `name` is where: `folder/NCT….xml`, `x.zip!a.json`, `all.ndjson:12`."""

    name: str
    raw: bytes


class BadRecord(msgspec.Struct, frozen=True):
    """Something in a source that cannot be read as records; the source goes on after it."""

    name: str
    error: BadInputError


class _Page(msgspec.Struct):
    studies: list[msgspec.Raw] | None = None


def iter_records(path: Path) -> Iterator[RawRecord | BadRecord]:
    """The records of a file, a folder (recursive, sorted by name) or a `.zip`, one at a time.

    Files with other suffixes than `.json`, `.xml`, `.ndjson`, `.jsonl` and `.zip` are passed over. A JSON file may hold one
    study,
    a list of studies, or an object with `studies`.

    Raises:
        NotFoundError: there is nothing at `path`.
    """
    if not path.exists():
        raise NotFoundError(f"There is nothing at {path}.", "Check the path.")
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in _SUFFIXES | {".zip"} and file.is_file():
                yield from _file(file, file.relative_to(path.parent).as_posix())
    else:
        yield from _file(path, path.name)


def _file(path: Path, name: str) -> Iterator[RawRecord | BadRecord]:
    suffix = path.suffix.lower()
    if suffix == ".zip":
        yield from _archive(path, name)
        return
    try:
        if suffix in _LINES:
            yield from _lines(path, name)
            return
        if path.stat().st_size > SIZE_LIMIT * (1 if suffix == ".xml" else 16):
            yield _bad(name, "is too large for one file of records.", "Give it as NDJSON or a folder.")
            return
        raw = path.read_bytes()
    except OSError as error:
        yield _bad(name, f"cannot be read ({error.strerror or error}).", "Check the file and its permissions.")
        return
    yield from _split(raw, name)


def _bad(name: str, what: str, hint: str) -> BadRecord:
    return BadRecord(name, BadInputError(f"{name} {what}", hint))


def _split(raw: bytes, name: str) -> Iterator[RawRecord | BadRecord]:
    """A JSON page or list into its studies; anything else is one record."""
    body = raw.removeprefix(_BOM).lstrip()
    try:
        if body[:1] == b"[":
            studies = msgspec.json.decode(body, type=list[msgspec.Raw])
        elif body[:1] == b"{" and b'"studies"' in body[:4096] + body[-4096:]:
            page = msgspec.json.decode(body, type=_Page)
            if page.studies is None:
                yield RawRecord(name, raw)
                return
            studies = page.studies
        else:
            yield RawRecord(name, raw)
            return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield _bad(name, f"is no complete JSON ({error}).", "Download it again.")
        return
    for index, study in enumerate(studies):
        yield RawRecord(f"{name}[{index}]", bytes(study))


def _lines(path: Path, name: str) -> Iterator[RawRecord | BadRecord]:
    with path.open("rb") as stream:
        number = 0
        while True:
            line = stream.readline(SIZE_LIMIT + 1)
            if not line:
                return
            number += 1
            if len(line) > SIZE_LIMIT:
                yield _bad(f"{name}:{number}", "is a line larger than 64 MB.", "The rest of the file was not read.")
                return
            if line.strip():
                yield RawRecord(f"{name}:{number}", line.rstrip(b"\r\n"))


def _archive(path: Path, name: str) -> Iterator[RawRecord | BadRecord]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda info: info.filename):
                if not member.is_dir() and PurePosixPath(member.filename).suffix.lower() in _SUFFIXES:
                    yield from _member(archive, member, f"{name}!{member.filename}")
    except (zipfile.BadZipFile, OSError, RuntimeError, zlib.error, ValueError) as error:
        yield _bad(name, f"is no readable archive ({error}).", "Download it again.")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Iterator[RawRecord | BadRecord]:
    refusal = _refusal(member)
    if refusal:
        yield _bad(name, refusal, "The other members of the archive are read.")
        return
    try:
        with archive.open(member) as stream:
            raw = stream.read(SIZE_LIMIT + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, zlib.error, EOFError) as error:
        yield _bad(name, f"cannot be unpacked ({error}).", "Download the archive again.")
        return
    if len(raw) > SIZE_LIMIT:
        yield _bad(name, "unpacks to more than 64 MB.", "The other members of the archive are read.")
    elif PurePosixPath(member.filename).suffix.lower() in _LINES:
        for number, line in enumerate(raw.splitlines(), start=1):
            if line.strip():
                yield RawRecord(f"{name}:{number}", line)
    else:
        yield from _split(raw, name)


def _refusal(member: zipfile.ZipInfo) -> str:
    """Why a member is not unpacked; empty when it may be."""
    parts = PurePosixPath(member.filename.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(member.filename) > 1 and member.filename[1] == ":"):
        return "leads out of the archive, and is not read."
    if member.flag_bits & 0x1:
        return "is encrypted."
    if member.file_size > SIZE_LIMIT:
        return "unpacks to more than 64 MB."
    if member.file_size > _RATIO_FLOOR and member.file_size > RATIO_LIMIT * max(member.compress_size, 1):
        return f"unpacks to more than {RATIO_LIMIT} times its size."
    return ""
