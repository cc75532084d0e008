"""The folder of one training run, the only place that training writes to.

It holds `recipe.json`, `run.json` (what the run was begun from), `log.jsonl`, `checkpoints/`, `adapter/` and, last,
`manifest.json`. One trainer writes to it at a time: the operating system lets go of the lock when a process dies, however
it dies, so that a killed run can be taken up again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from deepimagine_training.recipe import Recipe
from deepimagine_training.recipes import flat
from deepimagine_training.run_manifest import MANIFEST, Manifest, write
from deepimagine_tui import paths
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.extras import extra
from deepimagine_tui.files import make_dir, storage_error, write_text
from deepimagine_tui.reasoning.ids import new_run_id

RECIPE, BEGUN, LOG = "recipe.json", "run.json", "log.jsonl"
CHECKPOINTS, ADAPTER = "checkpoints", "adapter"
_LOCK, _PID = ".lock", "trainer.pid"
_MAY_CHANGE = frozenset({"sft.max_minutes", "grpo.max_minutes", "grpo.vllm_server"})
"""What may differ from the recipe that a run was begun with: how long it may go on, and where its server is."""
_PATIENCE = 60.0
"""Seconds that a process waits for the first one of its run to begin."""

Read = TypeVar("Read")


class Begun(msgspec.Struct, frozen=True):
    """What a run was begun from. `inputs` names what it must find unchanged when it is taken up again (e.g. the hash of the
    pairs); `started` is in UTC."""

    run_id: str
    started: str
    inputs: dict[str, str]


def is_first_process() -> bool:
    """Whether this process is the one that writes, of those that train together (`RANK`, as torch's launchers set it)."""
    return os.environ.get("RANK", "0") == "0"


def training_dir() -> Path:
    """Where runs are kept that are given no folder."""
    return paths.data_dir() / "training"


class RunFolder:
    """The folder of one run. Reading it needs no lock; `begin` takes it, `finish` or `close` lets go of it.

    Where several processes train together, the first one alone writes; the others wait for it to begin.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: Any = None
        self._writes = is_first_process()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def checkpoints(self) -> Path:
        """Where the trainer saves checkpoints, as `checkpoint-N`."""
        return self.path / CHECKPOINTS

    @property
    def adapter(self) -> Path:
        """Where the adapter is saved, as PEFT does."""
        return self.path / ADAPTER

    def begin(self, recipe: Recipe, inputs: Mapping[str, str] | None = None) -> Begun:
        """Take the folder for a run of `recipe`, or for going on with the one that was begun there.

        Raises:
            MissingExtraError: `filelock` is not installed.
            RefusedError: another trainer writes there; it holds other things, a finished run, or one begun otherwise.
            BadInputError: what was begun there cannot be read.
            StorageError: it cannot be written.
        """
        if not self._writes:
            return self._awaited()
        self._check_target()
        make_dir(self.path)
        self._take()
        try:
            begun = self._taken_up(recipe, inputs or {}) if (self.path / BEGUN).exists() else self._begun(recipe, inputs or {})
        except BaseException:
            self.close()
            raise
        make_dir(self.checkpoints)
        return begun

    def log(self, record: Mapping[str, object]) -> None:
        """Add one record to the log, so that it survives whatever ends the process.

        Raises:
            StorageError: it cannot be written.
        """
        if not self._writes:
            return
        path = self.path / LOG
        try:
            with path.open("ab") as stream:
                stream.write(msgspec.json.encode(record) + b"\n")
        except OSError as error:
            raise storage_error(path, error) from error

    def go_on(self) -> tuple[Path | None, float]:
        """The checkpoint to go on from, with the log taken back to it, and the seconds that the run took until then.

        Raises:
            StorageError: the log cannot be written.
        """
        checkpoint = self.latest_checkpoint()
        if checkpoint is None:
            return None, 0.0
        self.rewind(int(checkpoint.name.rpartition("-")[2]))
        return checkpoint, max((float(record.get("seconds", 0.0)) for record in self.records()), default=0.0)

    def rewind(self, step: int) -> None:
        """Take the records after `step` out of the log: what was done after the checkpoint that is gone on from is done again.

        Raises:
            StorageError: it cannot be written.
        """
        if not self._writes:
            return
        kept = [record for record in self.records() if int(record.get("step", 0)) <= step]
        write_text(self.path / LOG, "".join(msgspec.json.encode(record).decode() + "\n" for record in kept))

    def records(self) -> list[dict[str, Any]]:
        """The log, without a last line that a killed process left unfinished.

        Raises:
            BadInputError: another line of it is damaged.
        """
        return read_log(self.path)

    def latest_checkpoint(self) -> Path | None:
        """The checkpoint of the highest step that was saved whole; `None` where there is none.

        transformers writes `trainer_state.json` last, so a checkpoint without a readable one was cut short.
        """
        found: list[tuple[int, Path]] = []
        for path in self.checkpoints.glob("checkpoint-*"):
            number = path.name.rpartition("-")[2]
            if number.isdecimal() and _is_json(path / "trainer_state.json"):
                found.append((int(number), path))
        return max(found)[1] if found else None

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which ends the run, and let go of the folder.

        Raises:
            StorageError: it cannot be written.
        """
        if self._writes:
            write(self.path, manifest)
        self.close()

    def close(self) -> None:
        """Let go of the folder. The run can be taken up again unless it is finished."""
        if self._lock is not None:
            with suppress(OSError):
                (self.path / _PID).unlink(missing_ok=True)
            self._lock.release()
            self._lock = None

    def _awaited(self) -> Begun:
        """What the first process began; a folder that it refused makes this one end as well."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if (self.path / _PID).exists() and (self.path / BEGUN).exists():
                return read_begun(self.path)
            time.sleep(0.1)
        raise RefusedError(f"The first process has not begun a run in {self.path}.", "See what it says.")

    def _check_target(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise RefusedError(f"{self.path} is a file, not a folder.", "Name a folder of its own with --out.")
        if (self.path / MANIFEST).exists():
            raise RefusedError(f"{self.path} holds a finished run.", "Name a new folder with --out.")
        ours = {BEGUN, RECIPE, _LOCK, _PID}
        strange = [] if not self.path.is_dir() or (self.path / BEGUN).exists() else sorted(os.listdir(self.path))
        for name in strange:
            if name not in ours and not name.startswith((f".{BEGUN}.", f".{RECIPE}.")):
                raise RefusedError(f"{self.path} holds other things ({name}).", "Name an empty or a new folder with --out.")

    def _take(self) -> None:
        filelock = extra("filelock")
        lock = filelock.FileLock(self.path / _LOCK, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise RefusedError(
                f"Another trainer ({self._holder()}) writes to {self.path}.", "Wait for it, stop it, or name another folder."
            ) from error
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._lock = lock
        write_text(self.path / _PID, str(os.getpid()))

    def _holder(self) -> str:
        try:
            return f"process {int((self.path / _PID).read_text('utf-8'))}"
        except (OSError, ValueError):
            return "another process"

    def _begun(self, recipe: Recipe, inputs: Mapping[str, str]) -> Begun:
        begun = Begun(new_run_id(), datetime.now(UTC).isoformat(timespec="seconds"), dict(inputs))
        write_text(self.path / RECIPE, _pretty(recipe))
        write_text(self.path / BEGUN, _pretty(begun))
        return begun

    def _taken_up(self, recipe: Recipe, inputs: Mapping[str, str]) -> Begun:
        begun, before = read_begun(self.path), flat(read_recipe(self.path))
        differing = [key for key, value in flat(recipe).items() if before[key] != value and key not in _MAY_CHANGE]
        if differing:
            raise RefusedError(
                f"{self.path} holds an unfinished run of another recipe ({', '.join(differing)}).",
                "Go on with the recipe it was begun with, or name a new folder with --out.",
            )
        changed = sorted(key for key in {*begun.inputs, *inputs} if begun.inputs.get(key) != inputs.get(key))
        if changed:
            raise RefusedError(
                f"{self.path} holds an unfinished run of other data ({', '.join(changed)}).",
                "Go on with the data it was begun with, or name a new folder with --out.",
            )
        write_text(self.path / RECIPE, _pretty(recipe))
        return begun


def trainer_of(folder: Path) -> int | None:
    """The id of the process that trains in a folder now; `None` where none does, or it was killed.

    Raises:
        MissingExtraError: `psutil` is not installed.
    """
    try:
        process = int((folder / _PID).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return process if extra("psutil").pid_exists(process) else None


def read_begun(folder: Path) -> Begun:
    """What the run of a folder was begun from.

    Raises:
        BadInputError: the folder holds no run, or it cannot be read.
    """
    return _read(folder / BEGUN, Begun)


def read_recipe(folder: Path) -> Recipe:
    """The recipe that the run of a folder was begun with, as it was resolved.

    Raises:
        BadInputError: the folder holds no run, or it cannot be read.
    """
    return _read(folder / RECIPE, Recipe)


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The log of the run of a folder, without a last line that a killed process left unfinished.

    Raises:
        BadInputError: another line of it is damaged.
    """
    path = folder / LOG
    lines = path.read_bytes().splitlines() if path.is_file() else []
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(msgspec.json.decode(line, type=dict[str, Any]))
        except msgspec.MsgspecError as error:
            if number < len(lines):
                raise BadInputError(f"Line {number} of {path} is damaged ({error}).", "Take that line out.") from error
    return records


def _read(path: Path, kind: type[Read]) -> Read:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise BadInputError(f"{path.parent} holds no training run.", "Name the folder that `train sft` wrote.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Begin the run again in a new folder.") from error


def _is_json(path: Path) -> bool:
    try:
        msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return False
    return True


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode() + "\n"
