"""What becomes of a raw registry record on its way into a corpus."""

from __future__ import annotations

import hashlib
import re

import msgspec

from deepimagine_tui.corpus.derive import Derived, derive, is_nct_id, pack
from deepimagine_tui.errors import BadInputError, DeepImagineError
from deepimagine_tui.trials.reading import parse_record

_ALIAS_XML = re.compile(rb"<nct_alias>\s*(NCT\d{8})\s*</nct_alias>")
_ALIAS_JSON = re.compile(rb'"nctIdAliases"\s*:\s*\[([^\]]*)\]')
_ID = re.compile(rb"NCT\d{8}")


class Read(msgspec.Struct, frozen=True, tag="read"):
    """A record that was understood. `raw` is compressed; `None` where no raw record is kept."""

    name: str
    derived: Derived
    raw: bytes | None = None
    raw_sha256: str | None = None


class Unread(msgspec.Struct, frozen=True, tag="unread"):
    """A record that was not: why, and its compressed raw bytes where there are any."""

    name: str
    error: str
    raw: bytes | None = None


class Known(msgspec.Struct, frozen=True, tag="known"):
    """A record that is already in the corpus, byte for byte."""

    name: str


Item = Read | Unread | Known


class Counts(msgspec.Struct, frozen=True):
    """How many records an ingest handled so far, and what became of them."""

    done: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0


def sha256_of(raw: bytes) -> str:
    """What a raw record is recognised by."""
    return hashlib.sha256(raw).hexdigest()


def aliases_of(raw: bytes) -> frozenset[str]:
    """The older ids of a trial, which the registry redirects; `raw` as the registry serves it."""
    found: set[bytes] = set()
    if b"<nct_alias>" in raw:
        found.update(_ALIAS_XML.findall(raw))
    if b'"nctIdAliases"' in raw:
        for listed in _ALIAS_JSON.findall(raw):
            found.update(_ID.findall(listed))
    return frozenset(alias.decode() for alias in found)


def read_record(name: str, raw: bytes, sha256: str = "") -> Read | Unread:
    """Everything to store about one raw record, or why it cannot be read. `sha256` is that of `raw` where it is known."""
    try:
        trial = parse_record(raw, name)
        if not is_nct_id(trial.nct_id):
            raise BadInputError(f"{name} has no registry id of the form NCT and eight digits.")
    except DeepImagineError as error:
        return Unread(name, str(error), pack(raw))
    return Read(name, derive(trial, aliases_of(raw)), pack(raw), sha256 or sha256_of(raw))
