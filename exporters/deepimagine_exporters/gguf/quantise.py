"""llama.cpp's own quantiser, run in a process of its own: what it cannot do ends that process and not ours."""

from __future__ import annotations

import ctypes
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Literal, get_args

from deepimagine_exporters.gguf.child import failure
from deepimagine_tui.errors import MissingExtraError, ModelError, StorageError
from deepimagine_tui.files import make_dir

Quantised = Literal["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]

QUANTISED: tuple[Quantised, ...] = get_args(Quantised)
"""From the most exact to the smallest."""

_FILE_TYPES: dict[Quantised, int] = {"Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q4_K_M": 15}
"""llama.cpp's `llama_ftype` of each."""
_BITS: dict[Quantised, float] = {"Q8_0": 8.6, "Q6_K": 8.0, "Q5_K_M": 7.5, "Q4_K_M": 7.5}
"""Bits a weight at most; small models, whose rows K-quants do not divide, keep more than the name says."""


def quantise(source: Path, target: Path, kind: Quantised, cancel: Event) -> None:
    """Write the F16 model `source` to `target` as `kind`.

    Raises:
        MissingExtraError: llama.cpp is not installed.
        ModelError: llama.cpp cannot quantise it.
        StorageError: there is no room for it.
        CancelledError: `cancel` was set. In each case `target` is not left behind.
    """
    if find_spec("llama_cpp") is None:
        raise MissingExtraError("llama.cpp is not installed.", "pip install 'deepimagine[local]'")
    make_dir(target.parent)
    needed = int(source.stat().st_size * _BITS[kind] / 16)
    if shutil.disk_usage(target.parent).free < needed:
        raise StorageError(f"{needed / 1e6:,.0f} MB are needed in {target.parent}.", "Free some space and try again.")
    command = [sys.executable, "-P", "-m", "deepimagine_exporters.gguf.quantise", str(source), str(target), kind]
    reason = failure(command, target, cancel)
    if reason:
        raise ModelError(f"llama.cpp cannot make {kind} of {source.name}: {reason}.", "Leave this type out.")


def _main(source: str, target: str, kind: Quantised) -> int:
    """Quantise in this process; 0 when it is done."""
    import llama_cpp.llama_cpp as cpp

    params = cpp.llama_model_quantize_default_params()
    params.ftype = _FILE_TYPES[kind]
    return int(cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.pointer(params)))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], sys.argv[2], sys.argv[3]))  # type: ignore[arg-type]  # written by `quantise`
