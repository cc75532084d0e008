"""Drawing pairs: nothing leaks between sides, every number is the registry's, and the same input gives the same rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from deepimagine_training import comparing
from deepimagine_training.clinifact import read_claims
from deepimagine_training.inputs import opened
from deepimagine_training.pair_stats import stats_of
from deepimagine_training.pairs import PairOptions, PairSet, draw
from deepimagine_training.rows import ContrastColumns, NumberColumns, PairRow

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.reasoning.change import apply
from deepimagine_tui.reasoning.state import Perturbation, State
from deepimagine_tui.trials.concepts.programmes import programme_keys
from tests.training.conftest import MakeCorpus
from tests.training.made import dose_trial, hba1c, many_trials, trial, weight, write

Drawing = tuple[PairSet, Corpus]


def _real(shared: Path, scratch: Path) -> Iterator[Drawing]:
    """A slice of the real records that still has every kind of pair, with the claims."""
    folder = scratch / "records"
    folder.mkdir()
    for path in sorted((shared / "ctgov").glob("NCT0[4]*"))[:260]:
        os.symlink(path, folder / path.name)
    claims = [read_claims(path) for path in sorted((shared / "clinifact").glob("*.csv"))]
    with opened(str(folder), scratch, Event()) as corpus:
        yield draw(corpus, claims), corpus


@pytest.fixture(scope="module", params=["made", "real"])
def drawing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawing]:
    """Pairs with the corpus that they were drawn from: made-up trials, then real ones."""
    scratch = tmp_path_factory.mktemp("drawing")
    if request.param == "real":
        yield from _real(request.getfixturevalue("shared_data"), scratch)
    else:
        with opened(str(write(scratch / "made", many_trials())), scratch, Event()) as corpus:
            yield draw(corpus), corpus


def test_there_are_pairs_of_every_kind(drawing: Drawing):
    rows = drawing[0].rows
    assert {"dose", "outcome", "time_frame", "comparator"} <= {row.factor for row in rows if row.kind == "natural"}
    assert any(row.kind == "approximate" for row in rows)


def test_no_trial_is_on_two_sides_and_no_pair_across(drawing: Drawing):
    pairs, _ = drawing
    seen: dict[str, str] = {}
    for row in pairs.rows:
        for nct_id in row.trials:
            assert seen.setdefault(nct_id, row.side) == row.side == pairs.sides.of(nct_id)


def test_trials_of_a_programme_are_on_one_side_and_never_paired(drawing: Drawing):
    pairs, corpus = drawing
    side_of_key: dict[str, str] = {}
    for nct_id in corpus.nct_ids():
        for key in programme_keys(corpus.get(nct_id)):
            assert side_of_key.setdefault(key, pairs.sides.of(nct_id)) == pairs.sides.of(nct_id)
    for row in pairs.rows:
        assert (row.source_programme == row.target_programme) is (row.kind == "natural")


def test_no_trial_is_in_too_many_pairs_of_a_factor(drawing: Drawing):
    taken = Counter((nct_id, row.factor) for row in drawing[0].rows for nct_id in row.trials)
    assert max(taken.values()) <= 8


def test_no_pair_is_there_twice(drawing: Drawing):
    rows = drawing[0].rows
    assert len({row.id for row in rows}) == len(rows)
    states = [frozenset((state(row.source_state).id, state(row.target_state).id)) for row in rows]
    assert len(set(states)) == len(states)


def test_every_number_is_the_one_in_the_registry(drawing: Drawing):
    pairs, corpus = drawing
    checked = 0
    for row in pairs.rows:
        if row.data == "registry":
            for number in (row.source_arm, row.source_comparator, row.target_arm, row.target_comparator):
                checked += number is not None and is_the_cell(number, corpus)
            for contrast in (row.source_contrast, row.target_contrast):
                checked += contrast is not None and is_the_contrast(contrast, corpus)
    assert checked > 4 * len(pairs.rows) / 2


def test_the_columns_are_those_of_the_states(drawing: Drawing):
    for row in drawing[0].rows:
        source, target = state(row.source_state), state(row.target_state)
        assert (source.nct_id, target.nct_id) == (row.source_nct, row.target_nct)
        assert source.met is not None
        assert target.met is not None
        assert (source.met.verdict, target.met.verdict) == (row.source_verdict, row.target_verdict)
        assert (row.source_arm and row.source_arm.value) == (source.arm_value and source.arm_value.value)


def test_the_changes_lead_from_the_source_to_the_target(drawing: Drawing):
    for row in drawing[0].rows:
        changes = msgspec.json.decode(row.perturbations, type=tuple[Perturbation, ...])
        configuration, wanted = state(row.source_state).configuration, state(row.target_state).configuration
        for perturbation in changes:
            configuration = apply(configuration, perturbation.change)
        assert tuple(dict.fromkeys(change.factor for change in changes)) == row.factors
        if row.kind == "natural":
            assert len(changes) == 1
            assert (configuration.geography, configuration.context, configuration.population, configuration.enrolment) == (
                wanted.geography, wanted.context, wanted.population, wanted.enrolment)  # fmt: skip


def test_claims_are_never_paired_by_a_significant_p(drawing: Drawing):
    claims = [row for row in drawing[0].rows if row.data == "clinifact"]
    assert all((row.source_verdict, row.target_verdict) == ("not met", "not met") for row in claims)
    assert all(row.source_arm is None and row.direction is None and row.e_scale is None for row in claims)


def test_approximate_pairs_go_with_time_and_say_how_similar_they_are(drawing: Drawing):
    for row in drawing[0].rows:
        if row.kind == "approximate":
            assert row.source_posted <= row.target_posted
            assert row.similarity is not None
            assert 0.4 <= row.similarity <= 1
            assert {"geography", "population", "context", "arm", "outcome"} & set(row.factors)


def test_the_same_input_gives_the_same_rows_whichever_process_compares(
    small_pairs: PairSet, make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(comparing, "FEW_TRIALS", 0)
    assert draw(make_corpus(list(reversed(many_trials())))).rows == small_pairs.rows


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"enrolment": 49}, PairOptions(min_enrolment=49)),
        ({"allocation": "NON_RANDOMIZED"}, PairOptions(randomised_only=False)),
    ],
)
def test_small_and_unrandomised_trials_are_left_out_unless_asked_for(
    change: dict[str, Any], options: PairOptions, make_corpus: MakeCorpus
):
    corpus = make_corpus([dose_trial("NCT99100001"), dose_trial("NCT99100002", **change)])
    usual = draw(corpus)
    assert {nct_id for row in usual.rows for nct_id in row.trials} == {"NCT99100001"}
    assert sum(usual.excluded["trials"].values()) == 1
    assert {nct_id for row in draw(corpus, options=options).rows for nct_id in row.trials} == {"NCT99100001", "NCT99100002"}


def test_where_no_trial_can_be_used_it_says_why(make_corpus: MakeCorpus):
    with pytest.raises(BadInputError, match="1 of fewer than 50 participants"):
        draw(make_corpus([dose_trial(enrolment=20)]))


def test_stopping_stops(make_corpus: MakeCorpus):
    cancel = Event()
    with pytest.raises(CancelledError):
        draw(make_corpus([dose_trial()]), cancel=cancel, told=lambda text: cancel.set())


def test_the_counts_are_those_of_the_rows(small_pairs: PairSet):
    stats = stats_of(small_pairs)
    natural = [line for line in stats.lines if line.kind == "natural"]
    every = [line for line in stats.lines if line.kind == "approximate" and line.factor == "all"]
    counted = sum(count.pairs for line in (*natural, *every) for count in line.sides.values())
    assert counted == len(small_pairs.rows)
    assert sum(stats.used.values()) == 12
    assert stats.dose_ranging[1] == 12


def test_copying_agrees_where_the_verdicts_do(make_corpus: MakeCorpus):
    alike = draw(make_corpus([trial("NCT99100001", [hba1c()])]))
    [dose] = [line for line in stats_of(alike).lines if line.factor == "dose"]
    assert (dose.copying.agreement, dose.copying.flips.pairs) == (1.0, 0)
    flipped = draw(make_corpus([trial("NCT99100001", [hba1c(low=-0.15, p_low="0.6")])]))
    [dose] = [line for line in stats_of(flipped).lines if line.factor == "dose"]
    assert (dose.copying.agreement, dose.copying.flips.pairs) == (0.0, 1)
    assert [row.direction for row in flipped.rows if row.factor == "dose"] in (["up"], ["down"])


def test_direction_and_error_are_the_graders(make_corpus: MakeCorpus):
    pairs = draw(make_corpus([trial("NCT99100001", [hba1c(low=-0.3, high=-0.7), weight()])]))
    [row] = [
        row for row in pairs.rows if row.factor == "dose" and "HbA1c" in state(row.source_state).configuration.outcome.title
    ]
    assert row.e_scale == pytest.approx(0.8)
    assert row.copy_error == pytest.approx(0.4 / 0.8)
    signed = [row for row in pairs.rows if row.factor == "outcome"]
    assert signed
    assert all(row.e_scale is None and row.copy_error is None and row.not_scored for row in signed)


def state(text: str) -> State:
    return msgspec.json.decode(text, type=State)


def is_the_cell(number: NumberColumns, corpus: Corpus) -> bool:
    outcome = corpus.get(number.nct_id).outcome(number.outcome_id)
    [cell] = [
        cell
        for cell in outcome.cells
        if (cell.group_id, cell.class_title, cell.category) == (number.group_id, number.class_title, number.category)
    ]
    assert (number.value, number.dispersion, number.n, number.unit) == (cell.value, cell.dispersion, cell.n, outcome.unit)
    if number.interval:
        assert (number.interval_lower, number.interval_upper) == (cell.lower, cell.upper)
    assert number.status == "observed"
    return True


def is_the_contrast(contrast: ContrastColumns, corpus: Corpus) -> bool:
    number = contrast.number
    if number.contrast_index is None:
        assert number.status == "derived"
        return False
    outcome = corpus.get(number.nct_id).outcome(number.outcome_id)
    [posted] = [posted for posted in outcome.contrasts if posted.index == number.contrast_index]
    if number.status == "observed":
        assert number.value == posted.estimate
    else:
        assert number.note == "posted the other way round"
    return True


def test_a_row_survives_json(small_pairs: PairSet):
    for row in small_pairs.rows:
        assert msgspec.json.decode(msgspec.json.encode(row), type=PairRow) == row
