"""A LoRA adapter as PEFT saves it, written as an adapter GGUF that llama.cpp applies on the base model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepimagine_exporters.gguf.base import Base
from deepimagine_exporters.gguf.check import WEIGHTS, modules_of, read_scale
from deepimagine_exporters.gguf.metadata import Origin, entries
from deepimagine_exporters.gguf.permutation import orders
from deepimagine_tui.backends.adapter_check import ORDER, ORDER_KEY
from deepimagine_tui.errors import BadInputError, ModelError
from deepimagine_tui.files import make_dir, storage_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Factor = NDArray[np.float32]

_LARGEST_HALF = 65504.0


def write_adapter(adapter: Path, base: Base, origin: Origin, target: Path) -> None:
    """Write the adapter in the folder `adapter` to `target`, its factors as 16-bit floats in llama.cpp's order.

    llama.cpp applies alpha / r * B A, where A is (r, in) and B is (out, r). `target` is overwritten, and not whole before this
    returns.

    Raises:
        BadInputError: the adapter cannot be read, has no scale or no tensors, or holds values that are no numbers.
        ModelError: llama.cpp cannot apply it, or it is for another model than `base`.
        StorageError: `target` cannot be written.
    """
    scale = read_scale(adapter)
    tensors = _factors(adapter)
    modules = modules_of(tensors, adapter)
    names = _Names(base)
    make_dir(target.parent)
    writer = _begun(target, base, origin, scale.usual)
    for module in modules:
        first, second = (tensors[f"base_model.model.{module}.lora_{half}.weight"] for half in "AB")
        order = orders(base, module, second.shape[0], first.shape[1])
        second = second * (scale.of(module, first.shape[0]) / scale.usual)
        name = names.of(module)
        writer.add_tensor(f"{name}.lora_a", _half(first if order.columns is None else first[:, order.columns], adapter))
        writer.add_tensor(f"{name}.lora_b", _half(second if order.rows is None else second[order.rows], adapter))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    except OSError as error:
        raise storage_error(target, error) from error


class _Names:
    """llama.cpp's names of a model's weights, by transformers' names of their modules."""

    def __init__(self, base: Base) -> None:
        import gguf

        by_name = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
        self._map = gguf.get_tensor_name_map(by_name[base.architecture], base.blocks)
        self._base = base

    def of(self, module: str) -> str:
        """The name of the weight of `module`, which may be a part of a model that also sees images.

        Raises:
            ModelError: the base has no such module.
        """
        found = self._map.get_name(module.replace("model.language_model.", "model."))
        if found is None:
            raise ModelError(
                f"The adapter is for another model: {self._base.architecture} has no {module}.",
                "Name the base it was trained on.",
            )
        return f"{found}.weight"


def _begun(target: Path, base: Base, origin: Origin, alpha: float) -> Any:  # noqa: ANN401  # a gguf.GGUFWriter
    import gguf

    writer = gguf.GGUFWriter(target, base.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_string(ORDER_KEY, ORDER)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for key, value in entries(origin):
        if isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_uint32(key, value)
    return writer


def _factors(adapter: Path) -> dict[str, Factor]:
    """The adapter's tensors as 32-bit floats.

    Raises:
        BadInputError: they cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    path = adapter / WEIGHTS
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key).float().numpy() for key in file.keys()}  # noqa: SIM118  # not a mapping
    except (OSError, SafetensorError) as error:
        raise BadInputError(f"{path} cannot be read ({error}).", "Name another run.") from error


def _half(values: Factor, adapter: Path) -> NDArray[np.float16]:
    import numpy as np

    if not np.isfinite(values).all() or float(np.abs(values).max(initial=0.0)) > _LARGEST_HALF:
        raise BadInputError(f"{adapter} holds values that are no numbers, or too large.", "Train again, at a lower rate.")
    return np.ascontiguousarray(values, dtype=np.float16)
