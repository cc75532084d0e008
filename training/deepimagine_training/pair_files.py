"""Pairs on disk: one parquet file a side, the dataset card, the sides of all trials, the counts, and a manifest written last.

A folder without a manifest is unfinished and is not read. The same pairs give the same bytes, as long as the libraries that
write parquet stay the same; `data_sha256` does not depend on those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import msgspec

from deepimagine_training.dataset_card import card
from deepimagine_training.inputs import SCRATCH_PREFIX
from deepimagine_training.pair_stats import PairStats, stats_of
from deepimagine_training.pairs import PairOptions, PairSet
from deepimagine_training.rows import PAIRS_VERSION, PairRow
from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, NewerSchemaError, NotFoundError, RefusedError
from deepimagine_tui.evaluation.sides import DOSE_RANGING_SHARES, SHARES, SIDES, SIDES_VERSION, Side
from deepimagine_tui.extras import extra
from deepimagine_tui.files import atomic_write, make_dir, sha256, write_text

MANIFEST = "manifest.json"
FORMAT = "deepimagine pairs"

_CARD, _SIDES_FILE, _STATS = "README.md", "sides.json", "stats.json"
_OURS = {MANIFEST, _CARD, _SIDES_FILE, _STATS, "data"}


class DataFile(msgspec.Struct, frozen=True):
    """A file that pairs were drawn from, or that holds them."""

    name: str
    sha256: str
    rows: int


class CorpusUsed(msgspec.Struct, frozen=True):
    """The corpus that pairs were drawn from, as `CorpusStats` has it."""

    name: str
    version: str
    data_date: str
    trials: int
    with_results: int


class Manifest(msgspec.Struct, frozen=True):
    """What a folder of pairs is and what it was made from: everything needed to make it again."""

    format: str
    pairs_version: int
    sides_version: str
    deepimagine: str
    corpus: CorpusUsed
    claims: tuple[DataFile, ...]
    options: PairOptions
    shares: dict[Side, float]
    dose_ranging_shares: dict[Side, float]
    rows: dict[Side, int]
    trials: dict[Side, tuple[str, ...]]
    data_sha256: str
    files: tuple[DataFile, ...]
    libraries: dict[str, str]


def check_target(folder: Path) -> None:
    """Refuse to write into a folder that holds anything but pairs.

    Raises:
        RefusedError: it does, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise RefusedError(f"{folder} is a file, not a folder.", "Name a folder of its own with --out.")
    strange = sorted(path.name for path in folder.iterdir() if not _is_ours(path.name)) if folder.is_dir() else []
    if strange:
        raise RefusedError(f"{folder} holds other things ({strange[0]}).", "Name an empty or a new folder with --out.")


def write(pairs: PairSet, folder: Path) -> Manifest:
    """Write pairs to `folder`; what was there of an earlier drawing is replaced.

    Raises:
        MissingExtraError: `datasets` is not installed.
        RefusedError: the folder holds other things.
        StorageError: it cannot be written.
    """
    extra("datasets")
    check_target(folder)
    make_dir(folder / "data")
    (folder / MANIFEST).unlink(missing_ok=True)
    stats = stats_of(pairs)
    files = [_write_side(pairs.rows, side, folder) for side in SIDES]
    for name, text in ((_SIDES_FILE, _pretty(pairs.sides)), (_STATS, _pretty(stats)), (_CARD, card(pairs, stats))):
        write_text(folder / name, text)
        files.append(DataFile(name, sha256(folder / name), 0))
    manifest = _manifest(pairs, files)
    write_text(folder / MANIFEST, _pretty(manifest))
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder of pairs.

    Raises:
        NotFoundError: there is no such folder.
        BadInputError: it holds no finished pairs, or pairs of an older version.
        NewerSchemaError: a newer DeepImagine drew them.
    """
    if not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.", "Draw pairs first: deepimagine train pairs --out FOLDER")
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInputError(f"{folder} holds no finished pairs: it has no {MANIFEST}.", "Draw them: deepimagine train pairs")
    try:
        head = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if head.get("format") != FORMAT:
            raise BadInputError(f"{path} is not about pairs.", "Name the folder that `train pairs` wrote.")
        _check_version(folder, head)
        return msgspec.convert(head, Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} is damaged ({error}).", "Draw the pairs again.") from error


def read_stats(folder: Path) -> PairStats:
    """The counts of a folder of pairs.

    Raises:
        DeepImagineError: as `read_manifest`.
    """
    _check_files(folder, read_manifest(folder))
    return msgspec.json.decode((folder / _STATS).read_bytes(), type=PairStats)


def load(folder: Path) -> Any:  # noqa: ANN401  # a datasets.DatasetDict
    """The pairs of a folder as a `datasets` dataset with one split a side, checked against the manifest.

    Raises:
        MissingExtraError: `datasets` is not installed.
        DeepImagineError: as `read_manifest`, and a file is missing or is not the one that was written.
    """
    datasets, parquet = extra("datasets"), extra("pyarrow.parquet")
    _check_files(folder, read_manifest(folder))
    return datasets.DatasetDict({side: datasets.Dataset(parquet.read_table(folder / _name(side))) for side in SIDES})


def load_rows(folder: Path, sides: Sequence[Side] = SIDES) -> tuple[PairRow, ...]:
    """The pairs of a folder as rows.

    Raises:
        DeepImagineError: as `load`.
    """
    loaded = load(folder)
    return tuple(msgspec.convert(row, PairRow) for side in sides for row in loaded[side])


def _is_ours(name: str) -> bool:
    """Whether a file is one that we write, or what a killed run left of one."""
    return name in _OURS or name.startswith((SCRATCH_PREFIX, *(f".{ours}." for ours in _OURS)))


def data_hash(rows: Iterable[PairRow]) -> str:
    """The SHA-256 of the rows as canonical JSON lines."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(msgspec.json.encode(row, order="deterministic") + b"\n")
    return digest.hexdigest()


