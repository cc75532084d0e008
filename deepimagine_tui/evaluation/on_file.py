"""Where the calibration and the records of a model lie: the user's own by the hashes of its weights, else beside its adapter.

A file counts for exactly the model with the adapter and the prompts that it was made for. One that was named on purpose is
refused where it is of another.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from deepimagine_tui import paths
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.files import make_dir, write_text
from deepimagine_tui.reasoning import calibration, records
from deepimagine_tui.reasoning.calibration import Calibration
from deepimagine_tui.reasoning.records import Records
from deepimagine_tui.reasoning.subject import Subject, subject_of

CALIBRATION, RECORDS = "calibration.json", "records.json"


class OnFile(msgspec.Struct, frozen=True):
    """What is on file of a model: `None` where nothing is."""

    calibration: Calibration | None = None
    records: Records | None = None


def own_folder(subject: Subject) -> Path:
    """Where a user's own calibration of a model is kept: `calibration/<16 digits of a hash>` in the workspace."""
    weights = "\n".join((subject.model_sha256 or subject.model, subject.adapter_sha256, subject.prompt_version))
    return paths.data_dir() / "calibration" / hashlib.sha256(weights.encode()).hexdigest()[:16]


def on_file(info: ModelInfo, named: str = "") -> OnFile:
    """The calibration and the records of a model.

    Args:
        info: The model.
        named: The path of a calibration file to use instead, with the records beside it, if any; empty for none.

    Raises:
        RefusedError: the named calibration is of another model.
        BadInputError, NewerSchemaError: a file cannot be read.
    """
    if info.demo:
        return OnFile()
    if named:
        path = Path(named).expanduser()
        chosen = calibration.load(path)
        if chosen.subject is not None and not chosen.subject.is_of(info):
            raise RefusedError(
                f"The calibration {path.name} is of {chosen.subject.name}, not of {subject_of(info).name}.",
                "Calibrate this model: deepimagine evaluate calibrate",
            )
        return OnFile(chosen, _records(path.parent, info) or _first_records(info))
    found = next((each for each in (_calibration(folder, info) for folder in _folders(info)) if each is not None), None)
    return OnFile(found, _first_records(info))


def keep(folder: Path, fitted: Calibration, recorded: Records | None) -> None:
    """Write a calibration, and the records if there are any, into a folder.

    Raises:
        StorageError: it cannot be written.
    """
    make_dir(folder)
    _write(folder / CALIBRATION, fitted)
    if recorded is not None:
        _write(folder / RECORDS, recorded)


def _write(path: Path, content: Calibration | Records) -> None:
    write_text(path, msgspec.json.format(msgspec.json.encode(content), indent=1).decode() + "\n")


def _folders(info: ModelInfo) -> tuple[Path, ...]:
    adapter = Path(info.adapter) if info.adapter else None
    beside = () if adapter is None else (adapter if adapter.is_dir() else adapter.parent,)
    return (own_folder(subject_of(info)), *beside)


def _first_records(info: ModelInfo) -> Records | None:
    return next((each for each in (_records(folder, info) for folder in _folders(info)) if each is not None), None)


def _calibration(folder: Path, info: ModelInfo) -> Calibration | None:
    path = folder / CALIBRATION
    found = calibration.load(path) if path.is_file() else None
    return found if found is not None and found.subject is not None and found.subject.is_of(info) else None


def _records(folder: Path, info: ModelInfo) -> Records | None:
    path = folder / RECORDS
    found = records.load(path) if path.is_file() else None
    return found if found is not None and found.subject.is_of(info) else None
