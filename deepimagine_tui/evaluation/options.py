"""From P(met), which is of k1's benefit alone, to probabilities over a question's options."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from deepimagine_tui.evaluation.questions import MET, NOT_MET, TWO_WAY, Question
from deepimagine_tui.reasoning.state import MetEstimate

TURNED = "/turned"

CERTAIN = 1e-4
"""Probabilities are kept this far from 0 and 1 before their logits are averaged, as the engine's are."""


def shares(options: tuple[str, ...], met: float, turned: float | None = None) -> tuple[float, ...]:
    """Probabilities over two or three options.

    Of two they are P(met) and the rest. Of three (better, worse, no difference) `met` is P(met) of the arm against its
    comparator and `turned` P(met) of the comparator against the arm: better = met (1 - turned), worse = turned (1 - met),
    no difference = (1 - met) (1 - turned), divided by their sum, for both cannot be. Without `turned`, nothing is worse.
    """
    if len(options) == len(TWO_WAY):
        return met, 1 - met
    other = turned if turned is not None else 0.0
    weights = met * (1 - other), other * (1 - met), (1 - met) * (1 - other)
    total = sum(weights)
    return tuple(weight / total for weight in weights) if total else (0.5, 0.5, 0.0)


def chance_of(met: MetEstimate) -> float | None:
    """P(met) of an estimate; all but certain of its verdict where the backend gives no probability, `None` without either."""
    if met.probability is not None or met.verdict == "undetermined":
        return met.probability
    return 1 - CERTAIN if met.verdict == MET else CERTAIN


def certainly(option: str, options: tuple[str, ...]) -> tuple[float, ...]:
    """All on one option."""
    return tuple(float(option == each) for each in options)


def rates_of(options: tuple[str, ...], rates: Mapping[str, float]) -> dict[str, float]:
    """Base rates over these options, from those of whatever was learnt: of three options from verdicts of two, as `shares` has
    them where the rate is the same both ways."""
    if any(option in rates for option in options) or MET not in rates or NOT_MET not in rates:
        return dict(rates)
    return dict(zip(options, shares(options, rates[MET], rates[MET]), strict=True))


def turned(question: Question) -> Question | None:
    """The same question asked the other way about, its id marked with `TURNED`: the comparator against the arm; `None` where
    there is no comparator."""
    arm, comparator = question.target.arm, question.target.comparator
    if comparator is None:
        return None
    target = replace(question.target, arm=comparator, comparator=arm)
    return replace(question, id=question.id + TURNED, target=target, comparator_type="")
