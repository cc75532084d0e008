"""Runs built by hand from the contracts, for every view and file that shows a run. The trials and drugs are made up.

Each function returns the events of one run in order; `graph_of` folds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.reasoning.events import (
    Aggregated,
    AnchorChosen,
    PathwayDone,
    PathwayShare,
    ReasoningEvent,
    Revealed,
    RunFinished,
    RunStarted,
    StepEstimated,
    StepFailed,
    StepPlanned,
    TokensArrived,
)
from deepimagine_tui.reasoning.graph import ReasoningGraph, build_graph
from deepimagine_tui.reasoning.identity import content_hash, with_id
from deepimagine_tui.reasoning.request import AnchorRef, Forecast, ImagineRequest, ImagineSettings, WhatIf
from deepimagine_tui.reasoning.state import (
    ArmSpec,
    Change,
    Configuration,
    ContrastEstimate,
    DoseChange,
    GeographyChange,
    Interval,
    MetEstimate,
    Number,
    OutcomeChange,
    OutcomeSpec,
    Perturbation,
    PopulationChange,
    Source,
    State,
    TimeFrameChange,
    ZTest,
)
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import CountrySites
from deepimagine_tui.trials.results import TimePoint

Events = tuple[ReasoningEvent, ...]

RUN_ID = "019a8c1e-7b00-7c3d-9f21-5d0e8a4b6c70"
NCT = "NCT99000101"
MODEL = ModelInfo(
    name="gemma-3-270m",
    backend="llama.cpp",
    context_length=32768,
    architecture="gemma3",
    quantisation="Q4_K_M",
    sha256="3f9ad1c08b5e4d7790aa4a1be3f6d2c7e6c5b4a39281706f5e4d3c2b1a099887",
    adapter="di-dose-v1",
    adapter_sha256="a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
)
DEMO_MODEL = ModelInfo(name="scripted", backend="scripted", context_length=8192, demo=True)
HBA1C = OutcomeSpec(
    title="Change from baseline in HbA1c",
    unit="percentage points",
    parameter="mean",
    kind="signed",
    change_basis="change",
    benefit="lower",
    analysis_set="intention to treat",
    role="primary",
    outcome_id=f"{NCT}:1f0c9a2e:1",
)
WEEK_24 = TimePoint("week 24", 24)
COUNTRIES = tuple(
    CountrySites(name, sites)
    for name, sites in (
        ("United States", 41),
        ("Canada", 12),
        ("Germany", 11),
        ("France", 9),
        ("Poland", 7),
        ("Japan", 6),
        ("Italy", 5),
        ("Spain", 4),
        ("Mexico", 3),
    )
)


def graph_of(events: Sequence[ReasoningEvent]) -> ReasoningGraph:
    """The graph that the events add up to."""
    return build_graph(events)


def dose(amount: float, agent: str = "glivazin") -> Dose:
    """A once-daily oral dose in mg."""
    return Dose(agent, amount, "mg", f"{amount:g} mg once daily", times_per_day=1, daily_total=amount, route="oral")


def arm(amount: float, group_id: str = "", agent: str = "glivazin") -> ArmSpec:
    """An arm of one dose."""
    return ArmSpec(f"{agent.capitalize()} {amount:g} mg", (agent,), (dose(amount, agent),), "none", group_id)


PLACEBO = ArmSpec("Placebo", ("placebo",), (), "placebo", "OG000")


def observed(value: float, n: int = 224, sd: float = 0.79, group_id: str = "OG001", nct: str = NCT) -> Number:
    """A posted mean with its SD."""
    source = Source(nct, f"{nct}:1f0c9a2e:1", group_id)
    return Number(value, "observed", "percentage points", dispersion_kind="SD", dispersion=sd, n=n, source=source)


def imagined(value: float, half_width: float | None = 0.3, *, after_entered: bool = False) -> Number:
    """A model's number, with a 90% prediction interval unless it is not calibrated."""
    interval = None if half_width is None else Interval(round(value - half_width, 3), round(value + half_width, 3), 90, "PI")
    return Number(value, "imagined", "percentage points", interval=interval, after_entered=after_entered)


