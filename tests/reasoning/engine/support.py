"""A made-up trial with three posted doses, a source of anchors over made-up trials, and shorthands for asking about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event

from deepimagine_tui.backends.protocol import GenerationEvent, GenerationRequest, ModelBackend, ModelInfo
from deepimagine_tui.backends.scripted import ScriptedBackend
from deepimagine_tui.errors import NotFoundError
from deepimagine_tui.reasoning import change as changes
from deepimagine_tui.reasoning.anchors import Anchor, AnchorSearch
from deepimagine_tui.reasoning.difference import perturbation
from deepimagine_tui.reasoning.engine import imagine
from deepimagine_tui.reasoning.events import ReasoningEvent, StepEstimated, StepPlanned
from deepimagine_tui.reasoning.observed import observed_state
from deepimagine_tui.reasoning.request import AnchorRef, Forecast, ImagineRequest, ImagineSettings, WhatIf
from deepimagine_tui.reasoning.state import (
    Change,
    Configuration,
    ContextChange,
    DoseChange,
    EnrolmentChange,
    GeographyChange,
    Perturbation,
    State,
)
from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.model import Arm, CountrySites, Eligibility, Intervention, PartialDate, Trial
from deepimagine_tui.trials.results import Cell, Contrast, ContrastInterval, Outcome, PValue, ResultGroup, TimePoint

NCT = "NCT99000001"
DOSES = (10.0, 25.0, 50.0)


def dose(amount: float) -> Dose:
    return Dose("Glivazin", amount, "mg", f"{amount:g} mg", times_per_day=1.0, daily_total=amount)


def group(number: int, title: str, *doses: Dose) -> ResultGroup:
    return ResultGroup(f"OG{number:03d}", title, "arm", "none" if doses else "placebo", doses=doses)


GROUPS = (group(0, "Placebo"), *(group(i + 1, f"Glivazin {amount:g} mg", dose(amount)) for i, amount in enumerate(DOSES)))


def signed_outcome(nct_id: str = NCT, values: Sequence[float] = (-0.08, -0.66, -0.78, -0.81)) -> Outcome:
    cells = tuple(Cell(g.id, value, dispersion=0.8, n=220) for g, value in zip(GROUPS, values, strict=True))
    return Outcome(
        id=f"{nct_id}:aaaa:1",
        role="primary",
        title="Change in HbA1c",
        time_frame="Week 24",
        time=TimePoint("Week 24", 24.0),
        unit="percent",
        parameter="mean",
        dispersion_kind="SD",
        kind="signed",
        change_basis="change",
        benefit="lower",
        analysis_set="intention to treat",
        groups=GROUPS,
        cells=cells,
        contrasts=tuple(
            Contrast(
                index=i,
                group_ids=(g.id, "OG000"),
                hypothesis="superiority",
                kind="difference",
                scale="mean difference",
                orientation="a-b",
                orientation_from="arm values",
                null=0.0,
                estimate=values[i + 1] - values[0],
                interval=ContrastInterval(values[i + 1] - values[0] - 0.15, values[i + 1] - values[0] + 0.15, 95.0),
                p=PValue("<", 0.001),
                favours=g.id,
                significant=True,
            )
            for i, g in enumerate(GROUPS[1:])
        ),
    )


def share_outcome(nct_id: str = NCT) -> Outcome:
    cells = tuple(Cell(g.id, value, n=200) for g, value in zip(GROUPS, (20.0, 35.0, 41.0, 44.0), strict=True))
    return Outcome(
        id=f"{nct_id}:bbbb:1",
        role="secondary",
        title="Participants with HbA1c below 7",
        time_frame="Week 24",
        time=TimePoint("Week 24", 24.0),
        unit="percentage of participants",
        parameter="number",
        kind="share",
        change_basis="final",
        benefit="higher",
        analysis_set="intention to treat",
        groups=GROUPS,
        cells=cells,
    )


def survival_outcome(nct_id: str = NCT) -> Outcome:
    """Medians not reached, with a hazard ratio of 25 mg against placebo."""
    cells = tuple(Cell(g.id, None, state="not reached", text="NA", n=200) for g in GROUPS)
    hazard = Contrast(
        index=0,
        group_ids=("OG002", "OG000"),
        hypothesis="superiority",
        kind="ratio",
        scale="hazard ratio",
        orientation="a/b",
        orientation_from="comment",
        null=1.0,
        estimate=0.7,
        interval=ContrastInterval(0.55, 0.89, 95.0),
        p=PValue("=", 0.004),
        favours="OG002",
        significant=True,
    )
    return Outcome(
        id=f"{nct_id}:cccc:1",
        role="secondary",
        title="Overall survival",
        time_frame="5 years",
        time=TimePoint("5 years", 260.0),
        unit="months",
        parameter="median",
        kind="time to event",
        change_basis="final",
        benefit="higher",
        groups=GROUPS,
        cells=cells,
        contrasts=(hazard,),
    )


def made_trial(nct_id: str = NCT, *outcomes: Outcome) -> Trial:
    """Placebo and three doses of one drug, with the outcomes given, else a signed one, a share and a survival time."""
    return Trial(
        nct_id=nct_id,
        title="Glivazin 10, 25, 50 mg vs placebo",
        conditions=("Type 2 Diabetes",),
        study_type="interventional",
        phases=("3",),
        masking="double",
        start=PartialDate("2012-03", "actual"),
        enrolment=880,
        enrolment_kind="actual",
        sponsor_class="industry",
        interventions=(Intervention("Glivazin", "drug"), Intervention("Placebo", "drug")),
        arms=(
            Arm("Placebo", "placebo comparator", ("Placebo",)),
            *(Arm(f"Glivazin {amount:g} mg", "experimental", ("Glivazin",), (dose(amount),)) for amount in DOSES),
        ),
        countries=(CountrySites("Germany", 20), CountrySites("Japan", 5)),
        eligibility=Eligibility("all", 18.0, 80.0),
        outcomes=outcomes or (signed_outcome(nct_id), share_outcome(nct_id), survival_outcome(nct_id)),
    )


class Source:
    """Made-up trials; `nearest` answers what it was told to."""

    def __init__(self, *trials: Trial, search: AnchorSearch | None = None) -> None:
        self.trials = {trial.nct_id: trial for trial in trials or (made_trial(),)}
        self.search = search or AnchorSearch()
        self.looked_up: list[str] = []

    name, version, data_date = "made up", "1", "2026-01-31"

    def trial(self, nct_id: str) -> Trial:
        self.looked_up.append(nct_id)
        if nct_id not in self.trials:
            raise NotFoundError(f"{nct_id} is not here.")
        return self.trials[nct_id]

    def nearest(
        self, target: Configuration, nct_id: str | None, k: int, cutoff: str, drop: tuple[str, ...] = ()
    ) -> AnchorSearch:
        return self.search


class Spy:
    """A backend that notes the batches it was given."""

    def __init__(self, inner: ModelBackend | None = None) -> None:
        self.inner = inner or ScriptedBackend()
        self.batches: list[list[GenerationRequest]] = []

    @property
    def info(self) -> ModelInfo:
        return self.inner.info

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.inner.count_tokens(texts)

    def generate(self, batch: Sequence[GenerationRequest], cancel: Event) -> Iterator[GenerationEvent]:
        self.batches.append(list(batch))
        return self.inner.generate(batch, cancel)

    def close(self) -> None:
        self.inner.close()

    @property
    def prompts(self) -> list[str]:
        return [request.prompt for batch in self.batches for request in batch]


class Clock:
    """Every look is a second later."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def ref(arm: str = "OG001", outcome: str = "aaaa", nct_id: str = NCT) -> AnchorRef:
    return AnchorRef(nct_id, f"{nct_id}:{outcome}:1", arm, "OG000")


