"""Trials as bytes, and back. One stable encoding with its schema version inside."""

from __future__ import annotations

import msgspec

from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.trials.model import SCHEMA_VERSION, Trial


class _Header(msgspec.Struct):
    schema_version: int = 1


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Trial)
_HEADER = msgspec.msgpack.Decoder(_Header)


def encode(trial: Trial) -> bytes:
    """The trial as MessagePack, the same bytes for equal trials."""
    return _ENCODER.encode(trial)


def decode(stored: bytes) -> Trial:
    """The trial that `encode` was given.

    Raises:
        NewerSchemaError: it was written by a newer DeepImagine.
        BadInputError: these are no such bytes.
    """
    try:
        version = _HEADER.decode(stored).schema_version
        if version > SCHEMA_VERSION:
            raise NewerSchemaError(
                f"This trial has schema {version}; this DeepImagine knows {SCHEMA_VERSION}.", "Update DeepImagine."
            )
        return _DECODER.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"A stored trial is damaged ({error}).", "Import its record again.") from error
