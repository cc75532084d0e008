"""Anchors for a forecast, out of the corpus that ships."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from deepimagine_tui.corpus.starter import open_starter
from deepimagine_tui.errors import DeepImagineError, NotFoundError
from deepimagine_tui.reasoning.anchors import (
    MINIMUM_SIMILARITY,
    AnchorSearch,
    AnchorSource,
    CorpusAnchors,
    Refused,
    why_not_close,
)
from deepimagine_tui.reasoning.state import Configuration
from deepimagine_tui.reasoning.target import target_from_fields, target_of
from deepimagine_tui.trials.concepts.programmes import programme_keys

NOW = "2027-01-01"


@pytest.fixture(scope="module")
def source() -> Iterator[CorpusAnchors]:
    with open_starter() as corpus:
        yield CorpusAnchors(corpus)


@pytest.fixture(scope="module")
def forecasts(source: CorpusAnchors) -> dict[str, tuple[Configuration, AnchorSearch]]:
    """A forecast of every fourth trial of the starter corpus."""
    found = {}
    with open_starter() as corpus:
        for nct_id in corpus.nct_ids()[::4]:
            try:
                target = target_of(corpus.get(nct_id))
            except DeepImagineError:
                continue
            found[nct_id] = target, source.nearest(target, nct_id, 7, NOW)
    return found


def with_anchors(forecasts: dict[str, tuple[Configuration, AnchorSearch]]) -> tuple[str, Configuration, AnchorSearch]:
    """The forecast with most anchors."""
    nct_id = max(forecasts, key=lambda each: len(forecasts[each][1].anchors))
    return nct_id, *forecasts[nct_id]


def test_a_corpus_is_a_source_of_anchors(source: CorpusAnchors) -> None:
    as_source: AnchorSource = source
    assert as_source.name == "starter"
    assert as_source.version
    assert as_source.data_date >= "2020"
    with pytest.raises(NotFoundError):
        as_source.trial("NCT99999999")


def test_some_forecasts_have_anchors_and_all_are_close_ordered_and_observed(
    forecasts: dict[str, tuple[Configuration, AnchorSearch]],
) -> None:
    assert sum(bool(search.anchors) for _, search in forecasts.values()) >= 3
    for target, search in forecasts.values():
        similarities = [anchor.similarity for anchor in search.anchors]
        assert similarities == sorted(similarities, reverse=True)
        for anchor in search.anchors:
            assert anchor.similarity >= MINIMUM_SIMILARITY
            assert anchor.state.arm_value is not None
            assert anchor.state.arm_value.status == "observed"
            assert (anchor.state.configuration.comparator is None) == (target.comparator is None)


def test_the_target_and_its_programme_are_never_anchors(
    source: CorpusAnchors, forecasts: dict[str, tuple[Configuration, AnchorSearch]]
) -> None:
    for nct_id, (_, search) in forecasts.items():
        own = programme_keys(source.trial(nct_id))
        for anchor in search.anchors:
            assert anchor.state.nct_id != nct_id
            assert not own & programme_keys(source.trial(anchor.state.nct_id))


def test_nothing_posted_after_the_cutoff_is_an_anchor(
    source: CorpusAnchors, forecasts: dict[str, tuple[Configuration, AnchorSearch]]
) -> None:
    nct_id, target, search = with_anchors(forecasts)
    posted = sorted(date.text for a in search.anchors if (date := source.trial(a.state.nct_id).results_posted))
    earlier = source.nearest(target, nct_id, 7, posted[-1][:4] + "-01-01")
    for anchor in earlier.anchors:
        date = source.trial(anchor.state.nct_id).results_posted
        assert date is not None
        assert date.text < posted[-1]
    assert source.nearest(target, nct_id, 7, "1990-01-01").anchors == ()


def test_dropped_trials_are_not_taken_again(
    source: CorpusAnchors, forecasts: dict[str, tuple[Configuration, AnchorSearch]]
) -> None:
    nct_id, target, search = with_anchors(forecasts)
    first = search.anchors[0].state.nct_id
    again = source.nearest(target, nct_id, 7, NOW, (first,))
    assert first not in [anchor.state.nct_id for anchor in again.anchors]
    assert [anchor.state.nct_id for anchor in again.anchors][: len(search.anchors) - 1] == [
        anchor.state.nct_id for anchor in search.anchors[1:]
    ]


def test_k_is_the_most_that_is_taken(source: CorpusAnchors, forecasts: dict[str, tuple[Configuration, AnchorSearch]]) -> None:
    nct_id, target, search = with_anchors(forecasts)
    assert len(search.anchors) > 1
    assert source.nearest(target, nct_id, 1, NOW).anchors == search.anchors[:1]


def test_when_nothing_is_close_it_says_what_was_nearest(source: CorpusAnchors) -> None:
    target = target_from_fields(
        condition="Unheard-of syndrome", arm="Nosuchdrug 5 mg", outcome="Time to whistle Dixie", unit="tunes"
    )
    found = source.nearest(target, None, 7, NOW)
    assert found.anchors == ()
    assert found.nearest_refused
    assert found.why_none.startswith("No anchor close enough: the nearest is .")
    assert "different disease" in found.why_none
    assert "different measure" in found.why_none


def test_a_target_without_comparator_starts_from_single_arms(
    source: CorpusAnchors, forecasts: dict[str, tuple[Configuration, AnchorSearch]]
) -> None:
    target = next(target for target, search in forecasts.values() if search.anchors and target.comparator is not None)
    found = source.nearest(replace(target, comparator=None), None, 3, NOW)
    assert found.anchors
    assert all(anchor.state.configuration.comparator is None for anchor in found.anchors)
    assert all(anchor.state.comparator_value is None for anchor in found.anchors)


@pytest.mark.parametrize(
    ("similarity", "parts", "why"),
    [
        (0.9, {"condition": 1.0, "intervention": 0.0, "outcome": 1.0}, ""),
        (0.9, {"condition": 0.0, "intervention": 1.0, "outcome": 1.0}, ""),
        (0.6, {"condition": 1.0, "intervention": 1.0, "outcome": 0.12}, ""),
        (0.6, {"condition": 1.0, "intervention": 0.25, "outcome": 0.12}, "different drug, different measure"),
        (0.6, {"condition": 1.0, "intervention": 1.0, "outcome": 0.05}, "different measure"),
        (0.6, {"condition": 0.1, "intervention": 0.1, "outcome": 1.0}, "different disease, different drug"),
        (0.3, {"condition": 0.6, "outcome": 0.6}, "little in common"),
        (0.3, {"comparator": 0.0, "population": 0.0}, "different comparator, different population"),
    ],
)
def test_why_a_candidate_is_not_close(similarity: float, parts: dict[str, float], why: str) -> None:
    assert why_not_close(similarity, parts) == why


def test_without_any_candidate_it_says_so() -> None:
    assert AnchorSearch().why_none == "No anchor close enough: no trial here posted a comparison like it."
    assert AnchorSearch((), (Refused("NCT1", 0.314, "different measure"),)).why_none == (
        "No anchor close enough: the nearest is .31 (different measure)."
    )


def test_an_evaluation_takes_the_nearest_comparisons_even_where_a_forecast_would_abstain(
    forecasts: dict[str, tuple[Configuration, AnchorSearch]],
) -> None:
    nct_id, (target, _) = next((key, found) for key, found in forecasts.items() if not found[1].anchors)
    with open_starter() as corpus:
        far = CorpusAnchors(corpus, far=True)
        search = far.nearest(target, nct_id, 3, NOW)
        assert far.name == "starter, near or far"
    assert len(search.anchors) == 3
    assert nct_id not in {anchor.state.nct_id for anchor in search.anchors}