def difference(value: float, status: str = "derived", interval: Interval | None = None, p_text: str = "") -> ContrastEstimate:
    """A difference in means, k1 minus k2."""
    number = Number(value, "observed" if status == "observed" else "derived", "percentage points", interval=interval)
    if status == "observed":
        number = replace(number, source=Source(NCT, HBA1C.outcome_id, contrast_index=0))
    return ContrastEstimate(number, "difference", "mean difference", 0.0, "a-b", "superiority", p_text)


def anchor_state(
    k1: float = -0.66, k2: float = -0.08, amount: float = 10, nct: str = NCT, agent: str = "glivazin", verdict: str = "met"
) -> State:
    """A posted comparison of one dose with placebo."""
    configuration = Configuration(
        arm(amount, "OG001", agent),
        PLACEBO,
        replace(HBA1C, outcome_id=f"{nct}:1f0c9a2e:1"),
        WEEK_24,
        COUNTRIES,
        enrolment=676,
    )
    interval = Interval(round(k1 - k2 - 0.16, 2), round(k1 - k2 + 0.17, 2), 95, "CI posted")
    contrast = difference(round(k1 - k2, 2), "observed", interval, "p < 0.001")
    if nct != NCT:
        contrast = replace(contrast, number=replace(contrast.number, source=Source(nct, f"{nct}:1f0c9a2e:1", contrast_index=0)))
    met = MetEstimate("met" if verdict == "met" else "not met", "observed")
    return with_id(State("", nct, configuration, observed(k1, nct=nct), observed(k2, 228, 0.81, "OG000", nct), contrast, met))


def imagined_state(
    before: State,
    change: Configuration,
    k1: Number,
    k2: Number | None,
    probability: float | None,
    *,
    agrees: bool = True,
) -> State:
    """A model's answer for a configuration."""
    contrast = None
    if k2 is not None and k1.value is not None and k2.value is not None:
        contrast = difference(round(k1.value - k2.value, 3))
        contrast = replace(contrast, number=replace(contrast.number, status="imagined"))
    met = MetEstimate(
        "met" if probability is None or probability >= 0.5 else "not met",
        "imagined",
        probability,
        None if probability is None else 0.973,
        "none" if probability is None else "logits",
    )
    z_test = ZTest(-7.4, 1.4e-13, True, agrees) if k2 is not None else None
    return with_id(State("", before.nct_id, change, k1, k2, contrast, met, z_test))


class _Run:
    """Collects the events of one run, numbering them and stepping the clock."""

    def __init__(self, run_id: str = RUN_ID) -> None:
        self.run_id = run_id
        self.events: list[ReasoningEvent] = []

    def add(self, make: Callable[..., ReasoningEvent], **fields: object) -> None:
        seq = len(self.events)
        at = f"2026-11-22T10:{seq // 60:02d}:{seq % 60:02d}Z"
        self.events.append(make(run_id=self.run_id, seq=seq, at=at, **fields))

    def start(self, question: WhatIf | Forecast, model: ModelInfo = MODEL, seed: int = 7, name: str = "") -> None:
        request = ImagineRequest(self.run_id, question, ImagineSettings(seed=seed), name=name)
        self.add(
            RunStarted,
            request=request,
            model=model,
            prompt_version="p1",
            corpus_name="starter",
            corpus_version="2026.11",
            data_date="2026-10-30",
        )

    def step(
        self,
        pathway: int,
        step: int,
        perturbation: Perturbation,
        source: State,
        target: State,
        reasoning: str,
        *,
        revealed: Revealed | None = None,
        warnings: tuple[str, ...] = (),
        kind: str = "model",
        opening: str = "",
    ) -> None:
        step_id = content_hash([source.id, perturbation, "p1"])
        asked = kind == "model"
        change = f"{perturbation.before} becomes {perturbation.after}"
        self.add(
            StepPlanned,
            pathway=pathway,
            step=step,
            step_id=step_id,
            perturbation=perturbation,
            source_state_id=source.id,
            prompt=f"Trial {source.nct_id}. {change}.\nReasoning: {opening}".rstrip() if asked else "",
            opening=opening,
            can_be_checked=revealed is not None,
        )
        if asked:
            self.add(TokensArrived, pathway=pathway, step=step, text=reasoning, part="reasoning", tokens=len(reasoning.split()))
        self.add(
            StepEstimated,
            pathway=pathway,
            step=step,
            step_id=step_id,
            state=target,
            kind=kind,
            stated_direction="down" if asked else None,
            completion=f"{reasoning}\nVerdict: met" if asked else "",
            reasoning=f"{opening} {reasoning}".strip(),
            prompt_tokens=412 if asked else 0,
            completion_tokens=58 if asked else 0,
            seconds=1.9 if asked else 0.0,
            revealed=revealed,
            warnings=warnings,
        )


