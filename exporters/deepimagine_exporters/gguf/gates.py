"""How near a file has to answer to the model that it was made of, by type: past its gate it is not written unasked."""

from __future__ import annotations

from typing import Literal, Protocol, get_args

Kind = Literal["adapter", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""The adapter alone, then the merged model from the most exact to the smallest."""

AGREEMENT = 0.99
"""Least share of equal verdicts, and of equal directions, of an F16 file."""
MAX_DIFFERENCE = 0.02
"""Largest difference of P(met) of an F16 file."""
MAX_KL: dict[Kind, float] = {"adapter": 0.01, "F16": 0.001, "Q8_0": 0.01, "Q6_K": 0.02, "Q5_K_M": 0.05, "Q4_K_M": 0.05}
"""Largest mean divergence of the next token's distribution, in nats: some ten times what sound files of Gemma 3 270M show,
and a fifth of what a merged Q4_K_M of it does. On a quantised base llama.cpp computes in 8 bits, so that near-ties flip: F16
alone has to give the same answers."""


class Parity(Protocol):
    """How a file answered beside the model that it was made of, on the same prompts. Shares and differences are in [0, 1],
    `kl_mean` in nats; `changed_share` is of the answers."""

    @property
    def verdict_agreement(self) -> float: ...
    @property
    def direction_agreement(self) -> float: ...
    @property
    def p_met_max_difference(self) -> float: ...
    @property
    def kl_mean(self) -> float: ...
    @property
    def changed_share(self) -> float: ...
    @property
    def prompts(self) -> int: ...


def excess(kind: Kind, parity: Parity) -> str:
    """Why a file of `kind` is past its gate, as one clause; empty when it is not."""
    bounds: list[tuple[bool, str]] = [
        (parity.kl_mean <= MAX_KL[kind], f"its mean KL divergence is {parity.kl_mean:.3g}, past {MAX_KL[kind]:g}")
    ]
    if kind == "F16":
        agreement = min(parity.verdict_agreement, parity.direction_agreement)
        difference = parity.p_met_max_difference
        bounds += [
            (agreement >= AGREEMENT, f"it gives the same answer in {agreement:.0%} of the prompts, not {AGREEMENT:.0%}"),
            (difference <= MAX_DIFFERENCE, f"P(met) differs by up to {difference:.2g}, past {MAX_DIFFERENCE:g}"),
        ]
    return next((said for kept, said in bounds if not kept), "")


def numbers(parity: Parity) -> dict[str, float]:
    """The measurement by name, for the run's manifest."""
    return {
        "verdict_agreement": parity.verdict_agreement,
        "direction_agreement": parity.direction_agreement,
        "p_met_max_difference": parity.p_met_max_difference,
        "kl_mean": parity.kl_mean,
        "changed_share": parity.changed_share,
        "prompts": float(parity.prompts),
    }
