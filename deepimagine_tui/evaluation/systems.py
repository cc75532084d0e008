"""Every system by its name: what `evaluate run` may be asked for, and what each needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from deepimagine_tui.backends.protocol import ModelBackend
from deepimagine_tui.errors import UsageError
from deepimagine_tui.evaluation.asking import ASKED, LEAN
from deepimagine_tui.evaluation.predictions import Predictions
from deepimagine_tui.evaluation.runner import RUNS
from deepimagine_tui.evaluation.system import Learnt, System
from deepimagine_tui.reasoning.anchors import AnchorSource
from deepimagine_tui.reasoning.request import ImagineSettings


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a system is made of. `learnt` is what it may learn from; `model` and `source` are there where it needs them;
    `anchors` is k; `samples` how often `direct` asks; `folder` is where predictions go, beside which prompts,
    answers and the engine's journals are kept; `None` keeps none. `chain` are predictions of `deepimagine` for the ensemble.
    `are_steps` says that every question is a step, so that more of them fit into a batch; `settings` is how `deepimagine`
    asks."""

    learnt: Learnt
    model: ModelBackend | None = None
    source: AnchorSource | None = None
    anchors: int = 7
    samples: int = 1
    folder: Path | None = None
    chain: Sequence[Predictions] = ()
    are_steps: bool = False
    settings: ImagineSettings = LEAN

    @property
    def kept_in(self) -> Path | None:
        """The file of prompts and answers."""
        return self.folder / ASKED if self.folder is not None else None

    @property
    def runs(self) -> Path | None:
        """The folder of the engine's journals."""
        return self.folder / RUNS if self.folder is not None else None


class Entry(msgspec.Struct, frozen=True):
    """A system that can be made, whether it needs a model and a corpus, and whether it learns from derived examples too."""

    make: Callable[[Needs], System]
    needs_model: bool = False
    needs_corpus: bool = False
    learns_derived: bool = False


def make(name: str, needs: Needs) -> System:
    """The system called `name`.

    Raises:
        UsageError: there is none, or it needs a model or a corpus and was given none.
        ModelError: its model cannot be loaded.
    """
    entry = entry_of(name)
    if entry.needs_model and needs.model is None:
        raise UsageError(f"{name} asks a model.", "Name one with --model.")
    if entry.needs_corpus and needs.source is None:
        raise UsageError(f"{name} needs trials with results.", "Name a corpus with --corpus.")
    return entry.make(needs)


def entry_of(name: str) -> Entry:
    """What is known of the system called `name`.

    Raises:
        UsageError: there is none.
    """
    if name not in SYSTEMS:
        raise UsageError(f"There is no system {name!r}.", f"Choose one: {', '.join(SYSTEMS)}.")
    return SYSTEMS[name]


def _majority(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rules import Majority

    return Majority(needs.learnt)


def _base_rate(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rules import BaseRate

    return BaseRate(needs.learnt)


def _more_dose(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rules import MoreDose

    return MoreDose(needs.learnt)


def _comparator_rule(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rules import ComparatorRule

    return ComparatorRule()


def _copy_anchor(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rules import CopyAnchor

    return CopyAnchor(needs.learnt, needs.source, needs.anchors)


def _logistic_regression(needs: Needs) -> System:
    from deepimagine_tui.evaluation.classical import logistic_regression

    return logistic_regression(needs.learnt)


def _random_forest(needs: Needs) -> System:
    from deepimagine_tui.evaluation.classical import random_forest

    return random_forest(needs.learnt)


def _ffnn(needs: Needs) -> System:
    from deepimagine_tui.evaluation.classical import ffnn

    return ffnn(needs.learnt)


def _direct(needs: Needs) -> System:
    from deepimagine_tui.evaluation.direct import Direct

    assert needs.model is not None
    return Direct(needs.model, needs.learnt, needs.samples, kept_in=needs.kept_in)


def _rag(needs: Needs) -> System:
    from deepimagine_tui.evaluation.rag import Rag

    assert needs.model is not None
    assert needs.source is not None
    return Rag(needs.model, needs.source, needs.learnt, needs.anchors, kept_in=needs.kept_in)


def _deepimagine(needs: Needs) -> System:
    from deepimagine_tui.evaluation.chain import Chain

    assert needs.model is not None
    assert needs.source is not None
    return Chain(
        needs.model,
        needs.source,
        needs.learnt,
        needs.anchors,
        needs.settings,
        runs=needs.runs,
        kept_in=needs.kept_in,
        are_steps=needs.are_steps,
    )


def _ensemble(needs: Needs) -> System:
    from deepimagine_tui.evaluation.ensemble import Ensemble

    return Ensemble(needs.learnt, needs.chain)


SYSTEMS: dict[str, Entry] = {
    "majority": Entry(_majority),
    "base-rate": Entry(_base_rate),
    "more-dose": Entry(_more_dose),
    "comparator-rule": Entry(_comparator_rule),
    "copy-anchor": Entry(_copy_anchor, needs_corpus=True),
    "logistic-regression": Entry(_logistic_regression),
    "random-forest": Entry(_random_forest),
    "ffnn": Entry(_ffnn),
    "direct": Entry(_direct, needs_model=True),
    "rag": Entry(_rag, needs_model=True, needs_corpus=True),
    "deepimagine": Entry(_deepimagine, needs_model=True, needs_corpus=True),
    "deepimagine+ensemble": Entry(_ensemble, learns_derived=True),
}
"""The systems in the order in which a table lists them."""
