"""Canaries in every field that a prompt must not use, and a grep over every prompt of what-ifs and forecasts."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from deepimagine_tui.reasoning.events import Aggregated
from deepimagine_tui.reasoning.landing import find_reported
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.state import Change, Configuration
from deepimagine_tui.reasoning.target import target_of
from deepimagine_tui.trials.model import CountrySites, PartialDate, PlannedOutcome, Problem, Prose, Trial
from deepimagine_tui.trials.results import (
    AdverseEvent,
    AdverseEvents,
    AffectedAtRisk,
    ArmLink,
    Cell,
    Flow,
    FlowCount,
    FlowPeriod,
    FlowRow,
    NamedGroup,
    Outcome,
)
from tests.reasoning.engine.support import (
    NCT,
    Source,
    Spy,
    anchor_state,
    anchors_at,
    ask,
    forecast,
    made_trial,
    ref,
    share_outcome,
    signed_outcome,
    survival_outcome,
    to_dose,
    to_enrolment,
    to_japan,
    to_phase_4,
    what_if,
)

TARGET = "NCT99000009"
WORD = "CANARY"
PLANNED = (PlannedOutcome("primary", "Change in HbA1c", "Week 24"),)
NUMBERS = ("7717.25", "8818.5", "9919.75", "6616.125")


def other_outcome(nct_id: str, start: int = 0) -> Outcome:
    """An outcome that no prompt asks about, full of canaries."""
    posted = signed_outcome(nct_id, [float(number) for number in NUMBERS])
    return replace(posted, id=f"{nct_id}:eeee:1", role="secondary", title=f"{WORD} outcome", unit=f"{WORD} units")


def with_canaries(trial: Trial) -> Trial:
    """`trial` with a canary in every field that is written after the fact, prose, or of another outcome or group."""
    counts = (FlowCount("FG000", 771725),)
    affected = (AffectedAtRisk("EG000", 771725, 881850),)
    named = (NamedGroup("X000", f"{WORD} group"),)
    first = trial.outcomes[0]
    spoiled = replace(
        first, cells=(*first.cells, Cell("OG000", 7717.25, class_title=f"{WORD} class", category=f"{WORD} category"))
    )
    date = PartialDate("2091-12-31", "actual")
    return replace(
        trial,
        title=f"{WORD} title",
        acronym=f"{WORD} acronym",
        status=f"{WORD} status",
        keywords=(f"{WORD} keyword",),
        primary_completion=date,
        completion=date,
        first_posted=date,
        results_posted=date,
        last_updated=date,
        sponsor=f"{WORD} sponsor",
        collaborators=(f"{WORD} collaborator",),
        org_study_id=f"{WORD} id",
        secondary_ids=(f"{WORD} id",),
        planned_outcomes=(*PLANNED, PlannedOutcome("secondary", f"{WORD} planned", f"{WORD} frame")),
        outcomes=(spoiled, *trial.outcomes[1:], other_outcome(trial.nct_id)),
        flow=Flow(named, (FlowPeriod(f"{WORD} period", (FlowRow(f"{WORD} milestone", counts),), (FlowRow(WORD, counts),)),)),
        adverse_events=AdverseEvents(
            named, affected, affected, affected, (AdverseEvent(f"{WORD} event", WORD, True, affected),), 5.0, WORD
        ),
        prose=Prose(*(f"{WORD} prose {n}" for n in range(6))),
        problems=(Problem(WORD, WORD, WORD),),
    )


def assert_clean(prompts: list[str], *forbidden: str) -> None:
    assert prompts
    for prompt in prompts:
        assert WORD not in prompt
        assert "2091" not in prompt
        for number in (*NUMBERS, "771725", "881850", *forbidden):
            assert not re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", prompt), (number, prompt)


def configuration() -> Configuration:
    return anchor_state().configuration


@pytest.mark.parametrize(
    "stacked",
    [
        (to_dose(50.0),),
        (to_dose(25.0), to_japan()),
        (to_japan(), to_dose(25.0), to_enrolment(300), to_phase_4(configuration())),
    ],
)
def test_a_what_if_sees_its_source_states_own_results_and_nothing_else(stacked: tuple[Change, ...]) -> None:
    backend = Spy()
    ask(what_if(*stacked, samples=2), backend, Source(with_canaries(made_trial())))
    assert_clean(backend.prompts, "-0.78", "-0.81", "35", "41", "44")


def test_the_canaries_are_in_the_trial_that_is_asked_about() -> None:
    trial = with_canaries(made_trial())
    assert WORD in str(trial)
    assert "7717.25" in str(trial)
    with pytest.raises(AssertionError):
        assert_clean([str(trial)])


def sources() -> tuple[Trial, list[Trial], Trial]:
    """A target with posted results, two anchors, and a sibling of the target, all with canaries."""
    values = {
        TARGET: (-5.51, -5.52, -5.53, -5.54),
        "NCT99000002": (-0.1, -0.6, -0.7, -0.75),
        "NCT99000003": (0, -0.5, -0.6, -0.7),
    }
    trials = {nct: with_canaries(made_trial(nct, signed_outcome(nct, of), share_outcome(nct))) for nct, of in values.items()}
    sibling = with_canaries(made_trial("NCT99000004", signed_outcome("NCT99000004", (-6.61, -6.62, -6.63, -6.64))))
    return trials[TARGET], [trials["NCT99000002"], trials["NCT99000003"]], sibling


def test_a_forecast_never_sees_its_target_its_siblings_or_anything_written_after_the_fact() -> None:
    target, anchors, sibling = sources()
    wanted = replace(target_of(target, outcome="1"), enrolment=500)
    found = anchors_at(*((observed_state(trial, ref("OG001", nct_id=trial.nct_id)), 0.9) for trial in anchors))
    backend = Spy()
    events = ask(forecast(wanted, TARGET), backend, Source(target, *anchors, sibling, search=found))
    assert_clean(backend.prompts, *(f"-{start}.{start}{n}" for start in (5, 6) for n in range(1, 5)))
    assert any(isinstance(event, Aggregated) for event in events)


def test_a_target_with_posted_results_is_revealed_after_the_aggregate_was_settled() -> None:
    target, anchors, _ = sources()
    wanted = observed_state(target, ref("OG001", nct_id=TARGET)).configuration
    found = anchors_at(*((observed_state(trial, ref("OG003", nct_id=trial.nct_id)), 0.9) for trial in anchors))
    backend, source = Spy(), Source(target, *anchors, search=found)
    events = ask(forecast(wanted, TARGET), backend, source)
    aggregated = next(event for event in events if isinstance(event, Aggregated))
    assert aggregated.revealed is not None
    assert aggregated.revealed.arm_value is not None
    assert aggregated.revealed.arm_value.value == -5.52
    assert aggregated.arm_value is not None
    assert aggregated.arm_value.value != -5.52
    assert_clean(backend.prompts, "-5.52", "-5.51")
    assert source.looked_up == [TARGET]


def test_a_planned_target_finds_its_own_posted_result_although_its_plan_states_less() -> None:
    target, anchors, _ = sources()
    found = anchors_at(*((observed_state(trial, ref("OG001", nct_id=trial.nct_id)), 0.9) for trial in anchors))
    wanted = target_of(target, arm="Glivazin 25 mg")
    assert (wanted.enrolment, wanted.outcome.analysis_set, wanted.outcome.unit) == (None, "unknown", "")
    events = ask(forecast(wanted, TARGET), Spy(), Source(target, *anchors, search=found))
    revealed = next(event for event in events if isinstance(event, Aggregated)).revealed
    assert revealed is not None
    assert revealed.arm_value is not None
    assert revealed.arm_value.value == -5.53
    elsewhere = replace(wanted, geography=(CountrySites("Brazil", 9),))
    changed = ask(forecast(elsewhere, TARGET), Spy(), Source(target, *anchors, search=found))
    assert next(event for event in changed if isinstance(event, Aggregated)).revealed is None


def test_a_planned_arm_is_the_posted_group_that_is_linked_to_it() -> None:
    trial = made_trial(TARGET, signed_outcome(TARGET))
    outcome = trial.outcomes[0]
    groups = tuple(
        replace(group, title=f"Group {n}", doses=(), link=ArmLink(group.title, 1.0, "label"))
        for n, group in enumerate(outcome.groups)
    )
    posted = replace(trial, outcomes=(replace(outcome, groups=groups),), planned_outcomes=PLANNED)
    found = find_reported(target_of(posted, arm="Glivazin 25 mg"), posted)
    assert found is not None
    assert (found.arm_group_id, found.comparator_group_id) == ("OG002", "OG000")


def test_survival_results_of_other_arms_stay_out() -> None:
    trial = with_canaries(made_trial(NCT, signed_outcome(NCT), survival_outcome()))
    backend = Spy()
    ask(what_if(to_japan(), anchor=ref("OG002", "cccc")), backend, Source(trial))
    assert_clean(backend.prompts)
