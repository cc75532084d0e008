"""What a trial posted: outcomes with groups, cells and contrasts; flow; baseline; adverse events.

Group ids are normalised to the v2 form within their module (`OG000`, `FG000`, `BG000`, `EG000`; classic `O1` is `OG000`).
Groups of different modules may not correspond, even at the same number.
Structs of which a record holds thousands opt out of garbage collection: frozen values of plain data form no cycles.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_tui.trials.dose import Dose

AxisKind = Literal["none", "time", "component", "subgroup", "analysis set", "arm", "other"]
GroupKind = Literal["arm", "pooled", "crossover period", "subgroup", "whole study"]
ValueKind = Literal["share", "positive", "signed", "time to event", "unknown"]
ChangeBasis = Literal["final", "change", "percent change", "ratio to baseline", "unknown"]
Benefit = Literal["higher", "lower", "unknown"]
AnalysisSet = Literal[
    "intention to treat", "modified intention to treat", "per protocol", "safety", "completers", "other", "unknown"
]
OutcomeRole = Literal["primary", "secondary", "other", "post hoc"]
CellState = Literal["value", "not reached", "not estimable", "not reported"]
DispersionKind = Literal["SD", "SE", "IQR", "range", "CI", "geometric CV", "none", "other"]
Orientation = Literal["a-b", "b-a", "a/b", "b/a", "unknown"]
ContrastKind = Literal["difference", "ratio", "slope", "test only", "other"]
Hypothesis = Literal["superiority", "superiority (assumed)", "non-inferiority", "equivalence", "other", "unknown"]
Verdict = Literal["met", "not met", "undetermined"]


class ArmLink(msgspec.Struct, frozen=True, gc=False):
    """Which registered arm a result group is: `confidence` in (0, 1], `how` names the evidence (`label`, `dose`,
    `intervention`)."""

    arm_label: str
    confidence: float
    how: str


class ResultGroup(msgspec.Struct, frozen=True):
    """A column of an outcome's results. `control` is read from the group's own words and its linked arm."""

    id: str
    title: str
    kind: GroupKind
    control: Literal["placebo", "sham", "no intervention", "active", "none", "unknown"] = "unknown"
    link: ArmLink | None = None
    doses: tuple[Dose, ...] = ()


class TimePoint(msgspec.Struct, frozen=True, gc=False):
    """When something was measured. `weeks` after start is `None` where the text gives no single time."""

    text: str
    weeks: float | None = None


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One posted value: (outcome, class, category, group).

    `value` is `None` exactly when `state` is not `value`. `dispersion` is the SD, SE or CV; `lower`/`upper` the limits of an
    interval, IQR or range. `n` counts `unit_analysed` (participants unless stated). Where a second denominator was posted, as
    episodes beside participants, it is `also_n` of `also_unit`. `time` is set when the class axis is time. `text` is set
    where `state`
    is not `value`: what was posted instead, and the comment on it. `flags`: `value-outside-limits`,
    `spread-equals-lower-limit`.
    """

    group_id: str
    value: float | None
    state: CellState = "value"
    text: str = ""
    class_title: str = ""
    category: str = ""
    dispersion: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    unit_analysed: str = "participants"
    time: TimePoint | None = None
    flags: tuple[str, ...] = ()
    also_n: int | None = None
    also_unit: str = ""


class PValue(msgspec.Struct, frozen=True, gc=False):
    """A posted p: `operator` is `=`, `<`, `<=`, `>` or `>=`; `value` in [0, 1]."""

    operator: Literal["=", "<", "<=", ">", ">="]
    value: float
    sides: Literal[1, 2] = 2


class ContrastInterval(msgspec.Struct, frozen=True, gc=False):
    """A posted confidence interval: `level` in (0, 100), one limit `None` when one-sided."""

    lower: float | None
    upper: float | None
    level: float | None
    sides: Literal[1, 2] = 2


