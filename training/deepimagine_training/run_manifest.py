"""The manifest of a training run, written last: everything needed to make the run again, and to judge it.

A folder without one holds an unfinished run. The app reads `trained_on` for its "trained on this trial" badge.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import msgspec

from deepimagine_training.pair_files import CorpusUsed
from deepimagine_training.recipe import Recipe
from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError
from deepimagine_tui.extras import extra
from deepimagine_tui.files import write_text

MANIFEST = "manifest.json"
FORMAT = "deepimagine training run"
SCHEMA_VERSION = 1

Stage = Literal["sft", "grpo"]
Ended = Literal["complete", "time limit"]

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "safetensors", "tokenizers", "gguf", "numpy")
"""The packages whose version decides what comes out of a run."""


class BaseUsed(msgspec.Struct, frozen=True):
    """The model that was trained on. `name` is a catalogue id, a hub id or the name of a file, never a path."""

    name: str
    kind: Literal["gguf", "folder", "hub"]
    sha256: str
    architecture: str


class DataUsed(msgspec.Struct, frozen=True):
    """The examples that were trained on and where they came from. Hashes are of the pairs and of the traces (empty: none);
    `left_out` counts the examples longer than the recipe's `max_tokens`, by side."""

    pairs_sha256: str
    traces_sha256: str
    corpus: CorpusUsed
    sides_version: str
    examples: int
    validation: int
    left_out: dict[str, int]


class Machine(msgspec.Struct, frozen=True):
    """What a run was made on. `memory_gb` is in 10^9 bytes; `device` is as torch names it, with the card's name for a GPU."""

    system: str
    python: str
    cpu: str
    cores: int
    memory_gb: float
    device: str
    processes: int


class GgufFile(msgspec.Struct, frozen=True):
    """A file made of the run by `export gguf`, and how it answered against the model it was made of.

    `past_gate` says why it answers too differently; it was written nonetheless where that was asked for (`forced`), and not
    otherwise.
    """

    name: str
    kind: str
    sha256: str
    bytes: int
    parity: dict[str, float]
    forced: bool = False
    past_gate: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One finished run.

    `parent` is the run whose adapter it began from (empty: none). `cutoff` is the newest posting date among the training
    rows, `started` is in UTC, `seconds` are those of all sittings, `tokens` those of the completions that were learnt from.
    `trained_on` lists the NCT ids, siblings of their programmes included.
    """

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__
    run_id: str
    stage: Stage
    parent: str = ""
    recipe: Recipe
    seed: int
    base: BaseUsed
    data: DataUsed
    cutoff: str
    prompt_version: str
    libraries: dict[str, str]
    machine: Machine
    started: str
    seconds: float
    steps: int
    tokens: int
    metrics: dict[str, float]
    trained_on: tuple[str, ...]
    adapter_sha256: str
    ended: Ended
    gguf: tuple[GgufFile, ...] = ()


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of the run in `folder`.

    Raises:
        StorageError: it cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1).decode()
    write_text(folder / MANIFEST, f"{text}\n")


def read(folder: Path) -> Manifest:
    """The manifest of the run in `folder`.

    Raises:
        NotFoundError: there is no such folder.
        BadInputError: it holds no finished run, or the manifest is damaged.
        NewerSchemaError: a newer DeepImagine made it.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", "deepimagine train runs list")
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInputError(f"{folder} holds no finished run: it has no {MANIFEST}.", "Finish it, or name another run.")
    try:
        head = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if head.get("format") != FORMAT:
            raise BadInputError(f"{path} is not about a training run.", "Name the folder that `train sft` or `grpo` wrote.")
        found = head.get("schema_version")
        if isinstance(found, int) and found > SCHEMA_VERSION:
            raise NewerSchemaError(
                f"{folder} holds a run of version {found}; this DeepImagine reads version {SCHEMA_VERSION}.",
                "Update DeepImagine.",
            )
        return msgspec.convert(head, Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Name another run.") from error


def finished(folder: Path, recipe: Recipe) -> bool:
    """Whether `folder` holds a finished run of `recipe`.

    Raises:
        BadInputError: its manifest cannot be read.
    """
    return (folder / MANIFEST).exists() and read(folder).recipe == recipe


def add_gguf(folder: Path, made: Iterable[GgufFile]) -> Manifest:
    """Put the files that `export gguf` made into the manifest, each in the place of an earlier one of its name.

    Raises:
        DeepImagineError: as `read` and `write`.
    """
    manifest = read(folder)
    by_name = {file.name: file for file in (*manifest.gguf, *made)}
    manifest = msgspec.structs.replace(manifest, gguf=tuple(by_name.values()))
    write(folder, manifest)
    return manifest


def libraries() -> dict[str, str]:
    """The versions of the packages that decide what comes out; one that is not installed is left out."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine(device: str = "cpu", processes: int = 1) -> Machine:
    """This machine. For `cuda` the device is told with the name of its card.

    Raises:
        MissingExtraError: `psutil` is not installed, or `torch` where a card is asked about.
    """
    if device.startswith("cuda"):
        device = f"{device} ({extra('torch').cuda.get_device_name(device)})"
    memory = extra("psutil").virtual_memory().total
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gb=round(memory / 1e9, 1),
        device=device,
        processes=processes,
    )


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"
