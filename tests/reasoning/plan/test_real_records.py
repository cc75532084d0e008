"""The plan over every real record: totality, identity, and paths that arrive."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepimagine_tui.errors import RefusedError, UsageError
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.difference import differs, path
from deepimagine_tui.reasoning.landing import find_posted
from deepimagine_tui.reasoning.observed import anchor_choices, default_anchor, observed_state
from deepimagine_tui.reasoning.planned import planned_spec
from deepimagine_tui.reasoning.posted import find_cell
from deepimagine_tui.reasoning.propose import parse_setting, propose
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.state import Configuration, State
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.factors import WALKING_ORDER, Factor
from deepimagine_tui.trials.model import Trial


class Anchored:
    """States of real trials to draw from by number: drawn as themselves, their text would fill the report of a failure."""

    def __init__(self, states: list[tuple[Trial, AnchorRef, State]]) -> None:
        self.states = states

    def __repr__(self) -> str:
        return f"<{len(self.states)} states>"

    def draw(self, data: st.DataObject) -> tuple[Trial, AnchorRef, State]:
        """One of them."""
        return self.states[data.draw(st.integers(0, len(self.states) - 1))]


relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def anchored(real_trials: list[Trial]) -> Anchored:
    """Three states of each trial that has any, chosen with a fixed seed."""
    chooser = random.Random(20261122)
    found = []
    for trial in real_trials:
        choices = anchor_choices(trial)
        for choice in chooser.sample(choices, min(3, len(choices))):
            found.append((trial, choice.ref, observed_state(trial, choice.ref)))
    return Anchored(found)


def test_every_choice_of_every_record_is_a_state_or_refused(real_trials: list[Trial]) -> None:
    states = refused = 0
    for trial in real_trials:
        for choice in anchor_choices(trial):
            try:
                state = observed_state(trial, choice.ref)
            except RefusedError:
                refused += 1
                continue
            states += 1
            outcome = trial.outcome(choice.ref.outcome_id)
            posted = find_cell(outcome, choice.ref.arm_group_id, choice.ref.class_title, choice.ref.category)
            assert posted is not None
            assert state.arm_value is not None
            assert (state.arm_value.value, state.arm_value.status) == (posted.value, "observed")
    assert states > 70_000
    assert refused == 0


def test_most_trials_with_results_have_a_default_anchor(real_trials: list[Trial]) -> None:
    with_results = [trial for trial in real_trials if trial.has_results]
    two_arms = single = none = 0
    for trial in with_results:
        try:
            ref = default_anchor(trial)
        except RefusedError:
            none += 1
            continue
        two_arms += ref.comparator_group_id is not None
        single += ref.comparator_group_id is None
        assert observed_state(trial, ref).configuration.arm.group_id == ref.arm_group_id
    assert two_arms >= 500
    assert none <= 10
    assert two_arms + single + none == len(with_results)


def test_every_record_has_a_target_or_says_why_not(real_trials: list[Trial]) -> None:
    refused = 0
    for trial in real_trials:
        try:
            target = target_of(trial)
        except (RefusedError, UsageError):
            refused += 1
            continue
        assert target.enrolment is None or trial.enrolment_kind == "anticipated"
        assert not target.outcome.outcome_id
    assert refused <= 10


def test_a_posted_state_lands_on_itself(anchored: Anchored) -> None:
    missed = [ref for trial, ref, state in anchored.states if find_posted(state.configuration, trial) != ref]
    assert missed == []


@relaxed
@given(data=st.data())
def test_a_path_reaches_its_target_in_all_that_both_state(anchored: Anchored, data: st.DataObject) -> None:
    source = anchored.draw(data)[2].configuration
    target = anchored.draw(data)[2].configuration
    found = path(source, target)
    reached = source
    for step in found.perturbations:
        reached = apply(reached, step.change)
        assert step.before != "" != step.after
    for factor in WALKING_ORDER:
        if factor not in found.unknown_factors:
            assert differs(factor, reached, target) is False
    order = [WALKING_ORDER.index(step.factor) for step in found.perturbations]
    assert order == sorted(order)
    assert path(reached, target).perturbations == ()


@relaxed
@given(data=st.data())
def test_steps_of_different_factors_commute(anchored: Anchored, data: st.DataObject) -> None:
    """But for `outcome` and `time_frame`, which share a title, and `arm` and `dose`, which share an arm."""
    source = anchored.draw(data)[2].configuration
    target = anchored.draw(data)[2].configuration
    steps = [step for step in path(source, target).perturbations if step.factor not in ("outcome", "dose")]
    forward = backward = source
    for step in steps:
        forward = apply(forward, step.change)
    for step in reversed(steps):
        backward = apply(backward, step.change)
    assert forward == backward


_ONE_EACH: dict[Factor, str] = {
    "geography": "Japan 7, Peru 3",
    "context": "phase 4, start 2031",
    "comparator": "Nosuchtea twice daily",
    "time_frame": "week 137",
    "population": "age 41-43, left-handed",
    "enrolment": "4321",
    "outcome": "Happiness of the left hand",
    "arm": "Nosuchdrug 3 mg once daily",
}


@relaxed
@given(data=st.data(), factor=st.sampled_from(sorted(_ONE_EACH)))
def test_there_and_back_again_is_where_it_began(anchored: Anchored, data: st.DataObject, factor: Factor) -> None:
    trial, ref, state = anchored.draw(data)
    there = apply(state.configuration, parse_setting(factor, _ONE_EACH[factor], state, trial).change)
    assert find_posted(there, trial) is None
    if factor == "comparator" and state.configuration.comparator is None:
        return
    back = _put_back(there, state.configuration, factor)
    if back is None:
        return
    assert path(back, state.configuration).perturbations == ()
    if factor not in ("time_frame", "outcome"):
        assert find_posted(back, trial) == ref


def _put_back(there: Configuration, original: Configuration, factor: Factor) -> Configuration | None:
    """`there` walked back along `factor`; `None` where the original does not state it."""
    found = path(there, original)
    if factor in found.unknown_factors:
        return None
    for step in found.perturbations:
        there = apply(there, step.change)
    return there


@relaxed
@given(data=st.data(), factor=st.sampled_from(WALKING_ORDER))
def test_proposals_are_sound(anchored: Anchored, data: st.DataObject, factor: Factor) -> None:
    trial, _, state = anchored.draw(data)
    for proposal in propose(factor, state, trial):
        after = apply(state.configuration, proposal.perturbation.change)
        assert after != state.configuration
        assert proposal.can_be_checked == (find_posted(after, trial) is not None)


@relaxed
@given(data=st.data(), factor=st.sampled_from(WALKING_ORDER), text=st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(anchored: Anchored, data: st.DataObject, factor: Factor, text: str) -> None:
    trial, _, state = anchored.draw(data)
    try:
        found = parse_setting(factor, text, state, trial)
    except (RefusedError, UsageError):
        return
    assert apply(state.configuration, found.change) != state.configuration


def test_a_title_that_reads_as_a_share_nearly_always_is_one(real_trials: list[Trial]) -> None:
    outcomes = [outcome for trial in real_trials for outcome in trial.outcomes[:6] if outcome.kind != "unknown"]
    read = [outcome.kind for outcome in outcomes if planned_spec(outcome.title).kind == "share"]
    assert len(read) > 1000
    assert read.count("share") / len(read) > 0.95