class Contrast(msgspec.Struct, frozen=True):
    """A posted comparison of groups.

    a is `group_ids[0]`, b is `group_ids[1]`. `orientation` says what `estimate` is and `orientation_from` what showed it
    (`arm values`, `comment`, `none`). `null` is 0, 1, or 100 for percent ratios; `scale` names the parameter as the registry
    does, lower case (`hazard ratio`, `mean difference`). `favours` is the group that the contrast favours, in the
    outcome's direction
    of benefit, `None` when that is unknown; `significant` whether p or interval reach `alpha`, `None` when neither settles it.
    `class_title` restricts it to one class when the registry says so. `flags` records contradictions
    (`p-contradicts-interval`).
    """

    index: int
    group_ids: tuple[str, ...]
    hypothesis: Hypothesis
    kind: ContrastKind
    scale: str = ""
    orientation: Orientation = "unknown"
    orientation_from: Literal["arm values", "comment", "none"] = "none"
    reference: str | None = None
    null: float | None = None
    estimate: float | None = None
    dispersion_kind: DispersionKind = "none"
    dispersion: float | None = None
    interval: ContrastInterval | None = None
    p: PValue | None = None
    alpha: float | None = None
    method: str = ""
    unit: str = ""
    class_title: str = ""
    favours: str | None = None
    significant: bool | None = None
    flags: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """A measure with its posted results.

    `id` is `NCT:hash:ordinal`, the hash over (role, title, time frame, analysis population text), the ordinal from 1
    among equal hashes.
    `kind` decides the scoring scale. `benefit` comes from the measure's words, never from results.
    """

    id: str
    role: OutcomeRole
    title: str
    time_frame: str = ""
    time: TimePoint | None = None
    unit: str = ""
    parameter: str = ""
    dispersion_kind: DispersionKind = "none"
    dispersion_level: float | None = None
    kind: ValueKind = "unknown"
    change_basis: ChangeBasis = "unknown"
    benefit: Benefit = "unknown"
    analysis_set: AnalysisSet = "unknown"
    class_axis: AxisKind = "none"
    groups: tuple[ResultGroup, ...] = ()
    cells: tuple[Cell, ...] = ()
    contrasts: tuple[Contrast, ...] = ()

    def group(self, group_id: str) -> ResultGroup:
        """The group with this id.

        Raises:
            KeyError: the outcome has no such group.
        """
        for group in self.groups:
            if group.id == group_id:
                return group
        raise KeyError(group_id)


class FlowCount(msgspec.Struct, frozen=True, gc=False):
    """How many participants of a group reached a milestone, or left for a reason; `None` when not posted."""

    group_id: str
    count: int | None


class FlowRow(msgspec.Struct, frozen=True, gc=False):
    """A milestone (`started`, `completed`, …) or a reason for leaving, over the groups of a period."""

    name: str
    counts: tuple[FlowCount, ...]


class FlowPeriod(msgspec.Struct, frozen=True):
    """One period of the participant flow."""

    title: str
    milestones: tuple[FlowRow, ...]
    dropouts: tuple[FlowRow, ...]


class NamedGroup(msgspec.Struct, frozen=True, gc=False):
    """A group of the flow, baseline or adverse-event module."""

    id: str
    title: str


class Flow(msgspec.Struct, frozen=True):
    """Participant flow: who started, completed and left."""

    groups: tuple[NamedGroup, ...]
    periods: tuple[FlowPeriod, ...]


class BaselineCell(msgspec.Struct, frozen=True, gc=False):
    """One posted baseline value."""

    group_id: str
    class_title: str
    category: str
    value: float | None
    dispersion: float | None = None
    lower: float | None = None
    upper: float | None = None


class BaselineMeasure(msgspec.Struct, frozen=True):
    """A baseline characteristic."""

    title: str
    unit: str
    parameter: str
    dispersion_kind: DispersionKind
    cells: tuple[BaselineCell, ...]


class Baseline(msgspec.Struct, frozen=True):
    """Baseline characteristics with the number of participants per group."""

    groups: tuple[NamedGroup, ...]
    counts: tuple[FlowCount, ...]
    measures: tuple[BaselineMeasure, ...]


class AffectedAtRisk(msgspec.Struct, frozen=True, gc=False):
    """Participants affected and at risk in one group; `events` counts occurrences where posted."""

    group_id: str
    affected: int | None
    at_risk: int | None
    events: int | None = None


class AdverseEvent(msgspec.Struct, frozen=True, gc=False):
    """One adverse-event term."""

    term: str
    organ_system: str
    serious: bool
    counts: tuple[AffectedAtRisk, ...]


class AdverseEvents(msgspec.Struct, frozen=True):
    """Adverse events: totals per group, then the terms. `frequency_threshold` in percent applies to non-serious terms."""

    groups: tuple[NamedGroup, ...]
    deaths: tuple[AffectedAtRisk, ...]
    serious: tuple[AffectedAtRisk, ...]
    other: tuple[AffectedAtRisk, ...]
    events: tuple[AdverseEvent, ...]
    frequency_threshold: float | None = None
    time_frame: str = ""
