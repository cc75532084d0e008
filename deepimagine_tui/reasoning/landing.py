"""Where a configuration coincides with a posted result of its own trial: there an imagined result can be checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from deepimagine_tui.reasoning.agents import agents_of, same_doses
from deepimagine_tui.reasoning.alike import same_outcome
from deepimagine_tui.reasoning.choosing import AnchorChoice, choices_of, default_place
from deepimagine_tui.reasoning.difference import differs
from deepimagine_tui.reasoning.posted import is_start, time_of
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.specs import base_configuration, outcome_spec
from deepimagine_tui.reasoning.state import ArmSpec, Configuration
from deepimagine_tui.reasoning.words import class_rest, plain, same_weeks
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.results import TimePoint

_IsPlanned = Callable[[Trial, AnchorChoice, ArmSpec, ArmSpec], bool]
_UNCHANGED: tuple[Factor, ...] = ("geography", "context", "population", "enrolment")


def find_posted(configuration: Configuration, trial: Trial) -> AnchorRef | None:
    """The posted result of `trial` that has exactly this configuration; `None` where there is none, or where several fit.

    Geography, context, population and enrolment must be the trial's own; arm, comparator, outcome and time those of one posted
    value.
    """
    own = base_configuration(trial, configuration.arm, configuration.comparator, configuration.outcome, configuration.time)
    if any(
        getattr(own, factor) != getattr(configuration, factor) and differs(factor, own, configuration) is not False
        for factor in _UNCHANGED
    ):
        return None
    fitting = list(_fitting(configuration, trial))
    exact = [choice for choice in fitting if _is_named(configuration, choice)]
    chosen = exact or fitting
    return chosen[0].ref if len({choice.ref for choice in chosen}) == 1 else None


def find_reported(target: Configuration, trial: Trial) -> AnchorRef | None:
    """The result that `trial` has posted on the plan that `target` is (see `target.target_of`); `None` where there is none, or
    where several fit equally well.

    What a plan does not state (unit, analysis set, enrolment) need not agree; what it states must. A result group is a planned
    arm by its label, by its link, or by its agents and doses. Of several times the latest is meant; of other classes
    (components, subgroups) none is what was planned.
    """
    if target.outcome.outcome_id:
        return find_posted(target, trial)
    own = base_configuration(trial, target.arm, target.comparator, target.outcome, target.time)
    if any(differs(factor, own, target) for factor in ("geography", "context", "population")):
        return None
    for exactly in (True, False):
        for number, outcome in enumerate(trial.outcomes, 1):
            same_title = plain(outcome.title) == plain(target.outcome.title)
            if same_title if exactly else same_outcome(outcome_spec(outcome), target.outcome):
                found = _reported(target, trial, number)
                if found is not None:
                    return found
    return None


def _reported(target: Configuration, trial: Trial, number: int) -> AnchorRef | None:
    """The one result of an outcome that is the target's; `None` where there is none or several."""
    whole = _whole([choice for choice in choices_of(trial, number) if _is_at(target.time, choice)])
    for is_planned in (_is_labelled, _is_linked, _is_given):
        here = [choice for choice in whole if _has_arms(target, trial, choice, is_planned)]
        here = default_place(here) if here else []
        if len({(choice.arm, choice.comparator) for choice in here}) == 1:
            return here[0].ref
    return None


def _is_at(planned: TimePoint | None, choice: AnchorChoice) -> bool:
    """Whether a choice is of the planned time, as far as both name one."""
    weeks = planned.weeks if planned else None
    return weeks is None or choice.weeks is None or same_weeks(weeks, choice.weeks)


def _whole(choices: list[AnchorChoice]) -> list[AnchorChoice]:
    """Those of one outcome's `choices` that are of the whole of it, at one time or another: of no class, or of the only one."""
    later = [choice for choice in choices if not is_start(choice.where)]
    unnamed = [choice for choice in later if not class_rest(choice.where)]
    return unnamed or (later if len({class_rest(choice.where) for choice in later}) == 1 else [])