def anchor_state(arm: str = "OG001", outcome: str = "aaaa", trial: Trial | None = None) -> State:
    trial = trial or made_trial()
    return observed_state(trial, ref(arm, outcome, trial.nct_id))


def stack(configuration: Configuration, *stacked: Change) -> tuple[Perturbation, ...]:
    """The changes as perturbations, each on top of the one before."""
    found = []
    for change in stacked:
        after = changes.apply(configuration, change)
        found.append(perturbation(change, configuration, after))
        configuration = after
    return tuple(found)


def to_dose(amount: float) -> DoseChange:
    return DoseChange(dose(amount))


def to_japan() -> GeographyChange:
    return GeographyChange((CountrySites("Japan", 10),))


def to_enrolment(n: int) -> EnrolmentChange:
    return EnrolmentChange(n)


def to_phase_4(configuration: Configuration) -> ContextChange:
    from msgspec.structs import replace

    return ContextChange(replace(configuration.context, phases=("4",)))


def what_if(*stacked: Change, run_id: str = "run-1", anchor: AnchorRef | None = None, **settings: int) -> ImagineRequest:
    anchor = anchor or ref()
    outcome = anchor.outcome_id.split(":")[1]
    configuration = anchor_state(anchor.arm_group_id, outcome).configuration
    question = WhatIf(anchor, stack(configuration, *stacked))
    return ImagineRequest(run_id, question, ImagineSettings(**settings))


def forecast(target: Configuration, nct_id: str | None = None, run_id: str = "run-1") -> ImagineRequest:
    return ImagineRequest(run_id, Forecast(target, nct_id, "2026-01-01"))


def anchors_at(*states: tuple[State, float]) -> AnchorSearch:
    return AnchorSearch(tuple(Anchor(state, similarity, {"drug": similarity}) for state, similarity in states))


def ask(
    requests: ImagineRequest | Sequence[ImagineRequest],
    backend: ModelBackend | None = None,
    source: Source | None = None,
    cancel: Event | None = None,
) -> list[ReasoningEvent]:
    """All events of the requests, on a clock that ticks once a look."""
    listed = [requests] if isinstance(requests, ImagineRequest) else requests
    return list(imagine(listed, backend or ScriptedBackend(), source or Source(), cancel or Event(), clock=Clock()))


def estimated(events: Sequence[ReasoningEvent]) -> list[StepEstimated]:
    return [event for event in events if isinstance(event, StepEstimated)]


def planned(events: Sequence[ReasoningEvent]) -> list[StepPlanned]:
    return [event for event in events if isinstance(event, StepPlanned)]
