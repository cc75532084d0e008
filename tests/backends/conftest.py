"""Models to test with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny_gguf import write_tiny_adapter, write_tiny_gguf


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random F32 model of under a megabyte, without a chat template."""
    pytest.importorskip("gguf")
    return write_tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.fixture(scope="session")
def tiny_adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random LoRA adapter that fits `tiny_gguf`."""
    pytest.importorskip("gguf")
    return write_tiny_adapter(tmp_path_factory.mktemp("adapter") / "adapter.gguf")
