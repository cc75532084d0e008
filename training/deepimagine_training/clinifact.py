"""CliniFact's claims as comparisons with a verdict and no values. Their own label and split are never read.

A claim says that one arm is superior to another in one primary outcome, with the p-values of its analyses. The p-values have no
sign: one above alpha is `not met`; one below settles nothing, because whom it favours is not said, and the verdict is then
`undetermined` by the one rule (`trials.concepts.verdicts`).
"""

from __future__ import annotations

import ast
import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from deepimagine_tui.errors import BadInputError, NotFoundError
from deepimagine_tui.evaluation.sides import Member
from deepimagine_tui.files import sha256
from deepimagine_tui.reasoning.identity import content_hash, with_id
from deepimagine_tui.reasoning.specs import CONTROL_OF_ARM_TYPE
from deepimagine_tui.reasoning.state import (
    ArmSpec,
    Configuration,
    ContrastEstimate,
    Control,
    MetEstimate,
    Number,
    OutcomeSpec,
    Source,
    State,
)
from deepimagine_tui.trials.concepts.hypotheses import hypothesis
from deepimagine_tui.trials.concepts.p_values import parse_p, test_sides
from deepimagine_tui.trials.concepts.time_points import weeks
from deepimagine_tui.trials.concepts.verdicts import p_significant, verdict, verdict_reason
from deepimagine_tui.trials.results import Contrast, Hypothesis, TimePoint, Verdict
from deepimagine_tui.trials.units import find_doses

_COLUMNS = (
    "nctId",
    "claim",
    "outcome_title",
    "outcome_description",
    "intervention_group_title",
    "comparator_group_title",
    "intervention_group_description",
    "comparator_group_description",
    "intervention_group_arm_group_type",
    "comparator_group_arm_group_type",
    "pValues",
    "statisticalMethods",
    "nonInferiorityTypes",
)
_TWIN_LENGTH = 60
"""Descriptions of both arms that are equal word for word and at least so long together are of twin trials of one programme."""

_BEFORE_OUTCOME = " in terms of "


class Claim(msgspec.Struct, frozen=True):
    """One row: a comparison without values. `place` is `file:row`; `p_values` as written."""

    nct_id: str
    place: str
    outcome: str
    description: str
    time_frame: str
    arm: str
    comparator: str
    arm_type: str
    comparator_type: str
    twin_key: str
    p_values: tuple[str, ...]
    methods: tuple[str, ...]
    hypotheses: tuple[str, ...]


class ClaimFile(msgspec.Struct, frozen=True):
    """A file of claims, with its name and hash."""

    name: str
    sha256: str
    claims: tuple[Claim, ...]


