"""The numbers of a probe by name, each with what it means for one run. A set of runs has the mean or the median of the same
numbers, see `evaluation.interpretability`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, assert_never

import msgspec

from deepimagine_tui.reasoning.interpret import Together
from deepimagine_tui.reasoning.probe_findings import Finding, Ladder, Order, Return

Unit = Literal["share", "s", "logit", "tau", "yes or no"]
"""A share in [0, 1], units of s on the scoring scale, logits, Kendall's tau in [-1, 1], or 1 for yes and 0 for no."""

IN_ORDER, LEVEL, TAU = "doses are in order", "doses do not move the value", "rank correlation with the dose"
BACK, AWAY, BACK_VERDICT = "perturbing back returns", "perturbing moves away", "perturbing back restores the verdict"
ORDER, ORDER_P, ORDER_VERDICT = "order of changes, value", "order of changes, P(met)", "order of changes leaves the verdict"
SEEDS, SEEDS_SPREAD, SEEDS_SPREAD_P = "seeds agree", "spread of seeds", "spread of seeds, P(met)"
SAME_VERDICT, SAME_DIRECTION = "seeds have this run's verdict", "seeds have this run's direction"


class Meaning(NamedTuple):
    """What a number says of one run; `counts` is what its n counts."""

    definition: str
    unit: Unit
    counts: str


MEANINGS: dict[str, Meaning] = {
    IN_ORDER: Meaning(
        "Share of neighbouring doses whose values go, as the dose rises, the way in which the posted value lies from the inert "
        "comparator's.",
        "share",
        "neighbouring doses",
    ),
    LEVEL: Meaning("Share of neighbouring doses with one and the same value.", "share", "neighbouring doses"),
    TAU: Meaning(
        "Kendall's tau between dose and value in that direction: 1 all pairs in order, 0 no more than chance, -1 none.",
        "tau",
        "doses",
    ),
    AWAY: Meaning("How far the changes led from the posted value: there is so much to return from.", "s", "path"),
    BACK: Meaning("How far from the posted value the model ends after the changes and their undoing; 0 returns.", "s", "path"),
    BACK_VERDICT: Meaning("Whether the verdict after the undoing is the posted one.", "yes or no", "path"),
    ORDER: Meaning("How far apart the values end by the two orders; 0 does not mind the order.", "s", "orders"),
    ORDER_P: Meaning("How far apart logit P(met) ends by the two orders; 0 does not mind the order.", "logit", "orders"),
    ORDER_VERDICT: Meaning("Whether the two orders end with one verdict.", "yes or no", "orders"),
    SEEDS: Meaning("Share of seeds with the verdict of most seeds.", "share", "seeds"),
    SAME_VERDICT: Meaning("Share of seeds with the verdict that this run shows.", "share", "seeds"),
    SAME_DIRECTION: Meaning(
        "Share of seeds whose value of the arm went from the posted one as in this run: up, down or no clear change.",
        "share",
        "seeds",
    ),
    SEEDS_SPREAD: Meaning("Interquartile range of the arm's value over seeds.", "s", "seeds"),
    SEEDS_SPREAD_P: Meaning("Interquartile range of logit P(met) over seeds.", "logit", "seeds"),
}
"""By name, in the order in which they are shown."""
SCALE = (
    "s is the unit of the scoring scale: the participants' standard deviation of a mean, a factor of e of a rate, 1.81 on the "
    "log odds of a share."
)


class ProbeNumber(msgspec.Struct, frozen=True):
    """One number. `value` is `None` where it cannot be told, such as a verdict without a comparator; `n` counts `counts`."""

    name: str
    value: float | None
    unit: Unit
    n: int
    counts: str
    definition: str


def told(finding: Finding) -> dict[str, float | None]:
    """What a finding says by name; a verdict that is kept is 1, one that is not 0."""
    match finding:
        case Ladder():
            return {IN_ORDER: finding.in_order, LEVEL: finding.level, TAU: finding.tau}
        case Return():
            return {BACK: finding.back, AWAY: finding.away, BACK_VERDICT: _number(finding.verdict)}
        case Order():
            return {ORDER: finding.value, ORDER_P: finding.logit, ORDER_VERDICT: _number(finding.verdict)}
        case Together():
            return {SEEDS: finding.agree.value, SEEDS_SPREAD: finding.spread, SEEDS_SPREAD_P: finding.spread_logit}
        case _:
            assert_never(finding)


def numbers(values: Mapping[str, float | None], n: int, counted: Mapping[str, int] | None = None) -> tuple[ProbeNumber, ...]:
    """The values by name with their meanings; `counted` has the n of those whose is not `n`."""
    own = counted or {}
    return tuple(
        ProbeNumber(name, values[name], meaning.unit, own.get(name, n), meaning.counts, meaning.definition)
        for name, meaning in MEANINGS.items()
        if name in values
    )


def _number(verdict: bool | None) -> float | None:
    return None if verdict is None else float(verdict)
