"""Runs as graphs, by name."""

from __future__ import annotations

import pytest

from deepimagine_tui.reasoning.graph import ReasoningGraph
from tests.support.sample_runs import ALL_RUNS, graph_of


@pytest.fixture(params=sorted(ALL_RUNS))
def any_run(request: pytest.FixtureRequest) -> ReasoningGraph:
    """Each sample run that has an anchor, in turn."""
    return graph_of(ALL_RUNS[request.param]())
