"""How a run came to its answer, in numbers: a fold of its graph. Definitions, with g and s of `scales`, s of the anchor:

- result of a state, on one footing for a whole pathway: `effect` (g(k1) - g(k2)) / s where every state has both values, else
  `contrast` g(contrast) / s where every state has one of the same kind, else `value` g(k1) / s;
- contribution of a step: result after - result before; those of a pathway add up to its total move. None where measure, unit,
  change basis or analysis population changes, since values are not compared across them;
- contribution to P(met): logit P after - logit P before, P kept within `CERTAIN` of 0 and 1. A posted anchor has a verdict and
  no P, so that the first step has none either;
- stated direction: the word of the model against the direction of its own values (`directions.step_direction`);
- facts: whether all that the model's own words, without the computed opening, say of the dose or the time that changes, and of
  the source's verdict, is so (`telling.tells_the_facts`);
- z-test: whether the test on the imagined values is met where P(met) >= .5 (without P, where the verdict is `met`), and the
  gap |P(met) - A|, A the probability that arithmetic gives a trial of that size (`ztest.predictive_probability`);
- agreement: of pathways that reached the target with a verdict, those with the majority verdict; spread: the interquartile
  range of g(k1) / s, and of logit P.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal, TypeVar

import msgspec

from deepimagine_tui.reasoning import ztest
from deepimagine_tui.reasoning.aggregate import CERTAIN, one_scale, weighted_quantile
from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.directions import step_direction
from deepimagine_tui.reasoning.graph import PathwayView, ReasoningGraph, StepView
from deepimagine_tui.reasoning.scales import NotScorableError, contrast_g, contrast_scale, g, logit, same_contrast, scale
from deepimagine_tui.reasoning.state import Direction, State
from deepimagine_tui.reasoning.telling import tells_the_facts
from deepimagine_tui.trials.factors import Factor

_T = TypeVar("_T")

Footing = Literal["effect", "contrast", "value", ""]
"""What a pathway's waterfall follows; empty where its states have nothing in common that has a scale."""


class Share(msgspec.Struct, frozen=True):
    """`count` of `total`."""

    count: int = 0
    total: int = 0

    @property
    def value(self) -> float | None:
        """The share in [0, 1]; `None` of nothing."""
        return self.count / self.total if self.total else None


class StepMeasures(msgspec.Struct, frozen=True):
    """One answered step, `number` counted from 1. `moved` is its contribution in units of s, `moved_logit` that to logit P.

    Of a step that the model answered: whether its reasoning `tells_the_facts`; the direction it `stated`, the one in which its
    values `went`; `z_agrees` and `z_gap` of the z-test on the imagined values. `None` where there is nothing to tell it from.
    """

    number: int
    factor: Factor
    kind: Literal["model", "arithmetic", "entered", "kept"]
    moved: float | None = None
    moved_logit: float | None = None
    tells_the_facts: bool | None = None
    stated: Direction | None = None
    went: Direction | None = None
    z_agrees: bool | None = None
    z_gap: float | None = None

    @property
    def fits_its_word(self) -> bool | None:
        """Whether the values went where the model said; `None` where one of the two is not known."""
        return self.stated == self.went if self.stated is not None and self.went is not None else None


class Walk(msgspec.Struct, frozen=True):
    """One pathway: its answered steps, and the whole move from the anchor to where it stands. `total_logit` is from the first
    P(met) to the last. A total is `None` where a step on the way has no contribution."""

    pathway: int
    nct_id: str
    footing: Footing
    steps: tuple[StepMeasures, ...]
    total: float | None = None
    total_logit: float | None = None


class Together(msgspec.Struct, frozen=True):
    """Several pathways that reached the target. `from_one_anchor` where only their seeds differ. Spreads are interquartile
    ranges over at least two pathways."""

    from_one_anchor: bool
    agree: Share
    spread: float | None = None
    spread_logit: float | None = None


