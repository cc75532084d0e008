"""Stored trials: what comes back, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from deepimagine_tui.errors import BadInputError, NewerSchemaError
from deepimagine_tui.trials.codec import decode, encode
from deepimagine_tui.trials.facts import facts_only
from deepimagine_tui.trials.model import SCHEMA_VERSION
from deepimagine_tui.trials.reading import parse_record


def test_what_was_stored_comes_back(small: dict[str, Any]) -> None:
    trial = parse_record(json.dumps(small).encode())
    assert decode(encode(trial)) == trial
    assert encode(decode(encode(trial))) == encode(trial)


def test_a_newer_schema_is_refused(small: dict[str, Any]) -> None:
    trial = parse_record(json.dumps(small).encode())
    newer = encode(msgspec.structs.replace(trial, schema_version=SCHEMA_VERSION + 1))
    with pytest.raises(NewerSchemaError):
        decode(newer)


@pytest.mark.parametrize("stored", [b"", b"\xff", b"nothing", b"\x81\xa1a\x01"])
def test_damage_is_said(stored: bytes) -> None:
    with pytest.raises(BadInputError):
        decode(stored)


def test_facts_drop_comments_and_prose(small: dict[str, Any], outcome: dict[str, Any]) -> None:
    cell = outcome["classes"][0]["categories"][0]["measurements"][0]
    cell.update(value="NA", comment="The assay failed on the day of the visit.")
    small["protocolSection"]["designModule"]["phases"] = ["PHASE9"]
    trial = parse_record(json.dumps(small).encode())
    facts = facts_only(trial)
    assert trial.outcomes[0].cells[0].text == "NA: The assay failed on the day of the visit."
    assert facts.outcomes[0].cells[0].text == "NA"
    assert facts.prose is None
    assert [problem.detail for problem in facts.problems] == ["", ""]
