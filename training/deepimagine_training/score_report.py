"""The held-out scores of one model beside the untuned base and the baselines, as a file: what the card and the app are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from deepimagine_training.baselines import base_rate, baselines
from deepimagine_training.held_out import Answer, Header, HeldOut, Settings
from deepimagine_training.predictions import System, model_system
from deepimagine_training.scores import Scores, score
from deepimagine_tui import __version__
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.sides import Side
from deepimagine_tui.files import write_text
from deepimagine_tui.reasoning.versioned import read_versioned

FORMAT = "deepimagine held-out scores"
SCHEMA_VERSION = 1
REPORT = "scores.json"
MODEL, UNTUNED = "model", "untuned base"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Scores with what they are of. `pairs` of `available` held-out pairs were asked, those of `trials` trials; `base_rate` is
    the share of met on the train side, which counts as P(met) where there was no answer."""

    format: str = FORMAT
    schema_version: int = SCHEMA_VERSION
    deepimagine: str = __version__
    side: Side
    pairs_sha256: str
    model: str
    model_sha256: str
    adapter_sha256: str
    prompt_version: str
    settings: Settings
    pairs: int
    available: int
    trials: int
    base_rate: float
    nct_ids: tuple[str, ...]
    scores: Scores


Journal = tuple[Header, Mapping[str, Answer]]


def report(train: Sequence[HeldOut], asked: Sequence[HeldOut], journal: Journal, against: Sequence[Journal] = ()) -> Report:
    """The report on the answers of `journal`, beside those of the journals `against` and the baselines, on the same pairs.

    Raises:
        RefusedError: a journal is of other pairs, another side or other prompts.
        BadInputError: none of the pairs was asked.
        MissingExtraError: scikit-learn is not installed.
    """
    header, answers = journal
    known = [one for one in asked if one.row.id in answers]
    for other, theirs in against:
        if (other.pairs_sha256, other.side, other.prompt_version) != (header.pairs_sha256, header.side, header.prompt_version):
            raise RefusedError(
                f"The answers of {other.model} are of other pairs, another side or other prompts.", "Ask it the same pairs."
            )
        known = [one for one in known if one.row.id in theirs]
    if not known:
        raise BadInputError("None of these pairs was asked.", "Ask for answers: deepimagine train score")
    systems = [model_system(MODEL, _called(header), known, answers)]
    systems += [_other(header, other, known, theirs) for other, theirs in against]
    rate = base_rate(train)
    return Report(
        side=header.side,
        pairs_sha256=header.pairs_sha256,
        model=header.model,
        model_sha256=header.model_sha256,
        adapter_sha256=header.adapter_sha256,
        prompt_version=header.prompt_version,
        settings=header.settings,
        pairs=len(known),
        available=len(asked),
        trials=len({one.row.source_nct for one in known}),
        base_rate=rate,
        nct_ids=tuple(sorted({one.row.source_nct for one in known})),
        scores=score(known, [*systems, *baselines(train, known)], rate),
    )


def write(folder: Path, made: Report) -> None:
    """Write a report into `folder`.

    Raises:
        StorageError: it cannot be written.
    """
    write_text(folder / REPORT, msgspec.json.format(msgspec.json.encode(made), indent=1).decode() + "\n")


def read(folder: Path) -> Report:
    """The report of a folder.

    Raises:
        NotFoundError: there is none.
        BadInputError: it is damaged.
        NewerSchemaError: a newer DeepImagine wrote it.
    """
    how = "deepimagine train score"
    return read_versioned(folder / REPORT, Report, (FORMAT, SCHEMA_VERSION), "held-out scores", how)


def _other(header: Header, other: Header, known: Sequence[HeldOut], answers: Mapping[str, Answer]) -> System:
    is_base = other.model_sha256 == header.model_sha256 and not other.adapter_sha256
    return model_system(UNTUNED if is_base else _called(other), _called(other), known, answers)


def _called(header: Header) -> str:
    return header.model + (f" with adapter {header.adapter_sha256[:12]}" if header.adapter_sha256 else "")