class Interpretation(msgspec.Struct, frozen=True):
    """A whole run; see the module for every definition. `together` is there where several pathways reached the target."""

    walks: tuple[Walk, ...]
    tells_the_facts: Share
    fits_its_word: Share
    z_agrees: Share
    z_gap: float | None
    together: Together | None = None


def interpret(graph: ReasoningGraph) -> Interpretation:
    """What a run's graph says of how it came to its answer, as far as it goes."""
    walks = tuple(_walk(number, view) for number, view in enumerate(graph.pathways))
    steps = [step for walk in walks for step in walk.steps]
    gaps = [step.z_gap for step in steps if step.z_gap is not None]
    return Interpretation(
        walks=walks,
        tells_the_facts=_share(step.tells_the_facts for step in steps),
        fits_its_word=_share(step.fits_its_word for step in steps),
        z_agrees=_share(step.z_agrees for step in steps),
        z_gap=sum(gaps) / len(gaps) if gaps else None,
        together=_together([view for view in graph.pathways if view.done is not None and view.done.complete]),
    )


def place_of_value(state: State, anchor: State) -> float:
    """g(k1) / s, s of the anchor.

    Raises:
        NotScorableError: there is no value, or no scale.
    """
    if state.arm_value is None:
        raise NotScorableError("there is no value")
    return g(state.arm_value, state.configuration.outcome) / scale(anchor, state.configuration.outcome)


def logit_of_met(state: State) -> float | None:
    """logit P(met), P kept within `CERTAIN` of 0 and 1; `None` without a probability."""
    if state.met is None or state.met.probability is None:
        return None
    return logit(min(max(state.met.probability, CERTAIN), 1 - CERTAIN))


def comparable(before: State, after: State) -> bool:
    """Whether values of the two may be compared: one measure, unit, change basis and analysis population."""
    first, second = before.configuration.outcome, after.configuration.outcome
    return same_outcome(first, second) and first.analysis_set == second.analysis_set


def footing_of(states: Sequence[State]) -> Footing:
    """What can be followed from the first of `states`, the anchor, to the last."""
    if all(_has_value(state, "arm_value") and _has_value(state, "comparator_value") for state in states):
        return "effect"
    contrasts = [state.contrast for state in states if state.contrast is not None and state.contrast.number.value is not None]
    if len(contrasts) == len(states) and all(same_contrast(contrasts[0], each) for each in contrasts):
        return "contrast"
    return "value" if all(_has_value(state, "arm_value") for state in states) else ""


def result(state: State, anchor: State, footing: Footing) -> float:
    """The place of a state's result in units of s, by `footing`.

    Raises:
        NotScorableError: a value or the scale is missing.
    """
    outcome = state.configuration.outcome
    match footing:
        case "effect":
            if state.comparator_value is None:
                raise NotScorableError("there is no value")
            return place_of_value(state, anchor) - g(state.comparator_value, outcome) / scale(anchor, outcome)
        case "contrast":
            if state.contrast is None:
                raise NotScorableError("there is no contrast")
            return contrast_g(state.contrast) / contrast_scale(state.contrast, anchor, outcome)
        case "value":
            return place_of_value(state, anchor)
        case "":
            raise NotScorableError("the states have no result of one kind")


def moved(before: State, after: State, anchor: State, footing: Footing) -> float | None:
    """How far the result went, in units of s; `None` where the two cannot be compared."""
    if not comparable(before, after):
        return None
    return _or_none(lambda: result(after, anchor, footing) - result(before, anchor, footing))


def moved_logit(before: State, after: State) -> float | None:
    """How far logit P(met) went; `None` where one of the two has no P."""
    first, second = logit_of_met(before), logit_of_met(after)
    return second - first if first is not None and second is not None else None


