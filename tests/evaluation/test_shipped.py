"""The calibration and the records that ship: of the shipped adapter, and of trials that it was not trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from deepimagine_assets.adapter import adapter_path
from msgspec.structs import replace

from deepimagine_tui.backends.adapter_facts import scores_of, trained_on
from deepimagine_tui.backends.catalogue import EMBEDDED
from deepimagine_tui.backends.facts import identity
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.evaluation import predictions
from deepimagine_tui.evaluation.floors import NAMES as RULES
from deepimagine_tui.evaluation.on_file import on_file

COMMITTED = Path(__file__).parents[2] / "docs" / "evaluation" / "pairs"


@pytest.fixture(scope="module")
def shipped() -> ModelInfo:
    adapter = adapter_path()
    if adapter is None:
        pytest.skip("no adapter is shipped")
    return identity(replace(EMBEDDED, adapter=str(adapter)))


def test_the_shipped_files_are_of_the_shipped_adapter_and_found_for_it_alone(shipped: ModelInfo) -> None:
    found = on_file(shipped)
    assert found.calibration is not None
    assert found.records is not None
    untuned = on_file(identity(EMBEDDED))
    assert (untuned.calibration, untuned.records) == (None, None)


def test_no_trial_that_the_adapter_was_trained_on_is_in_them(shipped: ModelInfo) -> None:
    seen, found = trained_on(shipped), on_file(shipped)
    assert seen
    assert found.calibration is not None
    assert found.calibration.fitted_on is not None
    assert found.records is not None
    fitted_on = found.calibration.fitted_on
    for trials in (fitted_on.trials, fitted_on.checked_trials, found.records.trials):
        assert trials
        assert not seen & {*trials}
    assert not {*fitted_on.trials} & {*fitted_on.checked_trials}


def test_the_card_is_of_the_shipped_adapter_and_of_the_committed_evaluation(shipped: ModelInfo) -> None:
    scores = scores_of(Path(shipped.adapter))
    assert scores is not None
    names = {score.system for score in scores.scores}
    assert names >= {scores.judged, "untuned base", *RULES, "logistic-regression", "random-forest"}
    if not COMMITTED.is_dir():
        pytest.skip("the committed evaluations are not packed")
    said = predictions.read(COMMITTED / "deepimagine")
    assert (said.header.model_sha256, said.header.adapter_sha256) == (shipped.sha256, shipped.adapter_sha256)
    assert (said.header.set_name, said.header.questions) == (scores.set_name, scores.questions)
    assert said.is_complete


def test_its_coverage_was_checked_and_what_failed_is_said(shipped: ModelInfo) -> None:
    calibration = on_file(shipped).calibration
    assert calibration is not None
    assert any(check.what == "coverage" for check in calibration.checks)
    for check in calibration.checks:
        if check.what == "coverage" and check.lower is not None and check.upper is not None:
            assert check.is_passed == (check.lower <= calibration.level / 100 <= check.upper)
