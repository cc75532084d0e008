"""How `export gguf` compares a file with what was trained: both answer the same prompts through the one engine's backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepimagine_exporters.gguf.export import Measure
    from deepimagine_training.bases import BaseFacts
    from deepimagine_training.parity import Answers, Parity, Probe
    from deepimagine_training.recipe import MachineRecipe


def comparison(
    base: BaseFacts,
    adapter: Path,
    machine: MachineRecipe,
    asked: Sequence[Probe],
    cancel: Event,
    told: Callable[[str], object],
) -> Measure:
    """What compares GGUF files with the model that transformers makes of `base` and the PEFT adapter in the folder `adapter`.

    That model is loaded, asked and let go of when the first file is compared.

    Raises:
        DeepImagineError: as `bases.load`, `HfBackend`, `LlamaBackend` and `parity.ask`, when a file is compared.
    """
    from deepimagine_training import parity

    from deepimagine_tui.backends.llama import LlamaBackend

    reference: list[Answers] = []

    def measure(model: Path, lora: Path | None) -> Parity:
        if not reference:
            told("Asking the trained model")
            reference.append(_trained_answers(base, adapter, machine, asked, cancel, told))
        backend = LlamaBackend(model, adapter=lora)
        try:
            return parity.compare(reference[0], parity.ask(backend, asked, cancel, lambda said: told(f"Comparing: {said}")))
        finally:
            backend.close()

    return measure


def _trained_answers(
    base: BaseFacts,
    adapter: Path,
    machine: MachineRecipe,
    asked: Sequence[Probe],
    cancel: Event,
    told: Callable[[str], object],
) -> Answers:
    from deepimagine_training import bases, parity
    from deepimagine_training.hf_backend import HfBackend

    from deepimagine_tui.extras import extra

    there = machine.device == "cuda" and extra("torch").cuda.is_available()
    loaded = bases.load(base, machine.precision if there else "float32", "cuda" if there else "cpu")
    backend = HfBackend(loaded, adapter)
    try:
        return parity.ask(backend, asked, cancel, lambda said: told(f"Asking the trained model: {said}"))
    finally:
        backend.close()


def probes(pairs: Path | None, count: int) -> list[Probe]:
    """The prompts to compare on: of the held-out pairs in the folder `pairs`, by default of the corpus that ships.

    Raises:
        BadInputError: the pairs cannot be read, or none can be asked.
        CorpusError: the corpus that ships is damaged.
    """
    from deepimagine_training import pair_files, parity

    if pairs is not None:
        return parity.probes(pair_files.load_rows(pairs, ("validation",)), count)
    from deepimagine_training.pairs import draw

    from deepimagine_tui.corpus.starter import open_starter

    corpus = open_starter()
    try:
        return parity.probes(draw(corpus).rows, count)
    finally:
        corpus.close()
