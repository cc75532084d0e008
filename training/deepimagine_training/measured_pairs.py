"""Held-out answers of `train score`, and the pairs of training, as calibrations and records take them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from deepimagine_training import held_out
from deepimagine_training.held_out import Answer, HeldOut
from deepimagine_training.predictions import imagined
from deepimagine_training.rows import PairRow
from deepimagine_tui.errors import RefusedError
from deepimagine_tui.evaluation.calibrate import Said
from deepimagine_tui.evaluation.measured import Measured, of_step
from deepimagine_tui.reasoning.subject import Subject


def said(folder: Path, rows: Iterable[PairRow], pairs_sha256: str) -> Said:
    """The answers that `train score` left in a folder, graded against the pairs that they are of.

    Raises:
        NotFoundError: there are none.
        BadInputError: they are damaged.
        RefusedError: they are of other pairs.
    """
    header, answers = held_out.read(folder)
    if header.pairs_sha256 != pairs_sha256:
        raise RefusedError(f"The answers in {folder} are of other pairs.", "Name the folder of those pairs with --pairs.")
    asked = held_out.questions(rows, header.side)
    settings = header.settings
    return Said(
        subject=Subject(header.model, header.model_sha256, header.adapter_sha256, header.prompt_version),
        side=header.side,
        data_sha256=header.pairs_sha256,
        rows=tuple(_measured(one, answers[one.row.id]) for one in asked if one.row.id in answers),
        settings={
            "temperature": settings.temperature,
            "max_reasoning_tokens": settings.max_reasoning_tokens,
            "seed": settings.seed,
        },
    )


def posted(asked: Iterable[HeldOut]) -> Iterator[Measured]:
    """What was posted in pairs, without any answer."""
    for one in asked:
        yield of_step(one.step.source, None, one.target, one.step.factor, programme=one.row.source_programme)


def _measured(one: HeldOut, answer: Answer) -> Measured:
    read = imagined(one, answer)
    state = None if isinstance(read, str) else read.state
    return of_step(one.step.source, state, one.target, one.step.factor, programme=one.row.source_programme)
