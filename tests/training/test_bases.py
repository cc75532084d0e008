"""Where a base is put."""

from __future__ import annotations

import pytest
from deepimagine_training.bases import place_of


def test_each_process_of_a_machine_has_a_card_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert (place_of("cpu"), place_of("cuda")) == ("cpu", "cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert (place_of("cpu"), place_of("cuda")) == ("cpu", "cuda:3")
