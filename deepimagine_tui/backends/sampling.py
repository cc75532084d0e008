"""Drawing one token from logits. Pure numpy; the randomness comes in as a number, so the same number gives the same token."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]
Ids = npt.NDArray[np.intp]

_NEGLIGIBLE = 12.0
"""Logits further than this many temperatures below the largest are left out before sorting: a share under 1e-5 each."""


def sample(logits: Logits, temperature: float, top_p: float, uniform: float) -> int:
    """The index of the token drawn at `uniform` (0 to 1) from the smallest set of tokens that holds `top_p` of the probability.

    `temperature` 0 takes the most probable one.
    """
    if temperature <= 0:
        return int(logits.argmax())
    ids = np.flatnonzero(logits > logits.max() - _NEGLIGIBLE * temperature)
    return _draw(logits, ids, temperature, top_p, uniform)


def sample_among(logits: Logits, ids: Ids, temperature: float, uniform: float) -> int:
    """Like `sample`, from the tokens `ids` only and without `top_p`."""
    if temperature <= 0:
        return int(ids[logits[ids].argmax()])
    return _draw(logits, ids, temperature, 1.0, uniform)


def _draw(logits: Logits, ids: Ids, temperature: float, top_p: float, uniform: float) -> int:
    values = logits[ids].astype(np.float64) / temperature
    weights = np.exp(values - values.max())
    order = np.argsort(-weights, kind="stable")
    running = np.cumsum(weights[order])
    kept = int(np.searchsorted(running, top_p * running[-1])) + 1
    reach = running[min(kept, len(running)) - 1]
    place = int(np.searchsorted(running, uniform * reach, side="right"))
    return int(ids[order[min(place, kept - 1, len(order) - 1)]])


def top(logits: Logits, count: int) -> Ids:
    """The indices of the `count` largest logits, in no particular order."""
    return np.argpartition(logits, -count)[-count:] if count < len(logits) else np.arange(len(logits))


def shares(logits: Logits, ids: list[int]) -> tuple[list[float], float]:
    """The softmax over the tokens `ids` alone, and the share that they have together of the softmax over all tokens."""
    largest = float(logits.max())
    total = float(np.exp(logits - largest).sum(dtype=np.float64))
    weights = np.exp(logits[ids].astype(np.float64) - largest)
    mass = float(weights.sum())
    if mass == 0.0:
        weights = np.exp(logits[ids].astype(np.float64) - float(logits[ids].max()))
    return [float(weight) for weight in weights / weights.sum()], min(1.0, mass / total)


def likeliest(logits: Logits, count: int) -> dict[int, float]:
    """The `count` most probable tokens with their probability: the softmax over all tokens."""
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    total = float(weights.sum())
    return {int(token): float(weights[token]) / total for token in top(logits, count)}
