"""Probes: what-ifs asked again in another way, to see whether a model's answers hang together. Each is one or more runs of the
engine from one posted anchor A:

- `dose ladder`: one dose after the other, each by a run of its own, at `MULTIPLES` of the anchor's; see `Ladder`;
- `return`: A -> B -> A' by a change and its undoing; see `Return`;
- `order`: two changes of different factors, in either order; see `Order`;
- `seeds`: one path walked by `samples` seeds; measured by `interpret.Together`.

Here they are made and measured; who asks them decides on model, batches and journals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.change import apply, replaced_dose
from deepimagine_tui.reasoning.difference import perturbation
from deepimagine_tui.reasoning.graph import ReasoningGraph
from deepimagine_tui.reasoning.interpret import Together, interpret, logit_of_met
from deepimagine_tui.reasoning.request import AnchorRef, ImagineRequest, ImagineSettings, WhatIf
from deepimagine_tui.reasoning.scales import NotScorableError, g
from deepimagine_tui.reasoning.scoring import value_errors
from deepimagine_tui.reasoning.state import (
    ArmChange,
    Change,
    ComparatorChange,
    Configuration,
    ContextChange,
    DoseChange,
    EnrolmentChange,
    GeographyChange,
    OutcomeChange,
    Perturbation,
    PopulationChange,
    State,
    TimeFrameChange,
)
from deepimagine_tui.trials.model import CountrySites

ProbeKind = Literal["dose ladder", "return", "order", "seeds"]

MULTIPLES = (0.25, 0.5, 2.0, 4.0)
"""The doses of a ladder, as multiples of the anchor's, whose own posted value stands between them."""
LEAST_RUNGS = 3
"""Fewer doses with a value are no ladder."""
_ELSEWHERE = (CountrySites("Japan", 10),), (CountrySites("Germany", 10),)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask: `paths` are walked from `anchor`, each by a run of its own, and by `samples` seeds. `direction` is 1 or -1,
    the way in which a ladder's values should go as the dose rises; 0 for other probes."""

    id: str
    kind: ProbeKind
    anchor: AnchorRef
    paths: tuple[tuple[Perturbation, ...], ...]
    samples: int = 1
    direction: int = 0


class Ladder(msgspec.Struct, frozen=True):
    """Dose monotonicity, over the doses that have a value, the anchor's posted one among them.

    `in_order` is the share of neighbouring pairs whose values go in the probe's direction as the dose rises, `level` the share
    that do not move at all. `tau` is Kendall's tau-a: (pairs in that direction - pairs against it) / all pairs, in [-1, 1].
    """

    in_order: float
    level: float
    tau: float
    rungs: int


class Return(msgspec.Struct, frozen=True):
    """Whether undoing a change returns: `back` is e of A' against A, `away` e of B against A, each |delta g| / s, the mean over
    the values that the model said there. `away` is `None` where B is of another measure. `verdict` tells whether A' has the
    posted verdict of A; `None` where A has none."""

    back: float | None
    away: float | None
    verdict: bool | None


class Order(msgspec.Struct, frozen=True):
    """What the order of two changes does to the answer: `value` is |delta g| / s, the mean over the values that the model said;
    `logit` is |delta logit P(met)|; `verdict` whether both orders give one verdict."""

    value: float | None
    logit: float | None
    verdict: bool | None


Finding = Ladder | Return | Order | Together


def dose_ladder(name: str, anchor: AnchorRef, state: State, multiples: Sequence[float] = MULTIPLES) -> Probe:
    """The ladder of doses of k1's only agent, against an inert comparator: dose 0. The further from it, the further the value
    is assumed to go in the direction in which the posted one lies.

    Raises:
        RefusedError: k1 has no single dose, k2 is not inert, or the two posted values do not lie apart on the scale.
    """
    arm, comparator = state.configuration.arm, state.configuration.comparator
    if len(arm.doses) != 1 or comparator is None or comparator.control not in INERT:
        raise RefusedError("A ladder of doses takes one dose against an inert comparator.")
    outcome = state.configuration.outcome
    try:
        if state.arm_value is None or state.comparator_value is None:
            raise NotScorableError("there is no value")
        apart = g(state.arm_value, outcome) - g(state.comparator_value, outcome)
    except NotScorableError as error:
        raise RefusedError(f"The posted values have no place on the scale: {error}.") from error
    if not apart:
        raise RefusedError("The posted values do not lie apart.")
    posted = arm.doses[0]
    paths = []
    for times in multiples:
        daily = None if posted.daily_total is None else posted.daily_total * times
        dose = replace(posted, amount=posted.amount * times, daily_total=daily, titration=())
        paths.append((_perturbation(state.configuration, DoseChange(dose)),))
    return Probe(id=name, kind="dose ladder", anchor=anchor, paths=tuple(paths), direction=1 if apart > 0 else -1)


def there_and_back(name: str, anchor: AnchorRef, state: State, change: Perturbation) -> Probe:
    """A -> B -> A'.

    Raises:
        RefusedError: the change does not apply, or what it changes was not stated before and cannot be restored.
    """
    undone = undo(change, state.configuration)
    return Probe(id=name, kind="return", anchor=anchor, paths=((change, undone),))


def both_orders(name: str, anchor: AnchorRef, state: State, change: Perturbation) -> Probe:
    """A change and another country, in either order.

    Raises:
        RefusedError: the change does not apply, or is one of geography itself.
    """
    if change.factor == "geography":
        raise RefusedError("Another country cannot be put beside a change of geography.")
    here = {place.country for place in state.configuration.geography}
    countries = next(each for each in _ELSEWHERE if {place.country for place in each} != here)
    elsewhere = GeographyChange(countries)
    first = (change, _perturbation(apply(state.configuration, change.change), elsewhere))
    moved = _perturbation(state.configuration, elsewhere)
    return Probe(id=name, kind="order", anchor=anchor, paths=(first, (moved, change)))


