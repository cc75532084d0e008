"""What an export says of the model."""

from __future__ import annotations

import pytest
from deepimagine_exporters.provenance import model_text
from msgspec.structs import replace

from tests.support.sample_runs import MODEL


@pytest.mark.parametrize("name", ["Gemma 3 270M", "Gemma 3 270M Q4_K_M, tuned"])
def test_the_quantisation_is_said_once(name: str):
    assert model_text(replace(MODEL, name=name)).count("Q4_K_M") == 1