def anchor_ref(nct: str = NCT) -> AnchorRef:
    """10 mg against placebo on HbA1c."""
    return AnchorRef(nct, f"{nct}:1f0c9a2e:1", "OG001", "OG000")


def perturb(factor: Factor, before: str, after: str, change: Change) -> Perturbation:
    """One change as shown to a person."""
    return Perturbation(factor, before, after, change)


TO_50 = perturb("dose", "10 mg once daily", "50 mg once daily", DoseChange(dose(50)))
TO_25 = perturb("dose", "10 mg once daily", "25 mg once daily", DoseChange(dose(25)))
TO_JAPAN = perturb("geography", "9 countries", "Japan", GeographyChange((CountrySites("Japan", 0),)))
TO_WEEK_52 = perturb("time_frame", "week 24", "week 52", TimeFrameChange(TimePoint("week 52", 52)))
WHY_DOSE = (
    "Five times the studied dose lies near the plateau of the effect: 10 mg already gives most of it, so the added lowering is"
    " small. Placebo does not change."
)
WHY_JAPAN = (
    "Japanese patients start at a lower body weight and a slightly lower HbA1c; drugs of this class lowered it a little more"
    " there, and the placebo group moved by little."
)
WHY_TIME = "By one year part of the early effect is lost, and the placebo group drifts upwards."


def what_if_run() -> Events:
    """One dose step, calibrated; no posted result to check against."""
    run, start = _Run(), anchor_state()
    run.start(WhatIf(anchor_ref(), (TO_50,)))
    run.add(AnchorChosen, pathway=0, state=start, seen_in_training=False)
    target = imagined_state(
        start, replace(start.configuration, arm=arm(50)), imagined(-0.84, 0.28), start.comparator_value, 0.88
    )
    run.step(0, 0, TO_50, start, target, WHY_DOSE)
    run.add(PathwayDone, pathway=0, complete=True, steps=1, final_state_id=target.id)
    run.add(RunFinished, outcome="answered", seconds=2.1)
    return tuple(run.events)


def what_if_three_steps() -> Events:
    """Dose, geography and time frame stacked; the last step is not calibrated and the z-test disagrees with it."""
    run, first = _Run(), anchor_state()
    run.start(WhatIf(anchor_ref(), (TO_50, TO_JAPAN, TO_WEEK_52)), name="High dose in Japan, one year")
    run.add(AnchorChosen, pathway=0, state=first, seen_in_training=True, warnings=("Enrolment is the actual number.",))
    second = imagined_state(
        first, replace(first.configuration, arm=arm(50)), imagined(-0.84, 0.28), first.comparator_value, 0.88
    )
    run.step(0, 0, TO_50, first, second, WHY_DOSE)
    japan = replace(second.configuration, geography=(CountrySites("Japan", 0),))
    third = imagined_state(second, japan, imagined(-0.91, 0.35), imagined(-0.02, 0.3), 0.91)
    run.step(0, 1, TO_JAPAN, second, third, WHY_JAPAN)
    year = replace(japan, time=TimePoint("week 52", 52))
    fourth = imagined_state(third, year, imagined(-0.7, None), imagined(0.06, None), 0.46, agrees=False)
    run.step(0, 2, TO_WEEK_52, third, fourth, WHY_TIME, warnings=("The verdict and the z-test disagree.",))
    run.add(PathwayDone, pathway=0, complete=True, steps=3, final_state_id=fourth.id)
    run.add(RunFinished, outcome="answered", seconds=6.2)
    return tuple(run.events)


