"""What every test shares: a private home, and where the real records lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED_DATA = "DEEPIMAGINE_SHARED_DATA"

if "PYTEST_XDIST_WORKER" in os.environ:
    # Every worker has a core: threads of several torch processes would only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: no test reads or writes the user's settings, corpus or runs."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("DEEPIMAGINE_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real records; the test is skipped where there is none."""
    folder = os.environ.get(SHARED_DATA)
    if not folder:
        pytest.skip(f"{SHARED_DATA} does not name the folder of real registry records")
    return Path(folder)
