"""Forecast questions of a corpus and of CliniFact's claims: what is asked, what is kept from it, and who is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import msgspec
import pytest
from deepimagine_training.claim_forecasts import claim_forecasts, learnable
from deepimagine_training.clinifact import ClaimFile, members_of
from deepimagine_training.inputs import opened

from deepimagine_tui.corpus.store import Corpus
from deepimagine_tui.errors import BadInputError, CancelledError
from deepimagine_tui.evaluation.forecasts_of_corpus import forecasts, sides_of
from deepimagine_tui.evaluation.questions import MET, NOT_MET
from deepimagine_tui.evaluation.sides import SIDES
from deepimagine_tui.reasoning.alike import INERT
from tests.training.made import many_trials, write
from tests.training.test_clinifact import claims
from tests.training.test_clinifact import row as claim


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    folder = tmp_path_factory.mktemp("records")
    with opened(str(write(folder / "made", many_trials(12))), folder, Event()) as found:
        yield found


@pytest.fixture
def files(tmp_path: Path) -> list[ClaimFile]:
    rows = [
        claim("NCT99200001", pValues="['0.001']"),
        claim("NCT99200002", pValues="['0.4', '0.9']"),
        claim("NCT99200002", pValues="['0.4']"),
        claim("NCT99200003", pValues="['0.4', '0.001']"),
        claim("NCT99200004", pValues="['0.001']", nonInferiorityTypes="['Non-Inferiority']"),
        claim("NCT99100100"),
        claim("NCT09000000"),
    ]
    return [claims(tmp_path, *rows)]


def test_every_comparison_with_a_verdict_is_asked_once(corpus: Corpus):
    found = forecasts(corpus, Event())
    assert len(found.questions) == len(found.keys) == len({question.id for question in found.questions})
    assert {found.key(question).answer for question in found.questions} == {MET, NOT_MET}
    for question in found.questions:
        key = found.key(question)
        assert question.kind == "superiority"
        assert question.target.arm.control not in INERT
        assert key.target is not None
        assert (key.target.nct_id, key.answer) == (question.nct_id, key.target.met and key.target.met.verdict)
        assert question.target.arm.label == key.target.configuration.arm.label
        assert question.comparator_type == "placebo comparator"
    assert not found.is_watched


def test_a_question_holds_nothing_written_after_the_fact(corpus: Corpus):
    for question in forecasts(corpus, Event()).questions:
        target, trial = question.target, corpus.get(question.nct_id)
        assert (question.source, question.changes, target.enrolment, target.population.baseline) == (None, (), None, ())
        assert (target.arm.group_id, target.outcome.outcome_id) == ("", "")
        assert target.comparator is not None
        assert target.comparator.group_id == ""
        assert trial.results_posted is not None
        assert question.cutoff < trial.results_posted.text


def test_canaries_in_the_results_reach_no_question(tmp_path: Path):
    records = many_trials(2)
    for outcome in records[0]["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]:
        outcome["populationDescription"] = "the canary sang"
        for category in (each for posted in outcome["classes"] for each in posted["categories"]):
            for at, measurement in enumerate(category["measurements"]):
                measurement["value"], measurement["comment"] = f"{77.7731 + at}", "the canary sang"
        for analysis in outcome["analyses"]:
            analysis["paramValue"], analysis["pValue"] = "1.0519", "0.3337"
    with opened(str(write(tmp_path / "made", records)), tmp_path, Event()) as corpus:
        found = forecasts(corpus, Event())
    written, kept = (msgspec.json.encode(each).decode() for each in (found.questions, found.keys))
    canaries = ("77.7731", "1.0519", "0.3337")
    assert [canary for canary in canaries if canary in kept] == list(canaries)
    assert not [canary for canary in (*canaries, "canary sang") if canary in written]


def test_trials_left_out_take_their_programme_with_them(corpus: Corpus):
    everything = forecasts(corpus, Event())
    sides = sides_of(corpus, Event())
    one = everything.questions[0]
    left = forecasts(corpus, Event(), [one.nct_id])
    assert {each.nct_id for each in left.questions} == {
        each.nct_id for each in everything.questions if each.programme != one.programme
    }
    assert {each.programme for each in everything.questions} == {sides.programme(each.nct_id) for each in everything.questions}
    with pytest.raises(BadInputError, match="no comparison with a verdict"):
        forecasts(corpus, Event(), [each.nct_id for each in everything.questions])


def test_sides_share_out_the_questions(corpus: Corpus):
    everything = forecasts(corpus, Event())
    sides = sides_of(corpus, Event())
    counts = Counter(sides.of(question.nct_id) for question in everything.questions)
    for side in SIDES:
        if counts[side]:
            found = forecasts(corpus, Event(), sides=sides, side=side)
            assert len(found.questions) == counts[side]
            assert {sides.of(question.nct_id) for question in found.questions} == {side}
        else:
            with pytest.raises(BadInputError, match=side):
                forecasts(corpus, Event(), sides=sides, side=side)


def test_it_can_be_stopped(corpus: Corpus):
    stopped = Event()
    stopped.set()
    with pytest.raises(CancelledError):
        forecasts(corpus, stopped)


def test_the_same_corpus_gives_the_same_set(corpus: Corpus):
    one, other = forecasts(corpus, Event()), forecasts(corpus, Event())
    assert one == other
    assert one.sha256 != forecasts(corpus, Event(), [one.questions[0].nct_id]).sha256


def test_claims_are_learnt_as_what_is_assumed_of_them(corpus: Corpus, files: list[ClaimFile]):
    sides = sides_of(corpus, Event(), members_of(files))
    assert corpus.has("NCT99100100")
    found = claim_forecasts(files, corpus, sides, ["NCT09000000"])
    assert [(each.nct_id, found.key(each).answer) for each in found.questions] == [
        ("NCT99200001", MET),
        ("NCT99200002", NOT_MET),
    ]
    assert found.questions[0].comparator_type == "placebo comparator"
    assert found.questions[0].target.comparator is not None
    assert found.questions[0].target.comparator.control == "placebo"


def test_claims_and_corpus_are_learnt_from_together(corpus: Corpus, files: list[ClaimFile]):
    everything = learnable(corpus, files, Event(), ["NCT09000000"])
    assert len(everything.questions) == len(forecasts(corpus, Event()).questions) + 2
    sides = sides_of(corpus, Event(), members_of(files))
    found = learnable(corpus, files, Event(), ["NCT09000000"], "train")
    assert {each.id for each in found.questions} == {
        each.id for each in everything.questions if sides.of(each.nct_id) == "train"
    }
    assert learnable(corpus, (), Event()) == forecasts(corpus, Event())