def _check_version(folder: Path, head: dict[str, Any]) -> None:
    found = head.get("pairs_version")
    if isinstance(found, int) and found > PAIRS_VERSION:
        raise NewerSchemaError(
            f"{folder} holds pairs of version {found}; this DeepImagine reads version {PAIRS_VERSION}.", "Update DeepImagine."
        )
    if found != PAIRS_VERSION or head.get("sides_version") != SIDES_VERSION:
        raise BadInputError(
            f"{folder} holds pairs of version {found} ({head.get('sides_version')}); this DeepImagine reads version"
            f" {PAIRS_VERSION} ({SIDES_VERSION}).",
            "Draw them again: deepimagine train pairs",
        )


def _check_files(folder: Path, manifest: Manifest) -> None:
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file() or sha256(path) != file.sha256:
            raise BadInputError(f"{path} is not the file that its manifest names.", "Draw the pairs again.")


def _write_side(rows: Sequence[PairRow], side: Side, folder: Path) -> DataFile:
    datasets, parquet = extra("datasets"), extra("pyarrow.parquet")
    found = [msgspec.to_builtins(row) for row in rows if row.side == side]
    features = features_of_rows()
    columns = {name: [row[name] for row in found] for name in features}
    dataset = datasets.Dataset.from_dict(columns, features)
    path = folder / _name(side)
    with atomic_write(path) as stream:
        parquet.write_table(dataset.data.table, stream, compression="zstd")
    return DataFile(_name(side), sha256(path), len(found))


def features_of_rows() -> Any:  # noqa: ANN401  # a datasets.Features
    """The columns of `PairRow` as `datasets` types them."""
    return extra("datasets").Features({name: _feature(kind) for name, kind in _hints(PairRow).items()})


def _feature(kind: object) -> Any:  # noqa: ANN401  # datasets types a feature so
    datasets = extra("datasets")
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.StructType(cls=cls):
            return {name: _feature(each) for name, each in _hints(cls).items()}
        case msgspec.inspect.VarTupleType():
            return datasets.List(datasets.Value("string"))
        case msgspec.inspect.UnionType(types=types):
            present = next(each for each in types if not isinstance(each, msgspec.inspect.NoneType))
            match present:
                case msgspec.inspect.StructType(cls=cls):
                    return {name: _feature(each) for name, each in _hints(cls).items()}
                case msgspec.inspect.FloatType():
                    return datasets.Value("float64")
                case msgspec.inspect.IntType():
                    return datasets.Value("int64")
    return datasets.Value("string")


def _hints(cls: type) -> dict[str, object]:
    return {field.name: field.type for field in msgspec.structs.fields(cls)}


def _name(side: Side) -> str:
    return f"data/{side}.parquet"


def _manifest(pairs: PairSet, files: Sequence[DataFile]) -> Manifest:
    used: dict[Side, tuple[str, ...]] = {
        side: tuple(sorted({nct for row in pairs.rows if row.side == side for nct in row.trials})) for side in SIDES
    }
    return Manifest(
        format=FORMAT,
        pairs_version=PAIRS_VERSION,
        sides_version=pairs.sides.version,
        deepimagine=__version__,
        corpus=CorpusUsed(
            pairs.corpus.name, pairs.corpus.version, pairs.corpus.data_date, pairs.corpus.trials, pairs.corpus.with_results
        ),
        claims=tuple(DataFile(file.name, file.sha256, len(file.claims)) for file in pairs.claims),
        options=pairs.options,
        shares=dict(SHARES),
        dose_ranging_shares=dict(DOSE_RANGING_SHARES),
        rows={side: sum(row.side == side for row in pairs.rows) for side in SIDES},
        trials=used,
        data_sha256=data_hash(pairs.rows),
        files=tuple(files),
        libraries={name: version_of(name) for name in ("datasets", "pyarrow")},
    )


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1).decode() + "\n"
