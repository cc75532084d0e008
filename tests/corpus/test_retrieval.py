"""Anchors: the most alike posted comparisons, and never one that a forecast may not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepimagine_tui.corpus.retrieval import RetrievalTarget, nearest
from deepimagine_tui.corpus.similarity import WEIGHTS, differing, prepare, similarity, unit_words
from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.trials.factors import WALKING_ORDER
from deepimagine_tui.trials.model import Eligibility
from tests.corpus.conftest import MakeCorpus, outcome_module, record

LATER = "2030-01-01"
TARGET = RetrievalTarget(
    conditions=("Type 2 Diabetes",),
    interventions=("Examplozin",),
    intervention_kinds=("drug",),
    comparator="placebo",
    outcome_title="HbA1c change",
    unit="percent",
    time_weeks=24,
    phases=("3",),
    ages=Eligibility("all", 18, 80),
    countries=("Norway", "Japan"),
    enrolment=300,
)


@pytest.fixture
def anchors(make_corpus: MakeCorpus) -> Corpus:
    """A twin of the target, and trials that each differ from it in one thing."""
    ids = iter(f"NCT0000{at:04d}" for at in range(1, 20))
    records = {
        "twin": record(next(ids)),
        "drug": record(next(ids), drug="Otherumab"),
        "disease": record(next(ids), conditions=("Asthma",)),
        "measure": record(next(ids), outcomes=[outcome_module("Body weight", "kg", [("Placebo", 1), ("Examplozin 10 mg", 2)])]),
        "late": record(next(ids), posted="2020-06-30"),
        "sibling": record(next(ids), protocol="EXAMPLE-77-EXT"),
        "one arm": record(next(ids), outcomes=[outcome_module("HbA1c change", "percent", [("Examplozin 10 mg", -1)])]),
        "no results": record(next(ids), outcomes=[]),
        "phase": record(next(ids), phase="PHASE1"),
        "place": record(next(ids), countries=("France",)),
        "time": record(
            next(ids),
            outcomes=[outcome_module("HbA1c change", "percent", [("Placebo", 0), ("Examplozin 10 mg", -1)], weeks=12)],
        ),
    }
    return Corpus.open(make_corpus({f"{name}.json": raw for name, raw in records.items()}))


def ids(corpus: Corpus, **options: object) -> list[str]:
    return [candidate.nct_id for candidate in nearest(corpus, TARGET, 20, **{"cutoff": LATER, **options})]  # type: ignore[arg-type]


def test_the_twin_comes_first_and_is_wholly_alike(anchors: Corpus) -> None:
    first = nearest(anchors, TARGET, 1, LATER)[0]
    assert first.similarity == 1.0
    assert first.differs_in == ()
    trial = anchors.get(first.nct_id)
    outcome = trial.outcome(first.outcome_id)
    assert outcome.group(first.comparator_group_id).title == "Placebo"
    assert outcome.group(first.arm_group_id).title == "Examplozin 10 mg"


@pytest.mark.parametrize(
    ("nct_id", "factor"),
    [
        ("NCT00000002", "arm"),
        ("NCT00000003", "context"),
        ("NCT00000004", "outcome"),
        ("NCT00000009", "context"),
        ("NCT00000010", "geography"),
        ("NCT00000011", "time_frame"),
    ],
)
def test_what_differs_is_named(anchors: Corpus, nct_id: str, factor: str) -> None:
    found = {candidate.nct_id: candidate for candidate in nearest(anchors, TARGET, 20, LATER)}
    assert found[nct_id].differs_in == (factor,)
    assert found[nct_id].similarity < 1


def test_an_anchor_has_two_arms_with_numbers(anchors: Corpus) -> None:
    assert not {"NCT00000007", "NCT00000008"} & set(ids(anchors))


def test_nothing_posted_after_the_cutoff(anchors: Corpus) -> None:
    assert "NCT00000005" in ids(anchors, cutoff="2020-06-30")
    assert "NCT00000005" not in ids(anchors, cutoff="2020-06-29")
    assert "NCT00000005" in ids(anchors, cutoff="2020-06")
    assert ids(anchors, cutoff="2001") == []


def test_neither_the_target_nor_its_siblings(anchors: Corpus) -> None:
    assert "NCT00000001" not in ids(anchors, exclude=frozenset({"NCT00000001"}))
    programme = anchors.programmes("NCT00000006")
    assert programme
    assert "NCT00000006" not in ids(anchors, exclude_programmes=programme)
    assert "NCT00000001" in ids(anchors, exclude_programmes=programme)


def test_at_most_one_a_trial_and_at_most_k(anchors: Corpus) -> None:
    everything = ids(anchors)
    assert len(set(everything)) == len(everything) == 9
    assert ids(anchors)[:3] == [candidate.nct_id for candidate in nearest(anchors, TARGET, 3, LATER)]


def test_the_same_question_has_the_same_answer(anchors: Corpus) -> None:
    assert nearest(anchors, TARGET, 9, LATER) == nearest(anchors, TARGET, 9, LATER)


def test_similarity_is_the_weighted_mean_of_its_parts(anchors: Corpus) -> None:
    for candidate in nearest(anchors, TARGET, 20, LATER):
        assert 0 <= candidate.similarity <= 1
        assert all(0 <= value <= 1 for value in candidate.parts.values())
        assert candidate.similarity == pytest.approx(similarity(candidate.parts), abs=1e-5)


def test_a_disease_under_a_second_name_is_still_the_same_disease(anchors: Corpus) -> None:
    def likeness(*conditions: str) -> float:
        return nearest(anchors, RetrievalTarget(conditions=conditions, comparator="placebo"), 1, LATER)[0].parts["condition"]

    assert likeness("Asthma") == 1.0
    assert 0.3 < likeness("Asthma", "Bronchial Hyperreactivity") < 1.0


def test_what_the_target_does_not_state_is_not_compared(anchors: Corpus) -> None:
    bare = nearest(anchors, RetrievalTarget(conditions=("Asthma",)), 1, LATER)[0]
    assert bare.nct_id == "NCT00000003"
    assert set(bare.parts) == {"condition"}
    assert bare.similarity == 1.0


def test_text_of_any_kind_can_be_sought(anchors: Corpus) -> None:
    odd = RetrievalTarget(conditions=('" OR *',), interventions=("(", "NEAR"), outcome_title="^:*", unit='"', comparator="'")
    assert nearest(anchors, odd, 3, LATER) is not None
    assert nearest(anchors, RetrievalTarget(), 3, LATER) is not None


def test_weights_sum_to_one_and_every_part_belongs_to_a_factor() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    nothing_alike = dict.fromkeys(WEIGHTS, 0.0)
    assert set(differing(nothing_alike)) == set(WALKING_ORDER) - {"dose"}


@given(st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.floats(0, 1)), st.sampled_from(sorted(WEIGHTS)))
def test_more_alike_in_one_part_is_never_less_alike(parts: dict[str, float], name: str) -> None:
    lower, higher = {**parts, name: 0.2}, {**parts, name: 0.9}
    assert similarity(higher) > similarity(lower)


def test_units_are_read_as_words() -> None:
    assert unit_words("% of participants") == unit_words("Percentage of participants")


def test_rare_words_weigh_more() -> None:
    target = RetrievalTarget(conditions=("common rare",))
    sought = prepare(target, {"common": 0.1, "rare": 5.0})
    assert sought.usual == pytest.approx(2.55)
