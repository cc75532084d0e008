"""The ledger of every scoring of CT Open's Winter set: one line a look, with the commit and the model that was scored.

It lies in the repository and is committed. A score is entered before it is shown.
"""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from deepimagine_training.winter import Verdicts
from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.files import make_dir, storage_error

_SECONDS = 20.0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One look. `commit` is what was checked out, `changed` whether files differed from it; hashes are empty where there is no
    model or no adapter."""

    date: str
    commit: str
    changed: bool
    deepimagine: str = __version__
    system: str
    model: str = ""
    model_sha256: str = ""
    adapter_sha256: str = ""
    set_sha256: str
    corpus: str = ""
    verdicts: Verdicts


def enter(
    ledger: Path,
    system: str,
    set_sha256: str,
    verdicts: Verdicts,
    *,
    model: str = "",
    model_sha256: str = "",
    adapter_sha256: str = "",
    corpus: str = "",
) -> Entry:
    """Append a look to the ledger.

    Raises:
        RefusedError: the ledger is in no git checkout, so that no commit can be named.
        StorageError: it cannot be written.
    """
    make_dir(ledger.parent)
    entry = Entry(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=_git(ledger.parent, "rev-parse", "HEAD"),
        changed=bool(_git(ledger.parent, "status", "--porcelain", "--untracked-files=no")),
        system=system,
        model=model,
        model_sha256=model_sha256,
        adapter_sha256=adapter_sha256,
        set_sha256=set_sha256,
        corpus=corpus,
        verdicts=verdicts,
    )
    try:
        with ledger.open("ab") as stream:
            stream.write(msgspec.json.encode(entry) + b"\n")
    except OSError as error:
        raise storage_error(ledger, error) from error
    return entry


def read(ledger: Path) -> list[Entry]:
    """Every look so far, the oldest first; none where there is no ledger.

    Raises:
        BadInputError: a line is damaged.
    """
    if not ledger.is_file():
        return []
    try:
        return [msgspec.json.decode(line, type=Entry) for line in ledger.read_bytes().splitlines()]
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{ledger} is damaged ({error}).", "Take it back from the repository.") from error


def check(ledger: Path) -> None:
    """Refuse a place in no checkout, before anything is scored.

    Raises:
        RefusedError: it is in none.
    """
    make_dir(ledger.parent)
    _git(ledger.parent, "rev-parse", "HEAD")


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(("git", "-C", str(folder), *words), capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RefusedError(
            f"{folder} is in no git checkout, so that no commit can be named.", "Score in a clone of the repository."
        ) from error
    return done.stdout.strip()
