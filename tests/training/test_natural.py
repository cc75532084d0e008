"""Natural pairs: one factor changed, everything else equal."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from deepimagine_training.natural import DrawnPair, natural_pairs
from deepimagine_training.quota import Quota
from msgspec.structs import replace

from deepimagine_tui.evaluation.comparisons import comparisons_of
from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import parse_record
from tests.training.made import DOSES, HIGH, LOW, PLACEBO, dose_trial, glucose_by_week, hba1c, outcome, trial, weight


def read(record: dict[str, Any]) -> Trial:
    return parse_record(json.dumps(record).encode())


def drawn(record: dict[str, Any], cap: int = 8) -> list[DrawnPair]:
    """The pairs of a trial, as a drawing takes them."""
    quota, pairs = Quota(cap), []
    found = read(record)
    for pair in natural_pairs(found.nct_id, comparisons_of(found), quota, Counter()):
        quota.take((found.nct_id,), pair.perturbations[0].factor)
        pairs.append(pair)
    return pairs


def factors(pairs: list[DrawnPair]) -> Counter[str]:
    return Counter(pair.perturbations[0].factor for pair in pairs)


def test_the_factors_of_a_dose_ranging_trial():
    pairs = drawn(dose_trial())
    assert set(factors(pairs)) == {"dose", "comparator", "outcome", "time_frame"}
    assert all(len(pair.perturbations) == 1 and not pair.unknown for pair in pairs)


def test_a_dose_pair_changes_the_dose_alone():
    [pair] = [pair for pair in drawn(trial("NCT99100002", [hba1c()])) if pair.perturbations[0].factor == "dose"]
    one, other = pair.source.configuration, pair.target.configuration
    assert {one.arm.label, other.arm.label} == {LOW, HIGH}
    assert replace(one, arm=other.arm) == other
    assert {pair.source.met.verdict, pair.target.met.verdict} == {"met"}


def test_values_of_the_start_are_no_results():
    states = list(comparisons_of(read(trial("NCT99100003", [glucose_by_week()]))))
    assert {state.configuration.outcome.class_title for state in states} == {"Week 12", "Week 24"}


def test_another_time_of_one_measure_is_a_time_pair():
    pairs = [pair for pair in drawn(trial("NCT99100004", [glucose_by_week()])) if pair.perturbations[0].factor == "time_frame"]
    assert len(pairs) == 2
    for pair in pairs:
        weeks = {pair.source.configuration.time.weeks, pair.target.configuration.time.weeks}
        assert weeks == {12.0, 24.0}
        assert pair.source.configuration.arm.label == pair.target.configuration.arm.label


def test_each_unordered_pair_is_there_once():
    pairs = drawn(dose_trial())
    assert len({frozenset((pair.source.id, pair.target.id)) for pair in pairs}) == len(pairs)


@pytest.mark.parametrize(
    "other",
    [
        weight(population="Per protocol set"),
        weight(time_frame="Week 52"),
        weight(unit="kg", p=None, role="SECONDARY")
        | {"groups": [{"id": f"OG{at:03d}", "title": f"{label}, men"} for at, label in enumerate(DOSES)]},
    ],
    ids=["another analysis set", "another time", "other people"],
)
def test_another_outcome_pairs_only_where_all_else_is_equal(other: dict[str, Any]):
    first = hba1c() | {"populationDescription": "Intention to treat"}
    assert factors(drawn(trial("NCT99100005", [first, weight(population="Intention to treat")])))["outcome"] == 2
    assert factors(drawn(trial("NCT99100005", [first, other])))["outcome"] == 0


@pytest.mark.parametrize("unit", ["mg/dL", "percent change"])
def test_a_time_pair_needs_one_unit(unit: str):
    def of(week: str, unit: str) -> dict[str, Any]:
        values = {PLACEBO: 8.0, LOW: 7.0, HIGH: 6.0}
        return outcome(f"Fasting Plasma Glucose at {week}", {"": values}, unit=unit, time_frame=week)

    assert factors(drawn(trial("NCT99100006", [of("Week 12", "mmol/L"), of("Week 24", "mmol/L")])))["time_frame"] == 2
    assert factors(drawn(trial("NCT99100006", [of("Week 12", "mmol/L"), of("Week 24", unit)])))["time_frame"] == 0


def test_arms_of_two_parts_are_never_compared():
    arms = {f"Part 1: {PLACEBO}": "PLACEBO_COMPARATOR", f"Part 1: {LOW}": "EXPERIMENTAL", f"Part 2: {HIGH}": "EXPERIMENTAL"}
    values = dict(zip(arms, (-0.1, -0.6, -0.8), strict=True))
    found = read(
        trial("NCT99100007", [outcome("Change in HbA1c", {"": values})], arms, agents={label: ["Glivazin"] for label in arms})
    )
    labels = {(state.configuration.arm.label, state.configuration.comparator.label) for state in comparisons_of(found)}
    assert labels == {(f"Part 1: {LOW}", f"Part 1: {PLACEBO}")}


def test_pairs_with_two_verdicts_come_first():
    tested = hba1c()
    untested = [
        outcome(f"Change in Marker {name}", {"": {PLACEBO: 1.0, LOW: 2.0, HIGH: 3.0}}, unit=f"U{name}") for name in "ABCDEFGH"
    ]
    [pair] = [
        pair
        for pair in drawn(trial("NCT99100008", [*untested, tested, weight()]), cap=1)
        if pair.perturbations[0].factor == "outcome"
    ]
    assert {pair.source.configuration.outcome.title, pair.target.configuration.outcome.title} == {
        tested["title"],
        weight()["title"],
    }
