"""Files, folders, archives and lines as streams of records."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.trials.reading import BadRecord, RawRecord, iter_records, parse_record
from deepimagine_tui.trials.registry import sources


def names(path: Path) -> list[str]:
    return [record.name for record in iter_records(path)]


def test_a_folder_is_read_sorted_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("b.xml", "a.json", "INDEX.tsv", "notes.md"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.json").write_text("{}")
    assert names(tmp_path) == [f"{tmp_path.name}/{name}" for name in ("a.json", "b.xml", "deeper/c.json")]


def test_a_page_a_list_and_lines_are_split(tmp_path: Path, small: dict[str, Any]) -> None:
    other = json.loads(json.dumps(small).replace("NCT99999901", "NCT99999902"))
    (tmp_path / "page.json").write_text(json.dumps({"studies": [small, other], "nextPageToken": "x"}))
    (tmp_path / "list.json").write_text(json.dumps([small, other]))
    (tmp_path / "lines.ndjson").write_text(json.dumps(small) + "\r\n\n" + json.dumps(other))
    for name, expected in (
        ("page.json", ["page.json[0]", "page.json[1]"]),
        ("list.json", ["list.json[0]", "list.json[1]"]),
        ("lines.ndjson", ["lines.ndjson:1", "lines.ndjson:3"]),
    ):
        found = list(iter_records(tmp_path / name))
        assert [record.name for record in found] == expected
        assert [parse_record(record.raw).nct_id for record in found if isinstance(record, RawRecord)] == [
            "NCT99999901",
            "NCT99999902",
        ]


def test_a_single_study_is_one_record(tmp_path: Path, small: dict[str, Any]) -> None:
    (tmp_path / "one.json").write_text(json.dumps(small))
    assert names(tmp_path / "one.json") == ["one.json"]


def test_a_broken_page_is_one_bad_record(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text('{"studies": [{"a": 1}, ')
    (found,) = iter_records(tmp_path / "page.json")
    assert isinstance(found, BadRecord)
    assert "no complete JSON" in found.error.message


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(iter_records(tmp_path / "absent"))


def test_an_archive_goes_on_after_a_refused_member(tmp_path: Path, small: dict[str, Any]) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        writing.writestr("../escape.json", "{}")
        writing.writestr("/absolute.json", "{}")
        writing.writestr("c:/drive.json", "{}")
        writing.writestr("bomb.json", " " * 3_000_000)
        writing.writestr("good.json", json.dumps(small))
        writing.writestr("lines.jsonl", json.dumps(small))
        writing.writestr("readme.txt", "no record")
    found = {record.name: record for record in iter_records(archive)}
    assert {name for name, record in found.items() if isinstance(record, RawRecord)} == {
        "x.zip!good.json",
        "x.zip!lines.jsonl:1",
    }
    refused = {name: record.error.message for name, record in found.items() if isinstance(record, BadRecord)}
    assert len(refused) == 4
    assert "200 times" in refused["x.zip!bomb.json"]
    assert "leads out of the archive" in refused["x.zip!../escape.json"]


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("large.json", "x" * 200)
    monkeypatch.setattr(sources, "SIZE_LIMIT", 100)
    (found,) = iter_records(archive)
    assert isinstance(found, BadRecord)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr("a.json", "{}")
    raw = bytearray(archive.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    archive.write_bytes(bytes(raw))
    (found,) = iter_records(archive)
    assert isinstance(found, BadRecord)
    assert "encrypted" in found.error.message


def test_a_torn_archive_is_one_bad_record(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 torn")
    (found,) = iter_records(tmp_path / "x.zip")
    assert isinstance(found, BadRecord)
    assert found.error.hint
