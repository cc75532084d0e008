"""A pair as a row: both states with every number and where it stands in the registry, and what the one grader says of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from deepimagine_training.natural import DrawnPair
from deepimagine_tui.evaluation.sides import Side
from deepimagine_tui.reasoning import scoring
from deepimagine_tui.reasoning.identity import content_hash
from deepimagine_tui.reasoning.state import ContrastEstimate, Direction, Number, Perturbation, State
from deepimagine_tui.trials.factors import ARITHMETIC, WALKING_ORDER, Factor
from deepimagine_tui.trials.results import Verdict

PAIRS_VERSION = 1
"""The version of these columns and of the rules by which pairs are drawn. Files of another version are refused."""

SEVERAL = "several"
"""The `factor` of an approximate pair that differs in more than one."""

Kind = Literal["natural", "approximate"]
DataSet = Literal["registry", "clinifact"]


class NumberColumns(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its status, dispersion, n, and its place in the registry; the columns are those of `state.Number`."""

    value: float | None
    status: str
    unit: str
    dispersion_kind: str
    dispersion: float | None
    lower: float | None
    upper: float | None
    interval: str
    interval_lower: float | None
    interval_upper: float | None
    interval_level: float | None
    n: int | None
    note: str
    nct_id: str
    outcome_id: str
    group_id: str
    class_title: str
    category: str
    contrast_index: int | None


class ContrastColumns(msgspec.Struct, frozen=True, kw_only=True):
    """A contrast with its number; the columns are those of `state.ContrastEstimate`."""

    number: NumberColumns
    kind: str
    scale: str
    null: float | None
    orientation: str
    hypothesis: str
    p_text: str


class PairRow(msgspec.Struct, frozen=True, kw_only=True):
    """One pair.

    `factor` is the factor changed, or `several`; `factors` lists all that differ, in walking order, and `unknown_factors` those
    that either side does not state. States and perturbations are JSON of `reasoning.state`. `direction` is that of the change
    from source to target (of the benefit where the outcome changes). `e_scale` is s, by which an error on the target's value is
    divided; `copy_error` is e of answering with the source's value; both `None` where `not_scored` says why. `similarity` in
    [0, 1] is of approximate pairs. Posting dates are ISO 8601, empty where the registry names none.
    """

    id: str
    side: Side
    kind: Kind
    data: DataSet
    factor: str
    factors: tuple[Factor, ...]
    unknown_factors: tuple[Factor, ...]
    source_nct: str
    target_nct: str
    source_programme: str
    target_programme: str
    source_posted: str
    target_posted: str
    source_verdict: Verdict
    target_verdict: Verdict
    direction: Direction | None
    e_scale: float | None
    copy_error: float | None
    not_scored: str
    similarity: float | None
    similarity_parts: str
    source_arm: NumberColumns | None
    source_comparator: NumberColumns | None
    source_contrast: ContrastColumns | None
    target_arm: NumberColumns | None
    target_comparator: NumberColumns | None
    target_contrast: ContrastColumns | None
    perturbations: str
    source_state: str
    target_state: str

    @property
    def trials(self) -> frozenset[str]:
        """The trials that it is of: one or two."""
        return frozenset((self.source_nct, self.target_nct))

    @property
    def has_verdicts(self) -> bool:
        """Whether both verdicts are known."""
        return "undetermined" not in (self.source_verdict, self.target_verdict)

    @property
    def teaches(self) -> bool:
        """Whether there is anything to be right about: a verdict, a direction, or a value with a scale."""
        return self.target_verdict != "undetermined" or self.direction is not None or self.e_scale is not None


class Origin(msgspec.Struct, frozen=True):
    """What a row says of one state's trial beside the state itself."""

    programme: str
    posted: str


