"""Which models there are, which one is used, and how a backend is opened for one.

The catalogue is a small file beside the assembled models plus built-in entries: the scripted demo, and the embedded model, with
the shipped adapter and without, when its package is installed. Reading it writes nothing and imports nothing heavy.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Literal

import msgspec
from deepimagine_assets.adapter import adapter_path

from deepimagine_tui import files, paths
from deepimagine_tui.backends import digests, embedded
from deepimagine_tui.backends.gguf_header import check_model, read_header
from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError, UsageError

EntryKind = Literal["embedded", "file", "openai", "scripted"]
RemoteApi = Literal["chat", "completions"]

SCHEMA_VERSION = 1
REQUESTS_AT_ONCE = 4
"""How many requests are open at a server at once, unless more are asked for."""


class CatalogueEntry(msgspec.Struct, frozen=True):
    """One model that can be opened.

    `path` is the GGUF file of a `file` entry. `url` (ending before `/chat/completions`), `model` and `api` describe an `openai`
    entry. `adapter` is a LoRA GGUF used by default with this model.
    """

    id: str
    name: str
    kind: EntryKind
    path: str = ""
    licence: str = ""
    adapter: str = ""
    url: str = ""
    model: str = ""
    api: RemoteApi = "chat"
    context_length: int = 8192


SCRIPTED = CatalogueEntry(id="scripted", name="Demo, no model", kind="scripted")
"""Always available: the deterministic demo."""

EMBEDDED = CatalogueEntry(id="gemma-270m", name="Gemma 3 270M Q4_K_M", kind="embedded", licence=embedded.LICENCE)
"""The model that the `local` extra brings; the catalogue opens it with the shipped adapter, where there is one."""

UNTUNED = msgspec.structs.replace(EMBEDDED, id="gemma-270m-base", name="Gemma 3 270M Q4_K_M, untuned")
"""The same without the adapter, listed where there is one."""


def built_in() -> list[CatalogueEntry]:
    """The entries that nobody added, apart from the demo: none where the `local` extra is not installed."""
    if not embedded.installed():
        return []
    adapter = adapter_path()
    if adapter is None:
        return [EMBEDDED]
    return [msgspec.structs.replace(EMBEDDED, name=f"{EMBEDDED.name}, tuned", adapter=str(adapter)), UNTUNED]


_BUILT_IN_IDS = frozenset({SCRIPTED.id, EMBEDDED.id, UNTUNED.id})


class _Stored(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION
    default: str = ""
    entries: list[CatalogueEntry] = []


def _store() -> Path:
    return paths.models_dir() / "models.json"


class Catalogue:
    """The models known on this machine. Changes are written at once."""

    def __init__(self, stored: _Stored) -> None:
        self._stored = stored

    @classmethod
    def load(cls) -> Catalogue:
        """Read the catalogue; a missing file is an empty one.

        Raises:
            BadInputError: the file is damaged.
            NewerSchemaError: a newer version wrote it.
        """
        try:
            content = _store().read_bytes()
        except OSError:
            return cls(_Stored())
        try:
            stored = msgspec.json.decode(content, type=_Stored)
        except msgspec.DecodeError as error:
            raise BadInputError(f"{_store()} is damaged ({error}).", "Delete it, and add your models again.") from error
        if stored.schema_version > SCHEMA_VERSION:
            raise NewerSchemaError(f"{_store()} was written by a newer version.", "Update DeepImagine.")
        return cls(stored)

    def entries(self) -> list[CatalogueEntry]:
        """Every model that can be opened, the user's first, the demo last."""
        return [*self._stored.entries, *built_in(), SCRIPTED]

    def __iter__(self) -> Iterator[CatalogueEntry]:
        return iter(self.entries())

    def get(self, id_or_path: str) -> CatalogueEntry:
        """The entry with this id, or an unlisted one for the GGUF file at this path.

        Raises:
            NotFoundError: there is neither.
        """
        for entry in self.entries():
            if entry.id == id_or_path:
                return entry
        path = Path(id_or_path).expanduser()
        if path.suffix == ".gguf" or path.is_file():
            return _file_entry(path, "")
        near = difflib.get_close_matches(id_or_path, [entry.id for entry in self.entries()], n=1)
        if id_or_path in (EMBEDDED.id, UNTUNED.id) and not embedded.installed():
            hint = "Install it with: pip install 'deepimagine[local]'"
        else:
            hint = f"Did you mean {near[0]}?" if near else "List the models, or give the path of a .gguf file."
        raise NotFoundError(f"There is no model {id_or_path!r}.", hint)

    def default(self) -> CatalogueEntry:
        """The model chosen with `use`, else the embedded one when it is installed, else the demo."""
        for entry in self.entries():
            if entry.id == self._stored.default:
                return entry
        return next(iter(built_in()), SCRIPTED)

    def add(self, path: Path, name: str = "") -> CatalogueEntry:
        """List the GGUF file at `path`, after reading its header; the same file is listed once.

        Raises:
            NotFoundError: there is no such file.
            BadInputError: it is not a GGUF file, or cut off.
            ModelError: it is not a model that writes text.
            StorageError: the catalogue cannot be written.
        """
        entry = _file_entry(path.expanduser(), name)
        others = [other for other in self._stored.entries if other.path != entry.path]
        return self._append(others, entry)

    def add_remote(
        self, url: str, model: str, name: str = "", api: RemoteApi = "chat", context_length: int = 8192
    ) -> CatalogueEntry:
        """List the model `model` of the OpenAI-compatible server at `url`. Nothing is sent.

        Raises:
            UsageError: `url` is not an http or https address.
            StorageError: the catalogue cannot be written.
        """
        entry = remote_entry(url, model, name, api, context_length)
        others = [other for other in self._stored.entries if (other.url, other.model) != (entry.url, entry.model)]
        return self._append(others, entry)

    def remove(self, entry_id: str) -> None:
        """Take a model off the list. Its file is not touched.

        Raises:
            NotFoundError: there is no such entry.
            RefusedError: the entry is built in.
            StorageError: the catalogue cannot be written.
        """
        if self.get(entry_id).id in _BUILT_IN_IDS:
            raise RefusedError(f"{entry_id!r} is built in and cannot be removed.")
        left = [entry for entry in self._stored.entries if entry.id != entry_id]
        if len(left) == len(self._stored.entries):
            raise NotFoundError(f"There is no model {entry_id!r} in the list.")
        self._stored.entries = left
        if self._stored.default == entry_id:
            self._stored.default = ""
        self._save()

    def use(self, entry_id: str) -> CatalogueEntry:
        """Make a listed model the default; the path of an unlisted GGUF file is listed first.

        Raises:
            NotFoundError: there is no such model or file.
            BadInputError, ModelError: the file is not a model.
            StorageError: the catalogue cannot be written.
        """
        entry = self.get(entry_id)
        if entry not in self.entries():
            entry = self.add(Path(entry.path), entry.name)
        self._stored.default = entry.id
        self._save()
        return entry

    def _append(self, others: list[CatalogueEntry], entry: CatalogueEntry) -> CatalogueEntry:
        taken = {other.id for other in others} | _BUILT_IN_IDS
        unique, number = entry.id, 2
        while unique in taken:
            unique, number = f"{entry.id}-{number}", number + 1
        entry = msgspec.structs.replace(entry, id=unique)
        self._stored.entries = [*others, entry]
        self._save()
        return entry

    def _save(self) -> None:
        files.write_bytes(_store(), msgspec.json.format(msgspec.json.encode(self._stored)))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "model"


