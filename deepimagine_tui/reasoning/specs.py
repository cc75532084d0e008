"""The parts of a configuration as a trial's record states them: arms, outcome, geography, context, population."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_tui.reasoning.state import ArmSpec, BaselineFact, Configuration, Context, OutcomeSpec, Population
from deepimagine_tui.reasoning.words import agent_key, names_agent, plain, tokens
from deepimagine_tui.trials.concepts.groups import control as control_of
from deepimagine_tui.trials.model import Arm, Trial
from deepimagine_tui.trials.results import Baseline, BaselineMeasure, Outcome, ResultGroup, TimePoint

CONTROL_OF_ARM_TYPE = {
    "placebo comparator": "placebo",
    "sham comparator": "sham",
    "no intervention": "no intervention",
    "active comparator": "active",
    "experimental": "none",
}
"""The control that a registered type alone says; an arm's label says more (`concepts.groups.control`)."""

_PLACEBOS = frozenset({"placebo", "placebos", "sham", "vehicle"})
_TOTAL_TITLES = ("total", "overall", "all participants", "all patients", "all subjects")


def registered_arm(trial: Trial, label: str) -> Arm | None:
    """The registered arm with this label; `None` when there is none."""
    return next((arm for arm in trial.arms if arm.label == label), None)


def arm_spec_of_group(trial: Trial, group: ResultGroup) -> ArmSpec:
    """A result group as one side of a comparison: doses from the group first, else from its linked arm."""
    arm = registered_arm(trial, group.link.arm_label) if group.link else None
    doses = group.doses or (arm.doses if arm else ())
    interventions = arm.interventions if arm else _named_interventions(trial, group)
    return ArmSpec(group.title, interventions, doses, group.control, group.id)


def arm_spec_of_arm(arm: Arm) -> ArmSpec:
    """A registered arm as one side of a comparison."""
    return ArmSpec(arm.label, arm.interventions, arm.doses, control_of(arm.label, arm.type))


def arm_spec_of_class(trial: Trial, outcome: Outcome, group: ResultGroup, class_title: str) -> ArmSpec:
    """An arm posted as a class of one group."""
    arm = next((arm for arm in trial.arms if plain(arm.label) == plain(class_title)), None)
    spec = arm_spec_of_arm(arm) if arm else ArmSpec(class_title, _named_in(trial, class_title))
    return replace(spec, label=class_title, group_id=group.id, class_title=class_title)


def outcome_spec(outcome: Outcome, class_title: str = "", category: str = "") -> OutcomeSpec:
    """A posted outcome, at one class and category, as the measure of a state."""
    return OutcomeSpec(
        title=outcome.title,
        unit=outcome.unit,
        parameter=outcome.parameter,
        kind=outcome.kind,
        change_basis=outcome.change_basis,
        benefit=outcome.benefit,
        analysis_set=outcome.analysis_set,
        role="other" if outcome.role == "post hoc" else outcome.role,
        outcome_id=outcome.id,
        class_title=class_title,
        category=category,
    )


def context_of(trial: Trial) -> Context:
    """Phase, masking, start year, background therapy and sponsor class as registered."""
    return Context(
        phases=trial.phases,
        masking=trial.masking,
        start_year=year_of(trial.start.text) if trial.start else None,
        background=background_of(trial),
        sponsor_class=trial.sponsor_class,
    )


def year_of(date: str) -> int | None:
    """The year of an ISO date; `None` when it has none."""
    return int(date[:4]) if date[:4].isdigit() else None


def background_of(trial: Trial) -> str:
    """What every arm gets where some arm gets more: the background therapy. Empty when there is none."""
    arms = [{agent_key(name): name for name in arm.interventions} for arm in trial.arms]
    if len(arms) < 2 or not all(arms):
        return ""
    common = {name for name in set.intersection(*(set(arm) for arm in arms)) if not _PLACEBOS & set(tokens(name))}
    if not common or all(set(arm) == common for arm in arms):
        return ""
    return ", ".join(name for key, name in arms[0].items() if key in common)


def population_of(trial: Trial) -> Population:
    """Conditions, eligibility and the baseline means of all participants together."""
    facts = baseline_facts(trial.baseline) if trial.baseline else ()
    return Population(trial.conditions, trial.eligibility, facts, condition_terms=trial.condition_terms)


def baseline_facts(baseline: Baseline) -> tuple[BaselineFact, ...]:
    """Means (and medians, where one column covers everybody) of the whole trial: the total column, else the mean over the
    columns weighted by their participants."""
    total = next((group.id for group in baseline.groups if group.title.strip().casefold().startswith(_TOTAL_TITLES)), None)
    if total is None and len(baseline.groups) == 1:
        total = baseline.groups[0].id
    weights = {count.group_id: count.count for count in baseline.counts if count.count}
    facts = []
    for measure in baseline.measures:
        value = _whole_trial_value(measure, total, weights)
        if value is not None:
            name = f"{measure.title} (median)" if "median" in measure.parameter else measure.title
            facts.append(BaselineFact(name, value, measure.unit))
    return tuple(facts)


def _whole_trial_value(measure: BaselineMeasure, total: str | None, weights: dict[str, int]) -> float | None:
    if not any(word in measure.parameter for word in ("mean", "median")):
        return None
    if len({(cell.class_title, cell.category) for cell in measure.cells}) != 1:
        return None
    values = {cell.group_id: cell.value for cell in measure.cells if cell.value is not None}
    if total in values:
        return values[total]
    shared = [group for group in values if group in weights and group != total]
    if (
        total is not None
        or "mean" not in measure.parameter
        or "geometric" in measure.parameter
        or set(shared) != set(values)
        or not shared
    ):
        return None
    people = sum(weights[group] for group in shared)
    return round(sum(values[group] * weights[group] for group in shared) / people, 4)


def base_configuration(
    trial: Trial, arm: ArmSpec, comparator: ArmSpec | None, outcome: OutcomeSpec, time: TimePoint | None
) -> Configuration:
    """A configuration with everything but the comparison and its measure as `trial` has it."""
    return Configuration(
        arm, comparator, outcome, time, trial.countries, context_of(trial), population_of(trial), trial.enrolment
    )


def _named_interventions(trial: Trial, group: ResultGroup) -> tuple[str, ...]:
    of_doses = tuple(dict.fromkeys(dose.intervention for dose in group.doses if dose.intervention))
    return of_doses or _named_in(trial, group.title)


def _named_in(trial: Trial, text: str) -> tuple[str, ...]:
    return tuple(item.name for item in trial.interventions if names_agent(text, item.name))