def _walk(number: int, view: PathwayView) -> Walk:
    answered = [step for step in view.steps if step.estimated is not None]
    states, anchor = view.states, view.anchor.state
    footing = footing_of(states)
    steps = tuple(
        _step(place, step, before, after, anchor, footing)
        for place, (step, (before, after)) in enumerate(zip(answered, pairwise(states), strict=True), 1)
    )
    whole = bool(steps) and all(step.moved is not None for step in steps)
    known = [state for state in states if logit_of_met(state) is not None]
    unbroken = len(known) > 1 and states[-len(known) :] == tuple(known)
    return Walk(
        pathway=number,
        nct_id=anchor.nct_id,
        footing=footing,
        steps=steps,
        total=_or_none(lambda: result(states[-1], anchor, footing) - result(anchor, anchor, footing)) if whole else None,
        total_logit=moved_logit(known[0], known[-1]) if unbroken else None,
    )


def _step(number: int, step: StepView, before: State, after: State, anchor: State, footing: Footing) -> StepMeasures:
    estimated, change = step.estimated, step.planned.perturbation
    assert estimated is not None
    found = StepMeasures(
        number, change.factor, estimated.kind, moved(before, after, anchor, footing), moved_logit(before, after)
    )
    if estimated.kind != "model":
        return found
    stated = estimated.stated_direction
    went = _or_none(lambda: step_direction(before, after, change.factor)) if stated is not None else None
    return msgspec.structs.replace(
        found,
        tells_the_facts=tells_the_facts(
            estimated.reasoning.removeprefix(step.planned.opening), before, change, after.configuration
        ),
        stated=stated,
        went=went,
        z_agrees=_z_agrees(after),
        z_gap=_z_gap(after),
    )


def _z_agrees(state: State) -> bool | None:
    test, met = state.z_test, state.met
    if test is None or met is None or met.verdict == "undetermined":
        return None
    return test.met == (met.probability >= 0.5 if met.probability is not None else met.verdict == "met")


def _z_gap(state: State) -> float | None:
    found = ztest.effect(state)
    if found is None or state.met is None or state.met.probability is None:
        return None
    return abs(state.met.probability - ztest.predictive_probability(found, 1.0))


def _together(complete: Sequence[PathwayView]) -> Together | None:
    if len(complete) < 2:
        return None
    last = [view.states[-1] for view in complete]
    verdicts = [state.met.verdict for state in last if state.met is not None and state.met.verdict != "undetermined"]
    majority = max(verdicts.count("met"), verdicts.count("not met"))
    logits = [value for state in last if (value := logit_of_met(state)) is not None]
    return Together(
        from_one_anchor=len({view.anchor.state.id for view in complete}) == 1,
        agree=Share(majority, len(verdicts)),
        spread=_spread_of_values(complete),
        spread_logit=spread(logits),
    )


def _spread_of_values(complete: Sequence[PathwayView]) -> float | None:
    """Of the k1 values on one scale with the first pathway's, in units of s of its anchor."""
    anchor, outcome = complete[0].anchor.state, complete[0].states[-1].configuration.outcome
    last = [view.states[-1] for view in complete]
    alike = [state for state in last if one_scale(state.configuration.outcome, outcome)]
    unit = _or_none(lambda: scale(anchor, outcome))
    if unit is None:
        return None
    places = [_or_none(partial(_g_of_arm, state)) for state in alike]
    found = spread([place for place in places if place is not None])
    return found / unit if found is not None else None


def _g_of_arm(state: State) -> float:
    if state.arm_value is None:
        raise NotScorableError("there is no value")
    return g(state.arm_value, state.configuration.outcome)


def spread(values: Sequence[float]) -> float | None:
    """The interquartile range; `None` of fewer than two values."""
    if len(values) < 2:
        return None
    weighted = [(value, 1.0) for value in values]
    return weighted_quantile(weighted, 0.75) - weighted_quantile(weighted, 0.25)


def _share(found: Iterable[bool | None]) -> Share:
    known = [each for each in found if each is not None]
    return Share(sum(known), len(known))


def _has_value(state: State, side: Literal["arm_value", "comparator_value"]) -> bool:
    number = state.arm_value if side == "arm_value" else state.comparator_value
    return number is not None and number.value is not None


def _or_none(compute: Callable[[], _T]) -> _T | None:
    try:
        return compute()
    except NotScorableError:
        return None