def row_of(
    pair: DrawnPair,
    *,
    kind: Kind,
    side: Side,
    origins: tuple[Origin, Origin],
    data: DataSet = "registry",
    similarity: float | None = None,
    parts: dict[str, float] | None = None,
) -> PairRow:
    """The row of a pair; `origins` are of the source's trial and the target's."""
    source, target = pair.source, pair.target
    factors = factors_of(pair.perturbations)
    walked: tuple[Factor, ...] = tuple(factor for factor in factors if factor not in ARITHMETIC)
    graded_as: Factor = "outcome" if "outcome" in walked else walked[-1]
    revealed = scoring.grade(source, source, target, graded_as)
    scale, why = _scale(source, target, "outcome" in walked)
    return PairRow(
        id=content_hash((kind, data, source.id, target.id)),
        side=side,
        kind=kind,
        data=data,
        factor=walked[0] if len(walked) == 1 else SEVERAL,
        factors=factors,
        unknown_factors=pair.unknown,
        source_nct=source.nct_id,
        target_nct=target.nct_id,
        source_programme=origins[0].programme,
        target_programme=origins[1].programme,
        source_posted=origins[0].posted,
        target_posted=origins[1].posted,
        source_verdict=_verdict(source),
        target_verdict=_verdict(target),
        direction=revealed.posted_direction,
        e_scale=scale,
        copy_error=revealed.error if scale is not None else None,
        not_scored=why or ("" if revealed.error is not None else revealed.why),
        similarity=similarity,
        similarity_parts=_json(parts) if parts else "",
        source_arm=_number(source.arm_value),
        source_comparator=_number(source.comparator_value),
        source_contrast=_contrast(source.contrast),
        target_arm=_number(target.arm_value),
        target_comparator=_number(target.comparator_value),
        target_contrast=_contrast(target.contrast),
        perturbations=_json(pair.perturbations),
        source_state=_json(source),
        target_state=_json(target),
    )


def factors_of(perturbations: tuple[Perturbation, ...]) -> tuple[Factor, ...]:
    """The factors of some changes, each once, in walking order."""
    changed = {perturbation.factor for perturbation in perturbations}
    return tuple(factor for factor in WALKING_ORDER if factor in changed)


def _scale(source: State, target: State, other_outcome: bool) -> tuple[float | None, str]:
    """s for the target's values, or why there is none: another signed measure than the source's has no SD to divide by."""
    outcome = target.configuration.outcome
    if target.arm_value is None or target.arm_value.value is None:
        return None, "the target posted no value"
    if other_outcome and outcome.kind == "signed":
        return None, "the source posts no standard deviation of the target's measure"
    try:
        return scoring.scale(target if other_outcome else source), ""
    except scoring.NotScorableError as error:
        return None, str(error)


def _verdict(state: State) -> Verdict:
    return state.met.verdict if state.met is not None else "undetermined"


def _number(number: Number | None) -> NumberColumns | None:
    if number is None:
        return None
    interval, source = number.interval, number.source
    return NumberColumns(
        value=number.value,
        status=number.status,
        unit=number.unit,
        dispersion_kind=number.dispersion_kind,
        dispersion=number.dispersion,
        lower=number.lower,
        upper=number.upper,
        interval=interval.kind if interval else "",
        interval_lower=interval.lower if interval else None,
        interval_upper=interval.upper if interval else None,
        interval_level=interval.level if interval else None,
        n=number.n,
        note=number.note,
        nct_id=source.nct_id if source else "",
        outcome_id=source.outcome_id if source else "",
        group_id=source.group_id if source else "",
        class_title=source.class_title if source else "",
        category=source.category if source else "",
        contrast_index=source.contrast_index if source else None,
    )


def _contrast(contrast: ContrastEstimate | None) -> ContrastColumns | None:
    if contrast is None:
        return None
    number = _number(contrast.number)
    assert number is not None
    return ContrastColumns(
        number=number,
        kind=contrast.kind,
        scale=contrast.scale,
        null=contrast.null,
        orientation=contrast.orientation,
        hypothesis=contrast.hypothesis,
        p_text=contrast.p_text,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
