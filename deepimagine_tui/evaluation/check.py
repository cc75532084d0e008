"""Whether a committed evaluation still holds: its journals scored again, and some of their questions asked again.

A committed evaluation is a folder with a folder for each system, as `evaluate run` wrote it, and the report on them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.evaluation import runner
from deepimagine_tui.evaluation.predictions import JOURNAL, Header, Prediction, Predictions
from deepimagine_tui.evaluation.questions import QuestionSet
from deepimagine_tui.evaluation.system import System

TOLERANCE = 0.02
"""How far a probability may be from the committed one: another build of llama.cpp adds its numbers in another order."""
AGAIN = 24
"""So many questions are asked again, and as many more as make whole batches, so that each is decoded in the company it had."""
WRITTEN = "report.md"


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """One system asked again: how many questions, the largest difference of a probability, and those beyond `TOLERANCE`."""

    system: str
    questions: int
    largest: float
    beyond: tuple[str, ...]


def system_folders(folder: Path) -> list[Path]:
    """The folders of the systems in a committed evaluation, in the order of their names.

    Raises:
        NotFoundError: there is none.
    """
    found = sorted(path.parent for path in folder.glob(f"*/{JOURNAL}"))
    if not found:
        raise NotFoundError(f"There are no predictions in {folder}.", "Name a folder with a folder for each system.")
    return found


def unlike(committed: str, written: str) -> list[str]:
    """The lines in which a report written now differs from the committed one: `- ` as committed, `+ ` as now."""
    from difflib import ndiff

    return [line for line in ndiff(committed.splitlines(), written.splitlines()) if line[:2] in ("- ", "+ ")]


def is_of(header: Header, info: ModelInfo) -> bool:
    """Whether answers are of this model with this adapter, by their hashes."""
    return (header.model_sha256, header.adapter_sha256) == (info.sha256, info.adapter_sha256)


def other_model(header: Header, system: System) -> str:
    """In what the system at hand is not the committed one, as a phrase; empty where it is the same."""
    facts = system.facts
    differing = {
        "another model": header.model_sha256 != facts.model_sha256,
        "another adapter": header.adapter_sha256 != facts.adapter_sha256,
        "another corpus": header.corpus_version != facts.corpus_version,
        "other settings": header.settings != facts.settings,
    }
    return ", ".join(words for words, differs in differing.items() if differs)


def ask_again(
    system: System,
    asked: QuestionSet,
    committed: Predictions,
    folder: Path,
    cancel: Event,
    told: Callable[[str], object] = lambda text: None,
    count: int = AGAIN,
) -> Again:
    """Ask the first `count` questions by hash again, in whole batches, in a new `folder`, and compare with what is committed.

    Raises:
        ModelError: the model cannot answer.
        CancelledError: `cancel` was set.
        StorageError: the folder cannot be written.
    """
    size = system.batch or 1
    some = runner.first(asked, -(-count // size) * size)
    said = runner.run(system, some, folder, cancel, told)
    apart = {key: _apart(prediction, committed.by_id.get(key)) for key, prediction in said.by_id.items()}
    return Again(
        system=committed.header.name,
        questions=len(apart),
        largest=max(apart.values()),
        beyond=tuple(key for key, difference in apart.items() if difference > TOLERANCE),
    )


def _apart(said: Prediction, committed: Prediction | None) -> float:
    """The largest difference of two predictions' probabilities; 1 where nothing is committed, or one alone is a fallback."""
    if committed is None or bool(said.fallback) != bool(committed.fallback):
        return 1.0
    return max(abs(one - other) for one, other in zip(said.probabilities, committed.probabilities, strict=True))
