"""Pairs on disk: the same bytes again, a manifest last, and files of another version refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets", reason="the `training` extra is not installed")

from deepimagine_training import pair_files
from deepimagine_training.pairs import PairSet

from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError, StorageError


@pytest.fixture
def folder(small_pairs: PairSet, tmp_path: Path) -> Path:
    """A folder of pairs."""
    pair_files.write(small_pairs, tmp_path / "pairs")
    return tmp_path / "pairs"


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(folder: Path, **change: Any) -> None:
    path = folder / pair_files.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")


def test_what_is_written_is_read_again(folder: Path, small_pairs: PairSet):
    assert pair_files.load_rows(folder) == small_pairs.rows
    manifest = pair_files.read_manifest(folder)
    assert manifest.data_sha256 == pair_files.data_hash(small_pairs.rows)
    assert sum(manifest.rows.values()) == len(small_pairs.rows)
    assert {nct_id for ids in manifest.trials.values() for nct_id in ids} == {n for row in small_pairs.rows for n in row.trials}


def test_datasets_itself_finds_the_splits(folder: Path, tmp_path: Path, small_pairs: PairSet):
    import datasets

    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {side: len(found[side]) for side in found} == {
        side: rows for side, rows in pair_files.read_manifest(folder).rows.items() if rows
    }
    assert found["train"].features == pair_files.features_of_rows()


def test_the_same_pairs_are_the_same_bytes(folder: Path, small_pairs: PairSet, tmp_path: Path):
    pair_files.write(small_pairs, tmp_path / "again")
    assert content(tmp_path / "again") == content(folder)
    pair_files.write(small_pairs, folder)
    assert content(tmp_path / "again") == content(folder)


def test_the_card_tells_what_copying_reaches(folder: Path):
    card = (folder / "README.md").read_text("utf-8")
    assert "How often copying" in card
    assert "| natural " in card


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"pairs_version": 99}, NewerSchemaError, "version 99"),
        ({"pairs_version": 0}, BadInputError, "version 0"),
        ({"sides_version": "sides-0"}, BadInputError, "sides-0"),
        ({"format": "something else"}, BadInputError, "not about pairs"),
        ({"rows": "many"}, BadInputError, "damaged"),
    ],
)
def test_pairs_of_another_version_are_refused(folder: Path, change: dict[str, Any], error: type[Exception], says: str):
    edit(folder, **change)
    with pytest.raises(error, match=says):
        pair_files.load_rows(folder)


def test_a_folder_without_its_manifest_is_unfinished(folder: Path, tmp_path: Path):
    (folder / pair_files.MANIFEST).unlink()
    with pytest.raises(BadInputError, match="no finished pairs"):
        pair_files.load_rows(folder)
    with pytest.raises(NotFoundError):
        pair_files.load_rows(tmp_path / "nowhere")


def test_a_changed_file_is_noticed(folder: Path):
    path = folder / "data" / "train.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BadInputError, match=r"train\.parquet"):
        pair_files.load_rows(folder)


def test_a_failed_writing_leaves_no_manifest(folder: Path, small_pairs: PairSet, monkeypatch: pytest.MonkeyPatch):
    def full(path: Path, text: str) -> None:
        raise StorageError(f"No room is left to write {path}.")

    monkeypatch.setattr(pair_files, "write_text", full)
    with pytest.raises(StorageError):
        pair_files.write(small_pairs, folder)
    assert not (folder / pair_files.MANIFEST).exists()


def test_other_peoples_files_are_left_alone(small_pairs: PairSet, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(RefusedError, match=r"thesis\.txt"):
        pair_files.write(small_pairs, tmp_path)
    with pytest.raises(RefusedError, match="is a file"):
        pair_files.write(small_pairs, tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
