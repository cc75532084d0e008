"""The real records, parsed once for all tests of the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepimagine_tui.trials.model import Trial
from deepimagine_tui.trials.reading import parse_record


@pytest.fixture(scope="session")
def real_trials(shared_data: Path) -> list[Trial]:
    """Every record of the shared folder as a trial."""
    return [parse_record(path.read_bytes(), path.name) for path in sorted((shared_data / "ctgov").glob("NCT*"))]
