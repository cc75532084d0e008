"""Bytes of one record to a v2-shaped object, in either format, refusing what is no record or not safe to read."""

from __future__ import annotations

import re
from typing import cast

import msgspec
from lxml import etree

from deepimagine_tui.errors import BadInputError
from deepimagine_tui.trials.registry.classic import to_v2
from deepimagine_tui.trials.registry.fields import Log, Node

SIZE_LIMIT = 64 * 1024 * 1024
"""The largest record that is read, in bytes."""

_BOM = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_JSON = msgspec.json.Decoder()
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    huge_tree=False,
    load_dtd=False,
    remove_comments=True,
    remove_pis=True,
    remove_blank_text=True,
    collect_ids=False,
)
_HINT = "Give a study as ClinicalTrials.gov exports it, in v2 JSON or classic XML."


def decode_record(raw: bytes, source: str, log: Log) -> Node:
    """The v2-shaped object of a record.

    Raises:
        BadInputError: the bytes are no record, or not safe to read.
    """
    name = source or "This record"
    if len(raw) > SIZE_LIMIT:
        raise BadInputError(f"{name} is larger than 64 MB.", "A registry record is a few megabytes at most.")
    body = raw.removeprefix(_BOM).lstrip()
    if not body:
        raise BadInputError(f"{name} is empty.", _HINT)
    if body[:1] == b"<":
        return to_v2(_xml(body, name), log)
    return _json(body, name)


def _json(body: bytes, name: str) -> Node:
    if body[:1] != b"{":
        raise BadInputError(f"{name} is neither a JSON object nor XML.", _HINT)
    try:
        return cast("Node", _JSON.decode(body))
    except RecursionError as error:
        raise BadInputError(f"{name} is nested too deep for a registry record.", _HINT) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{name} is no complete JSON ({error}).", "Download it again, as UTF-8.") from error


def _xml(body: bytes, name: str) -> etree._Element:
    if _DECLARATION.search(body):
        raise BadInputError(
            f"{name} holds a document type or an entity, which no registry record needs.", "It is not read, for safety."
        )
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadInputError(f"{name} is no complete XML ({error}).", "Download it again.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadInputError(f"{name} holds a document type, which no registry record needs.", "It is not read, for safety.")
    if root.tag != "clinical_study":
        raise BadInputError(f"{name} is XML, but its root is <{root.tag}>, not <clinical_study>.", _HINT)
    return root
