"""What can be said of a catalogued model without loading it: for lists, cards and `models info`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from deepimagine_tui import paths
from deepimagine_tui.backends import digests, embedded, operators
from deepimagine_tui.backends.adapter_facts import card_of
from deepimagine_tui.backends.catalogue import CatalogueEntry
from deepimagine_tui.backends.gguf_header import read_header
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.errors import DeepImagineError

ModelState = Literal["ready", "not unpacked", "unusable", "remote", "demo"]


class ModelFacts(msgspec.Struct, frozen=True):
    """One model of the catalogue, as far as its file or entry tells.

    Sizes in bytes, `context_length` in tokens; 0 or empty where nothing is known. `problem` says what is wrong, or still to do.
    `card` holds the sentences of the adapter's card.
    """

    id: str
    name: str
    kind: str
    licence: str = ""
    architecture: str = ""
    parameters: int = 0
    quantisation: str = ""
    context_length: int = 0
    template: str = ""
    size_bytes: int = 0
    path: str = ""
    sha256: str = ""
    adapter: str = ""
    url: str = ""
    served_as: str = ""
    state: ModelState = "ready"
    problem: str = ""
    card: tuple[str, ...] = ()


def file_of(entry: CatalogueEntry) -> Path | None:
    """Where the weights of `entry` lie now; `None` for a model without a file, or one that is not unpacked yet."""
    if entry.kind == "file":
        return Path(entry.path)
    unpacked = paths.models_dir() / embedded.FILE_NAME
    return unpacked if entry.kind == "embedded" and unpacked.is_file() else None


def identity(entry: CatalogueEntry) -> ModelInfo:
    """What tells a model from every other one: the hashes of its weights, its name where it shows none. Loads nothing; a file
    that was never hashed is read once.

    Raises:
        BadInputError: its adapter is a folder without an operator.
    """
    if entry.kind == "scripted":
        return ModelInfo(entry.name, "scripted", 0, demo=True)
    if entry.kind == "openai":
        return ModelInfo(entry.model, "openai", entry.context_length)
    path, adapter = file_of(entry), Path(entry.adapter) if entry.adapter else None
    digest = embedded.SHA256 if entry.kind == "embedded" else digests.sha256(path) if path and path.is_file() else ""
    info = ModelInfo(entry.name, "llama.cpp", entry.context_length, sha256=digest)
    if adapter is None or not adapter.exists():
        return info
    found = operators.find(adapter)
    return msgspec.structs.replace(info, adapter=str(adapter), adapter_sha256=operators.sha256(found))


def model_facts(entry: CatalogueEntry, *, hashed: bool = False) -> ModelFacts:
    """What is known of `entry`; with `hashed` the SHA-256 of its file too, which may take a second a GB."""
    facts = ModelFacts(
        entry.id, entry.name, entry.kind, entry.licence, adapter=entry.adapter, url=entry.url, served_as=entry.model
    )
    if entry.kind == "scripted":
        return msgspec.structs.replace(facts, state="demo")
    card = card_of(Path(entry.adapter)) if entry.adapter else None
    facts = msgspec.structs.replace(facts, card=card.brief if card is not None else ())
    if entry.kind == "openai":
        return msgspec.structs.replace(facts, state="remote", context_length=entry.context_length, template=entry.api)
    path = file_of(entry)
    if path is None:
        return msgspec.structs.replace(facts, state="not unpacked", problem="not unpacked yet; the first use does that")
    try:
        header = read_header(path)
    except DeepImagineError as error:
        return msgspec.structs.replace(facts, state="unusable", path=str(path), problem=error.message)
    return msgspec.structs.replace(
        facts,
        architecture=header.architecture,
        parameters=header.parameters,
        quantisation=header.quantisation,
        context_length=header.context_length,
        template="chat" if header.chat_template else "plain",
        size_bytes=header.size_bytes,
        path=header.path,
        sha256=digests.sha256(path) if hashed else "",
    )