def _has_arms(target: Configuration, trial: Trial, choice: AnchorChoice, is_planned: _IsPlanned) -> bool:
    sides = (choice.arm, target.arm), (choice.comparator, target.comparator)
    return all(
        posted is wanted if posted is None or wanted is None else is_planned(trial, choice, posted, wanted)
        for posted, wanted in sides
    )


def _is_labelled(trial: Trial, choice: AnchorChoice, posted: ArmSpec, wanted: ArmSpec) -> bool:
    return plain(posted.label) == plain(wanted.label)


def _is_linked(trial: Trial, choice: AnchorChoice, posted: ArmSpec, wanted: ArmSpec) -> bool:
    outcome = trial.outcomes[choice.number - 1]
    link = outcome.group(posted.group_id).link
    if link is not None and not posted.class_title:
        return plain(link.arm_label) == plain(wanted.label)
    return len(trial.arms) == len(outcome.groups) == 1 or _is_labelled(trial, choice, posted, wanted)


def _is_given(trial: Trial, choice: AnchorChoice, posted: ArmSpec, wanted: ArmSpec) -> bool:
    """Whether a group is linked to the wanted arm, or linked to none and given the same."""
    link = trial.outcomes[choice.number - 1].group(posted.group_id).link
    return _is_linked(trial, choice, posted, wanted) or (link is None and bool(wanted.doses) and same_doses(posted, wanted))


def _fitting(configuration: Configuration, trial: Trial) -> Iterator[AnchorChoice]:
    anywhere = replace(configuration.outcome, class_title="", category="")
    numbers = [n for n, outcome in enumerate(trial.outcomes, 1) if same_outcome(outcome_spec(outcome), anywhere)]
    for choice in (choice for number in numbers for choice in choices_of(trial, number)):
        if (choice.comparator is None) != (configuration.comparator is None):
            continue
        outcome = trial.outcomes[choice.number - 1]
        class_title = "" if choice.ref.comparator_class_title else choice.ref.class_title
        spec = outcome_spec(outcome, class_title, choice.ref.category)
        if not same_outcome(spec, configuration.outcome) or spec.analysis_set != configuration.outcome.analysis_set:
            continue
        cell = next(
            cell
            for cell in outcome.cells
            if cell.class_title == choice.ref.class_title and cell.category == choice.ref.category
        )
        if not _same_time(time_of(outcome, cell), configuration.time):
            continue
        if _same_side(choice.arm, configuration.arm) and _same_side(choice.comparator, configuration.comparator):
            yield choice


def _same_time(a: TimePoint | None, b: TimePoint | None) -> bool:
    if a is None or b is None:
        return a == b
    if a.weeks is not None and b.weeks is not None:
        return same_weeks(a.weeks, b.weeks)
    return plain(a.text) == plain(b.text)


def _same_side(posted: ArmSpec | None, wanted: ArmSpec | None) -> bool:
    if posted is None or wanted is None:
        return posted is wanted
    if wanted.group_id:
        return (posted.group_id, posted.class_title) == (wanted.group_id, wanted.class_title)
    if plain(posted.label) == plain(wanted.label):
        return replace(posted, group_id="", label="").doses == wanted.doses or same_doses(posted, wanted)
    return (
        bool(agents_of(posted)) and agents_of(posted) == agents_of(wanted) and bool(wanted.doses) and same_doses(posted, wanted)
    )


def _is_named(configuration: Configuration, choice: AnchorChoice) -> bool:
    """Whether the configuration names this very outcome, class and arms, not only ones like them."""
    outcome = configuration.outcome
    sides = ((configuration.arm, choice.arm), (configuration.comparator, choice.comparator))
    same_arms = all(a is None or b is None or plain(a.label) == plain(b.label) for a, b in sides)
    same_id = not outcome.outcome_id or outcome.outcome_id == choice.ref.outcome_id
    same_class = not outcome.class_title or outcome.class_title == choice.ref.class_title
    return same_id and same_class and same_arms