def revealed_run() -> Events:
    """A dose that was posted: the posted result stands beside the imagined one."""
    run, start = _Run(), anchor_state()
    run.start(WhatIf(anchor_ref(), (TO_25,)))
    run.add(AnchorChosen, pathway=0, state=start, seen_in_training=False)
    target = imagined_state(
        start, replace(start.configuration, arm=arm(25)), imagined(-0.74, 0.25), start.comparator_value, 0.86
    )
    revealed = Revealed(
        observed(-0.78, 224, 0.8, "OG002"),
        observed(-0.08, 228, 0.81, "OG000"),
        MetEstimate("met", "observed"),
        Source(NCT, HBA1C.outcome_id, "OG002"),
        error=0.049,
        copy_error=0.148,
        imagined_direction="down",
        posted_direction="down",
        direction_right=True,
        verdict_right=True,
        brier=0.0196,
    )
    opening = "More, 2.5 times the dose:"
    run.step(0, 0, TO_25, start, target, "the effect should grow a little.", revealed=revealed, opening=opening)
    run.add(PathwayDone, pathway=0, complete=True, steps=1, final_state_id=target.id)
    run.add(RunFinished, outcome="answered", seconds=2.0)
    return tuple(run.events)


def demo_run() -> Events:
    """The what-if of `what_if_run`, answered by the scripted backend."""
    return tuple(replace(event, model=DEMO_MODEL) if isinstance(event, RunStarted) else event for event in what_if_run())


def failed_run() -> Events:
    """Two steps: the first answered, at the second the model stopped."""
    run, first = _Run(), anchor_state()
    run.start(WhatIf(anchor_ref(), (TO_50, TO_JAPAN)))
    run.add(AnchorChosen, pathway=0, state=first)
    second = imagined_state(
        first, replace(first.configuration, arm=arm(50)), imagined(-0.84, None), first.comparator_value, 0.88
    )
    run.step(0, 0, TO_50, first, second, WHY_DOSE)
    step_id = content_hash([second.id, TO_JAPAN, "p1"])
    run.add(
        StepPlanned, pathway=0, step=1, step_id=step_id, perturbation=TO_JAPAN, source_state_id=second.id, prompt="Reasoning:"
    )
    run.add(TokensArrived, pathway=0, step=1, text="Japanese patients start", part="reasoning", tokens=3)
    run.add(
        StepFailed,
        pathway=0,
        step=1,
        step_id=step_id,
        kind="model stopped",
        message="The model stopped (out of memory?).",
        hint="Press r to go on from this step.",
        completion="Japanese patients start",
        restartable=True,
    )
    run.add(PathwayDone, pathway=0, complete=False, steps=1, final_state_id=second.id)
    run.add(RunFinished, outcome="no_answer", message="The model stopped at step 2.", seconds=3.0)
    return tuple(run.events)


def abstained_run() -> Events:
    """A forecast for which nothing close exists: no pathway at all."""
    run = _Run()
    target = replace(anchor_state().configuration, arm=arm(5, agent="relovimab"))
    run.start(Forecast(target, "NCT99000900", "2026-11-22"))
    run.add(
        RunFinished,
        outcome="no_answer",
        message="No anchor close enough: the nearest is .31 (different drug class, different measure). Nothing was imagined.",
        nearest=("NCT99000205",),
    )
    return tuple(run.events)