def several_seeds(name: str, anchor: AnchorRef, change: Perturbation, samples: int) -> Probe:
    """One change, by `samples` seeds."""
    return Probe(id=name, kind="seeds", anchor=anchor, paths=((change,),), samples=samples)


def undo(change: Perturbation, before: Configuration) -> Perturbation:
    """The change that leads back to `before`, in the factor that `change` changed.

    Raises:
        RefusedError: what was changed was not stated before.
    """
    after = apply(before, change.change)
    return _perturbation(after, _restoring(change.change, before))


def _restoring(change: Change, before: Configuration) -> Change:
    match change:
        case DoseChange(dose=dose):
            old = replaced_dose(before.arm, dose)
            if old is None:
                raise RefusedError("No dose was stated before this change, and so none can be restored.")
            return DoseChange(old)
        case ArmChange():
            return ArmChange(before.arm)
        case ComparatorChange():
            if before.comparator is None:
                raise RefusedError("There was no comparator before this change.")
            return ComparatorChange(before.comparator)
        case OutcomeChange():
            return OutcomeChange(before.outcome, before.time)
        case TimeFrameChange():
            if before.time is None:
                raise RefusedError("No time was stated before this change.")
            return TimeFrameChange(before.time)
        case GeographyChange():
            return GeographyChange(before.geography)
        case PopulationChange():
            return PopulationChange(before.population)
        case ContextChange():
            return ContextChange(before.context)
        case EnrolmentChange():
            if before.enrolment is None:
                raise RefusedError("No enrolment was stated before this change.")
            return EnrolmentChange(before.enrolment)
        case _:
            assert_never(change)


def _perturbation(before: Configuration, change: Change) -> Perturbation:
    return perturbation(change, before, apply(before, change))


def requests_of(probe: Probe, run_ids: Sequence[str], settings: ImagineSettings) -> list[ImagineRequest]:
    """One request a path, under these ids; `settings` but for the number of samples."""
    asked = replace(settings, samples=probe.samples)
    return [
        ImagineRequest(run_id, WhatIf(probe.anchor, path), asked, name=probe.id)
        for run_id, path in zip(run_ids, probe.paths, strict=True)
    ]


def measure(probe: Probe, graphs: Sequence[ReasoningGraph]) -> Finding | None:
    """What the runs of a probe show, in the order of its paths; `None` where too few were answered to tell."""
    match probe.kind:
        case "dose ladder":
            return _ladder(probe, graphs)
        case "return":
            return _return(graphs[0])
        case "order":
            return _order(graphs)
        case "seeds":
            return interpret(graphs[0]).together


def _states(graph: ReasoningGraph) -> tuple[State, ...]:
    """The anchor and what followed, of a first pathway that reached its target; nothing of another."""
    view = graph.pathways[0] if graph.pathways else None
    return view.states if view is not None and view.done is not None and view.done.complete else ()


def _ladder(probe: Probe, graphs: Sequence[ReasoningGraph]) -> Ladder | None:
    walked = [states for graph in graphs if (states := _states(graph))]
    rungs = [(_amount(states[-1]), states[-1]) for states in walked]
    rungs += [(_amount(states[0]), states[0]) for states in walked[:1]]
    places = []
    for amount, state in sorted(rungs, key=lambda rung: rung[0]):
        try:
            if state.arm_value is not None:
                places.append((amount, g(state.arm_value, state.configuration.outcome)))
        except NotScorableError:
            continue
    return ladder_of([place for _, place in places], probe.direction) if len(places) >= LEAST_RUNGS else None


def _amount(state: State) -> float:
    return state.configuration.arm.doses[0].amount


def ladder_of(places: Sequence[float], direction: int) -> Ladder:
    """The monotonicity of at least two values on g, from the lowest dose to the highest."""
    near = [direction * (second - first) for first, second in pairwise(places)]
    every = [direction * (later - first) for at, first in enumerate(places) for later in places[at + 1 :]]
    concordant, discordant = sum(step > 0 for step in every), sum(step < 0 for step in every)
    return Ladder(
        in_order=sum(step > 0 for step in near) / len(near),
        level=sum(step == 0 for step in near) / len(near),
        tau=(concordant - discordant) / len(every),
        rungs=len(places),
    )


def _return(graph: ReasoningGraph) -> Return | None:
    states = _states(graph)
    if len(states) != 3:
        return None
    start, there, back = states
    posted = start.met.verdict if start.met is not None else "undetermined"
    said = back.met.verdict if back.met is not None else "undetermined"
    known = posted != "undetermined" and said != "undetermined"
    return Return(_error(start, back, start), _error(start, there, start), said == posted if known else None)


def _order(graphs: Sequence[ReasoningGraph]) -> Order | None:
    first, second = (_states(graph) for graph in graphs)
    if not first or not second:
        return None
    anchor, one, other = first[0], first[-1], second[-1]
    chances = logit_of_met(one), logit_of_met(other)
    verdicts = [state.met.verdict for state in (one, other) if state.met is not None]
    known = len(verdicts) == 2 and "undetermined" not in verdicts
    return Order(
        value=_error(anchor, one, other),
        logit=abs(chances[0] - chances[1]) if chances[0] is not None and chances[1] is not None else None,
        verdict=verdicts[0] == verdicts[1] if known else None,
    )


def _error(anchor: State, said: State, other: State) -> float | None:
    """The mean e of the values said, against those of `other`; `None` where none can be compared."""
    errors = value_errors(anchor, said, other)
    return sum(errors) / len(errors) if errors else None
