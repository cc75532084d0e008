"""Records: how often a model was right by factor, on trials that it was not trained on, beside the base rate."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.errors import BadInputError, RefusedError
from deepimagine_tui.evaluation.calibrate import Said
from deepimagine_tui.evaluation.measured import Measured
from deepimagine_tui.evaluation.on_file import CALIBRATION, keep, on_file, own_folder
from deepimagine_tui.evaluation.recording import record
from deepimagine_tui.reasoning.calibration import Calibration, Quantile, SlopeIntercept
from deepimagine_tui.reasoning.records import Record, Records, said_of
from deepimagine_tui.reasoning.state import Direction
from deepimagine_tui.reasoning.subject import Subject, subject_of
from deepimagine_tui.trials.factors import Factor

INFO = ModelInfo(name="a model", backend="llama.cpp", context_length=2048, sha256="1" * 64, adapter_sha256="2" * 64)


def row(
    trial: str,
    said: Direction | None,
    posted: Direction | None,
    *,
    factor: Factor = "dose",
    probability: float | None = None,
    met: bool | None = None,
) -> Measured:
    return Measured(
        nct_id=trial,
        programme=trial,
        factor=factor,
        kind="share",
        chain_length=1,
        direction=said,
        posted_direction=posted,
        probability=probability,
        met=met,
        answered=said is not None or probability is not None,
    )


def recorded(rows: Sequence[Measured], training: Sequence[Measured] = (), seen: frozenset[str] = frozenset()) -> Records:
    return record(Said(subject_of(INFO), "test", "data", tuple(rows)), training, seen, None)


def the_one(found: Records) -> Record:
    assert len(found.records) == 1
    return found.records[0]


TRAINING = [row("t1", None, "up"), row("t2", None, "down"), row("t3", None, "down"), *[row("t4", None, "up")] * 9]
"""Two trials of each: of equal weights the first by name, `down`."""


def test_a_record_counts_pairs_and_trials_and_the_commonest_answer_of_training() -> None:
    found = the_one(recorded([row("a", "up", "up"), row("a", "up", "down"), row("b", "down", "down")], TRAINING))
    assert (found.pairs, found.trials) == (3, 2)
    assert found.right == pytest.approx(2 / 3)
    assert found.base_rate == pytest.approx(2 / 3)
    rates, _, standing = found.said.partition("; ")
    assert rates == "right direction on 67% of 3 pairs in 2 trials, base rate 67%"
    assert standing == "no better than the base rate, as far as 2 trials can tell"


def test_no_answer_is_a_wrong_one() -> None:
    assert the_one(recorded([row("a", None, "up"), row("b", "up", "up")])).right == 0.5


@pytest.mark.parametrize(
    ("said", "standing", "words"),
    [
        ("up", "better", "better than the base rate"),
        ("down", "no better", "no better than the base rate"),
        ("no clear change", "worse", "worse than the base rate"),
    ],
)
def test_a_factor_says_in_so_many_words_how_it_stands_against_the_base_rate(said: Direction, standing: str, words: str) -> None:
    posted: Direction = "up" if standing == "better" else "down"
    found = the_one(recorded([row(f"trial {number}", said, posted) for number in range(10)], TRAINING))
    assert (found.standing, found.said.partition("; ")[2]) == (standing, words)


def test_trials_that_the_model_was_trained_on_never_count() -> None:
    rows = [row("seen", "up", "up"), row("other", "down", "up")]
    found = recorded(rows, seen=frozenset({"seen", "elsewhere"}))
    assert (the_one(found).right, the_one(found).trials) == (0.0, 1)
    assert (found.trials, found.left_out) == (("other",), ("seen",))
    assert recorded(rows, seen=frozenset({"seen", "other"})).records == ()


def test_what_has_no_record_says_so() -> None:
    found = recorded([row("a", "up", "up", probability=0.2, met=False)])
    assert said_of(found, "dose").startswith("dose: right direction on 100% of 1 pair in 1 trial")
    assert "right verdict on 100% of 1 pair" in said_of(found, "dose")
    assert "verdict" not in said_of(found, "dose", verdict=False)
    assert said_of(found, "time_frame") == "time frame: no record of this model"
    assert said_of(None, None) == "forecasts: no record of this model"


def test_p_met_is_put_beside_the_share_met_as_it_is_shown() -> None:
    rows = [row(f"{number}", None, None, probability=(number + 1) / 11, met=number >= 5) for number in range(10)]
    raw = recorded(rows).reliability[0]
    assert [(each.trials, each.met) for each in raw.bins] == [(2, 0.0), (2, 0.0), (2, 0.5), (2, 1.0), (2, 1.0)]
    assert not raw.is_calibrated
    corrected = Calibration(90, what_if=SlopeIntercept(0.0, 0.0, 40))
    shown = record(Said(subject_of(INFO), "test", "data", tuple(rows)), (), frozenset(), corrected).reliability[0]
    assert [(each.mean, each.met, each.trials) for each in shown.bins] == [(0.5, 0.5, 10)]
    assert shown.is_calibrated


def made_calibration(subject: Subject | None) -> Calibration:
    return Calibration(90, (Quantile("share", 1, 0.5, 30),), subject=subject)


def test_a_calibration_is_found_for_exactly_its_own_model(tmp_path) -> None:
    adapter = tmp_path / "adapter.gguf"
    info = ModelInfo("a model", "llama.cpp", 2048, sha256="1" * 64, adapter=str(adapter), adapter_sha256="2" * 64)
    assert on_file(info).calibration is None
    beside = made_calibration(subject_of(info))
    keep(tmp_path, beside, recorded([row("a", "up", "up")]))
    assert on_file(info).calibration == beside
    assert on_file(info).records is not None
    other = ModelInfo("a model", "llama.cpp", 2048, sha256="1" * 64, adapter=str(adapter), adapter_sha256="3" * 64)
    assert (on_file(other).calibration, on_file(other).records) == (None, None)
    own = Calibration(80, subject=subject_of(info))
    keep(own_folder(subject_of(info)), own, None)
    assert on_file(info).calibration == own


def test_a_named_calibration_goes_first_and_is_refused_for_another_model(tmp_path) -> None:
    keep(tmp_path, made_calibration(subject_of(INFO)), None)
    named = str(tmp_path / CALIBRATION)
    assert on_file(INFO, named).calibration == made_calibration(subject_of(INFO))
    with pytest.raises(RefusedError, match="not of another"):
        on_file(ModelInfo("another", "llama.cpp", 2048, sha256="9" * 64), named)
    keep(tmp_path, made_calibration(None), None)
    assert on_file(INFO, named).calibration == made_calibration(None)
    with pytest.raises(BadInputError, match="cannot be read"):
        on_file(INFO, str(tmp_path / "nothing.json"))


def test_the_demo_has_nothing_on_file(tmp_path) -> None:
    keep(tmp_path, made_calibration(None), None)
    found = on_file(ModelInfo("demo", "scripted", 2048, demo=True), str(tmp_path / CALIBRATION))
    assert (found.calibration, found.records) == (None, None)
