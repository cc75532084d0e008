"""What is on file of a model that was trained here: the trials it was trained on, and its card.

`train` leaves a manifest with every run, which names the files that were made of it by their hash; the shipped adapter has
its manifest and its card beside it. What names no such file, or cannot be read, tells nothing: it is not known then.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from deepimagine_tui import files
from deepimagine_tui.backends import digests, operators
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.errors import BadInputError

MANIFEST, CARD = "manifest.json", "card.json"


class _File(msgspec.Struct, frozen=True):
    sha256: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    trained_on: tuple[str, ...]
    gguf: tuple[_File, ...] = ()


class AdapterCard(msgspec.Struct, frozen=True):
    """The part of a card that lists and screens show: sentences on what was trained, on what, and how well it did.
    `adapter_sha256` names the file that it is of."""

    title: str
    adapter_sha256: str
    brief: tuple[str, ...]


class CardEstimate(msgspec.Struct, frozen=True):
    """A score with its 95% interval over programmes, `None` for too few, and what it is of."""

    value: float | None
    lower: float | None
    upper: float | None
    rows: int
    trials: int


class CardSlice(msgspec.Struct, frozen=True):
    """Which questions: `all`, those of a factor, flips or non-flips."""

    kind: str
    name: str


class CardScore(msgspec.Struct, frozen=True):
    """One metric of one system on a slice of the questions."""

    system: str
    slice: CardSlice
    metric: str
    estimate: CardEstimate


class CardDifference(msgspec.Struct, frozen=True):
    """Whether `system` is better or worse than `other` by a metric, or not distinguishable from it."""

    system: str
    other: str
    slice: CardSlice
    metric: str
    word: str


class CardScores(msgspec.Struct, frozen=True):
    """The scores of a card: of the model, which is `judged`, and of the systems beside it, on held-out questions."""

    set_name: str
    questions: int
    trials: int
    judged: str
    scores: tuple[CardScore, ...]
    differences: tuple[CardDifference, ...] = ()


class _ScoredCard(msgspec.Struct, frozen=True):
    adapter_sha256: str
    report: CardScores


def trained_on(info: ModelInfo) -> frozenset[str] | None:
    """The NCT ids of the trials that a model, or its adapter, was trained on, siblings of their programmes included; `None`
    where that is not known."""
    if info.backend != "llama.cpp" or not (info.adapter or info.path):
        return None
    try:
        weights = operators.find(Path(info.adapter)) if info.adapter else {operators.ALL: Path(info.path)}
    except BadInputError:
        return None
    found = [_trained_on(path, factor) for factor, path in weights.items()]
    return None if any(each is None for each in found) else frozenset().union(*(each for each in found if each is not None))


def card_of(adapter: Path) -> AdapterCard | None:
    """The card beside an adapter; `None` where there is none of this very file."""
    try:
        card = msgspec.json.decode((adapter.parent / CARD).read_bytes(), type=AdapterCard)
        return card if card.adapter_sha256 == files.sha256(adapter) else None
    except (OSError, msgspec.MsgspecError):
        return None


def scores_of(adapter: Path) -> CardScores | None:
    """The scores on the card beside an adapter; `None` where there is none of this very file."""
    try:
        card = msgspec.json.decode((adapter.parent / CARD).read_bytes(), type=_ScoredCard)
        if card.adapter_sha256 != digests.sha256(adapter):
            return None
    except (OSError, msgspec.MsgspecError):
        return None
    return card.report


def _trained_on(path: Path, factor: str) -> frozenset[str] | None:
    """By the manifest beside the file, or of the run whose `gguf` folder it is in."""
    run = path.parent.parent
    for place in (path.parent, run, run / factor):
        try:
            manifest = msgspec.json.decode((place / MANIFEST).read_bytes(), type=_Manifest)
            if digests.sha256(path) in {file.sha256 for file in manifest.gguf}:
                return frozenset(manifest.trained_on)
        except (OSError, msgspec.MsgspecError):
            continue
    return None
