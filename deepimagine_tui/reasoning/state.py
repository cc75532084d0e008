"""States: comparisons whose result is observed, derived, imagined or entered; and the single changes between them.

Pure values. A number never travels without its status, its unit and where it came from.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.factors import Factor
from deepimagine_tui.trials.model import CountrySites, Eligibility
from deepimagine_tui.trials.results import (
    AnalysisSet,
    Benefit,
    ChangeBasis,
    ContrastKind,
    DispersionKind,
    Hypothesis,
    Orientation,
    OutcomeRole,
    TimePoint,
    ValueKind,
    Verdict,
)

SCHEMA_VERSION = 1

Status = Literal["observed", "derived", "imagined", "entered"]
Direction = Literal["up", "down", "no clear change"]
Control = Literal["placebo", "sham", "no intervention", "active", "none", "unknown"]
Estimand = Literal["arm values", "contrast"]


class Source(msgspec.Struct, frozen=True):
    """Where an observed number stands in the registry."""

    nct_id: str
    outcome_id: str
    group_id: str = ""
    class_title: str = ""
    category: str = ""
    contrast_index: int | None = None


class Interval(msgspec.Struct, frozen=True):
    """An interval with its level in percent and its kind: `CI posted` (confidence, from the registry), `CI`
    (derived) or `PI` (conformal
    prediction). One limit may be `None` when one-sided."""

    lower: float | None
    upper: float | None
    level: float
    kind: Literal["CI posted", "CI", "PI"]


class Number(msgspec.Struct, frozen=True):
    """A value with its status. `after_entered` is true when something the user typed lies upstream of it.

    An imagined number without a calibrated interval has `interval` `None`, shown as "not calibrated". `note` says why a value
    is missing (`not reached`). `lower` and `upper` are the limits of a posted IQR or range, which are no confidence limits;
    `dispersion_kind` says which.
    """

    value: float | None
    status: Status
    unit: str = ""
    interval: Interval | None = None
    dispersion_kind: DispersionKind = "none"
    dispersion: float | None = None
    n: int | None = None
    source: Source | None = None
    after_entered: bool = False
    note: str = ""
    lower: float | None = None
    upper: float | None = None


class ContrastEstimate(msgspec.Struct, frozen=True):
    """The comparison of k1 with k2 as one number: `orientation` is in terms of a = k1, b = k2."""

    number: Number
    kind: ContrastKind
    scale: str = ""
    null: float | None = None
    orientation: Orientation = "unknown"
    hypothesis: Hypothesis = "unknown"
    p_text: str = ""


class MetEstimate(msgspec.Struct, frozen=True):
    """P(met): the probability that the trial as configured would post `met`.

    `probability` in [0, 1]; `mass` the share of the two labels in the model's distribution before renormalising;
    `how`: `logits`,
    `samples` (a frequency, over `samples` of them), `arithmetic` (predictive, from values and standard errors) or `none` (the
    backend gives no probabilities, `probability` is `None`); `calibrated` whether the slope-and-intercept calibration was
    applied.
    """

    verdict: Verdict
    status: Status
    probability: float | None = None
    mass: float | None = None
    how: Literal["logits", "samples", "arithmetic", "none"] = "none"
    samples: int = 0
    calibrated: bool = False
    reason: str = ""


class ZTest(msgspec.Struct, frozen=True):
    """A z-test on the two arm values of a state: `p` two-sided; `met` at .05 in k1's direction of benefit; `agrees`
    with the verdict."""

    z: float
    p: float
    met: bool
    agrees: bool


class ArmSpec(msgspec.Struct, frozen=True):
    """One side of a comparison. `group_id` is set when it is a posted result group of the state's trial; `label` as shown.
    `class_title` is set when the arms are classes of that group."""

    label: str
    interventions: tuple[str, ...] = ()
    doses: tuple[Dose, ...] = ()
    control: Control = "unknown"
    group_id: str = ""
    class_title: str = ""


class OutcomeSpec(msgspec.Struct, frozen=True):
    """The measure of a state. `outcome_id`, `class_title` and `category` are set when it is a posted one."""

    title: str
    unit: str = ""
    parameter: str = ""
    kind: ValueKind = "unknown"
    change_basis: ChangeBasis = "unknown"
    benefit: Benefit = "unknown"
    analysis_set: AnalysisSet = "unknown"
    role: OutcomeRole = "other"
    outcome_id: str = ""
    class_title: str = ""
    category: str = ""


class Context(msgspec.Struct, frozen=True):
    """Phase, masking, start year, background therapy and sponsor class."""

    phases: tuple[str, ...] = ()
    masking: str = ""
    start_year: int | None = None
    background: str = ""
    sponsor_class: str = ""


class BaselineFact(msgspec.Struct, frozen=True):
    """A baseline mean that describes the population, e.g. HbA1c 8.1 %."""

    measure: str
    value: float
    unit: str


class Population(msgspec.Struct, frozen=True):
    """Who is studied. `free_text` is what the user typed and nothing parsed; it is labelled so wherever it is shown.
    `condition_terms` are the registry's vocabulary for `conditions`."""

    conditions: tuple[str, ...] = ()
    eligibility: Eligibility = Eligibility()
    baseline: tuple[BaselineFact, ...] = ()
    free_text: str = ""
    condition_terms: tuple[str, ...] = ()


