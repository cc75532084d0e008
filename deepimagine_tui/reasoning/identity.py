"""Identifiers of states: the same configuration and the same results have the same id, on every machine."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from deepimagine_tui.reasoning.state import State


def content_hash(value: object, length: int = 16) -> str:
    """The first `length` hexadecimal digits of the SHA-256 of `value` as canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:length]


def with_id(state: State) -> State:
    """`state` with the id that its configuration and results give it."""
    return replace(state, id=content_hash(replace(state, id="")))