def forecast_run(k: int = 7) -> Events:
    """`k` anchors, each walked to one target in one to three steps, and the aggregate. The fourth anchor's last step fails."""
    run = _Run()
    target = replace(anchor_state().configuration, arm=arm(5, agent="relovimab"), enrolment=450)
    run.start(Forecast(target, "NCT99000900", "2026-11-22", k=k), name="")
    shares: list[PathwayShare] = []
    for index in range(k):
        shares += _forecast_pathway(run, index, target)
    answered = len(shares)
    total = sum(share.weight for share in shares)
    shares = [replace(share, weight=round(share.weight / total, 3)) for share in shares]
    values = sorted(share.value for share in shares if share.value is not None)
    middle = values[len(values) // 2]
    run.add(
        Aggregated,
        arm_value=Number(middle, "imagined", "percentage points", Interval(middle - 0.3, middle + 0.33, 90, "PI")),
        comparator_value=Number(-0.06, "imagined", "percentage points"),
        met=MetEstimate("met", "imagined", 0.83, 0.96, "logits", calibrated=True),
        spread_lower=values[answered // 4],
        spread_upper=values[(3 * answered) // 4],
        answered=answered,
        agreement=answered - 1,
        anchors_met=max(answered - 1, 0),
        anchors_with_verdict=answered,
        comparator_rule="met in 71% of 134 trials against placebo, sham or nothing",
        shares=tuple(shares),
    )
    run.add(RunFinished, outcome="answered", seconds=31.4)
    return tuple(run.events)


def _forecast_pathway(run: _Run, index: int, target: Configuration) -> list[PathwayShare]:
    nct = f"NCT9900020{index}"
    agents = ("glivazin", "sorbatril", "dapirex")
    value = round(-0.82 + 0.055 * index, 3)
    anchor = anchor_state(value, -0.08 + 0.01 * index, 10, nct, agents[index % 3], "not met" if index == 5 else "met")
    similarity = round(0.91 - 0.04 * index, 2)
    plan = _forecast_plan(index, anchor, target)
    run.add(
        AnchorChosen,
        pathway=index,
        state=anchor,
        similarity=similarity,
        parts={"condition": 1.0, "agent": similarity, "measure": 1.0},
        differs_in=tuple(step.factor for step, _ in plan),
        unknown_factors=("context",) if index == 2 else (),
        seen_in_training=index == 1,
    )
    state = anchor
    for number, (perturbation, configuration) in enumerate(plan):
        if index == 3 and number == len(plan) - 1:
            step_id = content_hash([state.id, perturbation])
            run.add(
                StepPlanned,
                pathway=index,
                step=number,
                step_id=step_id,
                perturbation=perturbation,
                source_state_id=state.id,
                prompt="Reasoning:",
            )
            run.add(
                StepFailed,
                pathway=index,
                step=number,
                step_id=step_id,
                kind="no answer",
                message="The model wrote no readable number.",
            )
            run.add(PathwayDone, pathway=index, complete=False, steps=number, final_state_id=state.id)
            return []
        assert state.arm_value is not None
        assert state.arm_value.value is not None
        k1 = imagined(round(state.arm_value.value + 0.04 * (1 + number) - 0.01 * index, 3), 0.3 + 0.05 * number)
        k2 = imagined(round(-0.06 + 0.01 * number, 3), 0.25)
        reached = imagined_state(state, configuration, k1, k2, round(0.86 - 0.06 * index, 2))
        run.step(index, number, perturbation, state, reached, WHY_JAPAN)
        state = reached
    run.add(PathwayDone, pathway=index, complete=True, steps=len(plan), final_state_id=state.id)
    assert state.arm_value is not None
    assert state.met is not None
    return [PathwayShare(index, nct, similarity, similarity, state.arm_value.value, state.met.probability, state.met.verdict)]


def _forecast_plan(index: int, anchor: State, target: Configuration) -> list[tuple[Perturbation, Configuration]]:
    here = anchor.configuration
    japan = replace(here, geography=(CountrySites("Japan", 0),))
    swapped = replace(japan, arm=target.arm)
    adults = replace(swapped, population=target.population)
    steps = [
        (TO_JAPAN, japan),
        (perturb("arm", here.arm.label, target.arm.label, DoseChange(target.arm.doses[0])), swapped),
        (
            perturb("population", "adults, HbA1c 7-10 %", "adults 18-80, HbA1c 7.5-11 %", PopulationChange(target.population)),
            adults,
        ),
    ]
    return steps[: 1 + (index + 2) % 3]


def sampled_run(samples: int = 3) -> Events:
    """One what-if walked several times from one anchor, its target posted; the aggregate is revealed as well."""
    run, start = _Run(), anchor_state()
    run.start(WhatIf(anchor_ref(), (TO_25,)))
    revealed = next(event.revealed for event in revealed_run() if isinstance(event, StepEstimated))
    shares = []
    for index in range(samples):
        run.add(AnchorChosen, pathway=index, state=start)
        value = imagined(round(-0.74 - 0.05 * index, 2), None)
        target = imagined_state(start, replace(start.configuration, arm=arm(25)), value, start.comparator_value, None)
        run.step(index, 0, TO_25, start, target, WHY_DOSE, revealed=revealed if index == 0 else None)
        run.add(PathwayDone, pathway=index, complete=True, steps=1, final_state_id=target.id)
        shares.append(PathwayShare(index, NCT, None, 1 / samples, value.value, None, "met"))
    run.add(
        Aggregated,
        arm_value=imagined(-0.79, None),
        comparator_value=start.comparator_value,
        contrast=difference(-0.71),
        met=MetEstimate("met", "imagined", 1.0, None, "samples", samples),
        spread_lower=-0.82,
        spread_upper=-0.76,
        answered=samples,
        agreement=samples,
        anchors_met=1,
        anchors_with_verdict=1,
        comparator_rule="met: the comparator is placebo",
        shares=tuple(shares),
        revealed=revealed,
        warnings=("Sampled answers are not independent.",),
    )
    run.add(RunFinished, outcome="answered", seconds=4.0)
    return tuple(run.events)


def single_arm_run() -> Events:
    """A state without a comparator: no contrast and no verdict; one value was not reached."""
    run = _Run()
    outcome = OutcomeSpec("Overall survival", "months", "median", "time to event", "final", "higher", role="primary")
    configuration = Configuration(
        ArmSpec("Corvalimab 3 mg/kg every 2 weeks", ("corvalimab",), (), "none", "OG000"), None, outcome, TimePoint("2 years")
    )
    anchor = with_id(
        State("", NCT, configuration, Number(None, "observed", "months", n=54, note="not reached", source=Source(NCT, "x:1:1")))
    )
    response = OutcomeSpec("Objective response", "percentage of participants", "number", "share", "final", "higher")
    change = perturb("outcome", "Overall survival, months", "Objective response, %", OutcomeChange(response))
    run.start(WhatIf(AnchorRef(NCT, "x:1:1", "OG000", None), (change,)))
    run.add(AnchorChosen, pathway=0, state=anchor)
    reached = with_id(
        State("", NCT, replace(configuration, outcome=response), Number(31.5, "imagined", "percentage of participants"))
    )
    run.step(0, 0, change, anchor, reached, "About a third of such patients respond.")
    run.add(PathwayDone, pathway=0, complete=True, steps=1, final_state_id=reached.id)
    run.add(RunFinished, outcome="answered")
    return tuple(run.events)


HOSTILE = (
    '[bold red]not markup[/] \x1b[31mred\x1b[0m \u202egnirts\u202c ze\u200bro\ufeff "q" \\ '
    "<script>alert(1)</script> $x_1^2$ 試験 =1+1"
)


def hostile_run() -> Events:
    """Every text of the run is full of markup, escapes, direction overrides, zero-width characters and formulas; and long."""
    run = _Run()
    start = anchor_state()
    configuration = replace(
        start.configuration,
        arm=replace(start.configuration.arm, label=f"{HOSTILE} arm"),
        comparator=replace(PLACEBO, label='=HYPERLINK("http://x","y") ' + "long comparator label " * 8),
        outcome=replace(
            HBA1C, title=f"{HOSTILE} " + "a very long outcome title that goes on and on " * 6, class_title="@SUM(A1)"
        ),
    )
    start = with_id(replace(start, configuration=configuration))
    change = replace(TO_50, before=HOSTILE, after=HOSTILE + " unbreakable" + "x" * 90)
    run.start(WhatIf(anchor_ref(), (change,)), model=replace(MODEL, name=HOSTILE), name=HOSTILE)
    run.add(AnchorChosen, pathway=0, state=start, warnings=(HOSTILE,))
    target = imagined_state(start, replace(configuration, arm=arm(50)), imagined(-0.84, None), start.comparator_value, 0.88)
    run.step(0, 0, change, start, target, HOSTILE + "\n" + "reasons " * 60, warnings=(HOSTILE,))
    run.add(PathwayDone, pathway=0, complete=True, steps=1, final_state_id=target.id)
    run.add(RunFinished, outcome="answered", message=HOSTILE)
    return tuple(run.events)


ALL_RUNS: dict[str, Callable[[], Events]] = {
    "what_if": what_if_run,
    "three_steps": what_if_three_steps,
    "revealed": revealed_run,
    "demo": demo_run,
    "failed": failed_run,
    "forecast": forecast_run,
    "sampled": sampled_run,
    "single_arm": single_arm_run,
    "hostile": hostile_run,
}
"""Every run that has an anchor, by name."""