def read_claims(path: Path) -> ClaimFile:
    """The claims of a CliniFact CSV file.

    Raises:
        NotFoundError: there is no such file.
        BadInputError: it is no CliniFact file; the message names what is missing.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.", "Name CliniFact's train.csv or validation.csv.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise BadInputError(
                    f"{path.name} is no CliniFact file: it has no column {missing[0]}.", "Give its own CSV files."
                )
            claims = tuple(_claim(row, f"{path.name}:{number}") for number, row in enumerate(rows, 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(f"{path.name} cannot be read as CSV ({error}).", "Give CliniFact's own CSV files.") from error
    return ClaimFile(path.name, sha256(path), claims)


def members_of(files: Iterable[ClaimFile]) -> list[Member]:
    """The trials of the claims, to be put on a side: twins, whose arms are described word for word alike, together."""
    keys: dict[str, set[str]] = defaultdict(set)
    for file in files:
        for claim in file.claims:
            keys[claim.nct_id].update({claim.twin_key} - {""})
    return [Member(nct_id, frozenset(found)) for nct_id, found in sorted(keys.items())]


def states_of(claims: Sequence[Claim]) -> list[State]:
    """The claims of one trial as states without values: claims of the same arms, outcome and time frame are one comparison,
    `not met` when every one of them is, and otherwise undetermined."""
    same: dict[tuple[str, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        same[claim.arm, claim.comparator, claim.outcome, claim.description, claim.time_frame].append(claim)
    return [_state(group) for group in same.values()]


def _claim(row: dict[str, str], place: str) -> Claim:
    nct_id = (row["nctId"] or "").strip().upper()
    if not (len(nct_id) == 11 and nct_id.startswith("NCT") and nct_id[3:].isdigit()):
        raise BadInputError(f"{place} names no trial ({nct_id!r} is no NCT id).", "Give CliniFact's own CSV files.")
    after = row["claim"].partition(_BEFORE_OUTCOME)[2]
    time_frame = after.removeprefix(row["outcome_title"]).strip() if after.startswith(row["outcome_title"]) else ""
    arms = row["intervention_group_description"], row["comparator_group_description"]
    long_enough = all(arms) and sum(map(len, arms)) >= _TWIN_LENGTH
    return Claim(
        nct_id=nct_id,
        place=place,
        outcome=row["outcome_title"].strip(),
        description=row["outcome_description"].strip(),
        time_frame=time_frame,
        arm=row["intervention_group_title"].strip(),
        comparator=row["comparator_group_title"].strip(),
        arm_type=row["intervention_group_arm_group_type"].replace("_", " ").lower(),
        comparator_type=row["comparator_group_arm_group_type"].replace("_", " ").lower(),
        twin_key=f"arms:{hashlib.sha256('|'.join(arms).encode()).hexdigest()[:16]}" if long_enough else "",
        p_values=_listed(row["pValues"], place),
        methods=_listed(row["statisticalMethods"], place),
        hypotheses=_listed(row["nonInferiorityTypes"], place),
    )


def _listed(text: str, place: str) -> tuple[str, ...]:
    """A list as CliniFact writes it, which is as Python does."""
    try:
        found = ast.literal_eval(text) if text else []
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise BadInputError(f"{place} holds no list of values ({text[:40]!r}).", "Give CliniFact's own CSV files.") from error
    return tuple(map(str, found)) if isinstance(found, list) else (str(found),)


def _state(claims: list[Claim]) -> State:
    claim = claims[0]
    verdicts = [one for each in claims for one in _verdicts(each)]
    said: set[Verdict] = {one for one, _ in verdicts}
    agreed: Verdict = "not met" if said == {"not met"} else "undetermined"
    reason = next((why for one, why in verdicts if one == agreed), "No p-value was given.")
    p_text = ", ".join(f"p {text}" for each in claims for text in each.p_values)
    outcome_id = f"{claim.nct_id}:claim:{content_hash((claim.outcome, claim.description, claim.time_frame), 8)}"
    place = Source(claim.nct_id, outcome_id, class_title=f"CliniFact {' '.join(each.place for each in claims)}")
    return with_id(
        State(
            id="",
            nct_id=claim.nct_id,
            configuration=Configuration(
                _arm(claim.arm, claim.arm_type),
                _arm(claim.comparator, claim.comparator_type),
                OutcomeSpec(claim.outcome, role="primary", outcome_id=outcome_id),
                TimePoint(claim.time_frame, weeks(claim.time_frame)) if claim.time_frame else None,
            ),
            contrast=ContrastEstimate(
                Number(None, "observed", source=place), "test only", hypothesis=_hypothesis(claim), p_text=p_text
            ),
            met=MetEstimate(agreed, "derived", reason=reason),
        )
    )


def _arm(label: str, registered: str) -> ArmSpec:
    controls: dict[str, Control] = dict(CONTROL_OF_ARM_TYPE)  # type: ignore[arg-type]  # its values are the controls' names
    return ArmSpec(label, doses=find_doses(label), control=controls.get(registered, "unknown"))


def _hypothesis(claim: Claim) -> Hypothesis:
    kinds = {kind.lower() for kind in claim.hypotheses}
    return hypothesis(kinds.pop() if len(kinds) == 1 else "", None, 2, bool(claim.p_values), "")


def _verdicts(claim: Claim) -> list[tuple[Verdict, str]]:
    """The verdict that each p-value carries, with its reason."""
    found = []
    for index, text in enumerate(claim.p_values):
        p = parse_p(text, test_sides(*claim.methods))
        tested = Contrast(
            index=index,
            group_ids=("arm", "comparator"),
            hypothesis=_hypothesis(claim),
            kind="test only",
            p=p,
            significant=p_significant(p, None),
        )
        found.append((verdict(tested, "arm"), verdict_reason(tested, "arm")))
    return found


def assumed_met(claim: Claim) -> bool | None:
    """Whether a superiority claim is met if every significant p-value is taken to favour the intervention, as most do; `None`
    where they disagree or settle nothing. An assumption: for a baseline to learn from, never a posted verdict."""
    if _hypothesis(claim) not in ("superiority", "superiority (assumed)"):
        return None
    found = {p_significant(parse_p(text, test_sides(*claim.methods)), None) for text in claim.p_values}
    return found.pop() if len(found) == 1 else None


def configuration_of(claim: Claim) -> Configuration:
    """What a claim compares in what."""
    return _state([claim]).configuration
