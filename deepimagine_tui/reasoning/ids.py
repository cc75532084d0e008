"""Identifiers of runs, steps and sequences. Those of states are in `identity`."""

from __future__ import annotations

import hashlib

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.reasoning.identity import content_hash
from deepimagine_tui.reasoning.state import Perturbation, State


def new_run_id() -> str:
    """A UUIDv7: unique, and in the order of time."""
    from uuid_utils import uuid7

    return str(uuid7())


def step_id(source: State, perturbation: Perturbation, prompt_version: str, model: ModelInfo, seed: int) -> str:
    """What identifies an imagining: hash(state, perturbation, prompt version, model, seed)."""
    weights = (model.sha256 or model.name, model.adapter_sha256 or model.adapter)
    return content_hash([source.id, perturbation, prompt_version, weights, seed])


def sequence_seed(seed: int, pathway: int, step: int) -> int:
    """The seed of one generated sequence, 0 to 2**32-1, derived from the run's seed and its place in the run."""
    digest = hashlib.sha256(f"{seed}/{pathway}/{step}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
