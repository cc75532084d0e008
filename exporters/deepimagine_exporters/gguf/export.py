"""The GGUF files of a run: each is made aside, compared with the model it was made of, and put in its place if it may be."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import rmtree
from threading import Event
from typing import NamedTuple

from deepimagine_exporters.gguf.adapter import write_adapter
from deepimagine_exporters.gguf.base import of_folder, of_header
from deepimagine_exporters.gguf.convert import convert
from deepimagine_exporters.gguf.gates import KINDS, Kind, Parity, excess, numbers
from deepimagine_exporters.gguf.merge import merge
from deepimagine_exporters.gguf.metadata import Origin
from deepimagine_exporters.gguf.quantise import Quantised, quantise
from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.gguf_header import read_header
from deepimagine_tui.extras import extra
from deepimagine_tui.files import make_dir, sha256, storage_error

SCRATCH = ".export-"
"""What the name of a scratch folder begins with; the process that works in it follows."""

Measure = Callable[[Path, Path | None], Parity]
"""Compares the GGUF model at the first path, with the adapter at the second, with what was trained."""


class Source(NamedTuple):
    """What is exported: the adapter's folder as PEFT saves it, and the base it was trained on, a GGUF file or a folder."""

    adapter: Path
    base: Path
    origin: Origin


class Made(NamedTuple):
    """One file. `parity` is empty where nothing was measured; `past_gate` says why the file may not be used, and `written`
    whether it is in its place."""

    kind: Kind
    path: Path
    sha256: str
    size: int
    parity: dict[str, float]
    past_gate: str
    written: bool


def export(
    source: Source,
    places: Mapping[Kind, Path],
    cancel: Event,
    *,
    measure: Measure | None = None,
    force: bool = False,
    told: Callable[[str], object] = lambda text: None,
) -> Iterator[Made]:
    """Make the files of one folder; each is in its place, or refused, when it is told of.

    Args:
        source: What to export.
        places: Where to put each kind, in the place of an older file; all in one folder.
        cancel: Stops it; the files that were told of stay.
        measure: Compares a file with what was trained; without it no file is refused.
        force: Put a file in its place though it is past its gate.
        told: Gets what is being done.

    Raises:
        MissingExtraError: llama.cpp or its converter is needed and not installed.
        StorageError: the folder cannot be written.
        DeepImagineError: as `write_adapter`, `convert`, `merge`, `quantise` and `measure`.
    """
    (folder,) = {place.parent for place in places.values()}
    make_dir(folder)
    _sweep(folder)
    try:
        scratch = tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    with scratch as name:
        work = _Work(source, Path(name), cancel, told)
        for kind in sorted(places, key=KINDS.index):
            file = work.make(kind)
            parity = measure(*work.answering(kind)) if measure is not None else None
            past = excess(kind, parity) if parity is not None else ""
            found = numbers(parity) if parity is not None else {}
            made = Made(kind, places[kind], sha256(file), file.stat().st_size, found, past, written=force or not past)
            if made.written:
                work.place(file, made.path)
            yield made


def _sweep(folder: Path) -> None:
    """Remove what exports that were killed left in `folder`: scratch folders of processes that are no more."""
    psutil = extra("psutil")
    for left in folder.glob(f"{SCRATCH}*"):
        process = left.name.removeprefix(SCRATCH).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            rmtree(left, ignore_errors=True)


class _Work:
    """The files on the way, each made once when it is first needed."""

    def __init__(self, source: Source, folder: Path, cancel: Event, told: Callable[[str], object]) -> None:
        self._source = source
        self._folder = folder
        self._cancel = cancel
        self._told = told
        self._made: dict[str, Path] = {}

    def make(self, kind: Kind) -> Path:
        """The file of `kind`."""
        match kind:
            case "adapter":
                return self._adapter()
            case "F16":
                return self._merged()
            case _:
                return self._quantised(kind)

    def answering(self, kind: Kind) -> tuple[Path, Path | None]:
        """The model that the file of `kind` answers as, and the adapter on it, if that is what the file is."""
        return (self._base(), self._adapter()) if kind == "adapter" else (self.make(kind), None)

    def place(self, file: Path, place: Path) -> None:
        """Move `file` to where the user wants it, and work with it there from now on.

        Raises:
            StorageError: it cannot be moved.
        """
        try:
            file.replace(place)
        except OSError as error:
            raise storage_error(place, error) from error
        self._made = {kind: place if path == file else path for kind, path in self._made.items()}

    def _base(self) -> Path:
        if self._source.base.is_file():
            return self._source.base
        if "base" not in self._made:
            self._told("Converting the base model")
            target = self._folder / "base.gguf"
            convert(self._source.base, target, self._cancel)
            self._made["base"] = target
        return self._made["base"]

    def _adapter(self) -> Path:
        if "adapter" not in self._made:
            self._told("Writing the adapter")
            base, target = self._source.base, self._folder / "adapter.gguf"
            header = read_header(base) if base.is_file() else None
            write_adapter(self._source.adapter, of_header(header) if header else of_folder(base), self._source.origin, target)
            if header is not None:
                check_adapter(read_header(target), header)
            self._made["adapter"] = target
        return self._made["adapter"]

    def _merged(self) -> Path:
        if "F16" not in self._made:
            base, adapter, target = self._base(), self._adapter(), self._folder / "F16.gguf"
            merge(base, adapter, self._source.origin, target, self._cancel, lambda share: self._told(f"Merging: {share:.0%}"))
            self._made["F16"] = target
        return self._made["F16"]

    def _quantised(self, kind: Quantised) -> Path:
        if kind not in self._made:
            half, target = self._merged(), self._folder / f"{kind}.gguf"
            self._told(f"{kind}: quantising")
            quantise(half, target, kind, self._cancel)
            self._made[kind] = target
        return self._made[kind]
