"""The calibration and the records that ship: of the shipped adapter, and of trials that it was not trained on."""

from __future__ import annotations

import pytest
from deepimagine_assets.adapter import adapter_path
from msgspec.structs import replace

from deepimagine_tui.backends.adapter_facts import trained_on
from deepimagine_tui.backends.catalogue import EMBEDDED
from deepimagine_tui.backends.facts import identity
from deepimagine_tui.backends.protocol import ModelInfo
from deepimagine_tui.evaluation.on_file import on_file


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


def test_its_coverage_was_checked_and_what_failed_is_said(shipped: ModelInfo) -> None:
    calibration = on_file(shipped).calibration
    assert calibration is not None
    assert any(check.what == "coverage" for check in calibration.checks)
    for check in calibration.checks:
        if check.what == "coverage" and check.lower is not None and check.upper is not None:
            assert check.is_passed == (check.lower <= calibration.level / 100 <= check.upper)
