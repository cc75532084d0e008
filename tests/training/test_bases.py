"""Where a base is put."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from deepimagine_training.bases import place_of, resolve

from deepimagine_tui.errors import ModelError


def test_each_process_of_a_machine_has_a_card_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert (place_of("cpu"), place_of("cuda")) == ("cpu", "cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert (place_of("cpu"), place_of("cuda")) == ("cpu", "cuda:3")


def test_a_model_that_fills_gaps_is_no_base(tmp_path: Path):
    pytest.importorskip("transformers", reason="the `training` extra is not installed")
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="'bert' model, which does not write text"):
        resolve(str(tmp_path))
