"""A base model's GGUF file with an adapter added to its weights, as 16-bit floats.

Every entry of the base's header, tokenizer and template included, is copied byte by byte, except the ones that say what the
file is. Tensors are read, dequantised and written in slices of rows, so that memory does not grow with the model.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from deepimagine_exporters.gguf.metadata import Origin, Value, entries
from deepimagine_tui.backends.adapter_check import check_adapter
from deepimagine_tui.backends.gguf_header import GgufHeader, Tensor, check_model, read_header
from deepimagine_tui.errors import BadInputError, CancelledError, ModelError
from deepimagine_tui.files import atomic_write

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Factor = NDArray[np.float32]

_ALIGNMENT = 32
_SLICE_ELEMENTS = 1 << 24
_UINT32, _STRING = 4, 8
_VERSION, _F32, _F16 = 3, 0, 1
_FILE_TYPE_F16 = 1
_LARGEST_HALF = 65504.0


class _Delta(NamedTuple):
    """What is added to a weight: B A, the scale in B."""

    first: Factor
    second: Factor


def merge(
    base: Path,
    adapter: Path,
    origin: Origin,
    target: Path,
    cancel: Event,
    told: Callable[[float], object] = lambda share: None,
) -> None:
    """Write the GGUF model `base` with the GGUF adapter `adapter` added to it to `target`; `told` gets shares from 0 to 1.

    Quantised weights become 16-bit floats; vectors, and what was 32 bits wide without being adapted, stay as they are.

    Raises:
        NotFoundError, BadInputError, ModelError: base or adapter cannot be read, they do not fit, or a weight is too large.
        StorageError: `target` cannot be written; it is then as it was.
        CancelledError: `cancel` was set; likewise.
    """
    header, lora = read_header(base), read_header(adapter)
    check_model(header)
    check_adapter(lora, header)
    with base.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        deltas = _deltas(lora)
        total, done = max(1, header.parameters), 0
        with atomic_write(target) as out:
            _write_header(out, data, header, deltas, origin)
            for tensor in header.tensors:
                for part in _merged(data, header, tensor, deltas.get(tensor.name)):
                    if cancel.is_set():
                        raise CancelledError("Stopped while merging the adapter.")
                    out.write(part)
                _pad(out)
                done += tensor.elements
                told(done / total)


def _is_kept(tensor: Tensor, delta: _Delta | None) -> bool:
    """Whether the tensor is copied as it is: 32-bit floats outside the adapter, norms above all."""
    return tensor.type == "F32" and delta is None


def _merged(data: mmap.mmap, header: GgufHeader, tensor: Tensor, delta: _Delta | None) -> Iterator[bytes]:
    """The tensor's bytes in the new file, some rows at a time.

    Raises:
        BadInputError: the tensor is of a type that cannot be dequantised.
        ModelError: a weight is too large for a 16-bit float.
    """
    import gguf
    import numpy as np

    kind = getattr(gguf.GGMLQuantizationType, tensor.type, None) if tensor.type else None
    if kind is None:
        raise BadInputError(f"{header.path} holds {tensor.name} in a form that is not known here.", "Use another file of it.")
    block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    width = tensor.shape[0]
    rows, row_bytes = tensor.elements // width, width // block * block_bytes
    start, step = header.data_start + tensor.offset, max(1, _SLICE_ELEMENTS // width)
    for row in range(0, rows, step):
        count = min(step, rows - row)
        raw = data[start + row * row_bytes : start + (row + count) * row_bytes]
        if _is_kept(tensor, delta):
            yield raw
            continue
        try:
            weights = gguf.dequantize(np.frombuffer(raw, np.uint8).reshape(count, row_bytes), kind)
        except NotImplementedError as error:
            raise BadInputError(
                f"{header.path} holds {tensor.type} weights, which cannot be read here.", "Use another file of it."
            ) from error
        if delta is not None:
            weights = weights + delta.second[row : row + count] @ delta.first
        if not float(np.abs(weights).max(initial=0.0)) <= _LARGEST_HALF:
            raise ModelError(f"{tensor.name} holds weights that are too large for F16.", "Use the base with the adapter.")
        yield weights.astype(np.float16).tobytes()


def _deltas(lora: GgufHeader) -> dict[str, _Delta]:
    """What the adapter adds, by the weight's name."""
    import numpy as np

    alpha = float(lora.values["adapter.lora.alpha"])
    by_name = {tensor.name: tensor for tensor in lora.tensors}
    content = Path(lora.path).read_bytes()

    def values(tensor: Tensor) -> Factor:
        kind: Any = np.float32 if tensor.type == "F32" else np.float16
        found = np.frombuffer(content, kind, tensor.elements, lora.data_start + tensor.offset)
        return found.reshape(tensor.shape[::-1]).astype(np.float32)

    found = {}
    for name in by_name:
        stem, _, half = name.rpartition(".")
        if half == "lora_a":
            first, second = values(by_name[name]), values(by_name[f"{stem}.lora_b"])
            found[stem] = _Delta(first, second * (alpha / len(first)))
    return found


def _write_header(out: BinaryIO, data: mmap.mmap, header: GgufHeader, deltas: Mapping[str, _Delta], origin: Origin) -> None:
    """Everything before the tensors' data, for a file of version 3."""
    own: dict[str, Value] = {**dict(entries(origin)), "general.file_type": _FILE_TYPE_F16, "general.alignment": _ALIGNMENT}
    copied = [span for key, span in header.spans.items() if key not in own]
    out.write(b"GGUF" + struct.pack("<IQQ", _VERSION, len(header.tensors), len(copied) + len(own)))
    for begin, end in copied:
        out.write(data[begin:end])
    for key, value in own.items():
        out.write(_text(key))
        out.write(struct.pack("<I", _STRING) + _text(value) if isinstance(value, str) else struct.pack("<II", _UINT32, value))
    offset = 0
    for tensor in header.tensors:
        kept = _is_kept(tensor, deltas.get(tensor.name))
        out.write(
            _text(tensor.name) + struct.pack("<I", len(tensor.shape)) + struct.pack(f"<{len(tensor.shape)}Q", *tensor.shape)
        )
        out.write(struct.pack("<IQ", _F32 if kept else _F16, offset))
        offset += -(-tensor.elements * (4 if kept else 2) // _ALIGNMENT) * _ALIGNMENT
    _pad(out)


def _text(value: str) -> bytes:
    content = value.encode()
    return struct.pack("<Q", len(content)) + content


def _pad(out: BinaryIO) -> None:
    out.write(b"\0" * (-out.tell() % _ALIGNMENT))
