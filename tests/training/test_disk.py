"""A full disk is told as that, whichever library met it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the `training` extra is not installed")

from deepimagine_training.disk import writing
from safetensors import SafetensorError
from safetensors.torch import load

from deepimagine_tui.errors import StorageError

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason=f"{sys.platform} has no {FULL}")
def test_a_full_disk_that_the_system_meets_is_told_as_that(tmp_path: Path):
    with pytest.raises(StorageError, match="No room is left"), writing(tmp_path):
        FULL.write_bytes(b"x")


def test_a_full_disk_that_safetensors_meets_is_told_as_that(tmp_path: Path):
    with pytest.raises(StorageError, match="No room is left"), writing(tmp_path):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_what_is_no_matter_of_the_disk_stays_what_it_is(tmp_path: Path):
    with pytest.raises(SafetensorError), writing(tmp_path):
        load(b"x")