def _file_entry(path: Path, name: str) -> CatalogueEntry:
    header = read_header(path)
    check_model(header)
    return CatalogueEntry(
        id=_slug(name or path.stem),
        name=name or header.name,
        kind="file",
        path=str(path.resolve()),
        licence=header.licence,
    )


def remote_entry(url: str, model: str, name: str = "", api: RemoteApi = "chat", context_length: int = 8192) -> CatalogueEntry:
    """An entry, not listed, for the model `model` of the OpenAI-compatible server at `url`.

    Raises:
        UsageError: `url` is not an http or https address.
    """
    if not re.match(r"https?://[^/\s]+", url):
        raise UsageError(f"{url!r} is not the address of a server.", "Give one like http://localhost:8080/v1.")
    return CatalogueEntry(
        id=_slug(name or model),
        name=name or model,
        kind="openai",
        url=url.rstrip("/"),
        model=model,
        api=api,
        context_length=context_length,
    )


def ensure_ready(entry: CatalogueEntry, progress: Callable[[float], None], cancel: Event) -> Path:
    """The GGUF file of `entry`, assembled where that is needed and its SHA-256 known. `progress` gets shares from 0 to 1.

    The digest is a part of every step's id, and so has to be known before the first question; it is computed once a file.

    Raises:
        RefusedError: the entry has no file.
        NotFoundError: its file is gone.
        MissingExtraError: the embedded model's package is not installed.
        ModelError: the assembled file is not the expected one.
        StorageError: it cannot be written.
        CancelledError: `cancel` was set.
    """
    if entry.kind == "embedded":
        return embedded.assemble(progress, cancel)
    if entry.kind != "file":
        raise RefusedError(f"{entry.name} has no file.")
    path = Path(entry.path)
    if not path.is_file():
        raise NotFoundError(f"The file of {entry.name} is gone: {path}.", "Remove the entry, or add the file again.")
    digests.sha256(path, cancel.is_set, progress)
    progress(1.0)
    return path


def open_backend(
    entry: CatalogueEntry,
    *,
    offline: bool = False,
    adapter: Path | None = None,
    confirm_remote: Callable[[str], bool] = lambda _host: False,
    progress: Callable[[float], None] = lambda _share: None,
    cancel: Event | None = None,
    concurrency: int = REQUESTS_AT_ONCE,
) -> ModelBackend:
    """The backend of `entry`; no weights are loaded and nothing is sent yet.

    Args:
        entry: What to open.
        offline: Forbid the network.
        adapter: A LoRA GGUF instead of the entry's own.
        confirm_remote: Asked with the host before the first send to a remote model.
        progress: Told how far the assembling or reading of the model's file is, 0 to 1.
        cancel: Stops that.
        concurrency: How many requests may be open at a server at once.

    Raises:
        RefusedError: a remote model while offline, or an adapter for a model that takes none.
        DeepImagineError: as `ensure_ready`; or the file is not a usable model or adapter.
    """
    chosen = adapter or (Path(entry.adapter) if entry.adapter else None)
    if chosen and entry.kind in ("scripted", "openai"):
        raise RefusedError(f"{entry.name} takes no adapter.", "Choose a model that runs on this machine.")
    if entry.kind == "scripted":
        from deepimagine_tui.backends.scripted import ScriptedBackend

        return ScriptedBackend()
    if entry.kind == "openai":
        from deepimagine_tui.backends.openai import OpenAIBackend

        return OpenAIBackend(
            entry.url,
            entry.model,
            api=entry.api,
            context_length=entry.context_length,
            offline=offline,
            confirm=confirm_remote,
            api_key=os.environ.get("DEEPIMAGINE_API_KEY") or os.environ.get("OPENAI_API_KEY") or "",
            concurrency=concurrency,
        )
    from deepimagine_tui.backends.llama import LlamaBackend

    return LlamaBackend(
        ensure_ready(entry, progress, cancel or Event()), adapter=chosen, licence=entry.licence, name=entry.name
    )
