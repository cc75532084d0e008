"""Probes: what-ifs asked again in another way, to see whether a model's answers hang together. Each is one or more runs of the
engine from one posted anchor A:

- `dose ladder`: one dose after the other, each by a run of its own, at `MULTIPLES` of the anchor's; see `Ladder`;
- `return`: A -> B -> A' by changes and their undoing; see `Return`;
- `order`: changes in either order; see `Order`;
- `seeds`: one path walked by `samples` seeds; measured by `interpret.Together`.

Here they are made; `probe_findings` measures them; who asks them decides on model, batches and journals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from deepimagine_tui.errors import RefusedError
from deepimagine_tui.reasoning.alike import INERT
from deepimagine_tui.reasoning.change import apply, replaced_dose
from deepimagine_tui.reasoning.difference import perturbation
from deepimagine_tui.reasoning.request import AnchorRef, ImagineRequest, ImagineSettings, WhatIf
from deepimagine_tui.reasoning.scales import NotScorableError, g
from deepimagine_tui.reasoning.state import (
    ArmChange,
    Change,
    ComparatorChange,
    Configuration,
    ContextChange,
    DoseChange,
    EnrolmentChange,
    Estimand,
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
SEEDS = 5
"""How many seeds a path is walked by."""
SEEDS_TEMPERATURE = 0.7
"""Of seeds whose run was asked for the likeliest text, since sampling alone makes them differ. Other probes are asked for the
likeliest text, so that no luck is in their differences."""
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


def there_and_back(name: str, anchor: AnchorRef, state: State, path: Sequence[Perturbation]) -> Probe:
    """A -> B -> A': the changes, and their undoing from the last to the first.

    Raises:
        RefusedError: a change does not apply, or what it changes was not stated before and cannot be restored.
    """
    before = _walked(state.configuration, path)
    undone = [undo(change, here) for change, here in zip(path, before, strict=False)]
    return Probe(id=name, kind="return", anchor=anchor, paths=((*path, *reversed(undone)),))


def both_orders(name: str, anchor: AnchorRef, state: State, path: Sequence[Perturbation]) -> Probe:
    """The changes from the first to the last, and from the last to the first; one change alone is put beside another country.

    Raises:
        RefusedError: a change does not apply, is one of geography alone, or the two orders lead to different trials.
    """
    start = state.configuration
    first = tuple(path) if len(path) > 1 else (*path, _another_country(start, path[0]))
    second, here = [], start
    for change in reversed(first):
        second.append(_perturbation(here, change.change))
        here = apply(here, change.change)
    if here != _walked(start, first)[-1]:
        raise RefusedError("In the other order these changes lead to another trial.")
    return Probe(id=name, kind="order", anchor=anchor, paths=(first, tuple(second)))


def _another_country(start: Configuration, change: Perturbation) -> Perturbation:
    if change.factor == "geography":
        raise RefusedError("Another country cannot be put beside a change of geography.")
    here = {place.country for place in start.geography}
    countries = next(each for each in _ELSEWHERE if {place.country for place in each} != here)
    return _perturbation(apply(start, change.change), GeographyChange(countries))


def _walked(start: Configuration, path: Sequence[Perturbation]) -> list[Configuration]:
    """Where the changes lead: `start`, and what is there after each."""
    return list(accumulate((change.change for change in path), apply, initial=start))


def several_seeds(name: str, anchor: AnchorRef, path: Sequence[Perturbation], samples: int = SEEDS) -> Probe:
    """One path, by `samples` seeds."""
    return Probe(id=name, kind="seeds", anchor=anchor, paths=(tuple(path),), samples=samples)


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


def requests_of(
    probe: Probe, run_ids: Sequence[str], settings: ImagineSettings, estimand: Estimand = "arm values"
) -> list[ImagineRequest]:
    """One request a path, under these ids; `settings` but for the number of samples and the temperature."""
    temperature = (settings.temperature or SEEDS_TEMPERATURE) if probe.kind == "seeds" else 0.0
    asked = replace(settings, samples=probe.samples, temperature=temperature)
    return [
        ImagineRequest(run_id, WhatIf(probe.anchor, path), asked, estimand, name=probe.id)
        for run_id, path in zip(run_ids, probe.paths, strict=True)
    ]