class Configuration(msgspec.Struct, frozen=True):
    """Everything whose change could change a result. `comparator` is `None` for a single-arm state, which has no verdict."""

    arm: ArmSpec
    comparator: ArmSpec | None
    outcome: OutcomeSpec
    time: TimePoint | None = None
    geography: tuple[CountrySites, ...] = ()
    context: Context = Context()
    population: Population = Population()
    enrolment: int | None = None


class State(msgspec.Struct, frozen=True):
    """A configuration with its result: both arms' values, their contrast, and the verdict.

    `nct_id` is the trial the state was observed in, or started from. `id` is a hash of the configuration and results.
    """

    id: str
    nct_id: str
    configuration: Configuration
    arm_value: Number | None = None
    comparator_value: Number | None = None
    contrast: ContrastEstimate | None = None
    met: MetEstimate | None = None
    z_test: ZTest | None = None
    schema_version: int = SCHEMA_VERSION


class DoseChange(msgspec.Struct, frozen=True, tag="dose"):
    """k1 gets another dose of one of its agents."""

    dose: Dose


class ArmChange(msgspec.Struct, frozen=True, tag="arm"):
    """k1 becomes another arm."""

    arm: ArmSpec


class ComparatorChange(msgspec.Struct, frozen=True, tag="comparator"):
    """k2 becomes another arm."""

    comparator: ArmSpec


class OutcomeChange(msgspec.Struct, frozen=True, tag="outcome"):
    """Another measure is read, on the same trial."""

    outcome: OutcomeSpec
    time: TimePoint | None = None


class TimeFrameChange(msgspec.Struct, frozen=True, tag="time_frame"):
    """The outcome is read at another time."""

    time: TimePoint


class GeographyChange(msgspec.Struct, frozen=True, tag="geography"):
    """The trial recruits elsewhere: standard of care and patients change with it."""

    countries: tuple[CountrySites, ...]


class PopulationChange(msgspec.Struct, frozen=True, tag="population"):
    """Other people are studied."""

    population: Population


class ContextChange(msgspec.Struct, frozen=True, tag="context"):
    """Another phase, masking, start year, background therapy or sponsor class."""

    context: Context


class EnrolmentChange(msgspec.Struct, frozen=True, tag="enrolment"):
    """Another number of participants: arithmetic, not the model."""

    enrolment: int


Change = (
    DoseChange
    | ArmChange
    | ComparatorChange
    | OutcomeChange
    | TimeFrameChange
    | GeographyChange
    | PopulationChange
    | ContextChange
    | EnrolmentChange
)


class Perturbation(msgspec.Struct, frozen=True):
    """One factor, before -> after. `before` and `after` are as shown to a person; `typed` is the user's own text, if any,
    and `reading` how it was understood (`40 mg once daily = 4x the observed 10 mg`)."""

    factor: Factor
    before: str
    after: str
    change: Change
    typed: str = ""
    reading: str = ""
