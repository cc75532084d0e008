"""A made-up dose-ranging trial, small enough to check by hand, and the pieces to make variants of it."""

from __future__ import annotations

from msgspec.structs import replace

from deepimagine_tui.reasoning.observed import default_anchor, observed_state
from deepimagine_tui.reasoning.request import AnchorRef
from deepimagine_tui.reasoning.state import State
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import (
    Arm,
    CountrySites,
    Eligibility,
    Intervention,
    PartialDate,
    PlannedOutcome,
    Threshold,
    Trial,
)
from deepimagine_tui.trials.results import (
    ArmLink,
    Baseline,
    BaselineCell,
    BaselineMeasure,
    Cell,
    Contrast,
    ContrastInterval,
    FlowCount,
    NamedGroup,
    Outcome,
    PValue,
    ResultGroup,
    TimePoint,
)

NCT = "NCT99000007"
HBA1C = f"{NCT}:aaaa:1"
RESPONSE = f"{NCT}:bbbb:1"
WEIGHT = f"{NCT}:cccc:1"


def dose(amount: float, agent: str = "Glucofake", unit: str = "mg") -> Dose:
    """A dose once daily."""
    return Dose(agent, amount, unit, f"{amount:g} {unit} once daily", times_per_day=1.0, daily_total=amount, route="oral")


ARMS = (
    Arm("Placebo", "placebo comparator", ("Placebo", "Metformin")),
    Arm("Glucofake 10 mg", "experimental", ("Glucofake", "Metformin"), (dose(10),)),
    Arm("Glucofake 25 mg", "experimental", ("Glucofake", "Metformin"), (dose(25),)),
)
GROUPS = (
    ResultGroup("OG000", "Placebo", "arm", "placebo", ArmLink("Placebo", 1.0, "label")),
    ResultGroup("OG001", "Glucofake 10 mg", "arm", "none", ArmLink("Glucofake 10 mg", 1.0, "label"), (dose(10),)),
    ResultGroup("OG002", "Glucofake 25 mg", "arm", "none", ArmLink("Glucofake 25 mg", 1.0, "label"), (dose(25),)),
    ResultGroup("OG003", "All Glucofake", "pooled"),
)


def cell(group: str, value: float | None, spread: float | None = None, n: int | None = 100, weeks: int | None = None) -> Cell:
    """A posted value; at a time class where `weeks` is given."""
    title = f"Week {weeks}" if weeks else ""
    time = TimePoint(title, float(weeks)) if weeks else None
    return Cell(group, value, class_title=title, dispersion=spread, n=n, time=time)


CONTRAST = Contrast(
    index=0,
    group_ids=("OG000", "OG002"),
    hypothesis="superiority",
    kind="difference",
    scale="mean difference",
    orientation="b-a",
    orientation_from="arm values",
    null=0.0,
    estimate=-0.7,
    interval=ContrastInterval(-0.86, -0.53, 95.0),
    p=PValue("<", 0.001),
    favours="OG002",
    significant=True,
    class_title="Week 24",
)

HBA1C_CHANGE = Outcome(
    id=HBA1C,
    role="primary",
    title="Change from baseline in HbA1c",
    time_frame="Week 12, Week 24",
    unit="percentage points",
    parameter="mean",
    dispersion_kind="SD",
    kind="signed",
    change_basis="change",
    benefit="lower",
    analysis_set="intention to treat",
    class_axis="time",
    groups=GROUPS,
    cells=tuple(
        cell(group, value, 0.9, 100, weeks)
        for weeks, values in ((12, (-0.05, -0.4, -0.5)), (24, (-0.08, -0.66, -0.78)))
        for group, value in zip(("OG000", "OG001", "OG002"), values, strict=True)
    ),
    contrasts=(CONTRAST,),
)

RESPONDERS = Outcome(
    id=RESPONSE,
    role="secondary",
    title="Participants with HbA1c below 7 percent at week 24",
    time_frame="Week 24",
    time=TimePoint("Week 24", 24.0),
    unit="participants",
    parameter="count of participants",
    kind="share",
    change_basis="final",
    benefit="higher",
    groups=GROUPS,
    cells=(cell("OG000", 20.0), cell("OG001", 35.0), cell("OG002", 45.0), cell("OG003", 80.0, n=200)),
)

WEIGHT_CHANGE = Outcome(
    id=WEIGHT,
    role="secondary",
    title="Change in body weight",
    time_frame="Week 24",
    time=TimePoint("Week 24", 24.0),
    unit="kg",
    parameter="mean",
    dispersion_kind="SE",
    kind="signed",
    change_basis="change",
    benefit="lower",
    groups=GROUPS[:3],
    cells=(cell("OG000", -0.4, 0.2), cell("OG001", -2.1, 0.2), cell("OG002", -2.5, 0.2)),
)

TRIAL = Trial(
    nct_id=NCT,
    title="Glucofake 10 | 25 mg vs placebo",
    conditions=("Type 2 diabetes",),
    status="completed",
    phases=("3",),
    allocation="randomized",
    masking="double",
    start=PartialDate("2012-05", "actual"),
    results_posted=PartialDate("2014-03-01", "actual"),
    enrolment=300,
    enrolment_kind="actual",
    sponsor_class="industry",
    interventions=(Intervention("Glucofake", "drug"), Intervention("Metformin", "drug"), Intervention("Placebo", "drug")),
    arms=ARMS,
    planned_outcomes=(
        PlannedOutcome("primary", "Change from baseline in HbA1c", "24 weeks"),
        PlannedOutcome("secondary", "Percentage of participants with HbA1c below 7 percent", "24 weeks"),
    ),
    countries=(CountrySites("United States", 30), CountrySites("Japan", 10)),
    eligibility=Eligibility("all", 18.0, 80.0, False, (Threshold("HbA1c", 7.0, 10.0, "%"),)),
    outcomes=(HBA1C_CHANGE, RESPONDERS, WEIGHT_CHANGE),
    baseline=Baseline(
        (NamedGroup("BG000", "Placebo"), NamedGroup("BG001", "Glucofake 10 mg"), NamedGroup("BG002", "Glucofake 25 mg")),
        (FlowCount("BG000", 100), FlowCount("BG001", 100), FlowCount("BG002", 200)),
        (
            BaselineMeasure(
                "Age",
                "years",
                "mean",
                "SD",
                (BaselineCell("BG000", "", "", 50.0), BaselineCell("BG001", "", "", 54.0), BaselineCell("BG002", "", "", 60.0)),
            ),
        ),
    ),
)


def ref(arm: str = "OG002", comparator: str | None = "OG000", outcome: str = HBA1C, where: str = "Week 24") -> AnchorRef:
    """A place in the made-up trial."""
    return AnchorRef(NCT, outcome, arm, comparator, where if outcome == HBA1C else "")


def state(trial: Trial = TRIAL, at: AnchorRef | None = None) -> State:
    """A state of the made-up trial: its default anchor unless said otherwise."""
    return observed_state(trial, at or default_anchor(trial))


def with_outcome(outcome: Outcome) -> Trial:
    """The made-up trial with only this outcome."""
    return replace(TRIAL, outcomes=(outcome,))


def with_contrast(**changes: object) -> Trial:
    """The made-up trial whose only contrast is changed so."""
    return with_outcome(replace(HBA1C_CHANGE, contrasts=(replace(CONTRAST, **changes),)))
