"""A trial as DeepImagine sees it: the registered plan. `results` holds what was posted.

Everything here is frozen and serialisable with msgspec; nothing here reads a registry format.
A field that the registry did not fill is `None` or empty, never a guess.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_tui.trials.dose import Dose
from deepimagine_tui.trials.results import AdverseEvents, Baseline, Flow, Outcome

SCHEMA_VERSION = 1

ArmType = Literal[
    "experimental", "active comparator", "placebo comparator", "sham comparator", "no intervention", "other", "unknown"
]
Sex = Literal["all", "female", "male", "unknown"]


class PartialDate(msgspec.Struct, frozen=True, order=True):
    """A registry date. `text` is ISO 8601 to the precision given: `2015`, `2015-03` or `2015-03-19`."""

    text: str
    kind: Literal["actual", "anticipated", "unknown"] = "unknown"


class Problem(msgspec.Struct, frozen=True):
    """Something in a record that was not understood; nothing is dropped without one.

    `path` leads to it in the v2 JSON naming, e.g. `resultsSection.outcomeMeasuresModule.outcomeMeasures[2].classes[0]`,
    whichever format it came from. `code` is a short kebab-case kind; `detail` one sentence with the offending text.
    """

    path: str
    code: str
    detail: str


class Intervention(msgspec.Struct, frozen=True):
    """A registered intervention: `kind` is the registry's (`drug`, `biological`, `behavioral`, …), lower case."""

    name: str
    kind: str
    other_names: tuple[str, ...] = ()


class Arm(msgspec.Struct, frozen=True):
    """A registered group and the names of its interventions, with the doses read from its label and description."""

    label: str
    type: ArmType
    interventions: tuple[str, ...] = ()
    doses: tuple[Dose, ...] = ()


class PlannedOutcome(msgspec.Struct, frozen=True):
    """An outcome of the protocol, with or without results: `role` is primary, secondary or other."""

    role: Literal["primary", "secondary", "other"]
    title: str
    time_frame: str


class CountrySites(msgspec.Struct, frozen=True):
    """A country and how many sites are registered there (0: named, not counted)."""

    country: str
    sites: int


class Threshold(msgspec.Struct, frozen=True):
    """One numeric eligibility bound read from the criteria, e.g. HbA1c 7 to 10 %."""

    measure: str
    lower: float | None
    upper: float | None
    unit: str


class Eligibility(msgspec.Struct, frozen=True):
    """Who could enrol. Ages in years; `None` where no limit is stated."""

    sex: Sex = "unknown"
    minimum_age: float | None = None
    maximum_age: float | None = None
    healthy_volunteers: bool | None = None
    thresholds: tuple[Threshold, ...] = ()


class Prose(msgspec.Struct, frozen=True):
    """The registry's own sentences. The starter corpus ships without them, and no prompt uses them."""

    brief_title: str = ""
    official_title: str = ""
    brief_summary: str = ""
    eligibility: str = ""
    why_stopped: str = ""
    limitations: str = ""


class Trial(msgspec.Struct, frozen=True):
    """One registered study. Key: `nct_id`.

    `title` is composed from facts (interventions, doses, comparator), the same in every corpus; the registry's own
    titles are in
    `prose`. `phases` uses `early 1`, `1`, `2`, `3`, `4`; empty when not applicable. Enumerations are lower case with
    spaces. `countries` is ordered by site count, then name. `outcomes` holds the results section.
    """

    nct_id: str
    title: str
    schema_version: int = SCHEMA_VERSION
    acronym: str = ""
    conditions: tuple[str, ...] = ()
    condition_terms: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    study_type: str = ""
    status: str = ""
    phases: tuple[str, ...] = ()
    allocation: str = ""
    intervention_model: str = ""
    purpose: str = ""
    masking: str = ""
    start: PartialDate | None = None
    primary_completion: PartialDate | None = None
    completion: PartialDate | None = None
    first_posted: PartialDate | None = None
    results_posted: PartialDate | None = None
    last_updated: PartialDate | None = None
    enrolment: int | None = None
    enrolment_kind: Literal["actual", "anticipated", "unknown"] = "unknown"
    sponsor: str = ""
    sponsor_class: str = ""
    collaborators: tuple[str, ...] = ()
    org_study_id: str = ""
    secondary_ids: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    intervention_terms: tuple[str, ...] = ()
    arms: tuple[Arm, ...] = ()
    planned_outcomes: tuple[PlannedOutcome, ...] = ()
    countries: tuple[CountrySites, ...] = ()
    eligibility: Eligibility = Eligibility()
    outcomes: tuple[Outcome, ...] = ()
    flow: Flow | None = None
    baseline: Baseline | None = None
    adverse_events: AdverseEvents | None = None
    prose: Prose | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def has_results(self) -> bool:
        """Whether any outcome has a posted cell."""
        return any(outcome.cells for outcome in self.outcomes)

    def outcome(self, outcome_id: str) -> Outcome:
        """The outcome with this id.

        Raises:
            KeyError: the trial has no such outcome.
        """
        for outcome in self.outcomes:
            if outcome.id == outcome_id:
                return outcome
        raise KeyError(outcome_id)
