"""llama.cpp's converter for models whose tokenizer it does not know by its hash."""

from __future__ import annotations

from pathlib import Path

import pytest

_SCRIPT = """
import runpy, sys
sys.path.insert(0, {place!r})
from conversion.base import TextModel
TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
runpy.run_path({place!r} + "/convert_hf_to_gguf.py", run_name="__main__")
"""


def for_tiny_models(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the installed converter, told how the tiny models' bytes are split into tokens; skip where it is not installed."""
    from deepimagine_exporters.gguf.convert import VARIABLE, converter

    from deepimagine_tui.errors import MissingExtraError

    try:
        place = converter()
    except MissingExtraError as error:
        pytest.skip(str(error))
    folder.mkdir(exist_ok=True)
    (folder / "convert_hf_to_gguf.py").write_text(_SCRIPT.format(place=str(place)))
    monkeypatch.setenv(VARIABLE, str(folder))
